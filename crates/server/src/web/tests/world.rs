//! A Circuit with a store in memory, and an Atlassian and an engine that say what a test wants; a browser before it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{App, Parts, Scopes, budget::PointsKeeper, grants::GrantKeeper};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    response::Response,
};
use domain::{
    AccountId, Clock, ConnectionId, DocumentId, Error, FeedId, IndexId, Result, Secret, SiteId, SpaceId, Timestamp,
    access::Access,
    authority::Authority,
    budget::Allowance,
    connection::{ConnectionState, Grant},
    cursor::{Cursor, Stream, Watermark},
    document::{Body as DocumentBody, Document, DocumentKind, Observed, Person},
    engine::{EngineBatch, EngineFigures, SearchEngine},
    feed::FeedState,
    hit::{Fragment, Hit, Hits},
    passage::Passage,
    query::Query,
    site::Site,
    source::{Listed, Looked, Pace, Reach, Source},
    space::{Estimate, Space, SpaceSeen},
    store::{Connections, Documents, Feeds, Recording, SyncRuns},
    sync_run::{RunKind, Spent, Trigger},
};
use http::{HeaderMap, HeaderName, Request, StatusCode, header};
use store::{SealingKey, SealingKeys, SqlStore};
use tower::ServiceExt;
use url::form_urlencoded;

use crate::{Options, router, web::csrf};

pub const PASSWORD: &str = "a long password";
pub const ACCESS_TOKEN: &str = "the-access-token";
/// 2026-11-24T08:00:00Z
pub const NOW: Timestamp = Timestamp(1_795_507_200_000);

pub struct Kept(pub Arc<SqlStore>);

impl Kept {
    pub async fn grant_is_gone(&self) -> bool {
        let connection = self.0.connection(ConnectionId(1)).await.unwrap();
        connection.state == ConnectionState::Removed && self.0.grant(connection.id).await.is_err()
    }
}

pub struct World {
    pub app: App,
    pub store: Kept,
    engine: Arc<Engine>,
    clock: Arc<TurnedClock>,
    acme: Arc<Acme>,
}

impl World {
    pub async fn empty() -> Self {
        Self::new(true).await
    }

    async fn new(atlassian_app_configured: bool) -> Self {
        let store = Arc::new(
            SqlStore::in_memory(SealingKeys::new(SealingKey::generate()))
                .await
                .unwrap(),
        );
        let engine = Arc::new(Engine::default());
        let clock = Arc::new(TurnedClock(Mutex::new(NOW)));
        let acme = Arc::new(Acme::default());
        let app = App::new(Parts {
            store: store.clone(),
            engine: engine.clone(),
            source: acme.clone(),
            files: None,
            models: None,
            budget: Arc::new(PointsKeeper::new(
                store.clone(),
                clock.clone(),
                Allowance::default(),
                Some("client".into()),
            )),
            authority: acme.clone(),
            tokens: Arc::new(GrantKeeper::new(store.clone(), acme.clone(), clock.clone())),
            clock: clock.clone(),
            scopes: Scopes {
                requested: vec![("read:space:confluence".into(), "To list spaces.".into())],
                missing_for_import: |_| Vec::new(),
                degraded: |_| vec!["comments are not imported: the grant lacks read:comment:confluence".into()],
            },
            public_url: "http://circuit.example.org".into(),
            atlassian_app_configured,
        });
        Self {
            app,
            store: Kept(store),
            engine,
            clock,
            acme,
        }
    }

    /// Whoever comes back from Atlassian from now on is this person, who does not see these spaces.
    pub fn connects_as(&self, name: &str, hidden: &[&str]) {
        *self.acme.person.lock().unwrap() = name.into();
        *self.acme.hidden.lock().unwrap() = hidden.iter().map(|id| SpaceId::new(*id)).collect();
    }

    /// With an administrator who is signed in.
    pub async fn with_ann() -> (Self, Browser) {
        Self::empty().await.joined_by_ann().await
    }

    /// The same where no Atlassian app is known.
    pub async fn unregistered() -> (Self, Browser) {
        Self::new(false).await.joined_by_ann().await
    }

    async fn joined_by_ann(self) -> (Self, Browser) {
        let mut browser = Browser::of(&self);
        let account = [("name", "Ann"), ("email", "ann@example.org"), ("password", PASSWORD)];
        let made = browser.post("/set-up", &account).await;
        browser.keep_cookie(&made);
        (self, browser)
    }

    pub fn turn_clock(&self, by: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus(by);
    }

    /// So many days later, with Ann signed in anew.
    pub async fn turned_to_day(&self, days: u32) -> Browser {
        self.turn_clock(Duration::from_secs(24 * 3600) * days);
        let mut browser = Browser::of(self);
        let account = [("email", "ann@example.org"), ("password", PASSWORD)];
        let signed_in = browser.post("/sign-in", &account).await;
        browser.keep_cookie(&signed_in);
        browser
    }

    /// What the engine finds from now on.
    pub fn found(&self, hits: Vec<Hit>) {
        *self.engine.hits.lock().unwrap() = hits;
    }

    /// From now on the search engine answers so.
    pub fn answering(&self, answer: impl Fn(IndexId, &Query) -> Result<Hits> + Send + 'static) {
        *self.engine.answer.lock().unwrap() = Some(Box::new(answer));
    }

    /// The last question to the engine.
    pub fn asked(&self) -> Query {
        self.engine.asked.lock().unwrap().clone()
    }

    /// A feed of Acme's site that imports the space Operations; its index is made when there is none.
    pub async fn connected(&self, browser: &Browser) -> FeedId {
        if browser.get("/indexes/1").await.status == StatusCode::NOT_FOUND {
            browser.post("/indexes/new", &[("name", "Handbook")]).await;
        }
        let away = browser.post("/indexes/1/integrations/confluence", &[]).await.leads_to();
        let state = away.split("state=").nth(1).unwrap();
        let back = browser
            .get(&format!("/connect/callback?code=good&state={state}"))
            .await
            .leads_to();
        let feed: FeedId = back
            .trim_start_matches("/feeds/")
            .split('?')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        browser
            .post(&format!("/feeds/{feed}/site"), &[("site", "cloud-1")])
            .await;
        browser
            .post(&format!("/feeds/{feed}/spaces"), &[("space", "100")])
            .await;
        feed
    }

    /// A document that the first feed brought.
    pub async fn import(&self, browser: &Browser, title: &str, kind: DocumentKind) {
        self.bring(browser, vec![document(title, kind)]).await;
    }

    /// Documents that the first feed brought.
    pub async fn bring(&self, browser: &Browser, documents: Vec<Document>) {
        let feed = match self.store.0.feeds(IndexId(1)).await {
            Ok(feeds) if !feeds.is_empty() => feeds[0].id,
            _ => self.connected(browser).await,
        };
        let run = self
            .store
            .0
            .open_run(feed, RunKind::Import, Trigger::Person, NOW)
            .await
            .unwrap();
        let recording = Recording {
            documents,
            people: vec![person("Ann Author"), person("Ed Editor")],
            ..Recording::empty(run.id, NOW)
        };
        self.store.0.record(feed, &recording).await.unwrap();
        let complete = domain::sync_run::Outcome::Complete;
        self.store.0.close_run(run.id, &complete, NOW).await.unwrap();
    }

    /// Somebody else lets a paused feed go on.
    pub async fn resume(&self, feed: FeedId) {
        assert_eq!(self.store.0.feed(feed).await.unwrap().state, FeedState::Paused);
        let mut other = Browser::of(self);
        let account = [("email", "ann@example.org"), ("password", PASSWORD)];
        let signed_in = other.post("/sign-in", &account).await;
        other.keep_cookie(&signed_in);
        other.post(&format!("/feeds/{feed}/resume"), &[]).await;
    }
}

fn site() -> Site {
    Site {
        id: SiteId::new("cloud-1"),
        name: "acme".into(),
        url: "https://acme.example".into(),
        scopes: BTreeSet::new(),
    }
}

fn person(name: &str) -> Person {
    Person {
        account: AccountId::new(name.to_lowercase()),
        name: name.into(),
    }
}

/// A page of Operations, without parents.
pub fn document(title: &str, kind: DocumentKind) -> Document {
    Document {
        id: DocumentId::new(
            &SiteId::new("cloud-1"),
            title.len().to_string() + &title[..1].to_lowercase(),
        ),
        kind,
        space: SpaceId::new("100"),
        parent: None,
        title: title.into(),
        version: 1,
        created_at: NOW,
        modified_at: NOW,
        author: Some(person("Ann Author").account),
        editor: Some(person("Ed Editor").account),
        labels: vec!["runbook".into()],
        url: "https://acme.example/wiki/spaces/OPS/pages/1".into(),
        body: DocumentBody::Storage("<p>pump</p>".into()),
        comment: None,
        file: None,
    }
}

/// A hit with this title and address.
pub fn hit(title: &str, url: &str) -> Hit {
    let part = |text: &str, marked: bool| Fragment {
        text: text.into(),
        marked,
    };
    let document = document(title, DocumentKind::Page);
    let passage = Passage {
        feed: FeedId(1),
        document: document.id,
        ordinal: 0,
        kind: document.kind,
        space: document.space,
        space_key: "OPS".into(),
        space_name: "Operations".into(),
        title: title.into(),
        breadcrumb: vec!["Runbooks".into()],
        headings: vec!["Restart".into()],
        text: "Restart the pump & wait".into(),
        author: Some(person("Ann Author")),
        editor: Some(person("Ed Editor")),
        labels: Vec::new(),
        created_at: NOW,
        modified_at: NOW,
        url: url.into(),
    };
    Hit {
        snippet: vec![part("Restart the ", false), part("pump", true), part(" & wait", false)],
        title: vec![part(title, false)],
        ..Hit::of(passage, 1.0)
    }
}

struct TurnedClock(Mutex<Timestamp>);

impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    fn sleep(&self, duration: Duration) -> domain::time::Slept {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[derive(Default)]
struct Engine {
    hits: Mutex<Vec<Hit>>,
    answer: Mutex<Option<Answering>>,
    asked: Mutex<Query>,
}

/// Whoever wants no more hits than that, wants to know how many there are.
const COUNTING: usize = 2;
/// What an index answers to a query.
type Answering = Box<dyn Fn(IndexId, &Query) -> Result<Hits> + Send>;

#[async_trait]
impl SearchEngine for Engine {
    async fn watermark(&self, _: IndexId) -> Result<Watermark> {
        Ok(Watermark(i64::MAX))
    }
    async fn commit(&self, _: IndexId, _: EngineBatch, _: Watermark) -> Result<()> {
        Ok(())
    }
    async fn search(&self, access: &Access, query: &Query) -> Result<Hits> {
        // What is asked for its counts alone is no page's question.
        if query.limit > COUNTING {
            *self.asked.lock().unwrap() = query.clone();
        }
        if let Some(answer) = &*self.answer.lock().unwrap() {
            return answer(access.index, query);
        }
        let hits = self.hits.lock().unwrap().clone();
        Ok(Hits {
            total: hits.len() as u64,
            hits,
            ..Hits::default()
        })
    }
    async fn remove(&self, _: IndexId) -> Result<()> {
        Ok(())
    }
    async fn figures(&self, _: IndexId) -> Result<EngineFigures> {
        Ok(EngineFigures::default())
    }
}

/// A site with three spaces, and whoever is signed in there.
struct Acme {
    person: Mutex<String>,
    hidden: Mutex<BTreeSet<SpaceId>>,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            person: Mutex::new("Ann Author".into()),
            hidden: Mutex::default(),
        }
    }
}

#[async_trait]
impl Authority for Acme {
    async fn authorize_url(&self, _: &[String], state: &str, _: &str) -> Result<String> {
        Ok(format!("https://auth.example/authorize?state={state}"))
    }
    async fn exchange(&self, code: &str, _: &str) -> Result<Grant> {
        match code {
            "good" => Ok(Grant {
                access_token: Secret::new(ACCESS_TOKEN),
                expires_at: NOW.plus(Duration::from_secs(3_600)),
                refresh_token: Some(Secret::new("the-refresh-token")),
                scopes: BTreeSet::new(),
            }),
            _ => Err(Error::invalid("Atlassian did not accept the code")),
        }
    }
    async fn refresh(&self, _: &Secret) -> Result<Grant> {
        Err(Error::unavailable("Atlassian does not answer"))
    }
    async fn sites(&self, _: &Secret) -> Result<Vec<Site>> {
        Ok(vec![site()])
    }
}

#[async_trait]
impl Source for Acme {
    async fn me(&self, _: &Reach) -> Result<Person> {
        Ok(person(&self.person.lock().unwrap()))
    }
    async fn spaces(&self, _: &Reach, _: Option<&Cursor>) -> Result<Listed<Space>> {
        let space = |id: &str, key: &str, name: &str, kind: &str| Space {
            id: SpaceId::new(id),
            key: key.into(),
            name: name.into(),
            kind: kind.into(),
        };
        Ok(listed(vec![
            space("100", "OPS", "Operations", "global"),
            space("200", "ENG", "Engineering", "global"),
            space("300", "~ann", "Ann Author", "personal"),
        ]))
    }
    async fn estimate(&self, _: &Reach, _: &[Space]) -> Result<Estimate> {
        Ok(Estimate {
            pages: 1_200,
            blog_posts: 1,
            comments: 30,
            attachments: 4,
            labelled: None,
        })
    }
    async fn list(&self, _: &Reach, _: &Space, _: &Stream, _: Option<&Cursor>) -> Result<Listed<Document>> {
        Ok(listed(Vec::new()))
    }
    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
        let mut all = self.spaces(reach, None).await?.items;
        let hidden = self.hidden.lock().unwrap();
        all.retain(|space| spaces.contains(&space.id) && !hidden.contains(&space.id));
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
        Ok((Vec::new(), Spent::default()))
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

fn listed<T>(items: Vec<T>) -> Listed<T> {
    Listed {
        items,
        unreadable: Vec::new(),
        next: None,
        at: None,
        spent: Spent::default(),
    }
}

/// Sends what a browser sends, with the cookie it was told to keep.
pub struct Browser {
    app: App,
    options: Options,
    cookie: Option<String>,
}

impl Browser {
    pub fn of(world: &World) -> Self {
        Self {
            app: world.app.clone(),
            options: Options {
                secure_cookies: false,
                version: "0",
                demo_session: None,
            },
            cookie: None,
        }
    }

    pub fn over_https(mut self) -> Self {
        self.options.secure_cookies = true;
        self
    }

    pub fn of_demo(mut self, link: Secret, session: Secret) -> Self {
        self.options.demo_session = Some((link, session));
        self
    }

    pub fn keep_cookie(&mut self, answer: &Answer) {
        let cookie = answer.header(header::SET_COOKIE);
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// The session's token.
    pub fn session(&self) -> String {
        let cookie = self.cookie.as_deref().unwrap();
        cookie.trim_start_matches("circuit_session=").to_owned()
    }

    pub async fn get(&self, way: &str) -> Answer {
        Answer::read(self.open(way).await).await
    }

    /// The answer, unread.
    pub async fn open(&self, way: &str) -> Response {
        self.send(Request::get(way), Body::empty()).await
    }

    /// A form with the session's token.
    pub async fn post(&self, way: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(way, fields, ("x-nothing", "")).await
    }

    pub async fn post_with(&self, way: &str, fields: &[(&str, &str)], (name, value): (&str, &str)) -> Answer {
        let token = self
            .cookie
            .as_ref()
            .map(|_| csrf::of_session(&Secret::new(self.session())));
        let token = token.as_deref().map(|token| (csrf::FIELD, token));
        let fields: Vec<(&str, &str)> = token.into_iter().chain(fields.iter().copied()).collect();
        let request = Request::post(way).header(name.parse::<HeaderName>().unwrap(), value);
        Answer::read(self.send(request, form(&fields)).await).await
    }

    /// A form without it.
    pub async fn post_bare(&self, way: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::read(self.send(Request::post(way), form(fields)).await).await
    }

    async fn send(&self, request: http::request::Builder, body: Body) -> Response {
        let request = request
            .header(header::HOST, "circuit.example.org")
            .header(
                header::COOKIE,
                format!("other=1; {}", self.cookie.as_deref().unwrap_or("")),
            )
            .body(body)
            .unwrap();
        let circuit: Router = router(self.app.clone(), self.options.clone());
        circuit.oneshot(request).await.unwrap()
    }
}

fn form(fields: &[(&str, &str)]) -> Body {
    Body::from(
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish(),
    )
}

pub struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub text: String,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub fn header(&self, name: HeaderName) -> String {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// Where it redirects to.
    pub fn leads_to(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header(header::LOCATION)
    }

    /// The ids of the documents that can be ticked.
    pub fn documents(&self) -> Vec<String> {
        let rows = self.text.split(r#"name="document" value=""#).skip(1);
        rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
    }
}
