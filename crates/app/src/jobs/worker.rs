//! Claims jobs by lease and runs them, a few at a time. Time comes through the clock alone, so that a simulation can call
//! [`App::work_once`] as the service does.

use std::{
    pin::pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use domain::{
    Error, ErrorKind, FeedId, Result, Timestamp,
    feed::{Feed, FeedState, Park},
    job::{Claim, Job, Work},
    sync_run::Trigger,
};
use futures::future::join_all;
use sync::run::{Ended, Ports, sync_feed};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::{App, token, trouble::Part};

/// Feeds that run at the same time.
const JOBS_AT_ONCE: usize = 4;
/// How long a claim holds without a heartbeat.
const LEASE: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_secs(15);
const HEARTBEAT_AGAIN: Duration = Duration::from_secs(1);
/// How often the queue is looked at when nobody rings, and a feed whether somebody paused it elsewhere.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A clock that is put right by less than this disturbs nothing.
const CLOCK_ERROR_MAX: Duration = Duration::from_secs(60);
/// Waits between attempts double from the first of these to the second.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(15 * 60);
/// How old tokens must be that nothing refers to, before they are deleted: longer than any way to Atlassian takes.
const STRAY_AFTER: Duration = Duration::from_secs(3600);

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It went well; the feed's next pass is queued.
    Finished,
    /// A person must act first, or the feed is gone; nothing is queued.
    Waits,
    /// It goes on at this time, from its checkpoint.
    Again { at: Timestamp },
    /// It failed and is tried again at this time.
    Retried { at: Timestamp },
    /// It failed too often, and is tried again when a person says so.
    Dead,
    /// Another worker has it by now, or the queue could not be written: this one's lease runs out.
    Lost,
}

impl App {
    pub(super) async fn run_jobs(&self, stop: watch::Receiver<bool>) {
        if let Err(error) = self.take_up_again().await {
            error!(error = ?error, "Open work could not be queued at the start");
        }
        join_all((0..JOBS_AT_ONCE).map(|_| self.run_queue(stop.clone()))).await;
    }

    /// One job after the other, until it is told to stop.
    async fn run_queue(&self, mut stop: watch::Receiver<bool>) {
        // When the sender is gone nobody can ask for a stop later: that is taken as one.
        while !*stop.borrow() && stop.has_changed().is_ok() {
            if self.clock_was_set_back() {
                warn!("The clock was set back; every feed is looked at now, and its next pass is planned anew");
                if let Err(failed) = self.take_up_again().await {
                    self.0.troubles.met(Part::Queue, &failed);
                }
            }
            match self.work_once(stop.clone()).await {
                Ok(Some(_)) => continue,
                Ok(None) => self.0.troubles.over(Part::Queue),
                Err(failed) => self.0.troubles.met(Part::Queue, &failed),
            }
            tokio::select! {
                () = self.0.queued.notified() => {}
                () = self.0.parts.clock.sleep(LOOK_AGAIN) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Whether the clock shows an earlier time than before. What waits in the queue waits for a time that the clock showed
    /// then: up to a day too long.
    fn clock_was_set_back(&self) -> bool {
        let now = self.now();
        let mut latest = self.0.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let set_back = now < latest.minus(CLOCK_ERROR_MAX);
        *latest = if set_back { now } else { now.max(*latest) };
        set_back
    }

    /// Claims the next job that is due, does it, settles it and queues what follows from it. None when nothing is due.
    pub async fn work_once(&self, stop: watch::Receiver<bool>) -> Result<Option<JobOutcome>> {
        // A name for each claim: a lease that ran out and was taken again, even by this process, is another's.
        let worker = token::digest(token::random().expose());
        let Some(job) = self.store().claim(&worker, self.now(), LEASE).await? else {
            return Ok(None);
        };
        let ended = self.done(&job, &worker, stop).await;
        let outcome = match self.settled(&job, &worker, ended).await {
            Ok(outcome) => outcome,
            Err(failed) => {
                warn!(job.id = %job.id, error = ?failed, "A job could not be settled; its lease will run out");
                JobOutcome::Lost
            }
        };
        let Work::SyncFeed { feed, .. } = job.work;
        self.feed_changed(feed);
        Ok(Some(outcome))
    }

    /// Feeds in the midst of a run when Circuit last stopped go on. What was parked for what an operator or a newer
    /// Circuit mends is tried once.
    pub async fn take_up_again(&self) -> Result<()> {
        let deleted = self.store().delete_stray_grants(self.now().minus(STRAY_AFTER)).await?;
        if deleted > 0 {
            warn!("Deleted the tokens of {deleted} connections that nothing refers to");
        }
        for feed in self.store().all_feeds().await? {
            match &feed.state {
                FeedState::Active => {}
                FeedState::Parked(Park::Withdrawn { .. } | Park::Misconfigured { .. }) => {
                    self.store().set_feed_state(feed.id, &FeedState::Active).await?;
                }
                FeedState::Parked(Park::QuotaSpent { .. }) => {}
                FeedState::Parked(Park::NeedsReconnect { .. } | Park::AccessLost { .. } | Park::NeedsScopes { .. }) => {
                    continue;
                }
                FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => continue,
                FeedState::Paused | FeedState::Removed => continue,
            }
            let trigger = match self.store().open_run_of(feed.id).await? {
                Some(open) => open.trigger,
                // Nothing was under way; a look at what changed meanwhile.
                None => Trigger::Schedule,
            };
            let work = Work::SyncFeed { feed: feed.id, trigger };
            self.store().enqueue(work, self.now()).await?;
        }
        Ok(())
    }

    /// Does the job while the lease is kept. Whatever it writes is refused once another worker has the job.
    async fn done(&self, job: &Job, worker: &str, stop: watch::Receiver<bool>) -> Result<Ended> {
        let work = pin!(self.do_work(job, worker, stop));
        let lost = pin!(self.keep_lease(job, worker));
        tokio::select! {
            biased;
            ended = work => ended,
            lost = lost => Err(lost),
        }
    }

    async fn settled(&self, job: &Job, worker: &str, ended: Result<Ended>) -> Result<JobOutcome> {
        let (store, now) = (self.store(), self.now());
        let retry_at = now.plus(wait(job, now));
        match ended.unwrap_or_else(|failed| meant(job, failed)) {
            Ended::Finished { next } => {
                store.finish(job.id, worker, Some(next)).await?;
                Ok(JobOutcome::Finished)
            }
            Ended::Waits => {
                store.finish(job.id, worker, None).await?;
                Ok(JobOutcome::Waits)
            }
            Ended::Again { at } => {
                store.postpone(job.id, worker, at).await?;
                Ok(JobOutcome::Again { at })
            }
            Ended::Retry { why } => {
                warn!(job.id = %job.id, attempt = job.attempt, "Trying again at {retry_at}: {why}");
                store.postpone(job.id, worker, retry_at).await?;
                Ok(JobOutcome::Retried { at: retry_at })
            }
            Ended::Fails { why } => match store.fail(job.id, worker, &why, retry_at, now).await? {
                true => {
                    error!(job.id = %job.id, "A job is dead after {} failures: {why}", job.failures + 1);
                    Ok(JobOutcome::Dead)
                }
                false => Ok(JobOutcome::Retried { at: retry_at }),
            },
        }
    }

    /// How many jobs wait or run, and how many failed too often.
    pub async fn jobs_queued_and_dead(&self) -> Result<(u64, u64)> {
        Ok((self.store().queued().await?, self.store().dead().await?))
    }

    async fn keep_lease(&self, job: &Job, worker: &str) -> Error {
        let mut wait = HEARTBEAT;
        loop {
            self.0.parts.clock.sleep(wait).await;
            wait = match self.store().heartbeat(job.id, worker, self.now().plus(LEASE)).await {
                Ok(()) => HEARTBEAT,
                Err(error) if error.kind == ErrorKind::Conflict => return error,
                Err(error) => {
                    warn!(job.id = %job.id, error = ?error, "A heartbeat could not be written");
                    // Behind a long write, or on a disk that fails: at the head of the line when that is over.
                    HEARTBEAT_AGAIN
                }
            };
        }
    }

    async fn do_work(&self, job: &Job, worker: &str, stop: watch::Receiver<bool>) -> Result<Ended> {
        let Work::SyncFeed { feed, trigger } = job.work;
        let paused = Arc::new(watch::channel(false).0);
        let app = self.clone();
        let recorded = move |feed: &Feed| {
            app.0.changed.notify_one();
            app.feed_changed(feed.id);
        };
        let noticed = paused.clone();
        let claim = Claim {
            job: job.id,
            worker: worker.to_owned(),
        };
        let ports = Ports {
            store: self.store().under(&claim),
            engine: self.0.parts.engine.clone(),
            source: self.0.parts.source.clone(),
            files: self.0.parts.files.clone(),
            clock: self.0.parts.clock.clone(),
            recorded: Arc::new(recorded),
            stopping: Arc::new(move || *stop.borrow() || *noticed.borrow()),
        };
        let run = pin!(sync_feed(&ports, feed, trigger));
        let never = pin!(self.notice_pause(feed, &paused));
        tokio::select! {
            biased;
            ended = run => ended,
            never = never => never,
        }
    }

    /// Looks whether somebody paused or removed the feed while it runs; never returns but with an error.
    async fn notice_pause(&self, feed: FeedId, paused: &watch::Sender<bool>) -> Result<Ended> {
        let mut pictures = self.watch_feeds();
        loop {
            // A lagging watcher looks once more, which is what it would have done anyway.
            tokio::select! {
                biased;
                _ = pictures.recv() => {}
                () = self.0.parts.clock.sleep(LOOK_AGAIN) => {}
            }
            match self.store().feed(feed).await.map(|feed| feed.state) {
                Ok(FeedState::Paused | FeedState::Removed) => {
                    paused.send_replace(true);
                }
                Ok(_) => {}
                Err(gone) if gone.is_not_found() => return Err(gone),
                Err(error) => warn!(feed.id = %feed, error = ?error, "The feed could not be looked at"),
            }
        }
    }
}

/// What a failure outside of the run's own story means: the store did not answer, the feed is gone, the claim is lost.
fn meant(job: &Job, failed: Error) -> Ended {
    let why = failed.to_string();
    match failed.kind {
        ErrorKind::NotFound => Ended::Waits,
        // If another worker has the job by now, putting it back is refused.
        ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::RateLimited { .. } => Ended::Retry { why },
        ErrorKind::Invalid
        | ErrorKind::Unauthenticated
        | ErrorKind::Ended { .. }
        | ErrorKind::Misconfigured
        | ErrorKind::Forbidden
        | ErrorKind::Gone
        | ErrorKind::MissingScope { .. }
        | ErrorKind::Internal => {
            error!(job.id = %job.id, error = ?failed, "A job failed");
            Ended::Fails { why }
        }
    }
}

/// The wait before the next attempt: it doubles, up to a bound, and lies between half of itself and the whole, so that
/// feeds that failed together do not come back together.
fn wait(job: &Job, now: Timestamp) -> Duration {
    let whole = RETRY_MAX.min(RETRY_FIRST.saturating_mul(1 << job.attempt.min(16)));
    let share = now.0.wrapping_add(job.id.0.wrapping_mul(379)).rem_euclid(1_000);
    whole / 2 + whole / 2 * u32::try_from(share).unwrap_or(0) / 1_000
}

#[cfg(test)]
#[path = "worker_tests.rs"]
pub(super) mod tests;
