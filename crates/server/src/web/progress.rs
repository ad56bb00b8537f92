//! A feed as it moves: the part of its page that is rendered anew with every change, and the stream that carries it.

use std::{convert::Infallible, time::Duration};

use app::{App, progress::FeedPicture};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{
    Error, FeedId,
    feed::{FeedState, Park},
    space::{Estimate, FeedSpace},
    sync_run::{Outcome, SyncRun},
};
use futures::stream;
use tokio::{
    sync::{
        Semaphore, SemaphorePermit,
        broadcast::{Receiver, error::RecvError},
    },
    time::{Instant, sleep, timeout},
};

use super::{
    error::Shown,
    integrations::tone,
    moment::{Moment, span},
    page::{counted, grouped, id, readable_key, sentence},
    runs::RunList,
    schedules::ScheduleList,
    session::SignedIn,
    story::{is_dead, story},
};
use crate::Door;

/// Changes that come closer together than this are shown as one.
const PAUSE: Duration = Duration::from_millis(300);
/// How often to look without being told of a change: rate and time left move by themselves while a run goes on.
const LOOK_RUNNING: Duration = Duration::from_secs(1);
const LOOK_RESTING: Duration = Duration::from_secs(10);
/// Says to proxies that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this; the browser opens another if somebody still watches.
const WATCHED_MAX: Duration = Duration::from_secs(10 * 60);

/// What the moving part of a feed's page shows.
#[derive(Template)]
#[template(path = "_progress.html")]
pub struct Progress {
    /// Changes when other buttons are due: then the page is loaded anew.
    state: &'static str,
    headline: String,
    tone: &'static str,
    /// What happened, what it means, what to do.
    story: Vec<String>,
    missing: Vec<String>,
    documents: String,
    expected: Option<String>,
    done: Option<Bar>,
    rate: Option<String>,
    left: Option<String>,
    searchable: String,
    /// When the next pass begins by itself.
    next: Option<Moment>,
    spaces: Vec<SpaceProgress>,
    degraded: Vec<String>,
    last: Option<Moment>,
    failed: Option<String>,
    points: Option<Points>,
}

/// What the feed costs at Atlassian.
struct Points {
    today: String,
    left: String,
    renewed: Moment,
    changes: String,
    walk: String,
    /// Atlassian refuses everybody who uses this app.
    closed: bool,
}

struct Bar {
    value: u64,
    max: u64,
}

struct SpaceProgress {
    key: String,
    name: String,
    documents: String,
    expected: Option<String>,
    bar: Option<Bar>,
    state: &'static str,
}

impl Progress {
    pub fn new(picture: &FeedPicture) -> Self {
        let importing = picture.spaces.iter().any(|space| space.imported_at.is_none());
        let running = picture.running.is_some();
        Self {
            state: state(picture),
            headline: sentence(picture.headline).trim_end_matches('.').to_owned(),
            tone: tone(picture),
            story: story(picture),
            missing: match &picture.feed.state {
                FeedState::Parked(Park::NeedsScopes { missing }) => missing.clone(),
                _ => Vec::new(),
            },
            documents: counted(picture.documents, "document", "documents"),
            expected: picture.expected.filter(|_| importing).map(grouped),
            done: picture
                .expected
                .filter(|_| importing)
                .map(|max| bar(picture.documents, max)),
            rate: picture.rate.filter(|_| running).map(rate),
            left: picture
                .seconds_left
                .filter(|_| running && importing)
                .map(|seconds| format!("About {} left", span(Duration::from_secs(seconds)))),
            searchable: searchable(picture),
            spaces: picture.spaces.iter().map(|held| space(held, running)).collect(),
            next: picture.next.pass.filter(|_| !running).map(Moment::new),
            degraded: picture.degraded.iter().map(|missing| sentence(missing)).collect(),
            last: picture.last.as_ref().and_then(|run| run.ended_at).map(Moment::new),
            // A dead job's story tells the same.
            failed: picture
                .last
                .as_ref()
                .filter(|_| !running && !is_dead(picture))
                .and_then(failed),
            points: points(picture),
        }
    }
}

/// None where nothing is fetched.
fn points(picture: &FeedPicture) -> Option<Points> {
    match picture.feed.state {
        FeedState::Active | FeedState::Paused | FeedState::Parked(_) if !picture.spaces.is_empty() => {}
        FeedState::Active | FeedState::Paused | FeedState::Parked(_) => return None,
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => return None,
        FeedState::Removed => return None,
    }
    let (points, budget) = (&picture.points, &picture.points.budget);
    Some(Points {
        today: counted(points.today.points, "point", "points"),
        left: format!("{} of {}", grouped(budget.left_for_people), grouped(budget.budget)),
        renewed: Moment::new(budget.renewed_at),
        changes: counted(points.next.changes.points, "point", "points"),
        walk: counted(points.next.walk.points, "point", "points"),
        closed: budget.closed,
    })
}

fn searchable(picture: &FeedPicture) -> String {
    match (&picture.search_trouble, picture.documents, picture.searchable) {
        (Some(why), ..) => format!(
            "What has arrived since cannot be searched yet. {} Nothing is lost.",
            sentence(why)
        ),
        (None, 0, _) => "Nothing to search yet.".to_owned(),
        (None, _, true) => "Everything that has arrived can be searched.".to_owned(),
        (None, _, false) => "What has arrived is searchable within seconds.".to_owned(),
    }
}

fn state(picture: &FeedPicture) -> &'static str {
    match &picture.feed.state {
        FeedState::Connecting { .. } => "connecting",
        FeedState::ChoosingSite => "choosing-site",
        FeedState::ChoosingSpaces => "choosing-spaces",
        FeedState::Active if is_dead(picture) => "dead",
        FeedState::Active => "active",
        FeedState::Paused => "paused",
        FeedState::Parked(_) => "parked",
        FeedState::Removed => "removed",
    }
}

fn space(held: &FeedSpace, running: bool) -> SpaceProgress {
    let expected = held.estimate.as_ref().map(whole);
    SpaceProgress {
        key: readable_key(&held.space.key).to_owned(),
        name: held.space.name.clone(),
        documents: grouped(held.documents),
        expected: expected.map(grouped),
        bar: match (held.imported_at, expected) {
            (None, Some(max)) => Some(bar(held.documents, max)),
            (Some(_), _) | (None, None) => None,
        },
        state: match (held.imported_at, running) {
            _ if held.suspended_at.is_some() => "Not visible any more, kept out of search",
            (Some(_), _) => "Imported",
            (None, true) if held.documents > 0 => "Importing",
            (None, _) => "Waiting",
        },
    }
}

fn whole(estimate: &Estimate) -> u64 {
    estimate.pages + estimate.blog_posts + estimate.comments + estimate.attachments
}

/// Estimates may be too low: then the bar waits just before its end.
fn bar(documents: u64, expected: u64) -> Bar {
    let max = expected.max(1);
    Bar {
        value: documents.min(max),
        max,
    }
}

fn rate(rate: f64) -> String {
    match rate < 10.0 {
        true => format!("{rate:.1} documents a second"),
        false => format!("{} documents a second", grouped(rate.round() as u64)),
    }
}

fn failed(run: &SyncRun) -> Option<String> {
    match &run.outcome {
        Some(Outcome::Failed { why }) => Some(format!("The last run failed. {}", sentence(why))),
        Some(Outcome::Complete | Outcome::Parked { .. } | Outcome::Stopped { .. }) | None => None,
    }
}

/// The most pages that are watched at once, over all people: each looks at the store again and again.
const WATCHES_MAX: usize = 200;
static WATCHES: Semaphore = Semaphore::const_new(WATCHES_MAX);

struct Watch {
    _place: SemaphorePermit<'static>,
    app: App,
    who: SignedIn,
    feed: FeedId,
    changes: Receiver<FeedId>,
    /// What was sent last: the same is not sent twice.
    sent: String,
    look: Duration,
    until: Instant,
}

/// The moving part, now and after every change, until the feed or the session ends.
pub async fn events(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let place = WATCHES.try_acquire().map_err(|_| {
        Error::unavailable("too many pages are being watched at this moment; load this one again to see how it stands")
    })?;
    let changes = door.app.watch_feeds();
    let feed = door.app.feed(&who.caller, id(&feed)?).await?.id;
    let watch = Watch {
        _place: place,
        app: door.app,
        who,
        feed,
        changes,
        sent: String::new(),
        look: LOOK_RUNNING,
        until: Instant::now() + WATCHED_MAX,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let html = watch.next().await?;
        Some((
            Ok::<_, Infallible>(Event::default().event("progress").data(html)),
            watch,
        ))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

impl Watch {
    async fn next(&mut self) -> Option<String> {
        loop {
            if !self.sent.is_empty() {
                self.changed().await?;
            }
            if Instant::now() > self.until || !self.who.lives(&self.app).await {
                return None;
            }
            // A feed that is gone ends the stream, and so does a store that does not answer: the browser asks again.
            let picture = self.app.feed_picture(&self.who.caller, self.feed).await.ok()?;
            self.look = match picture.running {
                Some(_) => LOOK_RUNNING,
                None => LOOK_RESTING,
            };
            let runs = self.app.runs(&self.who.caller, self.feed).await.ok()?;
            let progress = Progress::new(&picture).render().ok()?;
            let schedule = ScheduleList::new(&picture, self.who.manages()).render().ok()?;
            let html = progress + &RunList::new(self.feed, &runs).render().ok()? + &schedule;
            if html != self.sent {
                self.sent.clone_from(&html);
                return Some(html);
            }
        }
    }

    /// Waits until the feed changed or it is time to look; none when nothing will change any more.
    async fn changed(&mut self) -> Option<()> {
        let ours = async {
            loop {
                match self.changes.recv().await {
                    Ok(feed) if feed != self.feed => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return Some(()),
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        match timeout(self.look, ours).await {
            Ok(None) => None,
            Ok(Some(())) => {
                sleep(PAUSE).await;
                Some(())
            }
            Err(_) => Some(()),
        }
    }
}
