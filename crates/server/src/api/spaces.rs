//! Spaces: those that a feed could carry, and those that it carries.

use app::feeds::SPACES_CHOSEN_MAX;
use axum::{Json, extract::State};
use domain::{
    FeedId, SpaceId,
    space::{Estimate, FeedSpace, Space},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        feeds::FeedJson,
        points::QuoteJson,
        problem::{Answer, Failed},
        request::{Id, Sent},
    },
};

/// The space that something is in.
#[derive(Serialize, ToSchema)]
#[schema(as = SpaceRef)]
pub struct SpaceRefJson {
    pub id: String,
    /// What people know it by, such as `ENG`.
    pub key: String,
    pub name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Space)]
pub struct SpaceJson {
    pub id: String,
    /// What people know it by, such as `ENG`. May be renamed.
    pub key: String,
    pub name: String,
    /// Atlassian's word, such as `global` or `personal`; others may come.
    pub kind: String,
}

impl From<Space> for SpaceJson {
    fn from(space: Space) -> Self {
        Self {
            id: space.id.to_string(),
            key: space.key,
            name: space.name,
            kind: space.kind,
        }
    }
}

/// A space that a feed carries, and how far it has come.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedSpace)]
pub struct FeedSpaceJson {
    #[serde(flatten)]
    pub space: SpaceJson,
    #[schema(format = DateTime)]
    pub added_at: String,
    /// When its first import was complete.
    #[schema(format = DateTime)]
    pub imported_at: Option<String>,
    /// Since when the connected person can no longer see it: its documents are kept, and not found.
    #[schema(format = DateTime)]
    pub suspended_at: Option<String>,
    /// What was expected when it was chosen.
    pub estimate: Option<EstimateJson>,
    /// Documents that are held of it.
    pub documents: u64,
}

impl From<FeedSpace> for FeedSpaceJson {
    fn from(carried: FeedSpace) -> Self {
        Self {
            space: carried.space.into(),
            added_at: carried.added_at.to_string(),
            imported_at: carried.imported_at.map(|at| at.to_string()),
            suspended_at: carried.suspended_at.map(|at| at.to_string()),
            estimate: carried.estimate.map(EstimateJson::from),
            documents: carried.documents,
        }
    }
}

/// About how much spaces hold.
#[derive(Serialize, ToSchema)]
#[schema(as = Estimate)]
pub struct EstimateJson {
    pub pages: u64,
    pub blog_posts: u64,
    pub comments: u64,
    pub attachments: u64,
}

impl From<Estimate> for EstimateJson {
    fn from(estimate: Estimate) -> Self {
        Self {
            pages: estimate.pages,
            blog_posts: estimate.blog_posts,
            comments: estimate.comments,
            attachments: estimate.attachments,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Spaces)]
pub struct SpacesJson {
    pub spaces: Vec<SpaceJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FeedSpaces)]
pub struct FeedSpacesJson {
    /// By key.
    pub spaces: Vec<FeedSpaceJson>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceIds {
    /// Ids of spaces that the connected person can see, 1 to 1,000.
    pub ids: Vec<String>,
}

impl SpaceIds {
    fn checked(self) -> Result<Vec<SpaceId>, Failed> {
        match self.ids.len() {
            n if n > SPACES_CHOSEN_MAX => Err(Failed::invalid(format!("ids: at most {SPACES_CHOSEN_MAX} spaces"))),
            _ => Ok(self.ids.into_iter().map(SpaceId::new).collect()),
        }
    }
}

/// List the spaces that a feed carries
#[utoipa::path(get, path = "/feeds/{id}/spaces", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "Spaces with what is held of them", body = FeedSpacesJson)))]
pub async fn list_feed_spaces(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedSpacesJson>> {
    let picture = door.app.feed_picture(&caller, feed).await?;
    Ok(Json(FeedSpacesJson {
        spaces: picture.spaces.into_iter().map(FeedSpaceJson::from).collect(),
    }))
}

/// List the spaces that a feed could carry
///
/// Those that the connected person can see on the feed's site, asked of Atlassian now.
#[utoipa::path(get, path = "/feeds/{id}/spaces/available", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "Spaces", body = SpacesJson)))]
pub async fn list_available_spaces(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<SpacesJson>> {
    let spaces = door.app.spaces(&caller, feed).await?;
    Ok(Json(SpacesJson {
        spaces: spaces.into_iter().map(SpaceJson::from).collect(),
    }))
}

/// Add spaces to a feed and start importing them
///
/// Those that it carries already stay as they are.
#[utoipa::path(post, path = "/feeds/{id}/spaces", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    request_body = SpaceIds, responses((status = 200, description = "Added; the import is queued", body = FeedJson)))]
pub async fn add_spaces(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    Sent(spaces): Sent<SpaceIds>,
) -> Answer<Json<FeedJson>> {
    let feed = door.app.add_spaces(&caller, feed, &spaces.checked()?).await?;
    Ok(Json(feed.into()))
}

/// Estimate how much spaces hold and what it costs to carry them
///
/// Changes nothing, and costs four calls for each fifty spaces.
#[utoipa::path(post, path = "/feeds/{id}/estimate", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    request_body = SpaceIds, responses((status = 200, description = "About so much", body = QuoteJson)))]
pub async fn estimate_spaces(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    Sent(spaces): Sent<SpaceIds>,
) -> Answer<Json<QuoteJson>> {
    let quote = door.app.estimate(&caller, feed, &spaces.checked()?).await?;
    Ok(Json(quote.into()))
}
