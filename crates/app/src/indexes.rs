//! Indexes: made, named, counted, deleted.

use domain::{
    IndexId, Result,
    index::{Index, checked_description, checked_name},
};

use crate::{App, Caller, meanings::SemanticView};

/// An index with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexView {
    pub index: Index,
    pub documents: u64,
    pub feeds: u64,
    /// Whether everything held can be found already.
    pub searchable: bool,
    /// How far its meaning is known; none when no model is set.
    pub semantic: Option<SemanticView>,
}

impl App {
    pub async fn indexes(&self, caller: &Caller) -> Result<Vec<IndexView>> {
        let mut views = Vec::new();
        for index in self.store().indexes().await? {
            if !caller.sees(index.id) {
                continue;
            }
            views.push(self.viewed(index).await?);
        }
        Ok(views)
    }

    pub async fn index(&self, caller: &Caller, id: IndexId) -> Result<IndexView> {
        self.viewed(self.seen_index(caller, id).await?).await
    }

    async fn viewed(&self, index: Index) -> Result<IndexView> {
        let figures = self.store().index_figures(index.id).await?;
        let searchable = self.engine().watermark(index.id).await?.0 >= figures.last_sequence;
        Ok(IndexView {
            semantic: self.semantic_view(index.id).await?,
            index,
            documents: figures.documents,
            feeds: figures.feeds,
            searchable,
        })
    }

    pub async fn create_index(&self, caller: &Caller, name: &str, description: &str) -> Result<Index> {
        caller.must_manage_everything()?;
        self.store()
            .create_index(&checked_name(name)?, &checked_description(description)?, self.now())
            .await
    }

    pub async fn update_index(&self, caller: &Caller, id: IndexId, name: &str, description: &str) -> Result<Index> {
        caller.must_manage()?;
        self.seen_index(caller, id).await?;
        self.store()
            .update_index(id, &checked_name(name)?, &checked_description(description)?)
            .await
    }

    /// Deletes the index with its documents, feeds and the tokens that nothing else uses.
    pub async fn delete_index(&self, caller: &Caller, id: IndexId) -> Result<()> {
        caller.must_manage()?;
        self.seen_index(caller, id).await?;
        for feed in self.store().feeds(id).await? {
            self.release_connection(&feed).await?;
            self.drop_reconnection(feed.id).await?;
        }
        // The follower must not bring back what goes.
        let _alone = self.0.indexing.lock().await;
        self.store().delete_index(id).await?;
        self.engine().remove(id).await
    }
}
