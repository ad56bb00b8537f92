//! Claims jobs by lease and runs them, a few at a time.

use std::{pin::pin, sync::Arc, time::Duration};

use domain::{
    Error, ErrorKind, Result,
    feed::{Feed, FeedState},
    job::{Job, Work},
    sync_run::Trigger,
};
use futures::{StreamExt, stream::FuturesUnordered};
use sync::run::{Ended, Ports, sync_feed};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::{App, token, trouble::Part};

/// Feeds that run at the same time.
const JOBS_AT_ONCE: usize = 4;
/// How long a claim holds without a heartbeat.
const LEASE: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the queue is looked at when nobody rings.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often changes are looked for: a quiet look costs a handful of points.
const CHANGES_EVERY: Duration = Duration::from_secs(5 * 60);
/// Waits between attempts double from the first of these to the second.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(15 * 60);

impl App {
    pub(super) async fn run_jobs(&self, mut stop: watch::Receiver<bool>) {
        if let Err(error) = self.take_up_again().await {
            error!(error = ?error, "Open work could not be queued at the start");
        }
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < JOBS_AT_ONCE && !*stop.borrow() {
                // A name for each claim: a lease that ran out and was taken again, even by this process, is another's.
                let worker = token::digest(token::random().expose());
                // A job in the midst of a transaction holds the connection that the claim waits for: it must go on.
                let mut claim = pin!(self.store().claim(&worker, self.now(), LEASE));
                let claimed = loop {
                    tokio::select! {
                        claimed = &mut claim => break claimed,
                        Some(()) = running.next() => {}
                    }
                };
                match claimed {
                    Ok(Some(job)) => running.push(self.run_job(job, worker.clone(), stop.clone())),
                    Ok(None) => {
                        self.0.troubles.over(Part::Queue);
                        break;
                    }
                    Err(failed) => {
                        self.0.troubles.met(Part::Queue, &failed);
                        break;
                    }
                }
            }
            if *stop.borrow() && running.is_empty() {
                return;
            }
            tokio::select! {
                _ = running.next(), if !running.is_empty() => {}
                () = self.0.queued.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                // When the sender is gone nobody can ask for a stop later: take it as one.
                _ = stop.changed() => {}
            }
            if stop.has_changed().is_err() && running.is_empty() {
                return;
            }
        }
    }

    /// Feeds in the midst of a run when Circuit last stopped go on.
    async fn take_up_again(&self) -> Result<()> {
        for feed in self.store().all_feeds().await? {
            if feed.state != FeedState::Active {
                continue;
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

    async fn run_job(&self, job: Job, worker: String, stop: watch::Receiver<bool>) {
        let work = pin!(self.do_work(&job, stop));
        let ended = tokio::select! {
            ended = work => ended,
            lost = self.keep_lease(&job, &worker) => Err(lost),
        };
        let settled = match ended {
            Ok(Ended::Finished) => match self.store().finish(job.id, &worker).await {
                Ok(()) => self.schedule(&job).await,
                Err(error) => Err(error),
            },
            Ok(Ended::Waits) => self.store().finish(job.id, &worker).await,
            Ok(Ended::Again { at }) => self.store().postpone(job.id, &worker, at).await,
            Ok(Ended::Retry { why }) => self.try_again(&job, &worker, &why).await,
            // The store itself: a disk that is full or fails. The run is open still and goes on when that is over.
            Err(failed) if failed.kind == ErrorKind::Unavailable => {
                self.try_again(&job, &worker, &failed.message).await
            }
            Err(failed) if failed.kind == ErrorKind::NotFound => self.store().finish(job.id, &worker).await,
            Err(failed) => {
                error!(job.id = %job.id, error = ?failed, "A job failed");
                self.store().postpone(job.id, &worker, self.now().plus(RETRY_MAX)).await
            }
        };
        if let Err(failed) = settled {
            warn!(job.id = %job.id, error = ?failed, "A job could not be settled; its lease will run out");
        }
        let Work::SyncFeed { feed, .. } = job.work;
        self.feed_changed(feed);
    }

    async fn try_again(&self, job: &Job, worker: &str, why: &str) -> Result<()> {
        let wait = RETRY_MAX.min(RETRY_FIRST.saturating_mul(1 << job.attempt.min(16)));
        warn!(job.id = %job.id, attempt = job.attempt, "Trying again in {} s: {why}", wait.as_secs());
        self.store().postpone(job.id, worker, self.now().plus(wait)).await
    }

    /// The next look at what changed.
    async fn schedule(&self, job: &Job) -> Result<()> {
        let Work::SyncFeed { feed, .. } = job.work;
        let trigger = Trigger::Schedule;
        self.store()
            .enqueue(Work::SyncFeed { feed, trigger }, self.now().plus(CHANGES_EVERY))
            .await
    }

    async fn keep_lease(&self, job: &Job, worker: &str) -> Error {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.store().heartbeat(job.id, worker, self.now().plus(LEASE)).await {
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::Conflict => return error,
                Err(error) => warn!(job.id = %job.id, error = ?error, "A heartbeat could not be written"),
            }
        }
    }

    async fn do_work(&self, job: &Job, stop: watch::Receiver<bool>) -> Result<Ended> {
        let Work::SyncFeed { feed, trigger } = job.work;
        let paused = watch::channel(false).0;
        let paused = Arc::new(paused);
        let app = self.clone();
        let recorded = move |feed: &Feed| {
            app.0.changed.notify_one();
            app.feed_changed(feed.id);
        };
        let noticed = paused.clone();
        let ports = Ports {
            store: self.0.parts.store.clone(),
            source: self.0.parts.source.clone(),
            clock: self.0.parts.clock.clone(),
            recorded: Arc::new(recorded),
            stopping: Arc::new(move || *stop.borrow() || *noticed.borrow()),
        };
        let run = pin!(sync_feed(&ports, feed, trigger));
        tokio::select! {
            ended = run => ended,
            never = self.notice_pause(feed, &paused) => never,
        }
    }

    /// Looks whether somebody paused or removed the feed while it runs; never returns but with an error.
    async fn notice_pause(&self, feed: domain::FeedId, paused: &watch::Sender<bool>) -> Result<Ended> {
        let mut pictures = self.watch_feeds();
        loop {
            // A lagging watcher looks once more, which is what it would have done anyway.
            let _ = tokio::time::timeout(LOOK_AGAIN, pictures.recv()).await;
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
