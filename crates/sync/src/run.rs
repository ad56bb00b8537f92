//! One pass of a feed: which one is due, which spaces and streams it reads, and what an error means for the feed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Clock, Error, ErrorKind, FeedId, Result, Timestamp,
    cursor::{Mark, Stream},
    document::DocumentKind,
    engine::SearchEngine,
    feed::{Feed, FeedState},
    source::{Meter, Reach, Source, Urgency},
    space::{FeedSpace, SpaceSeen},
    store::Store,
    sync_run::{Outcome, RunKind, SyncRun, Trigger},
};
use tracing::info;

use crate::{
    alive,
    changes::read_changes,
    files::{FilePorts, read_files},
    mentions::read_mentions,
    parking::{Parking, Waits, hidden_from_app, parking},
    people::Asked,
    plan,
    probe::{Probed, probe},
    pull::{Pull, Pulled, Reading, Returned, pull},
    schedule::{self, Facts, Held},
    verify::verify,
    visible::{Visible, lost, remove_lost, visible_spaces},
    walk::{Part, is_judged, judge},
    wanted::read_wanted,
};

/// How old an unfinished walk may be to go on: what it saw longer ago proves too little. A site of a hundred thousand
/// pages takes some hours of quota.
const WALK_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long a walk goes on before it gives way: where looks at changes take long, it comes to its end all the same.
const WALK_AT_LEAST: Duration = Duration::from_secs(60);
/// What a probe needs of the grant (facts.md §2.1).
const PROBE_SCOPE: &str = "read:content.metadata:confluence";
/// A feed that cannot say when its next pass is due is looked at again then.
const NOTHING_DUE: Duration = Duration::from_secs(3600);

/// The world, as a run sees it.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    /// Only read, by a verify: what is recorded, the indexer brings there.
    pub engine: Arc<dyn SearchEngine>,
    pub source: Arc<dyn Source>,
    /// None when files are found by their names only.
    pub files: Option<FilePorts>,
    pub clock: Arc<dyn Clock>,
    /// Told after every recording, so that the indexer follows closely.
    pub recorded: Arc<dyn Fn(&Feed) + Send + Sync>,
    /// Asked between answers: should this run end now?
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What is to become of the job that ran the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Done; the next pass is due at `next`.
    Finished { next: Timestamp },
    /// Go on at this time, from the checkpoint.
    Again { at: Timestamp },
    /// Try again later: the caller decides when, by the number of attempts.
    Retry { why: String },
    /// The same, but trying again mends little: after some attempts the job is dead.
    Fails { why: String },
    /// A person must act first.
    Waits,
}

/// Makes the pass that is due, or the one that a person asked for. The run's outcome and the feed's state are in the
/// store when this returns.
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
        return Ok(Ended::Waits);
    }
    let Some(run) = begun_run(ports, &feed, trigger, &spaces).await? else {
        return Ok(Ended::Finished {
            next: next_due(ports, id).await?,
        });
    };
    info!(feed.id = %id, run.id = %run.id, "Began run {}, {}", run.id, run.kind.word());

    let reach = Reach {
        connection,
        site,
        urgency: urgency(&run),
        meter: Meter::default(),
    };
    let changes_due = match gives_way(&run) {
        true => changes_due(ports, &feed, &spaces).await?,
        false => None,
    };
    let result = read(&giving_way(ports, changes_due), &feed, &reach, &run, &spaces).await;
    let now = ports.clock.now();
    let (outcome, ended) = match result {
        Ok(Pulled::ToTheEnd) => (Outcome::Complete, None),
        Ok(Pulled::Stopped) => {
            let why = match (ports.stopping)() {
                true => "It was asked to stop. It goes on where it was.",
                false => "It gave way to what was written lately. It goes on where it was.",
            };
            let why = why.to_owned();
            (Outcome::Stopped { why }, Some(Ended::Again { at: now }))
        }
        Err(error) => {
            // A person's wish waits with the feed, so that it is first when there are points again.
            let urgency = match trigger {
                Trigger::Person => Urgency::Person,
                Trigger::Schedule => reach.urgency,
            };
            settled(ports, &feed, error, urgency, now).await?
        }
    };
    // What the recordings did not tell of: calls that failed, proofs that the token is alive.
    let recorded = ports.store.run(run.id).await?.spent.minus(run.spent);
    let rest = reach.meter.read().minus(recorded);
    ports.store.add_spent(run.id, rest, ports.clock.now()).await?;
    if run.kind == RunKind::Verify && matches!(outcome, Outcome::Failed { .. }) {
        ports.store.forget_shown(run.id).await?;
    }
    ports.store.close_run(run.id, &outcome, now).await?;
    if matches!(run.kind, RunKind::Changes | RunKind::Probe | RunKind::Files) {
        ports.store.forget_quiet_runs(run.id).await?;
    }
    let run = ports.store.run(run.id).await?;
    info!(feed.id = %id, run.id = %run.id, seen = run.counts.seen, added = run.counts.added, changed = run.counts.changed,
        removed = run.counts.removed, calls = run.spent.calls, points = run.spent.points, outcome = ?run.outcome,
        "Finished run {}", run.id);
    match ended {
        Some(ended) => Ok(ended),
        // A person also wants everything read again, which comes after what they asked for by name.
        None if trigger == Trigger::Person && wished(&run) => Ok(Ended::Again { at: now }),
        None => Ok(Ended::Finished {
            next: next_due(ports, id).await?,
        }),
    }
}

/// Whether the run was made for documents or a comparison that a person asked for, and not for the feed's schedule.
fn wished(run: &SyncRun) -> bool {
    match run.kind {
        RunKind::Verify => true,
        RunKind::Changes => run.trigger == Trigger::Person,
        RunKind::Import | RunKind::Walk | RunKind::Probe | RunKind::Files => false,
    }
}

/// Whether looks at changes come before this run, even in its midst: a walk may take hours, or wait for the next hour's
/// points, and goes on where it was. So do files.
fn gives_way(run: &SyncRun) -> bool {
    match (run.trigger, run.kind) {
        (Trigger::Schedule, RunKind::Walk | RunKind::Files) => true,
        (Trigger::Schedule, RunKind::Import | RunKind::Changes | RunKind::Probe | RunKind::Verify)
        | (Trigger::Person, _) => false,
    }
}

/// When a run that begins now gives way to the next look at changes.
async fn changes_due(ports: &Ports, feed: &Feed, spaces: &[FeedSpace]) -> Result<Option<Timestamp>> {
    let now = ports.clock.now();
    let facts = known(ports, feed, spaces, now).await?;
    let due = schedule::due(&facts, now).changes;
    Ok(due.map(|due| due.max(now.plus(WALK_AT_LEAST))))
}

/// The same world, in which a run also stops when changes are due.
fn giving_way(ports: &Ports, changes_due: Option<Timestamp>) -> Ports {
    let Some(due) = changes_due else {
        return ports.clone();
    };
    let (clock, stopping) = (ports.clock.clone(), ports.stopping.clone());
    Ports {
        stopping: Arc::new(move || stopping() || clock.now() >= due),
        ..ports.clone()
    }
}

fn urgency(run: &SyncRun) -> Urgency {
    match (run.trigger, run.kind) {
        (Trigger::Person, _) => Urgency::Person,
        (Trigger::Schedule, RunKind::Changes) => Urgency::Changes,
        (Trigger::Schedule, RunKind::Import | RunKind::Walk | RunKind::Probe | RunKind::Verify | RunKind::Files) => {
            Urgency::Whole
        }
    }
}

fn runnable(state: &FeedState, now: Timestamp) -> bool {
    match state {
        FeedState::Active => true,
        FeedState::Parked(park) => park.over(now),
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => false,
        FeedState::Paused | FeedState::Removed => false,
    }
}

/// When the next pass of a feed is due.
pub async fn next_due(ports: &Ports, feed: FeedId) -> Result<Timestamp> {
    let (feed, spaces) = (ports.store.feed(feed).await?, ports.store.feed_spaces(feed).await?);
    let now = ports.clock.now();
    if ports.store.verify_of(feed.id).await?.is_some() || !ports.store.wanted(feed.id).await?.is_empty() {
        return Ok(now);
    }
    let due = schedule::due(&known(ports, &feed, &spaces, now).await?, now);
    Ok(due.next().unwrap_or_else(|| now.plus(NOTHING_DUE)).max(now))
}

/// What the schedule needs to know of a feed, whose files may have to be read.
async fn known<'a>(ports: &Ports, feed: &Feed, spaces: &'a [FeedSpace], now: Timestamp) -> Result<Facts<'a>> {
    let files = match &ports.files {
        Some(_) => ports.store.files_waiting(feed.id).await?.next,
        None => None,
    };
    Ok(Facts {
        files,
        ..facts(&*ports.store, feed, spaces, now).await?
    })
}

/// What the schedule needs to know of a feed whose files are not read.
pub async fn facts<'a>(store: &dyn Store, feed: &Feed, spaces: &'a [FeedSpace], now: Timestamp) -> Result<Facts<'a>> {
    let can_probe = match feed.connection {
        Some(connection) => store.connection(connection).await?.scopes.contains(PROBE_SCOPE),
        None => false,
    };
    let held = store.held_kinds(feed.id).await?;
    let of = |kind: DocumentKind| held.get(&kind).copied().unwrap_or(0);
    let began = store.began_last(feed.id).await?;
    Ok(Facts {
        schedule: feed.schedule,
        spaces,
        changes_began: began.get(&RunKind::Changes).copied(),
        walk_began: began.get(&RunKind::Walk).copied(),
        probe_began: began.get(&RunKind::Probe).copied(),
        whole_waits_until: feed.whole_waits(now),
        can_probe,
        files: None,
        held: Held {
            pages: of(DocumentKind::Page) + of(DocumentKind::BlogPost),
            comments: of(DocumentKind::Comment),
            attachments: of(DocumentKind::Attachment),
        },
    })
}

/// The run that goes on: the one that Circuit was in the midst of when it stopped, or an import or walk that waited or
/// was broken off. Else a new one, if a pass is due.
async fn begun_run(ports: &Ports, feed: &Feed, trigger: Trigger, spaces: &[FeedSpace]) -> Result<Option<SyncRun>> {
    let now = ports.clock.now();
    if let Some(open) = ports.store.open_run_of(feed.id).await? {
        // What waits to be read is in the store: of files nothing is lost with the run.
        if goes_on(&open, spaces, now) && open.kind != RunKind::Files {
            return Ok(Some(open));
        }
        let why = "Circuit stopped in the midst of it; it begins anew.".to_owned();
        ports.store.close_run(open.id, &Outcome::Stopped { why }, now).await?;
    }
    if let Some(verify) = asked_verify(ports, feed, now).await? {
        return Ok(Some(verify));
    }
    if !ports.store.wanted(feed.id).await?.is_empty() {
        let run = ports
            .store
            .open_run(feed.id, RunKind::Changes, Trigger::Person, now)
            .await?;
        return Ok(Some(run));
    }
    let facts = known(ports, feed, spaces, now).await?;
    let Some(kind) = schedule::pass(&facts, trigger, now) else {
        return Ok(None);
    };
    if let Some(broken_off) = broken_off(ports, feed.id, kind).await?
        && goes_on(&broken_off, spaces, now)
        && !(trigger == Trigger::Person && broken_off.trigger == Trigger::Schedule && kind == RunKind::Walk)
    {
        return ports.store.reopen_run(broken_off.id).await.map(Some);
    }
    match kind {
        RunKind::Walk => ports.store.clear_checkpoint(feed.id).await?,
        // Goes on from the marks, so that an added space costs only itself; changes and probes have none.
        RunKind::Import | RunKind::Changes | RunKind::Probe | RunKind::Verify | RunKind::Files => {}
    }
    ports.store.open_run(feed.id, kind, trigger, now).await.map(Some)
}

/// The verify that a person asked for: it goes on from its own marks. What it saw too long ago proves nothing.
async fn asked_verify(ports: &Ports, feed: &Feed, now: Timestamp) -> Result<Option<SyncRun>> {
    let Some(asked) = ports.store.verify_of(feed.id).await? else {
        return Ok(None);
    };
    if goes_on(&asked, &[], now) {
        return match asked.ended_at {
            None => Ok(Some(asked)),
            Some(_) => ports.store.reopen_run(asked.id).await.map(Some),
        };
    }
    let why = "It waited for more than a day: ask for it again.".to_owned();
    ports.store.close_run(asked.id, &Outcome::Failed { why }, now).await?;
    ports.store.forget_shown(asked.id).await?;
    Ok(None)
}

/// The last run of this kind, if it did not come to its end.
async fn broken_off(ports: &Ports, feed: FeedId, kind: RunKind) -> Result<Option<SyncRun>> {
    let last = ports.store.last_run(feed, kind).await?;
    Ok(last.filter(|run| match &run.outcome {
        None | Some(Outcome::Stopped { .. } | Outcome::Parked { .. } | Outcome::Failed { .. }) => true,
        Some(Outcome::Complete) => false,
    }))
}

/// Whether an unfinished run goes on as itself. Changes and probes are short and begin anew.
fn goes_on(run: &SyncRun, spaces: &[FeedSpace], now: Timestamp) -> bool {
    match run.kind {
        RunKind::Import => spaces.iter().any(schedule::needs_import),
        RunKind::Walk | RunKind::Verify | RunKind::Files => {
            run.started_at <= now && now.since(run.started_at) < WALK_LIFE
        }
        RunKind::Changes | RunKind::Probe => false,
    }
}

async fn read(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Pulled> {
    let found = spaces.iter().filter(|space| space.suspended_at.is_none());
    let visible: Vec<FeedSpace> = found.cloned().collect();
    match run.kind {
        RunKind::Changes => {
            read_mentions(ports, feed, reach, run).await?;
            read_wanted(ports, feed, reach, run, &visible).await?;
            match visible.iter().any(|space| space.imported_at.is_some()) {
                true => read_changes(ports, feed, reach, run, &visible).await,
                // Everything is new still: the import brings it.
                false => Ok(Pulled::ToTheEnd),
            }
        }
        RunKind::Files => match &ports.files {
            Some(files) => read_files(ports, files, feed, reach, run, &visible).await,
            None => Ok(Pulled::ToTheEnd),
        },
        RunKind::Verify => verify(ports, feed, reach, run, spaces).await,
        RunKind::Import => import(ports, feed, reach, run, spaces).await,
        RunKind::Walk => walk(ports, feed, reach, run, spaces).await,
        RunKind::Probe => match probe(ports, feed, reach, run, &visible).await? {
            Probed::Ended(ended) => Ok(ended),
            Probed::NeedsWalk => {
                ports.store.forget_walks(feed.id).await?;
                Ok(Pulled::ToTheEnd)
            }
        },
    }
}

async fn import(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Pulled> {
    let Visible { spaces: visible, at } = visible_spaces(ports, feed, reach, run, spaces).await?;
    if ports.store.changes_until(feed.id).await?.is_none() {
        // What is written from now on, the passes of changes will bring. Of the two clocks the one behind counts.
        let began = at.map_or(run.started_at, |at| at.min(run.started_at));
        ports.store.set_changes_until(feed.id, began).await?;
    }
    let wanted: Vec<&FeedSpace> = visible.iter().filter(|space| schedule::needs_import(space)).collect();
    let streams = plan::to_import(&wanted, &ports.store.checkpoint(feed.id).await?);
    let mut reader = Reader::new(ports, feed, reach, run, Reading::Bodies);
    if reader.read(&wanted, streams).await? == Pulled::Stopped {
        return Ok(Pulled::Stopped);
    }
    hidden(&reader.lost, spaces, &visible)?;
    let checkpoint = ports.store.checkpoint(feed.id).await?;
    let imported = plan::imported(&wanted, &checkpoint, &reader.unreadable);
    believe_empty(ports, feed, reach, &imported).await?;
    for space in imported {
        ports
            .store
            .set_space_imported(feed.id, &space, ports.clock.now())
            .await?;
    }
    Ok(Pulled::ToTheEnd)
}

/// A space without a page is answered to nobody as to somebody who may read it: before one is taken for imported, the
/// token is proven alive. If it is not, what was read is read again.
async fn believe_empty(ports: &Ports, feed: &Feed, reach: &Reach, imported: &[domain::SpaceId]) -> Result<()> {
    let spaces = ports.store.feed_spaces(feed.id).await?;
    let empty = |space: &FeedSpace| space.documents == 0 && imported.contains(&space.space.id);
    if !spaces.iter().any(empty) {
        return Ok(());
    }
    match alive::proven(ports, reach).await {
        Ok(_) => Ok(()),
        Err(error) => {
            if matches!(error.kind, ErrorKind::Ended { .. } | ErrorKind::Unauthenticated) {
                ports.store.clear_checkpoint(feed.id).await?;
            }
            Err(error)
        }
    }
}

async fn walk(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Pulled> {
    let visible = visible_spaces(ports, feed, reach, run, spaces).await?.spaces;
    let facts = facts(&*ports.store, feed, &visible, ports.clock.now()).await?;
    // Before a lost space goes, the others are read whole: what was moved there from it is theirs.
    let trigger = match lost(run, spaces, ports.clock.now()).is_empty() {
        true => run.trigger,
        false => Trigger::Person,
    };
    let streams = schedule::walked(&facts, trigger, run.started_at);
    let mut reader = Reader::new(ports, feed, reach, run, Reading::Changed);
    for part in Part::ALL {
        let streams: Vec<Stream> = streams
            .iter()
            .filter(|stream| part.holds(stream.kind))
            .cloned()
            .collect();
        if streams.is_empty() || is_judged(run, &visible, &streams, ports.clock.now()) {
            continue;
        }
        let left = plan::not_done(streams.clone(), &ports.store.checkpoint(feed.id).await?);
        if reader.read(&visible.iter().collect::<Vec<_>>(), left).await? == Pulled::Stopped {
            return Ok(Pulled::Stopped);
        }
        hidden(&reader.lost, spaces, &visible)?;
        let judged = visible.iter().filter(|space| !reader.lost.contains(&space.space.id));
        let judged: Vec<FeedSpace> = judged.cloned().collect();
        judge(ports, feed, reach, run, &judged, part, &streams).await?;
    }
    remove_lost(ports, feed, reach, run, spaces).await?;
    Ok(Pulled::ToTheEnd)
}

/// An error when the site shows all of the feed's spaces and lets none of them be read.
fn hidden(lost: &BTreeSet<domain::SpaceId>, spaces: &[FeedSpace], visible: &[FeedSpace]) -> Result<()> {
    let seen = visible.iter().map(|space| SpaceSeen {
        space: space.space.clone(),
        archived: space.archived,
    });
    match hidden_from_app(spaces, lost, &seen.collect::<Vec<_>>()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Reads streams one after the other, and keeps what could not be read.
struct Reader<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
    reading: Reading,
    asked: Asked,
    /// Kinds for which the grant lacks a scope.
    unreadable: BTreeSet<DocumentKind>,
    /// Spaces that answered as gone or closed.
    lost: BTreeSet<domain::SpaceId>,
}

impl<'a> Reader<'a> {
    fn new(ports: &'a Ports, feed: &'a Feed, reach: &'a Reach, run: &'a SyncRun, reading: Reading) -> Self {
        Self {
            ports,
            feed,
            reach,
            run,
            reading,
            asked: Asked::new(),
            unreadable: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    async fn read(&mut self, spaces: &[&FeedSpace], streams: Vec<Stream>) -> Result<Pulled> {
        let listed: BTreeSet<Stream> = streams.iter().cloned().collect();
        for stream in streams {
            if (self.ports.stopping)() {
                return Ok(Pulled::Stopped);
            }
            let Some(space) = spaces.iter().find(|space| space.space.id == stream.space) else {
                continue;
            };
            if self.lost.contains(&stream.space) || self.unreadable.contains(&stream.kind) {
                continue;
            }
            // Atlassian's search, which tells of comments and attachments, does not know archived spaces.
            let of = |kind| Stream {
                space: stream.space.clone(),
                kind,
            };
            let follow = listed.contains(&of(DocumentKind::Comment)) && listed.contains(&of(DocumentKind::Attachment));
            let returned = match space.archived || follow {
                true => Returned::Alone,
                false => Returned::WithBelongings,
            };
            match self.read_one(space, stream, returned).await? {
                Pulled::ToTheEnd => {}
                Pulled::Stopped => return Ok(Pulled::Stopped),
            }
        }
        Ok(Pulled::ToTheEnd)
    }

    async fn read_one(&mut self, space: &FeedSpace, stream: Stream, returned: Returned) -> Result<Pulled> {
        let (ports, feed) = (self.ports, self.feed);
        let after = match ports.store.checkpoint(feed.id).await?.0.remove(&stream) {
            Some(Mark::At(cursor)) => Some(cursor),
            Some(Mark::Done) | None => None,
        };
        let kind = stream.kind;
        let wanted = Pull {
            feed,
            reach: self.reach,
            run: self.run.id,
            space: &space.space,
            stream,
            reading: self.reading,
            returned,
        };
        match pull(ports, &wanted, after, &mut self.asked).await {
            Ok(pulled) => Ok(pulled),
            // Without comments or attachments the pages are still worth having; the feed's page says what is missing.
            Err(error) if kind.is_optional() && matches!(error.kind, ErrorKind::MissingScope { .. }) => {
                info!(feed.id = %feed.id, run.id = %self.run.id, "{}s are not read: {error}", kind.word());
                self.unreadable.insert(kind);
                Ok(Pulled::ToTheEnd)
            }
            // One space that is gone, or closed to this person, does not hold up the others. Its documents are kept, and
            // not found; the next walk looks again.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden) => {
                // A dead token is answered in the same way: it is proven alive first (facts.md §3).
                alive::proven(ports, self.reach).await?;
                let (id, key) = (&space.space.id, &space.space.key);
                info!(feed.id = %feed.id, run.id = %self.run.id, "Space {key} is kept out of search: {error}");
                ports
                    .store
                    .set_space_suspended(feed.id, id, Some(ports.clock.now()))
                    .await?;
                let note = format!("{key} could not be read and is kept out of search: {error}.");
                ports.store.note(self.run.id, &note).await?;
                self.lost.insert(id.clone());
                Ok(Pulled::ToTheEnd)
            }
            Err(error) => Err(error),
        }
    }
}

/// What an error means: for the run, for the feed, and for the job; none when the feed's next pass is as good as due.
async fn settled(
    ports: &Ports,
    feed: &Feed,
    error: Error,
    urgency: Urgency,
    now: Timestamp,
) -> Result<(Outcome, Option<Ended>)> {
    let why = error.to_string();
    let present = ports.store.feed(feed.id).await?;
    if present.connection != feed.connection {
        // Somebody reconnected while this pass used the grant before: it says nothing about the new one.
        return Ok((Outcome::Stopped { why }, Some(Ended::Again { at: now })));
    }
    if matches!(error.kind, ErrorKind::Invalid | ErrorKind::Internal) {
        tracing::error!(feed.id = %feed.id, error = ?error, "A run failed");
    }
    let Parking { outcome, waits, ended } = parking(&error, urgency, now);
    match waits {
        Waits::Nothing => Ok((outcome, Some(ended))),
        Waits::Feed(park) => {
            ports.store.park_feed(feed.id, &park).await?;
            Ok((outcome, Some(ended)))
        }
        Waits::Whole { until } => {
            ports.store.hold_whole(feed.id, until).await?;
            Ok((outcome, None))
        }
    }
}
