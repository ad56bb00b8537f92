//! The runs of a feed, for people to read.

use domain::{
    ContentId, FeedId, Result, RunId,
    store::EffectRow,
    sync_run::{Difference, Effect, Failure, SyncRun},
};

use crate::{App, Caller};

/// The most runs and failures shown at once.
pub const LISTED_MAX: usize = 100;
/// The most changed or differing documents shown at once.
pub const EFFECTS_MAX: usize = 200;
/// Rows read from the store at once for an export.
pub const EXPORTED_AT_ONCE: usize = 1_000;

/// What a run did and could not do, for keeping elsewhere: read page by page, so that however much it is, little of it is in
/// memory.
pub struct Export {
    pub run: SyncRun,
    app: App,
    next: Next,
}

/// One kind of rows of an export; never without any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportPage {
    /// By content id.
    Effects(Vec<EffectRow>),
    /// In order of time.
    Failures(Vec<Failure>),
    /// Of a verify, by content id.
    Differences(Vec<Difference>),
}

/// Where an export goes on.
enum Next {
    Effects(Option<ContentId>),
    Failures(usize),
    Differences(Option<ContentId>),
    Nothing,
}

impl Export {
    /// The rows that follow, changes first, then failures, then differences; none at the end.
    pub async fn page(&mut self) -> Result<Option<ExportPage>> {
        let (store, run) = (self.app.store(), self.run.id);
        loop {
            match &mut self.next {
                Next::Effects(after) => {
                    let rows = store.effects(run, None, after.as_ref(), EXPORTED_AT_ONCE).await?;
                    if let Some(last) = rows.last() {
                        *after = Some(last.id.content.clone());
                        return Ok(Some(ExportPage::Effects(rows)));
                    }
                    self.next = Next::Failures(0);
                }
                Next::Failures(skipped) => {
                    let rows = store.failures_from(run, *skipped, EXPORTED_AT_ONCE).await?;
                    if !rows.is_empty() {
                        *skipped += rows.len();
                        return Ok(Some(ExportPage::Failures(rows)));
                    }
                    self.next = Next::Differences(None);
                }
                Next::Differences(after) => {
                    let rows = store.differences(run, after.as_ref(), EXPORTED_AT_ONCE).await?;
                    if let Some(last) = rows.last() {
                        *after = Some(last.id.clone());
                        return Ok(Some(ExportPage::Differences(rows)));
                    }
                    self.next = Next::Nothing;
                }
                Next::Nothing => return Ok(None),
            }
        }
    }
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

    /// All of a run, to be read page by page. For administrators.
    pub async fn export_run(&self, caller: &Caller, run: RunId) -> Result<Export> {
        caller.must_manage()?;
        Ok(Export {
            run: self.seen_run(caller, run).await?,
            app: self.clone(),
            next: Next::Effects(None),
        })
    }
}
