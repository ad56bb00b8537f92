//! Indexes: made, named, described, deleted.

use app::{indexes::IndexView, meanings::SemanticView};
use axum::{Json, extract::State, response::IntoResponse};
use domain::{IndexId, index::Index};
use http::{StatusCode, header::LOCATION};
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

/// A searchable corpus that somebody made and named.
#[derive(Serialize, ToSchema)]
#[schema(as = Index)]
pub struct IndexJson {
    pub id: String,
    pub name: String,
    pub description: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Documents that are held.
    pub documents: u64,
    pub feeds: u64,
    /// Whether everything that is held can be found already.
    pub searchable: bool,
    /// How far search by meaning is; null when no model is set, and search is by words alone.
    pub semantic: Option<SemanticJson>,
}

/// How far a model has read an index.
#[derive(Serialize, ToSchema)]
#[schema(as = Semantic)]
pub struct SemanticJson {
    /// The model that the settings name.
    pub model: String,
    pub passages: u64,
    /// Passages whose meaning is known under this model.
    pub known: u64,
    /// Why it does not go on at present, for people; null when all is well.
    pub trouble: Option<String>,
}

impl From<SemanticView> for SemanticJson {
    fn from(view: SemanticView) -> Self {
        Self {
            model: view.model,
            passages: view.passages,
            known: view.known,
            trouble: view.trouble,
        }
    }
}

impl From<IndexView> for IndexJson {
    fn from(view: IndexView) -> Self {
        Self {
            id: view.index.id.to_string(),
            name: view.index.name,
            description: view.index.description,
            created_at: view.index.created_at.to_string(),
            documents: view.documents,
            feeds: view.feeds,
            searchable: view.searchable,
            semantic: view.semantic.map(SemanticJson::from),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Indexes)]
pub struct IndexesJson {
    /// By name.
    pub indexes: Vec<IndexJson>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIndex {
    /// At most 100 characters; no other index may have it.
    pub name: String,
    /// At most 1,000 characters.
    #[serde(default)]
    pub description: String,
}

/// What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexChange {
    pub name: Option<String>,
    pub description: Option<String>,
}

/// List the indexes
#[utoipa::path(get, path = "/indexes", tag = "indexes", responses((status = 200, description = "All indexes", body = IndexesJson)))]
pub async fn list_indexes(State(door): State<Door>, Asker(caller): Asker) -> Answer<Json<IndexesJson>> {
    let indexes = door.app.indexes(&caller).await?;
    Ok(Json(IndexesJson {
        indexes: indexes.into_iter().map(IndexJson::from).collect(),
    }))
}

/// Make an index
#[utoipa::path(post, path = "/indexes", tag = "indexes", request_body = NewIndex,
    responses((status = 201, description = "The new index", body = IndexJson, headers(("Location" = String, description = "Its address")))))]
pub async fn create_index(
    State(door): State<Door>,
    Asker(caller): Asker,
    Sent(new): Sent<NewIndex>,
) -> Answer<impl IntoResponse> {
    let Index { id, .. } = door.app.create_index(&caller, &new.name, &new.description).await?;
    let index = IndexJson::from(door.app.index(&caller, id).await?);
    Ok((
        StatusCode::CREATED,
        [(LOCATION, format!("/api/v1/indexes/{id}"))],
        Json(index),
    ))
}

/// Read an index
#[utoipa::path(get, path = "/indexes/{id}", tag = "indexes", params(("id" = String, Path, description = "Id of the index")),
    responses((status = 200, description = "The index", body = IndexJson)))]
pub async fn read_index(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(id): Id<IndexId>,
) -> Answer<Json<IndexJson>> {
    Ok(Json(door.app.index(&caller, id).await?.into()))
}

/// Rename or describe an index
#[utoipa::path(patch, path = "/indexes/{id}", tag = "indexes", params(("id" = String, Path, description = "Id of the index")),
    request_body = IndexChange, responses((status = 200, description = "The index as it is now", body = IndexJson)))]
pub async fn change_index(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(id): Id<IndexId>,
    Sent(change): Sent<IndexChange>,
) -> Answer<Json<IndexJson>> {
    let Index { name, description, .. } = door.app.index(&caller, id).await?.index;
    let name = change.name.unwrap_or(name);
    let description = change.description.unwrap_or(description);
    door.app.update_index(&caller, id, &name, &description).await?;
    Ok(Json(door.app.index(&caller, id).await?.into()))
}

/// Delete an index
///
/// Its documents, its feeds and the Atlassian tokens that no other feed uses go with it.
#[utoipa::path(delete, path = "/indexes/{id}", tag = "indexes", params(("id" = String, Path, description = "Id of the index")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_index(State(door): State<Door>, Asker(caller): Asker, Id(id): Id<IndexId>) -> Answer<StatusCode> {
    door.app.delete_index(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
