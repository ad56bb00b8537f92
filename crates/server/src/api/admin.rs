//! Circuit's registration with Atlassian: seen without its secret, and set.

use app::{Caller, users::AtlassianAppState};
use axum::{Json, extract::State};
use domain::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{auth::Asker, problem::Answer, request::Sent},
};

/// Circuit's registration with Atlassian. Its secret is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = AtlassianApp)]
pub struct AtlassianAppJson {
    pub source: AppSourceJson,
    /// Known when an administrator entered it.
    pub client_id: Option<String>,
    /// To be registered with the Atlassian app exactly so.
    #[schema(format = "uri")]
    pub redirect_uri: String,
    /// What Circuit asks of Atlassian.
    pub scopes: Vec<ScopeJson>,
}

/// Where client id and secret come from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AtlassianAppSource)]
pub enum AppSourceJson {
    Configuration,
    Administrator,
    Missing,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
pub struct ScopeJson {
    pub scope: String,
    /// Why it is asked for.
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtlassianAppRequest {
    pub client_id: String,
    #[schema(write_only, format = Password)]
    pub client_secret: String,
}

/// Read the Atlassian app's registration
#[utoipa::path(get, path = "/admin/atlassian-app", tag = "admin", responses((status = 200, description = "What is known of it", body = AtlassianAppJson)))]
pub async fn read_atlassian_app(State(door): State<Door>, Asker(caller): Asker) -> Answer<Json<AtlassianAppJson>> {
    seen(&door, &caller).await
}

/// Set client id and secret of the Atlassian app
///
/// Not possible when the configuration sets them.
#[utoipa::path(put, path = "/admin/atlassian-app", tag = "admin", request_body = AtlassianAppRequest,
    responses((status = 200, description = "Kept; the secret is sealed", body = AtlassianAppJson)))]
pub async fn set_atlassian_app(
    State(door): State<Door>,
    Asker(caller): Asker,
    Sent(new): Sent<AtlassianAppRequest>,
) -> Answer<Json<AtlassianAppJson>> {
    let secret = Secret::new(new.client_secret);
    door.app.set_atlassian_app(&caller, &new.client_id, &secret).await?;
    seen(&door, &caller).await
}

async fn seen(door: &Door, caller: &Caller) -> Answer<Json<AtlassianAppJson>> {
    let (source, client_id) = match door.app.atlassian_app(caller).await? {
        AtlassianAppState::Configured => (AppSourceJson::Configuration, None),
        AtlassianAppState::Kept { client_id } => (AppSourceJson::Administrator, Some(client_id)),
        AtlassianAppState::Missing => (AppSourceJson::Missing, None),
    };
    let requested = door.app.scopes().requested.iter().cloned();
    Ok(Json(AtlassianAppJson {
        source,
        client_id,
        redirect_uri: door.app.redirect_uri(),
        scopes: requested.map(|(scope, reason)| ScopeJson { scope, reason }).collect(),
    }))
}
