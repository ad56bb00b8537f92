//! A Circuit that works in this process, whose clock the test turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use app::clock::SystemClock;
use app::{App, Caller, connections::Callback, progress::FeedPicture};
use domain::{
    Clock, FeedId, RunId, Secret, Timestamp,
    engine::SearchEngine,
    query::Query,
    store::Store,
    sync_run::{Outcome, RunKind},
};
use fake_atlassian::{FakeAtlassian, demo};
use serde_json::json;
use tokio::sync::watch;

use crate::{
    comparing::{change, held, truth},
    setting::{Begun, Setting},
};

const WAIT_MAX: Duration = Duration::from_secs(120);
/// How long a look may take before the clock is turned again, and how often.
const TURN: Duration = Duration::from_secs(5);
const TURNS_MAX: usize = 10;

/// The system's clock, turned on by this many milliseconds.
#[derive(Default)]
pub struct Turned(pub AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
    fn sleep(&self, duration: Duration) -> domain::time::Slept {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A Circuit that works in this process.
pub struct Working {
    pub app: App,
    pub caller: Caller,
    pub clock: Arc<Turned>,
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn SearchEngine>,
    stop: watch::Sender<bool>,
    work: tokio::task::JoinHandle<()>,
}

impl Working {
    pub async fn new(setting: &Setting, begun: &Begun) -> Self {
        Self::at(setting, begun, 0).await
    }

    /// One whose clock is so many milliseconds ahead.
    pub async fn at(setting: &Setting, begun: &Begun, ahead_ms: i64) -> Self {
        let clock = Arc::new(Turned(AtomicI64::new(ahead_ms)));
        let wired = setting.wired_at(clock.clone()).await;
        let app = wired.app.clone();
        let caller = app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
        let (store, engine) = (wired.store.clone(), wired.engine.clone());
        let (stop, told) = watch::channel(false);
        let work = tokio::spawn(async move { wired.app.work(told).await });
        Self {
            app,
            caller,
            clock,
            store,
            engine,
            stop,
            work,
        }
    }

    /// Waits until the feed's picture is so.
    pub async fn until(&self, feed: FeedId, what: &str, so: impl Fn(&FeedPicture) -> bool) -> FeedPicture {
        let until = tokio::time::Instant::now() + WAIT_MAX;
        loop {
            let picture = self.app.feed_picture(&self.caller, feed).await.unwrap();
            if so(&picture) {
                return picture;
            }
            assert!(tokio::time::Instant::now() < until, "not {what}: {picture:?}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    pub async fn up_to_date(&self, feed: FeedId) -> FeedPicture {
        let done = |picture: &FeedPicture| picture.headline == "up to date" && picture.searchable;
        self.until(feed, "up to date", done).await
    }

    pub async fn finds(&self, begun: &Begun, text: &str) -> u64 {
        let query = Query {
            text: text.into(),
            limit: 10,
            ..Query::default()
        };
        self.app.search(&self.caller, begun.index, &query).await.unwrap().total
    }

    /// Goes to Atlassian as this person and comes back.
    pub async fn reconnected(&self, setting: &Setting, begun: &Begun, person: &str) -> domain::Result<FeedId> {
        let start = self.app.reconnect(&self.caller, begun.feed).await?;
        let (code, state) = setting.fake.consent(&start.url, person).await.unwrap();
        let code = Secret::new(code);
        let callback = Callback {
            state: &state,
            code: Some(&code),
            error: None,
        };
        self.app.finish_connect(&self.caller, callback).await
    }

    /// Time goes by, here and at Atlassian.
    pub async fn later(&self, setting: &Setting, minutes: i64) {
        let passed = minutes * 60_000;
        self.clock.0.fetch_add(passed, Ordering::SeqCst);
        change(&setting.fake, "clock", json!({ "advance_ms": passed })).await;
    }

    /// Adds these spaces and waits for their import.
    pub async fn import(&self, begun: &Begun, keys: &[&str]) -> FeedPicture {
        let spaces: Vec<_> = keys.iter().flat_map(|key| space(begun, key)).collect();
        self.app.add_spaces(&self.caller, begun.feed, &spaces).await.unwrap();
        self.up_to_date(begun.feed).await
    }

    /// Asks for a re-sync and waits for its end.
    pub async fn walked(&self, begun: &Begun) -> FeedPicture {
        let before = self.app.runs(&self.caller, begun.feed).await.unwrap()[0].id;
        self.app.resync(&self.caller, begun.feed).await.unwrap();
        let until = tokio::time::Instant::now() + WAIT_MAX;
        loop {
            if let Some(picture) = self.ended(begun, RunKind::Walk, before).await {
                return picture;
            }
            assert!(tokio::time::Instant::now() < until, "not walked");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// The feed's picture with the last run of this kind after `after`, when that has ended and everything is searchable. A
    /// look at changes may have followed it at once.
    async fn ended(&self, begun: &Begun, kind: RunKind, after: RunId) -> Option<FeedPicture> {
        let mut picture = self.app.feed_picture(&self.caller, begun.feed).await.unwrap();
        let runs = self.app.runs(&self.caller, begun.feed).await.unwrap();
        let run = runs.into_iter().find(|run| run.kind == kind && run.id > after)?;
        let quiet = run.outcome.is_some() && picture.running.is_none() && picture.searchable;
        picture.last = Some(run);
        quiet.then_some(picture)
    }

    /// Lets the time until the next look go by, and waits until a pass of this kind, later than `after`, has ended and
    /// everything is searchable.
    pub async fn passed(&self, setting: &Setting, begun: &Begun, kind: RunKind, after: RunId) -> FeedPicture {
        // The look after a pass is scheduled when that pass has ended, which may be after this clock was turned: once more.
        for _ in 0..TURNS_MAX {
            self.later(setting, 6).await;
            let until = tokio::time::Instant::now() + TURN;
            while tokio::time::Instant::now() < until {
                let picture = self.ended(begun, kind, after).await;
                if let Some(picture) = picture.filter(|picture| picture.headline == "up to date") {
                    return picture;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
        panic!("no {} has ended", kind.word());
    }

    /// Asks for a re-sync of a feed whose last run was broken off, and waits until one came to its end.
    pub async fn taken_up(&self, begun: &Begun) -> FeedPicture {
        self.app.resync(&self.caller, begun.feed).await.unwrap();
        let complete = |picture: &FeedPicture| {
            let last = picture.last.as_ref();
            let ended = last.is_some_and(|run| run.outcome == Some(Outcome::Complete));
            ended && picture.running.is_none() && picture.searchable && picture.headline == "up to date"
        };
        self.until(begun.feed, "taken up", complete).await
    }

    /// The run that was begun last.
    pub async fn last_run(&self, begun: &Begun) -> RunId {
        self.app.runs(&self.caller, begun.feed).await.unwrap()[0].id
    }

    /// What the index holds equals what the person sees in these spaces.
    pub async fn equals(&self, setting: &Setting, begun: &Begun, keys: &[&str]) {
        let held = held(&self.app, &self.caller, begun.index).await;
        assert_eq!(held, truth(setting, begun, keys).await);
    }

    pub async fn end(self) {
        self.stop.send_replace(true);
        self.work.await.unwrap();
    }
}

/// These spaces of the made-up company, imported.
pub async fn imported(keys: &[&str]) -> (Setting, Begun, Working) {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    circuit.import(&begun, keys).await;
    (setting, begun, circuit)
}

pub async fn company() -> (Setting, Begun) {
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let begun = setting.begun().await;
    (setting, begun)
}

/// A space of the main site, by key.
pub fn space(begun: &Begun, key: &str) -> Vec<domain::SpaceId> {
    let found = begun.spaces.iter().find(|(found, _)| found == key);
    vec![found.unwrap().1.clone()]
}
