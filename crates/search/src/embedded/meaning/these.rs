//! A query that some passages match, and nothing else: they are counted with those that words match.

use std::{collections::BTreeMap, sync::Arc};

use tantivy::{
    DocAddress, DocId, DocSet, Score, Searcher, SegmentReader, TERMINATED,
    index::SegmentId,
    query::{EnableScoring, Explanation, Query, Scorer, Weight},
};

#[derive(Clone, Debug)]
pub struct These(Arc<BTreeMap<SegmentId, Vec<DocId>>>);

impl These {
    pub fn of(searcher: &Searcher, passages: impl IntoIterator<Item = DocAddress>) -> Self {
        let mut segments: BTreeMap<SegmentId, Vec<DocId>> = BTreeMap::new();
        for passage in passages {
            let segment = searcher.segment_reader(passage.segment_ord).segment_id();
            segments.entry(segment).or_default().push(passage.doc_id);
        }
        for docs in segments.values_mut() {
            docs.sort_unstable();
            docs.dedup();
        }
        Self(Arc::new(segments))
    }
}

impl Query for These {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for These {
    fn scorer(&self, reader: &SegmentReader, _: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let docs = self.0.get(&reader.segment_id()).cloned().unwrap_or_default();
        Ok(Box::new(Docs { docs, at: 0 }))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("These", 0.0))
    }
}

/// In their order.
struct Docs {
    docs: Vec<DocId>,
    at: usize,
}

impl DocSet for Docs {
    fn advance(&mut self) -> DocId {
        self.at += 1;
        self.doc()
    }

    fn doc(&self) -> DocId {
        self.docs.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.docs.len()).unwrap_or(u32::MAX)
    }
}

impl Scorer for Docs {
    fn score(&mut self) -> Score {
        0.0
    }
}
