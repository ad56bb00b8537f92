//! Given what changed in the store after the search index's watermark, brings the index up to it.

use std::collections::BTreeMap;

use domain::{
    Error, IndexId, Result, SiteId,
    cursor::Watermark,
    document::Held,
    engine::{EngineBatch, SearchEngine},
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
    Ok(standing(store, engine, index).await?.0)
}

/// How far it has read, and the last change that there is to read.
async fn standing(store: &dyn Store, engine: &dyn SearchEngine, index: IndexId) -> Result<(Watermark, Watermark)> {
    let last_sequence = store.last_sequence(index).await?;
    let reached = engine.watermark(index).await?;
    if reached.0 <= last_sequence {
        return Ok((reached, Watermark(last_sequence)));
    }
    tracing::warn!(index.id = %index, "The search index is ahead of the store; building it anew");
    engine.remove(index).await?;
    Ok((Watermark::default(), Watermark(last_sequence)))
}

/// Commits what had changed by now, batch by batch; how many documents it brought. Whoever changes more meanwhile asks again.
pub async fn index_changes(store: &dyn Store, engine: &dyn SearchEngine, index: IndexId) -> Result<u64> {
    let (mut reached, last) = standing(store, engine, index).await?;
    let mut documents = 0;
    while reached < last {
        let changed = store.changed_after(index, reached.0, DOCUMENTS_PER_COMMIT).await?;
        let Some(newest) = changed.last() else { break };
        reached = Watermark(newest.sequence);
        documents += changed.len() as u64;
        engine.commit(index, batch_of(store, changed).await?, reached).await?;
    }
    Ok(documents)
}

/// What of these documents is to be found: their passages, and what they link to; what was removed has none.
pub(crate) async fn batch_of(store: &dyn Store, documents: Vec<Held>) -> Result<EngineBatch> {
    let names = names_of_mentioned(store, &documents).await?;
    let bytes: usize = documents.iter().map(|held| held.document.body.text().len()).sum();
    match bytes {
        ..=BYTES_IN_PLACE => Ok(batch(&documents, &names)),
        _ => tokio::task::spawn_blocking(move || batch(&documents, &names))
            .await
            .map_err(|panic| Error::internal("reading documents for the search index failed").because(panic)),
    }
}

fn batch(documents: &[Held], names: &BTreeMap<SiteId, People>) -> EngineBatch {
    let nobody = People::new();
    let mut batch = EngineBatch::default();
    for held in documents {
        batch.documents.push((held.feed, held.document.id.clone()));
        if held.removed.is_none() {
            let people = names.get(&held.document.id.site).unwrap_or(&nobody);
            let (passages, links) = extract::passages_and_links(held, people);
            batch.passages.extend(passages);
            if !links.is_empty() {
                batch.links.insert((held.feed, held.document.id.clone()), links);
            }
        }
    }
    batch
}
