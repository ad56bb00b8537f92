//! Models read what the search index holds: index by index, a few passages at a time, until the meaning of all is known.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Error, ErrorKind, IndexId, Result,
    embedder::{EMBEDDED_AT_ONCE, Embedder, Models, Purpose, Unembedded},
};
use tokio::sync::watch;
use tracing::info;

use crate::{App, trouble::Part};

/// How often every index is looked at when nobody rings.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// After a failure; doubled with each further one.
const REST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(300);
/// Texts that a model refused are passed over, up to so many in all; they are tried again at the next start.
const REFUSED_MAX: usize = 1_000;

impl App {
    /// Keeps the meanings of all indexes up to date, where a model is set. Ends soon after `stop` says so: what was not
    /// finished is read again.
    pub(super) async fn follow_indexes(&self, mut stop: watch::Receiver<bool>) {
        let Some(models) = self.0.parts.models.clone() else {
            return;
        };
        tokio::select! {
            () = self.read_on(&*models) => {}
            // The sender's end means the same.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn read_on(&self, models: &dyn Models) {
        let mut rest = REST;
        let current = loop {
            match models.current().await {
                Ok(current) => break current,
                Err(failed) => self.0.troubles.met(Part::Model, &failed),
            }
            tokio::time::sleep(rest).await;
            rest = (rest * 2).min(REST_MAX);
        };
        self.0.troubles.over(Part::Model);
        let model = current.model();
        info!(model.fingerprint = %model.fingerprint, model.dimensions, "Search by meaning uses the model {}", model.name);
        // Only this sets it.
        let _ = self.0.current_model.set(current.clone());
        let mut refused = BTreeSet::new();
        rest = REST;
        loop {
            match self.read_all(models, &current, &mut refused).await {
                Ok(()) => {
                    self.0.troubles.over(Part::Meanings);
                    rest = REST;
                    tokio::select! {
                        () = self.0.indexed.notified() => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                    }
                }
                Err(failed) => {
                    self.0.troubles.met(Part::Meanings, &failed);
                    let wait = match failed.kind {
                        ErrorKind::RateLimited { retry_after } => retry_after.max(rest),
                        _ => rest,
                    };
                    tokio::time::sleep(wait).await;
                    rest = (rest * 2).min(REST_MAX);
                }
            }
        }
    }

    /// In turns, so that a small index does not wait for a large one.
    async fn read_all(
        &self,
        models: &dyn Models,
        current: &Arc<dyn Embedder>,
        refused: &mut BTreeSet<u64>,
    ) -> Result<()> {
        let indexes = self.store().indexes().await?;
        self.0.meanings.keep_only(&indexes);
        let mut unread: Vec<(IndexId, u64)> = indexes.iter().map(|index| (index.id, 0)).collect();
        for (index, _) in &unread {
            self.choose_serving(models, current, *index).await?;
        }
        while !unread.is_empty() {
            let mut still = Vec::new();
            for (index, before) in unread {
                let read = match self.read_some(current, index, refused).await {
                    // The index was deleted meanwhile.
                    Err(gone) if gone.is_not_found() => continue,
                    read => read?,
                };
                if read > 0 {
                    still.push((index, before + read));
                    continue;
                }
                if before > 0 {
                    info!(index.id = %index, passages = before, "Read the meaning of {before} passages of index {index}");
                }
                self.retire_formers(current, index).await?;
            }
            unread = still;
        }
        Ok(())
    }

    /// Reads some passages of an index; how many. None are left when it is zero.
    async fn read_some(&self, current: &Arc<dyn Embedder>, index: IndexId, refused: &mut BTreeSet<u64>) -> Result<u64> {
        let limit = EMBEDDED_AT_ONCE + refused.len();
        let mut unread = self.engine().unembedded(index, current.model(), limit).await?;
        unread.retain(|passage| !refused.contains(&passage.key));
        unread.truncate(EMBEDDED_AT_ONCE);
        if unread.is_empty() {
            return Ok(0);
        }
        let vectors = match read(current, &unread).await {
            Err(failed) if is_of_the_text(&failed) => one_by_one(current, &unread, refused, failed).await?,
            vectors => vectors?,
        };
        let count = vectors.len() as u64;
        self.engine().embedded(index, current.model(), vectors).await?;
        // What was only refused is read as well: there is nothing left to do for it.
        Ok(count.max(1))
    }

    /// The former model serves until the new one knows every passage; where it cannot be had any more, the new one as far as
    /// it knows them.
    async fn choose_serving(&self, models: &dyn Models, current: &Arc<dyn Embedder>, index: IndexId) -> Result<()> {
        let fingerprint = &current.model().fingerprint;
        let serving = self.0.meanings.serving(index);
        if serving.is_some() {
            return Ok(());
        }
        let figures = self.engine().meanings(index, fingerprint).await?;
        let mut chosen = current.clone();
        if figures.known < figures.passages {
            for kept in self
                .engine()
                .models(index)
                .await?
                .iter()
                .filter(|kept| *kept != fingerprint)
            {
                match models.former(kept).await {
                    Ok(Some(former)) => {
                        info!(index.id = %index, "The model {} serves index {index} until {} has read it", former.model().name, current.model().name);
                        chosen = former;
                    }
                    Ok(None) => {}
                    Err(failed) => {
                        tracing::warn!(index.id = %index, error = ?failed, "A former model cannot be had any more, so {} serves index {index} as far as it has read it", current.model().name);
                    }
                }
            }
        }
        self.0.meanings.serve(index, chosen);
        Ok(())
    }

    async fn retire_formers(&self, current: &Arc<dyn Embedder>, index: IndexId) -> Result<()> {
        let fingerprint = &current.model().fingerprint;
        self.0.meanings.serve(index, current.clone());
        for kept in self.engine().models(index).await? {
            if kept != *fingerprint {
                self.engine().forget_model(index, &kept).await?;
            }
        }
        Ok(())
    }
}

async fn read(embedder: &Arc<dyn Embedder>, passages: &[Unembedded]) -> Result<Vec<(u64, Vec<f32>)>> {
    let texts: Vec<String> = passages.iter().map(|passage| passage.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Passage, &texts).await?;
    Ok(passages.iter().map(|passage| passage.key).zip(vectors).collect())
}

/// One text that a model refuses must not hold up all others. When it takes none at all, the fault is not with the texts.
async fn one_by_one(
    embedder: &Arc<dyn Embedder>,
    passages: &[Unembedded],
    refused: &mut BTreeSet<u64>,
    failed: Error,
) -> Result<Vec<(u64, Vec<f32>)>> {
    let (mut vectors, mut without) = (Vec::new(), Vec::new());
    for passage in passages {
        match read(embedder, std::slice::from_ref(passage)).await {
            Ok(vector) => vectors.extend(vector),
            Err(failed) if is_of_the_text(&failed) => without.push(passage.key),
            Err(failed) => return Err(failed),
        }
    }
    if vectors.is_empty() || refused.len() + without.len() > REFUSED_MAX {
        return Err(failed);
    }
    tracing::warn!(
        passages = without.len(),
        "The model {} refused some passages; they are found by words only: {}",
        embedder.model().name,
        failed.message
    );
    refused.extend(without);
    Ok(vectors)
}

/// Whether other texts may fare better.
fn is_of_the_text(failed: &Error) -> bool {
    match failed.kind {
        ErrorKind::Invalid | ErrorKind::Misconfigured | ErrorKind::Conflict | ErrorKind::Internal => true,
        ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable
        | ErrorKind::Unauthenticated
        | ErrorKind::Ended { .. }
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Gone
        | ErrorKind::MissingScope { .. } => false,
    }
}

#[cfg(test)]
#[path = "embedding_tests.rs"]
mod tests;
