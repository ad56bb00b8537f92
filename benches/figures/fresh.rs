//! How old what is found may be: a site of ten thousand pages on which people write, restrict and delete at any moment, over
//! a day of a virtual clock, on the default schedule and half of Atlassian's quota. Every call takes time on that clock, and
//! so does the work itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use app::{App, Caller, connections::Callback};
use async_trait::async_trait;
use bytes::Bytes;
use circuit::wiring::wired_at;
use confluence::http::{Http, Unanswered};
use domain::{
    Clock, Secret, SiteId, Timestamp,
    budget::{Allowance, QUOTA_POINTS},
    query::Query,
    time::Slept,
};
use fake_atlassian::{FakeAtlassian, Kind, Options};
use http::{Request, Response};
use serde_json::json;
use tokio::sync::watch;

use crate::{
    setting::{CLIENT, CLIENT_SECRET, administrator, configured},
    table::amounts,
};

const PAGES: u64 = 10_000;
const HOURS: u64 = 24;
/// What an answer takes; with many rows it is a second and with few a tenth of one.
const LATENCY: Duration = Duration::from_millis(500);
/// How far Atlassian's search lags behind the site.
const SEARCH_LAG_MS: u64 = 60_000;
/// What people do in an hour: four in five times they write something.
const EVENTS_PER_HOUR: u64 = 100;
const WORD_LETTERS: usize = 12;
/// A worker looks so often whether something is due.
const LOOK_AGAIN_MS: i64 = 2_000;
const HOUR_MS: i64 = 3_600_000;
/// Noon of an autumn day in 2026.
const BEGINNING_MS: i64 = 1_795_000_000_000;
const BASE: &str = "http://localhost:8471";
const SEED: u64 = 20_261_126;

pub async fn measure(hours: Option<u64>) {
    let hours = hours.unwrap_or(HOURS);
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(BEGINNING_MS));
    let options = Options {
        base_url: BASE.into(),
        client_id: CLIENT.into(),
        client_secret: CLIENT_SECRET.into(),
        latency: LATENCY,
        quota_points: QUOTA_POINTS,
        clock: Some(clock.clone()),
        ..Options::default()
    };
    let fake = FakeAtlassian::generated_of(amounts(PAGES), options);
    fake.control("faults", json!({ "search_lag_ms": SEARCH_LAG_MS }))
        .unwrap();
    let day = Arc::new(Mutex::new(Day::new(&fake)));
    let line = Arc::new(Line {
        fake: fake.clone(),
        day: day.clone(),
    });
    let config = configured(&folder.path().join("data"), BASE, Allowance::default());
    let turned = Arc::new(Virtual(clock.clone()));
    let wired = wired_at(&config, BASE.into(), line, turned).await.unwrap();
    let (app, caller) = administrator(&wired).await;
    let watcher = begun(&app, caller, &fake).await;
    let world = World {
        fake,
        clock,
        day,
        watcher,
    };
    world.imported().await;
    println!("imported by {}", Timestamp(world.now()));
    world.live(hours).await;
    world.told(hours);
}

/// The virtual clock: who waits is looked at whenever something else goes on.
struct Virtual(Arc<AtomicI64>);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    fn sleep(&self, duration: Duration) -> Slept {
        Box::pin(Wait {
            clock: self.0.clone(),
            until: self.now().plus(duration),
        })
    }
}

struct Wait {
    clock: Arc<AtomicI64>,
    until: Timestamp,
}

impl Future for Wait {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.clock.load(Ordering::SeqCst) >= self.until.0 {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// The way to Atlassian; what people did before a call reached it, it shows.
struct Line {
    fake: FakeAtlassian,
    day: Arc<Mutex<Day>>,
}

#[async_trait]
impl Http for Line {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        self.day.lock().unwrap().goes_on(&self.fake);
        Ok(self.fake.answer(request).await)
    }
}

/// Who looks whether what was written is found.
struct Watcher {
    app: App,
    caller: Caller,
    index: domain::IndexId,
    feed: domain::FeedId,
}

/// Index, consent, site and all spaces.
async fn begun(app: &App, caller: Caller, fake: &FakeAtlassian) -> Watcher {
    let index = app.create_index(&caller, "Knowledge", "").await.unwrap().id;
    let start = app.begin_connect(&caller, index).await.unwrap();
    let person = fake.people().remove(0).account_id;
    let (code, state) = fake.consent(&start.url, &person).await.unwrap();
    let code = Secret::new(code);
    let callback = Callback {
        state: &state,
        code: Some(&code),
        error: None,
    };
    app.finish_connect(&caller, callback).await.unwrap();
    let site = SiteId::new(fake.sites().remove(0).cloud_id);
    app.choose_site(&caller, start.feed, &site).await.unwrap();
    let spaces = app.spaces(&caller, start.feed).await.unwrap();
    let spaces: Vec<_> = spaces.into_iter().map(|space| space.id).collect();
    app.add_spaces(&caller, start.feed, &spaces).await.unwrap();
    Watcher {
        app: app.clone(),
        caller,
        index,
        feed: start.feed,
    }
}

/// What people do, one thing after the other.
struct Day {
    chance: u64,
    /// When the next thing is done; none before the day begins and after it ended.
    next: Option<i64>,
    ends: i64,
    site: String,
    spaces: Vec<String>,
    /// Pages that are edited: whatever happens to others, these stay.
    edited: Vec<String>,
    /// Pages without anything below, to be restricted and trashed, and files, to be deleted, with their titles.
    leaves: Vec<(String, String)>,
    files: Vec<(String, String)>,
    stranger: String,
    numbers: u64,
    /// What was written and is not found yet, by the word it is found by.
    written: BTreeMap<String, i64>,
    /// Comments that are found, to be deleted: content id and word.
    comments: Vec<(String, String)>,
    ids: BTreeMap<String, String>,
    /// What is to go and is found still: what it is, how it is found, since when.
    going: BTreeMap<String, (&'static str, String, i64)>,
    /// How long each took, in milliseconds.
    took: BTreeMap<&'static str, Vec<i64>>,
}

impl Day {
    fn new(fake: &FakeAtlassian) -> Self {
        let site = fake.sites().remove(0).cloud_id;
        let people = fake.people();
        let (mut pages, mut files, mut parents) = (Vec::new(), Vec::new(), BTreeSet::new());
        let spaces: Vec<String> = fake.spaces(&site).into_iter().map(|space| space.key).collect();
        for key in &spaces {
            for row in fake.truth(&people[0].account_id, &site, key) {
                parents.extend(row.parent.clone());
                match row.kind {
                    Kind::Page => pages.push((row.id, row.title)),
                    Kind::Attachment => files.push((row.id, row.title)),
                    Kind::BlogPost | Kind::Comment => {}
                }
            }
        }
        let (inner, leaves): (Vec<_>, Vec<_>) = pages.into_iter().partition(|(id, _)| parents.contains(id));
        Self {
            chance: SEED,
            next: None,
            ends: 0,
            site,
            spaces,
            edited: inner.into_iter().map(|(id, _)| id).collect(),
            leaves,
            files,
            stranger: people[1].account_id.clone(),
            numbers: 0,
            written: BTreeMap::new(),
            comments: Vec::new(),
            ids: BTreeMap::new(),
            going: BTreeMap::new(),
            took: BTreeMap::new(),
        }
    }

    /// SplitMix64.
    fn below(&mut self, bound: usize) -> usize {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % bound.max(1)
    }

    /// One that no other is similar to: a search forgives a letter.
    fn word(&mut self) -> String {
        (0..WORD_LETTERS)
            .map(|_| char::from(b'a' + self.below(26) as u8))
            .collect()
    }

    fn begin(&mut self, now: i64, hours: u64) {
        self.next = Some(now);
        self.ends = now + hours as i64 * HOUR_MS;
    }

    /// Does what was to be done by now.
    fn goes_on(&mut self, fake: &FakeAtlassian) {
        while let Some(next) = self.next.filter(|next| *next <= fake.now()) {
            self.something(fake);
            let pause = 1 + self.below(2 * HOUR_MS as usize / EVENTS_PER_HOUR as usize);
            self.next = Some(next + pause as i64).filter(|next| *next < self.ends);
        }
    }

    fn something(&mut self, fake: &FakeAtlassian) {
        self.numbers += 1;
        let (word, now) = (self.word(), fake.now());
        let body = format!("<p>Somebody wrote {word} here.</p>");
        let (page, space) = (self.below(self.edited.len()), self.below(self.spaces.len()));
        let (page, space) = (self.edited[page].clone(), self.spaces[space].clone());
        match self.below(100) {
            0..50 => {
                let kept = fake.body(&self.site, &page).unwrap_or_default();
                let edit = json!({ "id": page, "body": format!("{kept}{body}") });
                fake.control("edit", edit).unwrap();
                self.written.insert(word, now);
            }
            50..65 => {
                let new = json!({ "space": space, "title": format!("About {word}"), "body": body });
                fake.control("create", new).unwrap();
                self.written.insert(word, now);
            }
            65..80 => {
                let comment = json!({ "id": page, "body": body });
                let told = fake.control("comment", comment).unwrap();
                self.ids.insert(word.clone(), told["id"].as_str().unwrap().to_owned());
                self.written.insert(word, now);
            }
            80..86 => self.leaf_goes(fake, "a page is restricted", "restrict"),
            86..92 => self.leaf_goes(fake, "a page is trashed", "trash"),
            92..96 => {
                if let Some((id, word)) = self.comments.pop() {
                    fake.control("purge", json!({ "id": id })).unwrap();
                    self.going.insert(id, ("a comment is deleted", word, now));
                }
            }
            _ => {
                if let Some((id, title)) = self.files.pop() {
                    fake.control("purge", json!({ "id": id })).unwrap();
                    self.going.insert(id, ("a file is deleted", title, now));
                }
            }
        }
    }

    fn leaf_goes(&mut self, fake: &FakeAtlassian, what: &'static str, how: &str) {
        let (id, title) = {
            let place = self.below(self.leaves.len());
            self.leaves.swap_remove(place)
        };
        let mut asked = json!({ "id": id });
        if how == "restrict" {
            asked["accounts"] = json!([self.stranger]);
        }
        fake.control(how, asked).unwrap();
        self.going.insert(id, (what, title, fake.now()));
    }
}

struct World {
    fake: FakeAtlassian,
    clock: Arc<AtomicI64>,
    day: Arc<Mutex<Day>>,
    watcher: Watcher,
}

impl World {
    fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Does what is due, and lets the time go by that it took; whether anything was.
    async fn worked(&self) -> bool {
        let (began, before) = (Instant::now(), self.now());
        let (_tell, told) = watch::channel(false);
        let worked = self.watcher.app.work_once(told).await.unwrap().is_some();
        if worked {
            self.watcher.app.index_all().await.unwrap();
            self.clock
                .fetch_add(began.elapsed().as_millis() as i64, Ordering::SeqCst);
            if std::env::var_os("FIGURES_TOLD").is_some() {
                self.mention(before).await;
            }
        }
        worked
    }

    /// What the last pass was, for whoever wants to know why a figure is as it is.
    async fn mention(&self, before: i64) {
        let runs = self
            .watcher
            .app
            .runs(&self.watcher.caller, self.watcher.feed)
            .await
            .unwrap();
        if let Some(run) = runs.first() {
            let (at, took) = (Timestamp(before), (self.now() - before) / 1_000);
            let (kind, points) = (run.kind.word(), run.spent.points);
            let hour = self.fake.points_this_hour();
            println!(
                "{at} {kind} {took} s, {points} points, {hour} in this hour, {:?}",
                run.outcome
            );
        }
    }

    async fn imported(&self) {
        loop {
            let picture = self.watcher.app.feed_picture(&self.watcher.caller, self.watcher.feed);
            let picture = picture.await.unwrap();
            if picture.headline == "up to date" && picture.searchable {
                return;
            }
            if !self.worked().await {
                self.clock.fetch_add(LOOK_AGAIN_MS, Ordering::SeqCst);
            }
        }
    }

    /// Lets people do what they do, and looks after every pass what of it has arrived.
    async fn live(&self, hours: u64) {
        self.day.lock().unwrap().begin(self.now(), hours);
        let ends = self.now() + hours as i64 * HOUR_MS;
        let mut spent: BTreeMap<i64, u64> = BTreeMap::new();
        // After the last event as long as everything may take.
        while self.now() < ends + 4 * HOUR_MS {
            self.day.lock().unwrap().goes_on(&self.fake);
            match self.worked().await {
                true => self.looked().await,
                false => {
                    self.clock.fetch_add(LOOK_AGAIN_MS, Ordering::SeqCst);
                }
            }
            let hour = spent.entry(self.now() / HOUR_MS).or_default();
            *hour = self.fake.points_this_hour().max(*hour);
        }
        // The first hour holds the import, and the last is not whole.
        let whole: Vec<u64> = spent.values().copied().skip(1).take(hours as usize - 1).collect();
        let mean = whole.iter().sum::<u64>() / whole.len().max(1) as u64;
        println!("| points in an hour: mean | {mean} |");
        println!("| … most | {} |", whole.iter().max().copied().unwrap_or(0));
    }

    async fn looked(&self) {
        let (written, going) = {
            let day = self.day.lock().unwrap();
            (day.written.clone(), day.going.clone())
        };
        for (word, since) in written {
            if !self.found(&word).await.is_empty() {
                let mut day = self.day.lock().unwrap();
                day.written.remove(&word);
                let what = if day.ids.contains_key(&word) {
                    "a comment"
                } else {
                    "a page"
                };
                let took = self.now() - since;
                day.took.entry(what).or_default().push(took);
                day.took.entry("anything written").or_default().push(took);
                if let Some(id) = day.ids.remove(&word) {
                    day.comments.push((id, word));
                }
            }
        }
        for (id, (what, text, since)) in going {
            if !self.found(&text).await.contains(&id) {
                let mut day = self.day.lock().unwrap();
                day.going.remove(&id);
                day.took.entry(what).or_default().push(self.now() - since);
            }
        }
    }

    /// Content ids of what is found.
    async fn found(&self, text: &str) -> BTreeSet<String> {
        let query = Query {
            text: text.to_owned(),
            limit: domain::query::LIMIT_MAX,
            ..Query::default()
        };
        let hits = self
            .watcher
            .app
            .search(&self.watcher.caller, self.watcher.index, &query)
            .await
            .unwrap();
        hits.hits
            .into_iter()
            .map(|hit| hit.passage.document.content.to_string())
            .collect()
    }

    fn told(&self, hours: u64) {
        let mut day = self.day.lock().unwrap();
        let minutes = |ms: i64| ms as f64 / 60_000.0;
        println!(
            "| {hours} hours, {} events | how many | median | 99th percentile | longest, in minutes |",
            day.numbers
        );
        println!("|---|---|---|---|---|");
        for (what, took) in &mut day.took {
            took.sort_unstable();
            let at = |share: f64| minutes(took[((took.len() - 1) as f64 * share).ceil() as usize]);
            println!(
                "| {what} | {} | {:.1} | {:.1} | {:.1} |",
                took.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        println!(
            "| not found, or found still, at the end | {} |",
            day.written.len() + day.going.len()
        );
    }
}
