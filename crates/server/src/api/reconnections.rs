//! A new connection of a feed that waits for an answer.

use app::reconnections::Question;
use axum::{Json, extract::State};
use domain::{FeedId, space::Space};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        feeds::FeedJson,
        problem::{Answer, Failed, NOT_FOUND},
        request::Id,
    },
};

/// A new connection that may take the place of the feed's. Until then nothing changes; after an hour it is forgotten.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconnection)]
pub struct ReconnectionJson {
    /// The Atlassian account that consented this time.
    pub account_id: String,
    pub account_name: String,
    /// Whether it is another account than the present connection's.
    pub another_account: bool,
    /// The account of the present connection, as far as it is known.
    pub present_account_name: Option<String>,
    /// How many spaces the feed carries.
    pub spaces: u64,
    /// Those of them that the new account does not see: with a yes they are kept out of search at once.
    pub hidden_spaces: Vec<HiddenSpaceJson>,
    #[schema(format = DateTime)]
    pub asked_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HiddenSpace)]
pub struct HiddenSpaceJson {
    pub id: String,
    pub key: String,
    pub name: String,
}

impl From<Space> for HiddenSpaceJson {
    fn from(space: Space) -> Self {
        Self {
            id: space.id.0,
            key: space.key,
            name: space.name,
        }
    }
}

impl From<Question> for ReconnectionJson {
    fn from(question: Question) -> Self {
        let another_account = question.another_account();
        let asked = question.reconnection;
        Self {
            account_id: asked.person.account.0,
            account_name: asked.person.name,
            another_account,
            present_account_name: question.present.and_then(|present| present.account_name),
            spaces: question.spaces as u64,
            hidden_spaces: asked.hidden.into_iter().map(HiddenSpaceJson::from).collect(),
            asked_at: asked.asked_at.to_string(),
        }
    }
}

/// Read the new connection that waits for an answer
#[utoipa::path(get, path = "/feeds/{id}/reconnection", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "What is asked; 404 when nothing is", body = ReconnectionJson)))]
pub async fn read_reconnection(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<ReconnectionJson>> {
    let question = door.app.reconnection(&caller, feed).await?;
    let unasked = || Failed::new(&NOT_FOUND, "no new connection of this feed waits for an answer");
    Ok(Json(question.ok_or_else(unasked)?.into()))
}

/// Let the new connection take the place of the present one
///
/// The present one's tokens are deleted; spaces that the new account does not see are kept out of search at once.
#[utoipa::path(post, path = "/feeds/{id}/reconnection", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "It is in place", body = FeedJson)))]
pub async fn accept_reconnection(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedJson>> {
    Ok(Json(door.app.accept_reconnection(&caller, feed).await?.into()))
}

/// Refuse the new connection
///
/// Its tokens are deleted, and everything stays as it was.
#[utoipa::path(delete, path = "/feeds/{id}/reconnection", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "It is forgotten", body = FeedJson)))]
pub async fn refuse_reconnection(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedJson>> {
    Ok(Json(door.app.refuse_reconnection(&caller, feed).await?.into()))
}
