//! A Circuit in memory whose Atlassian and search engine are a few lines each, and a client of its API.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use app::{App, Parts, Scopes, budget::PointsKeeper, clock::SystemClock, grants::GrantKeeper};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
};
use domain::{
    AccountId, Clock, Error, ErrorKind, FeedId, IndexId, Result, Secret, SiteId, SpaceId, Timestamp,
    access::Access,
    authority::Authority,
    budget::Allowance,
    connection::Grant,
    cursor::{Cursor, Stream, Watermark},
    document::{Body as Markup, Document, DocumentKind, Observed, Person},
    engine::{EngineBatch, EngineFigures, Findable, SearchEngine, Which},
    hit::{DayCount, Facets, Fragment, Hit, Hits},
    passage::Passage,
    query::Query,
    site::Site,
    source::{Listed, Looked, Pace, Reach, Source},
    space::{Estimate, Space, SpaceSeen},
    store::{NewUser, Recording, Store, Users},
    sync_run::{Failure, Outcome, RunKind, Spent, Trigger},
    user::{KeyLimits, KeyRight, Role},
};
use http::{HeaderMap, Method, Request, StatusCode, header::AUTHORIZATION};
use serde_json::Value;
use store::{SealingKey, SealingKeys, SqlStore};
use tower::ServiceExt;

use crate::{Options, router};

pub const ACCESS_TOKEN: &str = "access-token-that-nobody-sees";
pub const REFRESH_TOKEN: &str = "refresh-token-that-nobody-sees";
pub const CAUSE: &str = "disk /var/lib/secret-place is on fire";
/// The largest answer that a test reads.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The machine's clock, and as much later as a test lets pass.
#[derive(Default)]
pub struct LaterClock(AtomicU64);

impl Clock for LaterClock {
    fn now(&self) -> Timestamp {
        SystemClock
            .now()
            .plus(Duration::from_millis(self.0.load(Ordering::SeqCst)))
    }
    fn sleep(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        SystemClock.sleep(span)
    }
}

pub struct World {
    pub app: App,
    clock: Arc<LaterClock>,
    pub store: Arc<dyn Store>,
    pub engine: Arc<ShelfEngine>,
    pub session: Secret,
    pub key: Secret,
    router: Router,
    /// Everything that was answered.
    transcript: Mutex<String>,
}

pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }
    /// The value, when all went well.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }
    /// The problem that it is, of this status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        problem
    }
}

impl World {
    pub async fn new() -> Self {
        let keys = SealingKeys::new(SealingKey::generate());
        let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory(keys).await.unwrap());
        let engine = Arc::new(ShelfEngine::default());
        let (authority, clock) = (Arc::new(Consenting::default()), Arc::new(LaterClock::default()));
        let as_dan = authority.as_dan.clone();
        let app = App::new(Parts {
            store: store.clone(),
            engine: engine.clone(),
            source: Arc::new(TwoSpaces { as_dan }),
            files: None,
            models: None,
            budget: Arc::new(PointsKeeper::new(
                store.clone(),
                clock.clone(),
                Allowance::default(),
                Some("client".into()),
            )),
            authority: authority.clone(),
            tokens: Arc::new(GrantKeeper::new(store.clone(), authority, clock.clone())),
            clock: clock.clone(),
            scopes: Scopes {
                requested: vec![("read:page:confluence".into(), "Reads pages.".into())],
                missing_for_import: |_| Vec::new(),
                degraded: |_| Vec::new(),
            },
            public_url: "https://circuit.example".into(),
            atlassian_app_configured: false,
        });
        let session = app
            .set_up("ann@example.org", "Ann", &Secret::new("a long password"))
            .await
            .unwrap();
        let caller = app.caller_by_session(session.expose()).await.unwrap().unwrap();
        let (_, key) = app
            .create_api_key(&caller, "test", &KeyLimits::everywhere(KeyRight::Manage))
            .await
            .unwrap();
        let options = Options {
            secure_cookies: true,
            version: "1.2.3",
            demo_session: None,
        };
        Self {
            router: router(app.clone(), options),
            app,
            clock,
            store,
            engine,
            session,
            key,
            transcript: Mutex::default(),
        }
    }

    /// Lets time pass for the app.
    pub fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.ask(Method::GET, path, "").await
    }
    pub async fn delete(&self, path: &str) -> Answered {
        self.ask(Method::DELETE, path, "").await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answered {
        self.ask(Method::POST, path, &body.to_string()).await
    }
    /// With the administrator's API key.
    pub async fn ask(&self, method: Method, path: &str, body: &str) -> Answered {
        self.ask_with_key(self.key.expose(), method, path, body).await
    }
    pub async fn ask_with_key(&self, key: &str, method: Method, path: &str, body: &str) -> Answered {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(AUTHORIZATION, format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()));
        self.send(request.unwrap()).await
    }
    /// With the administrator's session.
    pub async fn session_get(&self, path: &str) -> Answered {
        let request = Request::get(format!("/api/v1{path}"))
            .header("cookie", format!("circuit_session={}", self.session.expose()));
        self.send(request.body(Body::empty()).unwrap()).await
    }
    pub async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, ANSWER_BYTES_MAX).await.unwrap().to_vec()).unwrap();
        let mut transcript = unpoisoned(&self.transcript);
        transcript.push_str(&format!("{} {:?}\n{text}\n", parts.status, parts.headers));
        Answered {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }
    pub fn transcript(&self) -> String {
        unpoisoned(&self.transcript).clone()
    }

    pub async fn index(&self, name: &str) -> String {
        let index = self.post("/indexes", serde_json::json!({ "name": name })).await.ok();
        index["id"].as_str().unwrap().to_owned()
    }

    /// An API key of somebody who may only read.
    pub async fn reader(&self) -> Secret {
        let user = NewUser {
            email: "rob@example.org",
            name: "Rob",
            password_hash: "none",
            role: Role::Reader,
            first_only: false,
        };
        let user = Users::create_user(&*self.store, &user, SystemClock.now())
            .await
            .unwrap();
        let caller = app::Caller {
            user,
            via: app::Via::Machine,
        };
        self.app
            .create_api_key(&caller, "reads", &KeyLimits::everywhere(KeyRight::Read))
            .await
            .unwrap()
            .1
    }

    /// A complete run that brought a page with this text, found at once; its id.
    pub async fn store_page(&self, feed: &str, title: &str, storage_format: &str) -> String {
        let feed = feed.parse().unwrap();
        let now = self.clock.now();
        let (kind, trigger) = (RunKind::Walk, Trigger::Person);
        let run = self.store.open_run(feed, kind, trigger, now).await.unwrap();
        let page = Document {
            body: Markup::Storage(storage_format.to_owned()),
            title: title.to_owned(),
            ..self.empty_page(&title.replace(|c: char| !c.is_ascii_alphanumeric(), ""), now)
        };
        let recording = Recording {
            documents: vec![page],
            ..Recording::empty(run.id, now)
        };
        self.store.record(feed, &recording).await.unwrap();
        self.store.close_run(run.id, &Outcome::Complete, now).await.unwrap();
        self.app.index_all().await.unwrap();
        run.id.to_string()
    }

    /// A complete run that brought so many pages; its id.
    pub async fn store_pages(&self, feed: &str, pages: usize) -> String {
        let feed = feed.parse().unwrap();
        let now = SystemClock.now();
        let run = self
            .store
            .open_run(feed, RunKind::Walk, Trigger::Person, now)
            .await
            .unwrap();
        let page = |place: usize| Document {
            title: format!("Page {place}"),
            ..self.empty_page(&format!("p{place}"), now)
        };
        let recording = Recording {
            documents: (0..pages).map(page).collect(),
            ..Recording::empty(run.id, now)
        };
        self.store.record(feed, &recording).await.unwrap();
        self.store.close_run(run.id, &Outcome::Complete, now).await.unwrap();
        run.id.to_string()
    }

    /// Adds documents that this run could not read.
    pub async fn store_failures(&self, feed: &str, run: &str, count: usize) {
        let (run, now) = (run.parse().unwrap(), SystemClock.now());
        let failure = |place: usize| Failure {
            run,
            document: Some(domain::DocumentId::new(&SiteId::new("site-1"), format!("f{place}"))),
            kind: Some(DocumentKind::Page),
            title: format!("=1+1 {place}"),
            why: "broken".into(),
            at: now,
        };
        let recording = Recording {
            failures: (0..count).map(failure).collect(),
            ..Recording::empty(run, now)
        };
        self.store.record(feed.parse().unwrap(), &recording).await.unwrap();
    }

    fn empty_page(&self, id: &str, now: Timestamp) -> Document {
        Document {
            id: domain::DocumentId::new(&SiteId::new("site-1"), id),
            kind: DocumentKind::Page,
            space: SpaceId::new("10"),
            parent: None,
            title: String::new(),
            version: 1,
            created_at: now,
            modified_at: now,
            author: None,
            editor: None,
            labels: Vec::new(),
            url: format!("https://acme.example/wiki/{id}"),
            body: Markup::None,
            comment: None,
            file: None,
        }
    }

    /// Works until the feed's picture satisfies.
    pub async fn work_until(&self, feed: &str, satisfied: impl Fn(&Value) -> bool) -> Value {
        let (tell, told) = tokio::sync::watch::channel(false);
        let mut pictures = self.app.watch_feeds();
        let watching = async {
            loop {
                let picture = self.get(&format!("/feeds/{feed}")).await.ok();
                if satisfied(&picture) {
                    tell.send_replace(true);
                    return picture;
                }
                let changed = tokio::time::timeout(Duration::from_secs(20), pictures.recv()).await;
                let _lagged = changed.expect("the feed made no progress");
            }
        };
        let ((), picture) = tokio::join!(self.app.work(told), watching);
        picture
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody consents at once. Whoever consents with Dan's code is Dan, who does not see ENG.
#[derive(Default)]
struct Consenting {
    as_dan: Arc<AtomicBool>,
}

#[async_trait]
impl Authority for Consenting {
    async fn authorize_url(&self, _: &[String], state: &str, _: &str) -> Result<String> {
        Ok(format!("https://auth.example/authorize?state={state}"))
    }
    async fn exchange(&self, code: &str, _: &str) -> Result<Grant> {
        self.as_dan.fetch_or(code == "dans-code", Ordering::SeqCst);
        Ok(Grant {
            access_token: Secret::new(ACCESS_TOKEN),
            expires_at: SystemClock.now().plus(Duration::from_secs(3600)),
            refresh_token: Some(Secret::new(REFRESH_TOKEN)),
            scopes: BTreeSet::from(["read:page:confluence".to_owned()]),
        })
    }
    async fn refresh(&self, _: &Secret) -> Result<Grant> {
        self.exchange("", "").await
    }
    async fn sites(&self, _: &Secret) -> Result<Vec<Site>> {
        Ok(vec![Site {
            id: SiteId::new("site-1"),
            name: "acme".into(),
            url: "https://acme.example".into(),
            scopes: BTreeSet::from(["read:page:confluence".to_owned()]),
        }])
    }
}

/// A site of two spaces; ENG holds a page below another.
struct TwoSpaces {
    as_dan: Arc<AtomicBool>,
}

#[async_trait]
impl Source for TwoSpaces {
    async fn me(&self, _: &Reach) -> Result<Person> {
        Ok(match self.as_dan.load(Ordering::SeqCst) {
            true => dan(),
            false => cora(),
        })
    }
    async fn spaces(&self, _: &Reach, _: Option<&Cursor>) -> Result<Listed<Space>> {
        let space = |id: &str, key: &str, name: &str| Space {
            id: SpaceId::new(id),
            key: key.into(),
            name: name.into(),
            kind: "global".into(),
        };
        Ok(listed(vec![
            space("10", "ENG", "Engineering"),
            space("11", "HR", "People"),
        ]))
    }
    async fn estimate(&self, _: &Reach, spaces: &[Space]) -> Result<Estimate> {
        Ok(Estimate {
            pages: 2 * spaces.len() as u64,
            ..Estimate::default()
        })
    }
    async fn list(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        _: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        let page = |id: &str, parent: Option<&str>, title: &str, text: &str| Document {
            id: domain::DocumentId::new(&reach.site.id, id),
            kind: DocumentKind::Page,
            space: space.id.clone(),
            parent: parent.map(domain::ContentId::new),
            title: title.into(),
            version: 3,
            created_at: Timestamp(1_700_000_000_000),
            modified_at: Timestamp(1_750_000_000_000),
            author: Some(cora().account),
            editor: Some(cora().account),
            labels: vec!["ops".into()],
            url: format!("https://acme.example/wiki/{id}"),
            body: Markup::Storage(format!("<h1>Steps</h1><p>{text}</p>")),
            comment: None,
            file: None,
        };
        Ok(listed(match (space.key.as_str(), stream.kind) {
            ("ENG", DocumentKind::Page) => vec![
                page("1", None, "Pumps", "all about pumps"),
                page("2", Some("1"), "Pump runbook", "restart the pump"),
            ],
            _ => Vec::new(),
        }))
    }
    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
        let as_dan = self.as_dan.load(Ordering::SeqCst);
        let mut all = self.spaces(reach, None).await?.items;
        all.retain(|space| spaces.contains(&space.id) && (!as_dan || space.id.as_str() != "10"));
        let seen = |space| SpaceSeen { space, archived: false };
        Ok(listed(all.into_iter().map(seen).collect()))
    }
    async fn observe(&self, _: &Reach, _: &Space, _: &Stream, _: Option<&Cursor>) -> Result<Listed<Observed>> {
        Ok(listed(Vec::new()))
    }
    async fn fetch(
        &self,
        _: &Reach,
        _: &[Space],
        _: DocumentKind,
        _: &[domain::ContentId],
    ) -> Result<Listed<Document>> {
        Ok(listed(Vec::new()))
    }
    async fn look(&self, _: &Reach, _: &[Space], _: DocumentKind, _: &[domain::ContentId]) -> Result<Looked> {
        Ok(Looked::default())
    }
    async fn probe(&self, _: &Reach, _: &[domain::ContentId]) -> Result<(BTreeSet<domain::ContentId>, Spent)> {
        Ok((BTreeSet::new(), Spent::default()))
    }
    async fn changes(
        &self,
        _: &Reach,
        _: &[Space],
        _: DocumentKind,
        _: Timestamp,
        _: u32,
        _: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        Ok(listed(Vec::new()))
    }
    async fn belongings(
        &self,
        _: &Reach,
        _: &[Space],
        _: DocumentKind,
        _: &[domain::ContentId],
        _: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        Ok(listed(Vec::new()))
    }
    async fn people(&self, _: &Reach, _: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
        Ok((vec![cora()], Spent::default()))
    }
    fn address(&self, pasted: &str) -> Option<domain::address::Address> {
        confluence::address::read(pasted)
    }
    fn pace(&self) -> Pace {
        Pace {
            at_once: 2,
            latency: Some(Duration::from_millis(500)),
        }
    }
}

fn cora() -> Person {
    Person {
        account: AccountId::new("acc-cora"),
        name: "Cora Lee".into(),
    }
}

fn dan() -> Person {
    Person {
        account: AccountId::new("acc-dan"),
        name: "Dan Roe".into(),
    }
}

fn listed<T>(items: Vec<T>) -> Listed<T> {
    Listed {
        items,
        unreadable: Vec::new(),
        next: None,
        at: None,
        spent: Spent { calls: 1, points: 2 },
    }
}

enum Fault {
    Error(ErrorKind),
    Panic,
}

/// Keeps passages on a shelf and reads all of them for every search.
#[derive(Default)]
pub struct ShelfEngine {
    shelf: Mutex<BTreeMap<IndexId, (Watermark, Vec<Passage>)>>,
    fault: Mutex<Option<Fault>>,
    asked: Mutex<Vec<Query>>,
}

impl ShelfEngine {
    /// The next search fails so.
    pub fn fail_with(&self, kind: ErrorKind) {
        *unpoisoned(&self.fault) = Some(Fault::Error(kind));
    }
    /// The next search panics.
    pub fn panic(&self) {
        *unpoisoned(&self.fault) = Some(Fault::Panic);
    }
    pub fn last_query(&self) -> Query {
        unpoisoned(&self.asked).last().cloned().expect("nothing was searched")
    }
}

#[async_trait]
impl SearchEngine for ShelfEngine {
    async fn watermark(&self, index: IndexId) -> Result<Watermark> {
        Ok(unpoisoned(&self.shelf)
            .get(&index)
            .map(|(reached, _)| *reached)
            .unwrap_or_default())
    }
    async fn commit(&self, index: IndexId, batch: EngineBatch, reached: Watermark) -> Result<()> {
        let mut shelf = unpoisoned(&self.shelf);
        let (watermark, passages) = shelf.entry(index).or_default();
        passages.retain(|passage| !batch.documents.contains(&(passage.feed, passage.document.clone())));
        passages.extend(batch.passages);
        *watermark = reached;
        Ok(())
    }
    async fn findable(&self, index: IndexId, feed: FeedId, which: Which) -> Result<Vec<Findable>> {
        let shelf = unpoisoned(&self.shelf);
        let passages = shelf
            .get(&index)
            .map(|(_, passages)| passages.as_slice())
            .unwrap_or_default();
        let own: Vec<Passage> = passages
            .iter()
            .filter(|passage| passage.feed == feed)
            .cloned()
            .collect();
        let all = Findable::of(&own).into_values();
        Ok(match which {
            Which::These(ids) => all.filter(|found| ids.contains(&found.document)).collect(),
            Which::After { after, limit } => all
                .filter(|found| after.as_ref().is_none_or(|after| found.document > *after))
                .take(limit)
                .collect(),
        })
    }
    async fn search(&self, access: &Access, query: &Query) -> Result<Hits> {
        let fault = unpoisoned(&self.fault).take();
        match fault {
            Some(Fault::Error(kind)) => return Err(Error::new(kind, "the engine says no").because(CAUSE)),
            Some(Fault::Panic) => panic!("{CAUSE}"),
            None => {}
        }
        unpoisoned(&self.asked).push(query.clone());
        let shelf = unpoisoned(&self.shelf);
        let passages = shelf
            .get(&access.index)
            .map(|(_, passages)| passages.as_slice())
            .unwrap_or_default();
        let mut seen = BTreeSet::new();
        let found: Vec<&Passage> = passages
            .iter()
            .filter(|passage| passage.text.contains(&query.text) && seen.insert(&passage.document))
            .collect();
        let total = found.len() as u64;
        let hits: Vec<Hit> = found
            .into_iter()
            .skip(query.offset)
            .take(query.limit)
            .map(|passage| Hit {
                snippet: vec![Fragment {
                    text: passage.text.clone(),
                    marked: true,
                }],
                ..Hit::of(passage.clone(), 1.0)
            })
            .collect();
        Ok(Hits {
            total,
            hits,
            facets: Facets {
                kinds: vec![("page".into(), 1)],
                labels: vec![("runbook".into(), 1)],
                // 25 November 2026.
                days: vec![DayCount {
                    day: 20_782,
                    documents: 1,
                }],
                ..Facets::default()
            },
            ..Hits::default()
        })
    }
    async fn remove(&self, index: IndexId) -> Result<()> {
        unpoisoned(&self.shelf).remove(&index);
        Ok(())
    }
    async fn figures(&self, _: IndexId) -> Result<EngineFigures> {
        Ok(EngineFigures::default())
    }
}
