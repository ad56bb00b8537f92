//! The runs of a feed, for people to read.

use domain::{
    FeedId, Result, RunId,
    sync_run::{Failure, SyncRun},
};

use crate::{App, Caller};

/// The most runs and failures shown at once.
pub const LISTED_MAX: usize = 100;

impl App {
    /// Newest first.
    pub async fn runs(&self, _caller: &Caller, feed: FeedId) -> Result<Vec<SyncRun>> {
        self.store().feed(feed).await?;
        self.store().runs(feed, LISTED_MAX).await
    }

    pub async fn run(&self, _caller: &Caller, id: RunId) -> Result<SyncRun> {
        self.store().run(id).await
    }

    pub async fn failures(&self, _caller: &Caller, run: RunId) -> Result<Vec<Failure>> {
        self.store().run(run).await?;
        self.store().failures(run, LISTED_MAX).await
    }
}
