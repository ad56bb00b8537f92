//! `list_indexes`: what can be searched.

use app::{App, Caller, indexes::IndexView};
use domain::{Error, Result};
use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outside::{NOTICE, seen};

/// The most indexes that are listed, and searched at once.
pub const INDEXES_MAX: usize = 50;

/// Nothing is asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Asked {}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Indexes {
    /// What to bear in mind about names and descriptions.
    pub notice: &'static str,
    pub indexes: Vec<Index>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Index {
    /// For the argument `index` of search.
    pub id: String,
    pub name: String,
    pub description: String,
    /// Documents held.
    pub documents: u64,
    /// The spaces whose documents can be found.
    pub spaces: Vec<Space>,
}

/// A space of Confluence.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Space {
    /// For the argument `space` of search.
    pub key: String,
    pub name: String,
    /// What was changed on Confluence before this instant is known here (RFC 3339). Absent during its first import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
}

/// The most spaces that are listed of one index.
const SPACES_MAX: usize = 100;

pub async fn list(app: &App, caller: &Caller) -> Result<Indexes> {
    let mut indexes = Vec::new();
    for view in app.indexes(caller).await?.into_iter().take(INDEXES_MAX) {
        let spaces = app.carried_spaces(caller, view.index.id).await?;
        indexes.push(Index {
            id: view.index.id.to_string(),
            name: seen(&view.index.name),
            description: seen(&view.index.description),
            documents: view.documents,
            spaces: spaces
                .into_iter()
                .take(SPACES_MAX)
                .map(|carried| Space {
                    key: seen(&carried.space.space.key),
                    name: seen(&carried.space.space.name),
                    checked_at: carried.checked_at.map(|at| at.to_string()),
                })
                .collect(),
        });
    }
    Ok(Indexes {
        notice: NOTICE,
        indexes,
    })
}

/// The index that is meant by an id or a name; all of them when none is named.
pub async fn meant(app: &App, caller: &Caller, named: Option<&str>) -> Result<Vec<IndexView>> {
    let all = app.indexes(caller).await?;
    let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) else {
        return match all.len() {
            0 => Err(Error::not_found(
                "there is no index for this API key yet; somebody has to make one in Circuit",
            )),
            1..=INDEXES_MAX => Ok(all),
            _ => Err(Error::invalid(
                "there are too many indexes to search all at once; name one: list_indexes lists them",
            )),
        };
    };
    let is_meant = |view: &IndexView| view.index.id.to_string() == named;
    let is_called = |view: &IndexView| view.index.name.to_lowercase() == named.to_lowercase();
    let found = all.iter().position(is_meant).or_else(|| all.iter().position(is_called));
    match found {
        Some(at) => Ok(all.into_iter().skip(at).take(1).collect()),
        None => Err(Error::not_found(
            "there is no such index; list_indexes lists those that are there, or leave index out to search all",
        )),
    }
}
