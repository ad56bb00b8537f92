//! A feed as a person watches it: what was expected, what is here, how fast, how long still.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use domain::{
    FeedId, Result, Timestamp,
    budget::{BudgetPicture, Hour},
    connection::Connection,
    document::DocumentKind,
    feed::{Feed, FeedState},
    job::Standing,
    price::{self, LaterPasses},
    space::{Estimate, FeedSpace},
    sync_run::{RunKind, Spent, SyncRun},
};

use sync::{run::facts, schedule::due};

use crate::{App, Caller, trouble::Part};

/// Everything that a feed's page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedPicture {
    pub feed: Feed,
    pub connection: Option<Connection>,
    pub spaces: Vec<FeedSpace>,
    /// The run that is going on.
    pub running: Option<SyncRun>,
    /// The run that ended last.
    pub last: Option<SyncRun>,
    /// The state in a few words: `importing`, `up to date`, `needs reconnect`, …
    pub headline: &'static str,
    pub documents: u64,
    /// Files whose text is still to be read; none where files are found by their names only.
    pub files_waiting: u64,
    /// Expected in all, as far as estimates are known.
    pub expected: Option<u64>,
    /// Documents a second in the present run.
    pub rate: Option<f64>,
    /// Until the present run's end, at that rate.
    pub seconds_left: Option<u64>,
    /// Whether everything that was brought can be found already.
    pub searchable: bool,
    /// Why what was brought cannot be found for the time being, for people.
    pub search_trouble: Option<String>,
    /// What is not done for lack of a scope, in sentences.
    pub degraded: Vec<String>,
    pub connecting_too_long: bool,
    pub points: FeedPoints,
    /// How its job stands in the queue.
    pub job: Option<Standing>,
    /// When what happens next by itself.
    pub next: Next,
    /// When the connection may end by its age, if that is soon.
    pub ends_soon: Option<Timestamp>,
}

/// What a feed costs at Atlassian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedPoints {
    /// Since midnight UTC, what people asked for it included.
    pub today: Spent,
    /// This hour's, shared by everything that calls Atlassian.
    pub budget: BudgetPicture,
    pub next: LaterPasses,
}

/// When a feed does what by itself, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// The next pass, whatever is due then.
    pub pass: Option<Timestamp>,
    /// When changes are due to be looked for.
    pub changes: Option<Timestamp>,
    /// When everything is due to be read again.
    pub walk: Option<Timestamp>,
    /// When visibility is due to be probed; none when the grant does not allow it.
    pub probe: Option<Timestamp>,
    /// Until when everything but changes waits for points, if it does.
    pub whole_waits: Option<Timestamp>,
}

/// Among so many is the last that ended: one may go on, and a verify wait beside it.
const RUNS_LOOKED_AT: usize = 3;

/// What a feed holds, as it was counted when the last of its imports and walks had begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    begun: [Option<Timestamp>; 2],
    held: Estimate,
}

impl App {
    /// About how much a feed's next walk lists: what is held, counted once for each import and walk; while something is still
    /// to be imported, what was estimated.
    async fn held(&self, id: FeedId, spaces: &[FeedSpace]) -> Result<Estimate> {
        if spaces.iter().any(|space| space.imported_at.is_none()) {
            return Ok(price::held(spaces));
        }
        let began = self.store().began_last(id).await?;
        let begun = [RunKind::Import, RunKind::Walk].map(|kind| began.get(&kind).copied());
        let known = self.counted().get(&id).copied();
        if let Some(counted) = known.filter(|counted| counted.begun == begun) {
            return Ok(counted.held);
        }
        let kinds = self.store().held_kinds(id).await?;
        let of = |kind| kinds.get(&kind).copied().unwrap_or(0);
        let held = Estimate {
            pages: of(DocumentKind::Page),
            blog_posts: of(DocumentKind::BlogPost),
            comments: of(DocumentKind::Comment),
            attachments: of(DocumentKind::Attachment),
            labelled: Some(self.store().labelled(id).await?),
        };
        self.counted().insert(id, Counted { begun, held });
        Ok(held)
    }

    fn counted(&self) -> MutexGuard<'_, BTreeMap<FeedId, Counted>> {
        self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self, feed: &Feed, spaces: &[FeedSpace], job: Option<&Standing>) -> Result<Next> {
        if feed.state != FeedState::Active {
            return Ok(Next::default());
        }
        let pass = match job {
            Some(Standing::Waits { at }) => Some(*at),
            Some(Standing::Runs | Standing::Dead { .. }) | None => None,
        };
        let due = due(&facts(self.store(), feed, spaces, self.now()).await?, self.now());
        Ok(Next {
            pass,
            changes: due.changes,
            walk: due.walk,
            probe: due.probe,
            whole_waits: feed.whole_waits(self.now()),
        })
    }

    async fn running(&self, feed: FeedId, job: Option<&Standing>) -> Result<Option<SyncRun>> {
        if let Some(run) = self.store().open_run_of(feed).await? {
            return Ok(Some(run));
        }
        match job {
            Some(Standing::Runs) => self.store().verify_of(feed).await,
            Some(Standing::Waits { .. } | Standing::Dead { .. }) | None => Ok(None),
        }
    }

    pub async fn feed_picture(&self, caller: &Caller, id: FeedId) -> Result<FeedPicture> {
        let feed = self.feed(caller, id).await?;
        let spaces = self.store().feed_spaces(id).await?;
        let job = self.store().standing(id).await?;
        let running = self.running(id, job.as_ref()).await?;
        let last = self
            .store()
            .runs(id, RUNS_LOOKED_AT)
            .await?
            .into_iter()
            .find(|run| run.ended_at.is_some());
        let connection = match feed.connection {
            Some(connection) => Some(self.store().connection(connection).await?),
            None => None,
        };
        let next = self.next(&feed, &spaces, job.as_ref()).await?;
        let last_change = self.store().last_sequence(feed.index).await?;
        let searchable = self.engine().watermark(feed.index).await?.0 >= last_change;
        let search_trouble = self.0.troubles.of(Part::Index(feed.index)).filter(|_| !searchable);
        let documents = spaces.iter().map(|space| space.documents).sum();
        let files_waiting = match self.0.parts.files {
            Some(_) => self.store().files_waiting(id).await?.count,
            None => 0,
        };
        let expected = expected(&spaces);
        let seconds = running
            .as_ref()
            .map_or(0.0, |run| self.now().since(run.started_at).as_secs_f64());
        let rate = running
            .as_ref()
            .filter(|_| seconds > 0.5)
            .map(|run| run.counts.seen as f64 / seconds);
        // A pass of changes ends when nothing newer is left, however much there is in all.
        let left = running.as_ref().and_then(|run| match run.kind {
            RunKind::Changes => None,
            RunKind::Files => Some(files_waiting),
            RunKind::Import | RunKind::Walk | RunKind::Probe | RunKind::Verify => {
                expected.map(|expected| expected.saturating_sub(run.counts.seen))
            }
        });
        let seconds_left = rate
            .zip(left)
            .filter(|(rate, _)| *rate > 0.0)
            .map(|(rate, left)| (left as f64 / rate).ceil() as u64);
        let granted = connection
            .as_ref()
            .map(|connection| connection.scopes.clone())
            .unwrap_or_default();
        let degraded = match feed.state {
            FeedState::Connecting { .. } | FeedState::Removed => Vec::new(),
            _ if connection.is_none() => Vec::new(),
            _ => (self.scopes().degraded)(&granted),
        };
        let points = FeedPoints {
            today: self.store().feed_spent(id, Hour::of_midnight(self.now())).await?,
            budget: self.budget_picture().await?,
            next: LaterPasses::of(&self.held(id, &spaces).await?, spaces.len() as u64),
        };
        Ok(FeedPicture {
            headline: headline(&feed, &spaces, running.as_ref(), last.as_ref(), job.as_ref()),
            ends_soon: ends_soon(&feed, connection.as_ref(), self.now()),
            job,
            next,
            connecting_too_long: self.connecting_too_long(&feed),
            feed,
            connection,
            spaces,
            running,
            last,
            documents,
            files_waiting,
            expected,
            rate,
            seconds_left,
            searchable,
            search_trouble,
            degraded,
            points,
        })
    }
}

fn ends_soon(feed: &Feed, connection: Option<&Connection>, now: Timestamp) -> Option<Timestamp> {
    match feed.state {
        FeedState::Removed => None,
        _ => connection.and_then(|connection| connection.ends_soon(now)),
    }
}

fn expected(spaces: &[FeedSpace]) -> Option<u64> {
    let all = |space: &FeedSpace| {
        space
            .estimate
            .map(|e| e.pages + e.blog_posts + e.comments + e.attachments)
    };
    spaces.iter().map(all).sum()
}

fn headline(
    feed: &Feed,
    spaces: &[FeedSpace],
    running: Option<&SyncRun>,
    last: Option<&SyncRun>,
    job: Option<&Standing>,
) -> &'static str {
    use domain::{feed::Park, sync_run::Outcome};
    match &feed.state {
        FeedState::Connecting { .. } => "connecting",
        FeedState::ChoosingSite => "choosing a site",
        FeedState::ChoosingSpaces => "choosing spaces",
        FeedState::Paused => "paused",
        FeedState::Removed => "removed",
        FeedState::Parked(Park::QuotaSpent { .. }) => "paused by quota",
        FeedState::Parked(Park::NeedsReconnect { .. }) => "needs reconnect",
        FeedState::Parked(Park::NeedsScopes { .. }) => "needs scopes",
        FeedState::Parked(Park::AccessLost { .. }) => "access lost",
        FeedState::Parked(Park::Misconfigured { .. }) => "needs the operator",
        FeedState::Parked(Park::Withdrawn { .. }) => "withdrawn by Atlassian",
        FeedState::Active if matches!(job, Some(Standing::Dead { .. })) => "stopped after failures",
        FeedState::Active
            if spaces
                .iter()
                .any(|space| space.imported_at.is_none() && space.suspended_at.is_none()) =>
        {
            match last.map(|run| &run.outcome) {
                Some(Some(Outcome::Failed { .. })) if running.is_none() => "trying again soon",
                _ => "importing",
            }
        }
        FeedState::Active if running.is_some_and(|run| run.kind == RunKind::Verify) => "verifying",
        FeedState::Active if running.is_some_and(|run| run.kind == RunKind::Files) => "reading files",
        FeedState::Active if running.is_some() => "syncing",
        FeedState::Active => match last.map(|run| &run.outcome) {
            Some(Some(Outcome::Failed { .. })) => "trying again soon",
            _ => "up to date",
        },
    }
}
