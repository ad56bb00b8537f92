//! A unit of background work in the queue, claimed by lease.

use crate::{FeedId, JobId, Timestamp, sync_run::Trigger};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub work: Work,
    /// Times it was claimed, this one included.
    pub attempt: u32,
    pub lease_until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Bring a feed's spaces in: what was not imported yet, from the checkpoint.
    SyncFeed { feed: FeedId, trigger: Trigger },
}
