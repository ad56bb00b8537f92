//! A question becomes an answer: may this caller read this index? Then one call to the engine.

use domain::{
    DocumentId, Error, FeedId, IndexId, Result,
    access::Access,
    hit::{Completion, Hits},
    query::{LIMIT_MAX, OFFSET_MAX, Query, TEXT_BYTES_MAX},
};

use crate::{App, Caller};

/// The most documents that a search leaves out by name; more are taken out of the search index first.
const TAKEN_AWAY_MAX: usize = 2_000;

impl App {
    /// Searches one index. Bounds of the query are those of `domain::query`.
    pub async fn search(&self, caller: &Caller, index: IndexId, query: &Query) -> Result<Hits> {
        if query.text.len() > TEXT_BYTES_MAX {
            return Err(Error::invalid(format!(
                "a query has at most {TEXT_BYTES_MAX} bytes, this one has {}; search for fewer words",
                query.text.len()
            )));
        }
        if query.limit == 0 || query.limit > LIMIT_MAX || query.offset > OFFSET_MAX {
            return Err(Error::invalid(format!(
                "limit is 1 to {LIMIT_MAX} and offset at most {OFFSET_MAX}"
            )));
        }
        let access = self.access(caller, index).await?;
        let query = self.understood(index, query).await;
        self.engine().search(&access, &query).await
    }

    /// Ways to go on with a query that this caller is typing, out of what they may see.
    pub async fn completions(&self, caller: &Caller, index: IndexId, text: &str) -> Result<Vec<Completion>> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::invalid(format!("a query has at most {TEXT_BYTES_MAX} bytes")));
        }
        let access = self.access(caller, index).await?;
        self.engine().completions(&access, text).await
    }

    /// What this caller may see of this index. Everybody with an account may read every index, with a key those that
    /// it is for; nothing is hidden unless a feed's space is suspended.
    async fn access(&self, caller: &Caller, index: IndexId) -> Result<Access> {
        let index = self.seen_index(caller, index).await?;
        let mut taken = self.taken_away(index.id).await?;
        if taken.len() > TAKEN_AWAY_MAX {
            // So much was taken away at once that the search index is brought up to it first.
            self.index_now(index.id).await?;
            taken = self.taken_away(index.id).await?;
        }
        if taken.len() > TAKEN_AWAY_MAX {
            return Err(Error::unavailable(
                "many documents are being taken away just now; search again in a moment",
            ));
        }
        Ok(Access {
            index: index.id,
            hidden: self.store().suspended_spaces(index.id).await?,
            hidden_documents: taken.into_iter().collect(),
        })
    }

    /// What was taken away and the search index has not followed yet. Its watermark is read first: should it follow
    /// meanwhile, too much is hidden, and never too little.
    async fn taken_away(&self, index: IndexId) -> Result<Vec<(FeedId, DocumentId)>> {
        let reached = self.engine().watermark(index).await?;
        self.store().hidden_after(index, reached.0, TAKEN_AWAY_MAX + 1).await
    }
}
