//! Documents of an index: listed, read, deleted.

use domain::{
    DocumentId, Error, FeedId, IndexId, Result,
    document::Held,
    store::{DOCUMENTS_MAX, DocumentFilter, DocumentRow},
};

use crate::{App, Caller};

/// Documents deleted in one transaction: some tens of milliseconds.
const DELETED_AT_ONCE: usize = 500;

impl App {
    /// Rows by title, and how many there are in all.
    pub async fn documents(
        &self,
        _caller: &Caller,
        index: IndexId,
        filter: &DocumentFilter,
    ) -> Result<(Vec<DocumentRow>, u64)> {
        self.store().index(index).await?;
        let limit = filter.limit.clamp(1, DOCUMENTS_MAX);
        self.store()
            .documents(
                index,
                &DocumentFilter {
                    limit,
                    ..filter.clone()
                },
            )
            .await
    }

    /// A document that can be found; one that was removed is not there.
    pub async fn document(&self, _caller: &Caller, index: IndexId, id: &DocumentId) -> Result<Held> {
        let held = self.store().document(index, id).await?;
        let place = (held.feed, held.document.space.clone());
        let hidden = self.store().suspended_spaces(index).await?.contains(&place);
        match held.removed {
            None if !hidden => Ok(held),
            None | Some(_) => Err(Error::not_found(format!("document {id} is not in this index"))),
        }
    }

    /// Deletes documents from the index, with the comments and attachments of a page; how many went. Syncing does not
    /// bring them back.
    pub async fn delete_documents(&self, caller: &Caller, index: IndexId, ids: &[DocumentId]) -> Result<u64> {
        caller.must_manage()?;
        if ids.len() > DOCUMENTS_MAX {
            return Err(Error::invalid(format!(
                "at most {DOCUMENTS_MAX} documents are deleted at once"
            )));
        }
        let gone = self.store().delete_documents(index, ids, self.now()).await?;
        // Whoever deletes expects that the next search does not find it.
        self.index_now(index).await?;
        Ok(gone)
    }

    /// Deletes everything that a feed brought, a few at a time: others who write get their turn in between.
    pub async fn delete_feed_documents(&self, caller: &Caller, feed: FeedId) -> Result<u64> {
        caller.must_manage()?;
        let feed = self.store().feed(feed).await?;
        let mut gone = 0;
        loop {
            let some = self
                .store()
                .delete_feed_documents(feed.id, DELETED_AT_ONCE, self.now())
                .await?;
            gone += some;
            if some < DELETED_AT_ONCE as u64 {
                break;
            }
        }
        self.index_now(feed.index).await?;
        Ok(gone)
    }
}
