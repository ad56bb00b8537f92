//! API keys of whoever asks: listed, made, deleted.

use axum::{Json, extract::State};
use domain::{ApiKeyId, user::ApiKey};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        problem::Answer,
        request::{Id, Sent},
    },
};

/// A key for this API; the key itself is shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyJson {
    pub id: String,
    pub name: String,
    /// The first characters of the key, to tell keys apart.
    pub prefix: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
}

impl From<ApiKey> for ApiKeyJson {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            prefix: key.prefix,
            created_at: key.created_at.to_string(),
            last_used_at: key.last_used_at.map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeys)]
pub struct ApiKeysJson {
    pub api_keys: Vec<ApiKeyJson>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKeyRequest {
    /// What it is for, at most 200 characters.
    pub name: String,
}

/// A key that was made just now.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub struct NewApiKeyJson {
    #[serde(flatten)]
    pub api_key: ApiKeyJson,
    /// The key itself. This is the only answer that ever holds it.
    pub secret: String,
}

/// List your API keys
#[utoipa::path(get, path = "/api-keys", tag = "account", responses((status = 200, description = "Your keys", body = ApiKeysJson)))]
pub async fn list_api_keys(State(door): State<Door>, Asker(caller): Asker) -> Answer<Json<ApiKeysJson>> {
    let keys = door.app.api_keys(&caller).await?;
    Ok(Json(ApiKeysJson {
        api_keys: keys.into_iter().map(ApiKeyJson::from).collect(),
    }))
}

/// Make an API key
#[utoipa::path(post, path = "/api-keys", tag = "account", request_body = NewApiKeyRequest,
    responses((status = 201, description = "The new key, shown this once", body = NewApiKeyJson)))]
pub async fn create_api_key(
    State(door): State<Door>,
    Asker(caller): Asker,
    Sent(new): Sent<NewApiKeyRequest>,
) -> Answer<(StatusCode, Json<NewApiKeyJson>)> {
    let (key, secret) = door.app.create_api_key(&caller, &new.name).await?;
    let made = NewApiKeyJson {
        api_key: key.into(),
        secret: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Delete one of your API keys
///
/// From then on nobody can use it. The key that asks may delete itself.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "account", params(("id" = String, Path, description = "Id of the key")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_api_key(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(key): Id<ApiKeyId>,
) -> Answer<StatusCode> {
    door.app.delete_api_key(&caller, key).await?;
    Ok(StatusCode::NO_CONTENT)
}
