//! A search engine of a map: what thousands of worlds can afford. It knows watermarks, commits, removal and who may see
//! what; its ranking is none. Every world of a share uses the real engine instead, and both must agree.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{
    DocumentId, FeedId, IndexId, Result,
    access::Access,
    cursor::Watermark,
    engine::{EngineBatch, EngineFigures, SearchEngine},
    hit::{Hit, Hits},
    passage::Passage,
    query::Query,
};

/// What is found, by document.
type Found = BTreeMap<(FeedId, DocumentId), Vec<Passage>>;

#[derive(Default)]
pub struct MemoryEngine(Mutex<BTreeMap<IndexId, (Watermark, Found)>>);

impl MemoryEngine {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<IndexId, (Watermark, Found)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SearchEngine for MemoryEngine {
    async fn watermark(&self, index: IndexId) -> Result<Watermark> {
        Ok(self
            .locked()
            .get(&index)
            .map_or(Watermark::default(), |(reached, _)| *reached))
    }

    async fn commit(&self, index: IndexId, batch: EngineBatch, reached: Watermark) -> Result<()> {
        let mut indexes = self.locked();
        let (watermark, found) = indexes.entry(index).or_default();
        for document in &batch.documents {
            found.remove(document);
        }
        for passage in batch.passages {
            let place = (passage.feed, passage.document.clone());
            found.entry(place).or_default().push(passage);
        }
        *watermark = reached;
        Ok(())
    }

    async fn search(&self, access: &Access, query: &Query) -> Result<Hits> {
        let indexes = self.locked();
        let words: Vec<String> = query.text.split_whitespace().map(str::to_lowercase).collect();
        let has = |passage: &Passage| {
            let text = format!("{} {}", passage.title, passage.text).to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        };
        let visible = |passage: &&Passage| !access.hidden.contains(&(passage.feed, passage.space.clone()));
        let matching: Vec<&Passage> = indexes
            .get(&access.index)
            .into_iter()
            .flat_map(|(_, found)| found.values())
            .filter_map(|passages| passages.iter().filter(visible).find(|passage| has(passage)))
            .collect();
        let hit = |passage: &&Passage| Hit::of((*passage).clone(), 1.0);
        Ok(Hits {
            total: matching.len() as u64,
            hits: matching.iter().skip(query.offset).take(query.limit).map(hit).collect(),
            ..Hits::default()
        })
    }

    async fn remove(&self, index: IndexId) -> Result<()> {
        self.locked().remove(&index);
        Ok(())
    }

    async fn figures(&self, index: IndexId) -> Result<EngineFigures> {
        let passages = self
            .locked()
            .get(&index)
            .map_or(0, |(_, found)| found.values().map(Vec::len).sum());
        Ok(EngineFigures {
            passages: passages as u64,
            bytes: 0,
        })
    }
}
