//! Given what changed in the store after the search index's watermark, brings the index up to it.

use std::collections::BTreeMap;

use domain::{
    Error, IndexId, Result, SiteId,
    cursor::Watermark,
    document::Held,
    engine::{EngineBatch, SearchEngine},
    passage::Passage,
    store::Store,
};
use extract::People;

use crate::people::names_of_mentioned;

/// The most documents of one commit; of those with long bodies the store gives fewer at once.
pub(crate) const DOCUMENTS_PER_COMMIT: usize = 1_000;
/// So much text is cut in less time than another thread takes to begin.
const BYTES_IN_PLACE: usize = 16 << 10;

/// How far the index has read. One that is ahead of the store (the store was restored from a backup) holds what the store
/// never knew: it is thrown away, and nothing was read.
pub async fn reached(store: &dyn Store, engine: &dyn SearchEngine, index: IndexId) -> Result<Watermark> {
    let last_sequence = store.index_figures(index).await?.last_sequence;
    let reached = engine.watermark(index).await?;
    if reached.0 <= last_sequence {
        return Ok(reached);
    }
    tracing::warn!(index.id = %index, "The search index is ahead of the store; building it anew");
    engine.remove(index).await?;
    Ok(Watermark::default())
}

/// Commits what changed, batch by batch, until nothing is left; how many documents it brought.
pub async fn index_changes(store: &dyn Store, engine: &dyn SearchEngine, index: IndexId) -> Result<u64> {
    let mut reached = reached(store, engine, index).await?;
    let mut documents = 0;
    loop {
        let changed = store.changed_after(index, reached.0, DOCUMENTS_PER_COMMIT).await?;
        let Some(last) = changed.last() else {
            return Ok(documents);
        };
        reached = Watermark(last.sequence);
        documents += changed.len() as u64;
        let named = changed.iter().map(|held| (held.feed, held.document.id.clone()));
        let batch = EngineBatch {
            documents: named.collect(),
            passages: passages_of(store, changed).await?,
        };
        engine.commit(index, batch, reached).await?;
    }
}

/// The passages by which these documents are to be found; what was removed has none.
pub(crate) async fn passages_of(store: &dyn Store, documents: Vec<Held>) -> Result<Vec<Passage>> {
    let names = names_of_mentioned(store, &documents).await?;
    let bytes: usize = documents.iter().map(|held| held.document.body.text().len()).sum();
    match bytes {
        ..=BYTES_IN_PLACE => Ok(passages(&documents, &names)),
        _ => tokio::task::spawn_blocking(move || passages(&documents, &names))
            .await
            .map_err(|panic| Error::internal("reading documents for the search index failed").because(panic)),
    }
}

fn passages(documents: &[Held], names: &BTreeMap<SiteId, People>) -> Vec<Passage> {
    let nobody = People::new();
    let mut passages = Vec::new();
    for held in documents.iter().filter(|held| held.removed.is_none()) {
        let people = names.get(&held.document.id.site).unwrap_or(&nobody);
        passages.extend(extract::passages_naming(held, people));
    }
    passages
}
