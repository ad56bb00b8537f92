//! A unit of background work in the queue, claimed by lease.

use std::time::Duration;

use crate::{FeedId, JobId, Timestamp, sync_run::Trigger};

/// No job waits longer than this: the longest interval of a schedule, and an hour. One that seems to was queued by a
/// clock that was wrong then, or is now.
pub const JOB_WAIT_MAX: Duration = Duration::from_secs(25 * 3600);
/// After so many failures that trying again does not mend, a job is dead until a person revives it.
pub const JOB_FAILURES_MAX: u32 = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub work: Work,
    /// Times it was claimed, this one included.
    pub attempt: u32,
    /// Failures that trying again does not mend, since it last went well.
    pub failures: u32,
    pub lease_until: Timestamp,
}

/// A worker's claim on a job. Whoever holds it may write what the job brings; a claim that was lost may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub job: JobId,
    /// Names this one claim: two claims of one process are kept apart like two processes.
    pub worker: String,
}

/// How a feed's job stands in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Begins at this time, or as soon as a worker is free.
    Waits {
        at: Timestamp,
    },
    Runs,
    /// Failed too often to be tried again by itself; `why` is the last failure, for people.
    Dead {
        at: Timestamp,
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Bring a feed's spaces in: what was not imported yet, from the checkpoint.
    SyncFeed { feed: FeedId, trigger: Trigger },
}
