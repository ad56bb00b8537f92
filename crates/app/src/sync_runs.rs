//! The runs of a feed, for people to read.

use domain::{
    ContentId, FeedId, Result, RunId,
    store::EffectRow,
    sync_run::{DIFFERENCES_MAX, Difference, Effect, Failure, SyncRun},
};

use crate::{App, Caller};

/// The most runs and failures shown at once.
pub const LISTED_MAX: usize = 100;
/// The most changed or differing documents shown at once.
pub const EFFECTS_MAX: usize = 200;
/// The most changed documents, and the most failures, of one export: some tens of megabytes.
pub const EXPORTED_MAX: usize = 100_000;

/// What a run did and could not do, for keeping elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub run: SyncRun,
    /// By content id, at most [`EXPORTED_MAX`].
    pub effects: Vec<EffectRow>,
    /// In order of time, at most [`EXPORTED_MAX`].
    pub failures: Vec<Failure>,
    /// Of a verify, by content id; all that are kept.
    pub differences: Vec<Difference>,
    /// False when there is more than the bounds let through.
    pub complete: bool,
}

impl App {
    /// Newest first.
    pub async fn runs(&self, caller: &Caller, feed: FeedId) -> Result<Vec<SyncRun>> {
        self.seen_feed(caller, feed).await?;
        self.store().runs(feed, LISTED_MAX).await
    }

    pub async fn run(&self, caller: &Caller, id: RunId) -> Result<SyncRun> {
        self.seen_run(caller, id).await
    }

    pub async fn failures(&self, caller: &Caller, run: RunId) -> Result<Vec<Failure>> {
        self.seen_run(caller, run).await?;
        self.store().failures(run, LISTED_MAX).await
    }

    /// What people should know of a run, in sentences.
    pub async fn notes(&self, caller: &Caller, run: RunId) -> Result<Vec<String>> {
        self.seen_run(caller, run).await?;
        self.store().notes(run).await
    }

    /// What a run did to which documents, by content id after `after`, at most [`EFFECTS_MAX`]. For administrators: it
    /// names documents that may no longer be found.
    pub async fn effects(
        &self,
        caller: &Caller,
        run: RunId,
        effect: Option<Effect>,
        after: Option<&ContentId>,
    ) -> Result<Vec<EffectRow>> {
        caller.must_manage()?;
        self.seen_run(caller, run).await?;
        self.store().effects(run, effect, after, EFFECTS_MAX).await
    }

    /// In what a verify found site, index and search to differ, by content id after `after`, at most [`EFFECTS_MAX`]. For
    /// administrators.
    pub async fn differences(&self, caller: &Caller, run: RunId, after: Option<&ContentId>) -> Result<Vec<Difference>> {
        caller.must_manage()?;
        self.seen_run(caller, run).await?;
        self.store().differences(run, after, EFFECTS_MAX).await
    }

    /// All of a run, within bounds. For administrators.
    pub async fn export_run(&self, caller: &Caller, run: RunId) -> Result<Export> {
        caller.must_manage()?;
        let run = self.seen_run(caller, run).await?;
        let mut effects = self.store().effects(run.id, None, None, EXPORTED_MAX + 1).await?;
        let mut failures = self.store().failures(run.id, EXPORTED_MAX + 1).await?;
        let complete = effects.len() <= EXPORTED_MAX && failures.len() <= EXPORTED_MAX;
        effects.truncate(EXPORTED_MAX);
        failures.truncate(EXPORTED_MAX);
        let differences = self.store().differences(run.id, None, DIFFERENCES_MAX).await?;
        Ok(Export {
            run,
            differences,
            effects,
            failures,
            complete,
        })
    }
}
