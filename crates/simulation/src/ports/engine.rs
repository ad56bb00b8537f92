//! The search engine, every operation through the gate.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    IndexId, Result,
    access::Access,
    cursor::Watermark,
    engine::{EngineBatch, EngineFigures, SearchEngine},
    hit::Hits,
    query::Query,
};

use crate::{
    board::{Effect, Gate, Port},
    judge::Judge,
    planted::{Plant, PlantedStore},
};

/// The engine of one process.
pub struct GatedEngine {
    pub gate: Gate,
    pub real: Arc<dyn SearchEngine>,
    pub judge: Judge,
    pub planted: PlantedStore,
}

#[async_trait]
impl SearchEngine for GatedEngine {
    async fn watermark(&self, index: IndexId) -> Result<Watermark> {
        let reading = self.real.watermark(index);
        self.gate.pass(Port::Engine, "watermark", Effect::Reads, reading).await
    }

    async fn commit(&self, index: IndexId, mut batch: EngineBatch, reached: Watermark) -> Result<()> {
        if self.planted.is(Plant::WatermarkBeforeCommit) {
            let first = self.real.commit(index, EngineBatch::default(), reached);
            self.gate.pass(Port::Engine, "commit", Effect::Writes, first).await?;
        }
        if self.planted.is(Plant::RemovedStaysFound) {
            let kept: std::collections::BTreeSet<_> = batch
                .passages
                .iter()
                .map(|passage| (passage.feed, passage.document.clone()))
                .collect();
            batch.documents.retain(|document| kept.contains(document));
        }
        let committing = async {
            self.real.commit(index, batch, reached).await?;
            self.judge.indexed(index, reached);
            Ok(())
        };
        self.gate.pass(Port::Engine, "commit", Effect::Writes, committing).await
    }

    async fn search(&self, access: &Access, query: &Query) -> Result<Hits> {
        let searching = self.real.search(access, query);
        self.gate.pass(Port::Engine, "search", Effect::Reads, searching).await
    }

    async fn remove(&self, index: IndexId) -> Result<()> {
        let removing = async {
            self.real.remove(index).await?;
            self.judge.index_removed(index);
            Ok(())
        };
        self.gate.pass(Port::Engine, "remove", Effect::Writes, removing).await
    }

    async fn figures(&self, index: IndexId) -> Result<EngineFigures> {
        let reading = self.real.figures(index);
        self.gate.pass(Port::Engine, "figures", Effect::Reads, reading).await
    }
}
