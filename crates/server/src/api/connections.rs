//! The way to Atlassian and back: begin, callback.

use app::connections::{Callback, ConnectStart};
use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    FeedId, IndexId, Secret,
    connection::{Connection, ConnectionState, Ending},
};
use http::{StatusCode, header::LOCATION};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        feeds::FeedJson,
        problem::Answer,
        reconnections::ReconnectionJson,
        request::{Id, Sent},
    },
};

/// A person's grant to an Atlassian account. Its tokens are never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionJson {
    pub id: String,
    pub state: ConnectionStateJson,
    /// Why Atlassian no longer accepts it, for people; of `needs_reconnect` only.
    pub why: Option<String>,
    /// How it came to its end; of `needs_reconnect` only.
    pub ending: Option<EndingJson>,
    /// The Atlassian account that consented, once known.
    pub account_id: Option<String>,
    pub account_name: Option<String>,
    pub scopes: Vec<String>,
    /// When the person consented.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When its tokens were last rotated.
    #[schema(format = DateTime)]
    pub refreshed_at: String,
}

/// How reading came to its end. `revoked`: the consent was taken back, or the Atlassian password was changed. `expired`:
/// not used for ninety days, or a year old. `site_removed`: the site is no longer among those of the consent.
/// `no_confluence`: the person may no longer use Confluence there. `anonymous`: the site answers as to nobody.
/// `other_account`: it answers to another account than the one that connected. `hidden_from_app`: an admin's app access
/// rule hides the chosen spaces.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Ending)]
pub enum EndingJson {
    Revoked,
    Expired,
    SiteRemoved,
    NoConfluence,
    Anonymous,
    OtherAccount,
    HiddenFromApp,
}

impl From<Ending> for EndingJson {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Revoked => Self::Revoked,
            Ending::Expired => Self::Expired,
            Ending::SiteRemoved => Self::SiteRemoved,
            Ending::NoConfluence => Self::NoConfluence,
            Ending::Anonymous => Self::Anonymous,
            Ending::OtherAccount => Self::OtherAccount,
            Ending::HiddenFromApp => Self::HiddenFromApp,
        }
    }
}

/// `removed`: its tokens were deleted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionState)]
pub enum ConnectionStateJson {
    Active,
    NeedsReconnect,
    Removed,
}

impl From<Connection> for ConnectionJson {
    fn from(connection: Connection) -> Self {
        let (state, ending, why) = match connection.state {
            ConnectionState::Active => (ConnectionStateJson::Active, None, None),
            ConnectionState::NeedsReconnect { ending, why } => {
                (ConnectionStateJson::NeedsReconnect, Some(ending.into()), Some(why))
            }
            ConnectionState::Removed => (ConnectionStateJson::Removed, None, None),
        };
        Self {
            id: connection.id.to_string(),
            state,
            why,
            ending,
            account_id: connection.account.map(|account| account.to_string()),
            account_name: connection.account_name,
            scopes: connection.scopes.into_iter().collect(),
            created_at: connection.created_at.to_string(),
            refreshed_at: connection.refreshed_at.to_string(),
        }
    }
}

/// Where to send the person, and the feed that waits for them.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectStart)]
pub struct ConnectStartJson {
    /// Id of the feed.
    pub feed: String,
    /// Atlassian's page of consent. It sends the person back to the redirect URI of GET /admin/atlassian-app with
    /// `state` and `code`, or `error`: hand these to POST /feeds/{id}/callback within ten minutes.
    #[schema(format = "uri")]
    pub authorize_url: String,
}

impl From<ConnectStart> for ConnectStartJson {
    fn from(start: ConnectStart) -> Self {
        Self {
            feed: start.feed.to_string(),
            authorize_url: start.url,
        }
    }
}

/// What Atlassian's redirect brought: `state`, and `code` or `error`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRequest {
    pub state: String,
    #[schema(write_only)]
    pub code: Option<String>,
    /// Such as `access_denied`, when the person chose Cancel.
    pub error: Option<String>,
}

/// A feed whose connection was just made, or asks for an answer first.
#[derive(Serialize, ToSchema)]
#[schema(as = Connected)]
pub struct ConnectedJson {
    #[serde(flatten)]
    pub feed: FeedJson,
    /// None when the new connection is in place.
    pub question: Option<ReconnectionJson>,
}

/// Connect a new feed of an index to Confluence
///
/// Makes the feed and begins OAuth: send a person to authorize_url.
#[utoipa::path(post, path = "/indexes/{id}/feeds", tag = "feeds", params(("id" = String, Path, description = "Id of the index")),
    responses((status = 201, description = "Begun; the feed waits", body = ConnectStartJson, headers(("Location" = String, description = "The feed's address")))))]
pub async fn create_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
) -> Answer<impl IntoResponse> {
    let start = ConnectStartJson::from(door.app.begin_connect(&caller, index).await?);
    let location = format!("/api/v1/feeds/{}", start.feed);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(start)))
}

/// Connect a feed again
///
/// To reconnect, or to try once more: send a person to authorize_url.
#[utoipa::path(post, path = "/feeds/{id}/connect", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "Begun", body = ConnectStartJson)))]
pub async fn connect_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<ConnectStartJson>> {
    Ok(Json(door.app.reconnect(&caller, feed).await?.into()))
}

/// Finish connecting a feed
///
/// The state must be one that the same user was given, and is good for one use. When a feed that has its spaces was
/// connected as another account, or as one that does not see all of them, `question` says so: everything stays as it was
/// until POST /feeds/{id}/reconnection answers yes, or DELETE no.
#[utoipa::path(post, path = "/feeds/{id}/callback", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    request_body = CallbackRequest, responses((status = 200, description = "Connected, or asked; of a new feed choose the site next", body = ConnectedJson)))]
pub async fn finish_connecting(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    Sent(callback): Sent<CallbackRequest>,
) -> Answer<Json<ConnectedJson>> {
    door.app.feed(&caller, feed).await?;
    let code = callback.code.map(Secret::new);
    let callback = Callback {
        state: &callback.state,
        code: code.as_ref(),
        error: callback.error.as_deref(),
    };
    // The state decides which feed it is; the answer names that one.
    let connected = door.app.finish_connect(&caller, callback).await?;
    let question = door.app.reconnection(&caller, connected).await?;
    Ok(Json(ConnectedJson {
        feed: door.app.feed(&caller, connected).await?.into(),
        question: question.map(ReconnectionJson::from),
    }))
}
