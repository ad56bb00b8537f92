//! API keys of whoever asks: listed, made, deleted.

use axum::{Json, extract::State};
use domain::{
    ApiKeyId, IndexId, Timestamp,
    user::{ApiKey, KeyLimits, KeyRight},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        problem::{Answer, Failed},
        request::{Id, Sent},
    },
};

/// `read` may search and read what can be found; `manage` may do whatever its owner may.
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = KeyRight)]
pub enum KeyRightJson {
    #[default]
    Read,
    Manage,
}

impl From<KeyRight> for KeyRightJson {
    fn from(right: KeyRight) -> Self {
        match right {
            KeyRight::Read => Self::Read,
            KeyRight::Manage => Self::Manage,
        }
    }
}

impl From<KeyRightJson> for KeyRight {
    fn from(right: KeyRightJson) -> Self {
        match right {
            KeyRightJson::Read => Self::Read,
            KeyRightJson::Manage => Self::Manage,
        }
    }
}

/// A key for this API and for MCP; the key itself is shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey, examples(json!({
    "id": "7", "name": "Support agent", "prefix": "circuit_Zk3x9a", "right": "read", "indexes": ["1"],
    "expires_at": "2027-06-01T00:00:00.000Z", "created_at": "2026-11-24T08:00:00.000Z", "last_used_at": null
})))]
pub struct ApiKeyJson {
    pub id: String,
    pub name: String,
    /// The first characters of the key, to tell keys apart.
    pub prefix: String,
    pub right: KeyRightJson,
    /// Ids of the only indexes that are there for it. Null: all.
    pub indexes: Option<Vec<String>>,
    /// From when on it is refused. Null: never.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
}

impl From<ApiKey> for ApiKeyJson {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            prefix: key.prefix,
            right: key.limits.right.into(),
            indexes: key
                .limits
                .indexes
                .map(|ids| ids.iter().map(IndexId::to_string).collect()),
            expires_at: key.limits.expires_at.map(|at| at.to_string()),
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
#[schema(examples(json!({
    "name": "Support agent", "right": "read", "indexes": ["1"], "expires_at": "2027-06-01T00:00:00Z"
})))]
pub struct NewApiKeyRequest {
    /// What it is for, at most 200 characters.
    pub name: String,
    /// `read` when absent. Only an administrator makes a key that may manage.
    #[serde(default)]
    pub right: KeyRightJson,
    /// Ids of the only indexes that will be there for it, at most 100; all when absent.
    #[serde(default)]
    pub indexes: Option<Vec<String>>,
    /// From when on it will be refused; never when absent.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

impl NewApiKeyRequest {
    fn limits(&self) -> Result<KeyLimits, Failed> {
        let indexes = self
            .indexes
            .as_ref()
            .map(|ids| ids.iter().map(|id| id.parse()).collect());
        let expires_at = self.expires_at.as_deref().map(Timestamp::parse).transpose();
        Ok(KeyLimits {
            indexes: indexes
                .transpose()
                .map_err(|error| Failed::from(error).about("indexes"))?,
            right: self.right.into(),
            expires_at: expires_at.map_err(|error| Failed::from(error).about("expires_at"))?,
        })
    }
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
///
/// With a key of certain indexes, those that reach no further.
#[utoipa::path(get, path = "/api-keys", tag = "account", responses((status = 200, description = "Your keys", body = ApiKeysJson)))]
pub async fn list_api_keys(State(door): State<Door>, Asker(caller): Asker) -> Answer<Json<ApiKeysJson>> {
    let keys = door.app.api_keys(&caller).await?;
    Ok(Json(ApiKeysJson {
        api_keys: keys.into_iter().map(ApiKeyJson::from).collect(),
    }))
}

/// Make an API key
///
/// A key makes none that reaches further than itself.
#[utoipa::path(post, path = "/api-keys", tag = "account", request_body = NewApiKeyRequest,
    responses((status = 201, description = "The new key, shown this once", body = NewApiKeyJson)))]
pub async fn create_api_key(
    State(door): State<Door>,
    Asker(caller): Asker,
    Sent(new): Sent<NewApiKeyRequest>,
) -> Answer<(StatusCode, Json<NewApiKeyJson>)> {
    let (key, secret) = door.app.create_api_key(&caller, &new.name, &new.limits()?).await?;
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
