//! Documents of an index: listed, read, deleted.

use domain::{
    DocumentId, Error, FeedId, IndexId, Result, Timestamp,
    document::{Held, Removal},
    space::FeedSpace,
    store::{DOCUMENTS_MAX, DocumentFilter, DocumentRow, Touch},
    sync_run::Failure,
};

use crate::{App, Caller};

/// Documents deleted in one transaction: some tens of milliseconds.
const DELETED_AT_ONCE: usize = 500;

/// A document with what explains why it is found, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    pub held: Held,
    /// Why it is not found; none when it is.
    pub hidden: Option<Hidden>,
    /// Its space as its feed carries it; none when the feed no longer does.
    pub space: Option<FeedSpace>,
    /// What runs did to it, newest first, at most [`HISTORY_MAX`].
    pub touches: Vec<Touch>,
    /// Why it could not be read since it was last seen, newest first, at most [`HISTORY_MAX`].
    pub failures: Vec<Failure>,
}

/// The most of a document's history that is told.
pub const HISTORY_MAX: usize = 20;

/// Why a document that is held is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Itself {
        why: Removal,
        /// Unknown of what an older Circuit hid.
        since: Option<Timestamp>,
    },
    /// The connected person can no longer see its space.
    Space { since: Timestamp },
}

impl App {
    /// Rows by title, and how many there are in all.
    pub async fn documents(
        &self,
        caller: &Caller,
        index: IndexId,
        filter: &DocumentFilter,
    ) -> Result<(Vec<DocumentRow>, u64)> {
        self.seen_index(caller, index).await?;
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
    pub async fn document(&self, caller: &Caller, index: IndexId, id: &DocumentId) -> Result<Held> {
        self.seen_index(caller, index).await?;
        let held = self.store().document(index, id).await?;
        let place = (held.feed, held.document.space.clone());
        let hidden = self.store().suspended_spaces(index).await?.contains(&place);
        match held.removed {
            None if !hidden => Ok(held),
            None | Some(_) => Err(Error::not_found(format!("document {id} is not in this index"))),
        }
    }

    /// A document and what explains it. What is not found is shown to administrators only; to others it is not there.
    pub async fn document_story(&self, caller: &Caller, index: IndexId, id: &DocumentId) -> Result<Story> {
        self.seen_index(caller, index).await?;
        let held = self.store().document(index, id).await?;
        let story = self.told(held).await?;
        if story.hidden.is_some() && caller.must_manage().is_err() {
            return Err(Error::not_found(format!("document {id} is not in this index")));
        }
        Ok(story)
    }

    /// What explains a document that is held.
    pub(crate) async fn told(&self, held: Held) -> Result<Story> {
        let spaces = self.store().feed_spaces(held.feed).await?;
        let space = spaces.into_iter().find(|kept| kept.space.id == held.document.space);
        let suspended_at = space.as_ref().and_then(|kept| kept.suspended_at);
        let hidden = held
            .removed
            .map(|why| Hidden::Itself {
                why,
                since: held.removed_at,
            })
            .or(suspended_at.map(|since| Hidden::Space { since }));
        let content = &held.document.id.content;
        let touches = self.store().touches(held.feed, content, HISTORY_MAX).await?;
        let mut failures = self.store().failures_of(held.feed, content, HISTORY_MAX).await?;
        // What was read again since is no trouble any more. That a file could not be read stays true until it is.
        failures.retain(|failure| {
            held.unread.as_ref() == Some(&failure.why) || held.seen_run.is_none_or(|seen| failure.run >= seen)
        });
        Ok(Story {
            held,
            hidden,
            space,
            touches,
            failures,
        })
    }

    /// Deletes documents from the index, with the comments and attachments of a page; how many went. Syncing does not
    /// bring them back.
    pub async fn delete_documents(&self, caller: &Caller, index: IndexId, ids: &[DocumentId]) -> Result<u64> {
        caller.must_manage()?;
        self.seen_index(caller, index).await?;
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
        let feed = self.managed_feed(caller, feed).await?;
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
