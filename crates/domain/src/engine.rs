//! The port to where passages are found again.

use async_trait::async_trait;

use crate::{
    DocumentId, FeedId, IndexId, Result,
    access::Access,
    cursor::Watermark,
    hit::{Completion, Hits},
    passage::Passage,
    query::Query,
};

/// What one commit brings: every named document's old passages go, the new ones come.
#[derive(Clone, Debug, Default)]
pub struct EngineBatch {
    /// Documents whose passages are replaced; those without new passages are removed.
    pub documents: Vec<(FeedId, DocumentId)>,
    pub passages: Vec<Passage>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineFigures {
    pub passages: u64,
    pub bytes: u64,
}

/// The search engine. Derived data: it may be deleted at any moment and is rebuilt from the store.
#[async_trait]
pub trait SearchEngine: Send + Sync {
    /// How far the index has read the store; zero for one that is new, lost or damaged beyond reading.
    async fn watermark(&self, index: IndexId) -> Result<Watermark>;

    /// Applies the batch and the watermark in one commit; when it returns, searches see both.
    async fn commit(&self, index: IndexId, batch: EngineBatch, reached: Watermark) -> Result<()>;

    /// The documents that match and that `access` lets be seen. A text that is empty matches every document.
    async fn search(&self, access: &Access, query: &Query) -> Result<Hits>;

    /// Ways to go on with a query that is being typed, out of what `access` lets be seen; at most `COMPLETIONS_MAX`. An
    /// engine may know none.
    async fn completions(&self, access: &Access, text: &str) -> Result<Vec<Completion>> {
        let _ = (access, text);
        Ok(Vec::new())
    }

    /// Deletes the index from the engine; no error when it is not there.
    async fn remove(&self, index: IndexId) -> Result<()>;

    async fn figures(&self, index: IndexId) -> Result<EngineFigures>;
}
