//! The port to where passages are found again.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::{
    DocumentId, Error, FeedId, IndexId, Result, SpaceId,
    access::Access,
    cursor::Watermark,
    document::DocumentKind,
    embedder::{EmbeddingModel, MeaningFigures, Unembedded},
    hit::{Completion, Hits},
    link::Link,
    passage::Passage,
    query::Query,
};

/// What one commit brings: every named document's old passages go, the new ones come.
#[derive(Clone, Debug, Default)]
pub struct EngineBatch {
    /// Documents whose passages are replaced; those without new passages are removed.
    pub documents: Vec<(FeedId, DocumentId)>,
    pub passages: Vec<Passage>,
    /// What documents link to; those of one that is not named here are none.
    pub links: BTreeMap<(FeedId, DocumentId), BTreeSet<Link>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineFigures {
    pub passages: u64,
    pub bytes: u64,
}

/// Which documents of a feed are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    These(Vec<DocumentId>),
    /// By id from `after` on, at most `limit`.
    After {
        after: Option<DocumentId>,
        limit: usize,
    },
}

/// A document that can be found, for comparison with the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findable {
    pub document: DocumentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub title: String,
    pub url: String,
    pub passages: u64,
    /// Of all its passages, in whatever order; to be compared within one process only.
    pub digest: u64,
}

impl Findable {
    /// A document of which this is one passage.
    pub fn new(passage: &Passage) -> Self {
        Self {
            document: passage.document.clone(),
            kind: passage.kind,
            space: passage.space.clone(),
            title: passage.title.clone(),
            url: passage.url.clone(),
            passages: 1,
            digest: passage.digest(),
        }
    }

    /// This passage is of it, too.
    pub fn add(&mut self, passage: &Passage) {
        self.passages += 1;
        // Each knows its own place, so their order is none of the sum's business; a passage that is there twice counts.
        self.digest = self.digest.wrapping_add(passage.digest());
    }

    /// The documents of these passages.
    pub fn of(passages: &[Passage]) -> BTreeMap<DocumentId, Self> {
        let mut documents: BTreeMap<DocumentId, Self> = BTreeMap::new();
        for passage in passages {
            match documents.get_mut(&passage.document) {
                Some(document) => document.add(passage),
                None => {
                    documents.insert(passage.document.clone(), Self::new(passage));
                }
            }
        }
        documents
    }
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

    /// Which documents of a feed can be found, whoever asks, by id; those that cannot are absent. `Internal` when the
    /// engine cannot tell.
    async fn findable(&self, index: IndexId, feed: FeedId, which: Which) -> Result<Vec<Findable>> {
        let _ = (index, feed, which);
        Err(Error::internal("this search engine does not tell what it holds"))
    }

    /// Ways to go on with a query that is being typed, out of what `access` lets be seen; at most `COMPLETIONS_MAX`. An
    /// engine may know none.
    async fn completions(&self, access: &Access, text: &str) -> Result<Vec<Completion>> {
        let _ = (access, text);
        Ok(Vec::new())
    }

    /// Texts of passages whose meaning under this model is not known yet, each once, at most so many; empty when all are
    /// known. An engine may know no meanings.
    async fn unembedded(&self, index: IndexId, model: &EmbeddingModel, limit: usize) -> Result<Vec<Unembedded>> {
        let _ = (index, model, limit);
        Ok(Vec::new())
    }

    /// Keeps vectors by the keys of [`Self::unembedded`], and finds by them from now on.
    async fn embedded(&self, index: IndexId, model: &EmbeddingModel, vectors: Vec<(u64, Vec<f32>)>) -> Result<()> {
        let _ = (index, model, vectors);
        Ok(())
    }

    /// How many passages there are, and of how many the meaning is known under the model with this fingerprint.
    async fn meanings(&self, index: IndexId, fingerprint: &str) -> Result<MeaningFigures> {
        let _ = (index, fingerprint);
        Ok(MeaningFigures::default())
    }

    /// The fingerprints under which vectors are kept for this index, oldest first.
    async fn models(&self, index: IndexId) -> Result<Vec<String>> {
        let _ = index;
        Ok(Vec::new())
    }

    /// Forgets all vectors of a model.
    async fn forget_model(&self, index: IndexId, fingerprint: &str) -> Result<()> {
        let _ = (index, fingerprint);
        Ok(())
    }

    /// Deletes the index from the engine; no error when it is not there.
    async fn remove(&self, index: IndexId) -> Result<()>;

    async fn figures(&self, index: IndexId) -> Result<EngineFigures>;
}
