//! [`domain::engine::SearchEngine`] over one handle for each index.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{
    Error, ErrorKind, FeedId, IndexId, Result,
    access::Access,
    cursor::Watermark,
    embedder::{EmbeddingModel, MeaningFigures, Unembedded},
    engine::{EngineBatch, EngineFigures, Findable, SearchEngine, Which},
    hit::{Completion, Hits},
    query::Query,
};

use super::{
    complete::completions,
    findable::findable,
    handle::{Handle, unwritable},
    meaning::{self, Meanings},
    query::answered,
};

/// The embedded engine. Cheap to share; all work is done on threads that may block.
pub struct EmbeddedEngine {
    directory: Option<PathBuf>,
    handles: Arc<Mutex<BTreeMap<IndexId, Arc<Handle>>>>,
    /// What passages mean, which outlives an index that begins anew.
    meanings: Arc<Mutex<BTreeMap<IndexId, Arc<Meanings>>>>,
}

impl EmbeddedEngine {
    /// Indexes are kept below this directory, which is made when it is not there. `Unavailable` when it cannot be.
    pub fn open(directory: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&directory).map_err(unwritable)?;
        Ok(Self {
            directory: Some(directory),
            handles: Arc::default(),
            meanings: Arc::default(),
        })
    }

    /// An engine that is gone when it is dropped.
    pub fn in_memory() -> Self {
        Self {
            directory: None,
            handles: Arc::default(),
            meanings: Arc::default(),
        }
    }

    fn path(&self, index: IndexId) -> Option<PathBuf> {
        self.directory
            .as_ref()
            .map(|directory| directory.join(index.to_string()))
    }

    fn meanings_of(&self, index: IndexId) -> Arc<Meanings> {
        let directory = self.path(index).map(|path| path.with_extension("vectors"));
        let mut meanings = self.meanings.lock().unwrap_or_else(PoisonError::into_inner);
        let meanings = meanings.entry(index);
        meanings.or_insert_with(|| Arc::new(Meanings::new(directory))).clone()
    }

    /// Runs on a thread that may block, with the index open. One that turns out to be damaged is closed: the next opening
    /// looks at every file of it, and begins it anew if need be.
    async fn with<T: Send + 'static>(
        &self,
        index: IndexId,
        work: impl FnOnce(&Handle) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = self.open_with(index, work).await;
        match done {
            Err(damaged) if damaged.kind == ErrorKind::Internal && self.directory.is_some() => {
                self.closed(index).await?;
                Err(damaged)
            }
            done => done,
        }
    }

    async fn closed(&self, index: IndexId) -> Result<()> {
        let handles = self.handles.clone();
        blocking(move || {
            let mut handles = handles.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(handle) = handles.remove(&index) {
                handle.close();
            }
            Ok(())
        })
        .await
    }

    async fn open_with<T: Send + 'static>(
        &self,
        index: IndexId,
        work: impl FnOnce(&Handle) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (path, handles, meanings) = (self.path(index), self.handles.clone(), self.meanings_of(index));
        blocking(move || {
            let handle = {
                // Held while opening: two openings of one directory would fight over it.
                let mut handles = handles.lock().unwrap_or_else(PoisonError::into_inner);
                match handles.get(&index) {
                    Some(handle) => handle.clone(),
                    None => {
                        let handle = Arc::new(match &path {
                            Some(path) => Handle::open(path, meanings)?,
                            None => Handle::in_memory(meanings)?,
                        });
                        handles.insert(index, handle.clone());
                        handle
                    }
                }
            };
            work(&handle)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|panic| Error::internal("the search engine broke down").because(panic))?
}

#[async_trait]
impl SearchEngine for EmbeddedEngine {
    async fn watermark(&self, index: IndexId) -> Result<Watermark> {
        self.with(index, Handle::watermark).await
    }

    async fn commit(&self, index: IndexId, batch: EngineBatch, reached: Watermark) -> Result<()> {
        self.with(index, move |handle| handle.commit(&batch, reached)).await
    }

    async fn search(&self, access: &Access, query: &Query) -> Result<Hits> {
        let (access, query) = (access.clone(), query.clone());
        self.with(access.index, move |handle| answered(handle, &access, &query))
            .await
    }

    async fn findable(&self, index: IndexId, feed: FeedId, which: Which) -> Result<Vec<Findable>> {
        self.with(index, move |handle| findable(handle, feed, &which)).await
    }

    async fn completions(&self, access: &Access, text: &str) -> Result<Vec<Completion>> {
        let (access, text) = (access.clone(), text.to_owned());
        self.with(access.index, move |handle| completions(handle, &access, &text))
            .await
    }

    async fn unembedded(&self, index: IndexId, model: &EmbeddingModel, limit: usize) -> Result<Vec<Unembedded>> {
        let model = model.clone();
        self.with(index, move |handle| meaning::unembedded(handle, &model, limit))
            .await
    }

    async fn embedded(&self, index: IndexId, model: &EmbeddingModel, vectors: Vec<(u64, Vec<f32>)>) -> Result<()> {
        let model = model.clone();
        self.with(index, move |handle| meaning::embedded(handle, &model, &vectors))
            .await
    }

    async fn meanings(&self, index: IndexId, fingerprint: &str) -> Result<MeaningFigures> {
        let fingerprint = fingerprint.to_owned();
        self.with(index, move |handle| meaning::figures(handle, &fingerprint))
            .await
    }

    async fn models(&self, index: IndexId) -> Result<Vec<String>> {
        let meanings = self.meanings_of(index);
        blocking(move || meanings.fingerprints()).await
    }

    async fn forget_model(&self, index: IndexId, fingerprint: &str) -> Result<()> {
        let (meanings, fingerprint) = (self.meanings_of(index), fingerprint.to_owned());
        blocking(move || meanings.forget(&fingerprint)).await
    }

    async fn remove(&self, index: IndexId) -> Result<()> {
        let (path, handles, meanings) = (self.path(index), self.handles.clone(), self.meanings_of(index));
        blocking(move || {
            let mut handles = handles.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(handle) = handles.remove(&index) {
                handle.close();
            }
            meanings.remove()?;
            match path {
                Some(path) if path.exists() => std::fs::remove_dir_all(path).map_err(unwritable),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn figures(&self, index: IndexId) -> Result<EngineFigures> {
        self.with(index, |handle| {
            Ok(EngineFigures {
                passages: handle.reader.searcher().num_docs(),
                bytes: handle.bytes(),
            })
        })
        .await
    }
}
