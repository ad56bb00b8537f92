//! One pass of a feed: which spaces, which streams, and what an error means for the feed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Clock, Error, ErrorKind, FeedId, Result, SpaceId, Timestamp,
    cursor::{Cursor, Mark, Stream},
    document::DocumentKind,
    feed::{Feed, FeedState},
    source::{Reach, SPACES_BY_ID_MAX, Source, Urgency},
    space::FeedSpace,
    store::Store,
    sync_run::{Outcome, RunKind, SyncRun, Trigger},
};
use tracing::info;

use crate::{
    alive,
    changes::read_changes,
    parking::{self, Parking, parking},
    plan,
    pull::{Pull, Pulled, pull},
};

/// How old the marks of an unfinished re-sync may be: one that goes on later would call old answers new.
const MARKS_LIFE: Duration = Duration::from_secs(2 * 3600);

/// The world, as a run sees it.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub source: Arc<dyn Source>,
    pub clock: Arc<dyn Clock>,
    /// Told after every recording, so that the indexer follows closely.
    pub recorded: Arc<dyn Fn(&Feed) + Send + Sync>,
    /// Asked between answers: should this run end now?
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What is to become of the job that ran the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing more to do.
    Finished,
    /// Go on at this time, from the checkpoint.
    Again { at: Timestamp },
    /// Try again later: the caller decides when, by the number of attempts.
    Retry { why: String },
    /// The same, but trying again mends little: after some attempts the job is dead.
    Fails { why: String },
    /// A person must act first.
    Waits,
}

/// Brings in what the feed has not read yet. The run's outcome and the feed's state are in the store when this returns.
pub async fn sync_feed(ports: &Ports, id: FeedId, trigger: Trigger) -> Result<Ended> {
    let feed = ports.store.feed(id).await?;
    let (Some(connection), Some(site)) = (feed.connection, feed.site.clone()) else {
        return Ok(Ended::Waits);
    };
    if !runnable(&feed.state, ports.clock.now()) {
        return Ok(match feed.state {
            FeedState::Parked(park) => park.until().map_or(Ended::Waits, |at| Ended::Again { at }),
            _ => Ended::Waits,
        });
    }
    if feed.state != FeedState::Active {
        // What it waited for is over.
        ports.store.unpark_feed(id).await?;
    }

    let spaces = ports.store.feed_spaces(id).await?;
    if spaces.is_empty() {
        return Ok(Ended::Finished);
    }
    let run = begun_run(ports, id, trigger, &spaces).await?;
    info!(feed.id = %id, run.id = %run.id, "Began run {}", run.id);

    let urgency = match (run.trigger, run.kind) {
        (Trigger::Person, _) => Urgency::Person,
        (Trigger::Schedule, RunKind::Changes) => Urgency::Changes,
        (Trigger::Schedule, RunKind::Import | RunKind::Resync) => Urgency::Whole,
    };
    let reach = Reach {
        connection,
        site,
        urgency,
    };
    let result = match run.kind {
        RunKind::Import | RunKind::Resync => read_streams(ports, &feed, &reach, &run, &spaces).await,
        RunKind::Changes => {
            let since = ports.store.read_until(id).await?.unwrap_or_default();
            let visible: Vec<FeedSpace> = spaces
                .iter()
                .filter(|space| space.suspended_at.is_none())
                .cloned()
                .collect();
            read_changes(ports, &feed, &reach, &run, &visible, since).await
        }
    };
    let now = ports.clock.now();
    let (outcome, ended) = match result {
        Ok(Pulled::ToTheEnd) => (Outcome::Complete, Ended::Finished),
        Ok(Pulled::Stopped) => {
            let why = "It was asked to stop. It goes on where it was.".to_owned();
            (Outcome::Stopped { why }, Ended::Again { at: now })
        }
        Err(error) => settled(ports, &feed, error, now).await?,
    };
    let (outcome, ended) = match outcome {
        Outcome::Complete if run.kind == RunKind::Resync => match removed(ports, &feed, &reach, &run).await {
            Ok(()) => (outcome, ended),
            Err(error) => settled(ports, &feed, error, now).await?,
        },
        _ => (outcome, ended),
    };
    if run.kind == RunKind::Changes {
        ports.store.forget_quiet_runs(run.id).await?;
    }
    ports.store.close_run(run.id, &outcome, now).await?;
    let run = ports.store.run(run.id).await?;
    info!(feed.id = %id, run.id = %run.id, seen = run.counts.seen, added = run.counts.added, changed = run.counts.changed,
        calls = run.spent.calls, points = run.spent.points, outcome = ?run.outcome, "Finished run {}", run.id);
    Ok(ended)
}

/// What the pass did not show is taken away: it read the spaces from beginning to end. First the token is proven alive,
/// since Atlassian answers a dead one as if much were not there (facts.md §3).
async fn removed(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun) -> Result<()> {
    alive::proven(ports, reach).await?;
    let unseen = ports.store.remove_unseen(feed.id, run.id, ports.clock.now()).await?;
    if unseen.removed > 0 {
        (ports.recorded)(feed);
    }
    for (space, documents) in unseen.doubted {
        tracing::warn!(feed.id = %feed.id, run.id = %run.id, space.id = %space,
            "{documents} documents are missing at once; they are removed when the next pass agrees");
    }
    Ok(())
}

fn runnable(state: &FeedState, now: Timestamp) -> bool {
    match state {
        FeedState::Active => true,
        FeedState::Parked(park) => park.over(now),
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => false,
        FeedState::Paused | FeedState::Removed => false,
    }
}

/// The run that Circuit was in the midst of when it stopped, or a new one. A new run over spaces that are all imported
/// begins from nothing; one that imports goes on from the marks, so that an added space costs only itself.
async fn begun_run(ports: &Ports, feed: FeedId, trigger: Trigger, spaces: &[FeedSpace]) -> Result<SyncRun> {
    if let Some(open) = ports.store.open_run_of(feed).await? {
        let stale = ports.clock.now().since(open.started_at) >= MARKS_LIFE;
        match open.kind {
            RunKind::Import => return Ok(open),
            RunKind::Resync if !stale => return Ok(open),
            // A pass of changes that was broken off is begun anew: it has no marks to go on from.
            RunKind::Resync | RunKind::Changes => {}
        }
        let why = "Circuit stopped in the midst of it; it begins anew.".to_owned();
        let outcome = Outcome::Stopped { why };
        ports.store.close_run(open.id, &outcome, ports.clock.now()).await?;
        if open.kind == RunKind::Resync {
            ports.store.clear_checkpoint(feed).await?;
        }
    }
    let whole_at = ports.store.read_whole_at(feed).await?;
    let kind = plan::kind_of_run(spaces, trigger, whole_at, ports.clock.now());
    if kind == RunKind::Resync && !resumable(ports, feed).await? {
        ports.store.clear_checkpoint(feed).await?;
    }
    ports.store.open_run(feed, kind, trigger, ports.clock.now()).await
}

/// Whether the last run was a re-sync that was stopped or parked: then its marks are where to go on.
async fn resumable(ports: &Ports, feed: FeedId) -> Result<bool> {
    let last = ports.store.runs(feed, 1).await?.into_iter().next();
    Ok(last.is_some_and(|run| run.kind == RunKind::Resync && unfinished(&run, ports.clock.now())))
}

fn unfinished(run: &SyncRun, now: Timestamp) -> bool {
    let recent = run.ended_at.is_some_and(|ended| now.since(ended) < MARKS_LIFE);
    match &run.outcome {
        None | Some(Outcome::Stopped { .. } | Outcome::Parked { .. } | Outcome::Failed { .. }) => recent,
        Some(Outcome::Complete) => false,
    }
}

async fn read_streams(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    spaces: &[FeedSpace],
) -> Result<Pulled> {
    let spaces = plan::spaces_of_run(run.kind, spaces);
    let mut nameless = BTreeSet::new();
    let mut unreadable = BTreeSet::new();
    let mut lost = BTreeSet::new();
    for stream in plan::streams_to_read(&spaces, &ports.store.checkpoint(feed.id).await?) {
        if (ports.stopping)() {
            return Ok(Pulled::Stopped);
        }
        let Some(space) = spaces.iter().find(|space| space.space.id == stream.space) else {
            continue;
        };
        if lost.contains(&stream.space) {
            continue;
        }
        let after = match ports.store.checkpoint(feed.id).await?.0.remove(&stream) {
            Some(Mark::At(cursor)) => Some(cursor),
            Some(Mark::Done) | None => None,
        };
        let kind = stream.kind;
        match read_stream(ports, feed, reach, run, space, stream, after, &mut nameless).await {
            Ok(Pulled::ToTheEnd) if kind == DocumentKind::Page && space.suspended_at.is_some() => {
                // Seen again: what was read just now is what may be found.
                ports.store.set_space_suspended(feed.id, &space.space.id, None).await?;
            }
            Ok(Pulled::ToTheEnd) => {}
            Ok(Pulled::Stopped) => return Ok(Pulled::Stopped),
            // Without comments or attachments the pages are still worth having; the feed's page says what is missing.
            Err(error) if kind.is_optional() && matches!(error.kind, ErrorKind::MissingScope { .. }) => {
                info!(feed.id = %feed.id, run.id = %run.id, "{}s are not imported: {error}", kind.word());
                unreadable.insert(kind);
            }
            // One space that is gone, or closed to this person, does not hold up the others. Its documents are kept, and
            // not found; the next reading of everything looks again.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden) => {
                // A dead token is answered in the same way: it is proven alive first (facts.md §3).
                alive::proven(ports, reach).await?;
                info!(feed.id = %feed.id, run.id = %run.id, "Space {} is kept out of search: {error}", space.space.key);
                let at = Some(ports.clock.now());
                ports.store.set_space_suspended(feed.id, &space.space.id, at).await?;
                lost.insert(space.space.id.clone());
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(hidden) = hidden(ports, feed, reach, &lost).await? {
        return Err(hidden);
    }
    let checkpoint = ports.store.checkpoint(feed.id).await?;
    for space in plan::spaces_done(&spaces, &checkpoint, &unreadable) {
        ports
            .store
            .set_space_imported(feed.id, &space, ports.clock.now())
            .await?;
    }
    Ok(Pulled::ToTheEnd)
}

/// Why none of the feed's spaces can be read, if the site shows all of them.
async fn hidden(ports: &Ports, feed: &Feed, reach: &Reach, lost: &BTreeSet<SpaceId>) -> Result<Option<Error>> {
    let spaces = ports.store.feed_spaces(feed.id).await?;
    if !spaces.iter().all(|space| lost.contains(&space.space.id)) {
        return Ok(None);
    }
    let mut seen = Vec::new();
    for some in lost.iter().cloned().collect::<Vec<_>>().chunks(SPACES_BY_ID_MAX) {
        seen.extend(ports.source.spaces_by_id(reach, some).await?.items);
    }
    Ok(parking::hidden_from_app(&spaces, lost, &seen))
}

#[allow(clippy::too_many_arguments)] // One call, from the loop above; a struct would only name them twice.
async fn read_stream(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    space: &FeedSpace,
    stream: Stream,
    after: Option<Cursor>,
    nameless: &mut BTreeSet<domain::AccountId>,
) -> Result<Pulled> {
    let began_midway = after.is_some();
    let first = Pull {
        feed,
        reach,
        run: run.id,
        space: &space.space,
        stream: stream.clone(),
        nameless: &mut *nameless,
    };
    match pull(ports, first, after).await {
        // Cursors may go stale while Circuit is down. Reading anew is safe: what is held already is unchanged.
        Err(Error {
            kind: ErrorKind::Conflict,
            ..
        }) if began_midway => {
            pull(
                ports,
                Pull {
                    feed,
                    reach,
                    run: run.id,
                    space: &space.space,
                    stream,
                    nameless,
                },
                None,
            )
            .await
        }
        other => other,
    }
}

/// What an error means: for the run, for the feed, and for the job.
async fn settled(ports: &Ports, feed: &Feed, error: Error, now: Timestamp) -> Result<(Outcome, Ended)> {
    let why = error.to_string();
    let present = ports.store.feed(feed.id).await?;
    if present.connection != feed.connection {
        // Somebody reconnected while this pass used the grant before: it says nothing about the new one.
        return Ok((Outcome::Stopped { why }, Ended::Again { at: now }));
    }
    if matches!(error.kind, ErrorKind::Invalid | ErrorKind::Internal) {
        tracing::error!(feed.id = %feed.id, error = ?error, "A run failed");
    }
    let Parking { outcome, park, ended } = parking(&error, now);
    if let Some(park) = park {
        ports.store.park_feed(feed.id, &park).await?;
    }
    Ok((outcome, ended))
}
