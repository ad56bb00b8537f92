//! Whoever asks.

use app::Caller;
use axum::Json;
use domain::user::Role;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{auth::Asker, problem::Answer};

/// Your account.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeJson {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: RoleJson,
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// `admin` may do everything; `reader` may search and read.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Role)]
pub enum RoleJson {
    Admin,
    Reader,
}

/// Read your account
#[utoipa::path(get, path = "/me", tag = "account", responses((status = 200, description = "You", body = MeJson)))]
pub async fn read_me(Asker(Caller { user, .. }): Asker) -> Answer<Json<MeJson>> {
    Ok(Json(MeJson {
        id: user.id.to_string(),
        email: user.email,
        name: user.name,
        role: match user.role {
            Role::Admin => RoleJson::Admin,
            Role::Reader => RoleJson::Reader,
        },
        created_at: user.created_at.to_string(),
    }))
}
