//! Which indexes are searched, and how things stand with them.

use std::collections::BTreeMap;

use app::indexes::IndexView;
use domain::{IndexId, Result};

use super::asked::CHOSEN_MAX;
use crate::{
    Door,
    web::{fields::Fields, page::id, session::SignedIn},
};

/// Where is searched.
pub struct Scope {
    /// The page's address without its query.
    pub way: String,
    /// Of an index's own page.
    pub index: Option<IndexView>,
    /// The indexes that may be chosen among.
    pub all: Vec<IndexView>,
    /// Those that are searched.
    pub searched: Vec<IndexId>,
}

impl Scope {
    pub fn of_index(view: IndexView) -> Self {
        Self {
            way: format!("/indexes/{}", view.index.id),
            searched: vec![view.index.id],
            all: vec![view.clone()],
            index: Some(view),
        }
    }

    /// All of these, or those that the address names.
    pub fn of_several(all: Vec<IndexView>, fields: &Fields) -> Result<Self> {
        let named = fields.filled("index").into_iter().take(CHOSEN_MAX);
        let named: Vec<IndexId> = named.map(|index| id(&index)).collect::<Result<_>>()?;
        let ids = all.iter().map(|view| view.index.id);
        Ok(Self {
            way: "/search".to_owned(),
            index: None,
            searched: match named.is_empty() {
                true => ids.collect(),
                false => named,
            },
            all,
        })
    }

    pub fn title(&self) -> String {
        match &self.index {
            Some(view) => view.index.name.clone(),
            None => "Search".to_owned(),
        }
    }

    /// Documents in all that may be chosen.
    pub fn documents(&self) -> u64 {
        self.all.iter().map(|view| view.documents).sum()
    }

    fn views(&self) -> impl Iterator<Item = &IndexView> {
        self.all.iter().filter(|view| self.searched.contains(&view.index.id))
    }
}

/// How things stand with what is searched.
#[derive(Default)]
pub struct Standing {
    /// Where the progress of an import is shown, while there is one.
    pub importing: Option<String>,
    /// What the spaces are called, by id: also those of which nothing was found.
    pub spaces: BTreeMap<String, String>,
}

impl Standing {
    pub async fn of(door: &Door, who: &SignedIn, scope: &Scope) -> Result<Self> {
        let mut standing = Self::default();
        for view in scope.views() {
            let index = view.index.id;
            let mut importing = !view.searchable;
            for feed in door.app.feeds(&who.caller, index).await? {
                let picture = door.app.feed_picture(&who.caller, feed.id).await?;
                let unfinished = picture.spaces.iter().any(|space| space.imported_at.is_none());
                importing |= picture.running.is_some() && unfinished || picture.headline == "importing";
                let names = picture
                    .spaces
                    .into_iter()
                    .map(|held| (held.space.id.0, held.space.name));
                standing.spaces.extend(names);
            }
            if importing && standing.importing.is_none() {
                standing.importing = Some(format!("/indexes/{index}/integrations"));
            }
        }
        Ok(standing)
    }
}
