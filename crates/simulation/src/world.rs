//! Given a seed, gives a small world: sites with people, spaces and documents, and feeds of some of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use app::{
    App, Caller, Parts, Scopes, Via,
    budget::PointsKeeper,
    connections::Callback,
    grants::{GrantKeeper, Shield},
};
use async_trait::async_trait;
use confluence::{
    capabilities,
    http::Http,
    oauth::{Atlassian3lo, ClientCredentials, Endpoints},
    source::ConfluenceSource,
};
use domain::{
    Clock, Error, FeedId, IndexId, Result, Secret, SiteId, SpaceId, Timestamp, UserId,
    budget::{Allowance, Budget},
    engine::SearchEngine,
    source::Source,
    store::Store,
    time::Slept,
    user::{Role, User},
};
use fake_atlassian::{Detail, FakeAtlassian, Options, seed};
use search::EmbeddedEngine;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    board::{BEGINNING_MS, Board},
    chance::Chance,
    judge::{FeedFacts, Judge},
    planted::{Plant, Unpriced},
    ports::{Direct, MemoryEngine},
    shape::{Shape, Size},
    truth::row,
};

pub const CLIENT: &str = "circuit-simulation";
const CLIENT_SECRET: &str = "not a secret";
const PUBLIC_URL: &str = "http://localhost:1";
/// Which an operator may add (docs/decisions): with it, a pass asks which ids still answer.
const PROBE_SCOPE: &str = "read:content.metadata:confluence";
/// In so many of a hundred worlds people consent to it.
const PROBES_PERCENT: usize = 40;
/// So many people connect feeds.
const CONNECTING_MAX: usize = 2;
/// More than may vanish at once without being doubted (sync::plan).
const PAGES_OF_LARGE: usize = 64;
const ROWS_OF_LARGE: usize = 250;
const DAY_MS: i64 = 24 * 3_600_000;

/// Content of Atlassian that events may touch.
#[derive(Clone, Debug)]
pub struct Item {
    pub site: usize,
    pub id: String,
    pub kind: String,
    pub purged: bool,
}

/// A space of Atlassian, chosen or not.
#[derive(Clone, Debug)]
pub struct Place {
    pub site: usize,
    pub id: SpaceId,
    pub key: String,
    pub state: PlaceState,
}

/// Whether people can write in a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceState {
    Open,
    Archived,
    Deleted,
}

/// Everything there is.
pub struct World {
    pub board: Arc<Board>,
    pub judge: Judge,
    pub fake: FakeAtlassian,
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn SearchEngine>,
    /// Circuit as people use it: nothing comes between, and nothing fails.
    pub app: App,
    pub caller: Caller,
    /// Rung when documents were written.
    pub bell: Arc<Notify>,
    pub plant: Option<Plant>,
    pub rows_max: usize,
    pub allowance: Allowance,
    /// Whether people consent to the scope of the probe, too.
    pub probes: bool,
    pub people: Vec<String>,
    pub sites: Vec<SiteId>,
    pub places: Vec<Place>,
    pub items: Vec<Item>,
    pub feeds: Vec<FeedId>,
    pub indexes: Vec<IndexId>,
}

/// How a world is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Making {
    pub seed: u64,
    pub plant: Option<Plant>,
    /// The real search engine in place of the one of maps.
    pub real_engine: bool,
}

impl World {
    pub async fn made(making: Making, store: Arc<dyn Store>) -> Result<Self> {
        let mut chance = Chance::new(making.seed);
        let board = Board::new();
        let people = people(&mut chance);
        let size = Shape::of(making.seed).size;
        let sites = sites(&mut chance, &people, size);
        let fake = FakeAtlassian::new(
            sites.clone(),
            Options {
                base_url: "http://localhost".into(),
                client_id: CLIENT.into(),
                client_secret: CLIENT_SECRET.into(),
                seed: making.seed,
                clock: Some(board.site_clock.clone()),
                detail: Detail::Terse,
                ..Options::default()
            },
        );
        let engine: Arc<dyn SearchEngine> = match making.real_engine {
            true => Arc::new(EmbeddedEngine::in_memory()),
            false => Arc::new(MemoryEngine::default()),
        };
        let allowance = allowance(&mut chance)?;
        let probes = chance.strikes(PROBES_PERCENT);
        let ports = AppPorts {
            http: Arc::new(Direct(fake.clone())),
            store: store.clone(),
            engine: engine.clone(),
            clock: Arc::new(Wall(board.clone())),
            allowance,
            unpriced: false,
            counted_for: CLIENT.into(),
            probes,
        };
        let mut world = Self {
            app: ports.app(|source| source)?,
            allowance,
            probes,
            caller: administrator(),
            judge: Judge::default(),
            bell: Arc::default(),
            plant: making.plant,
            rows_max: match size {
                Size::Small => 1 + chance.below(2),
                Size::Medium => 2 + chance.below(8),
                Size::Large => ROWS_OF_LARGE,
            },
            people: people.iter().map(|person| person.account_id.clone()).collect(),
            sites: sites.iter().map(|site| SiteId::new(&site.cloud_id)).collect(),
            places: Vec::new(),
            items: Vec::new(),
            feeds: Vec::new(),
            indexes: Vec::new(),
            board,
            fake,
            store,
            engine,
        };
        world.read_places();
        world.make_feeds(&mut chance, size).await?;
        Ok(world)
    }

    /// Spaces and content as they are before anything happens: everybody sees everything.
    fn read_places(&mut self) {
        let anybody = self.people[0].clone();
        for (site, cloud) in self.sites.clone().iter().enumerate() {
            for space in self.fake.spaces(cloud.as_str()) {
                let told = self.fake.truth(&anybody, cloud.as_str(), &space.key);
                self.items.extend(told.into_iter().map(|told| Item {
                    site,
                    id: told.id,
                    kind: told.kind.word().to_owned(),
                    purged: false,
                }));
                self.places.push(Place {
                    site,
                    id: SpaceId::new(space.id),
                    key: space.key,
                    state: PlaceState::Open,
                });
            }
        }
    }

    /// Changes the fake's world; what it said, unless it refused.
    pub fn control(&self, name: &str, body: Value) -> Option<Value> {
        self.fake.control(name, body).ok()
    }

    /// Tells the judge what every feed's person sees now.
    pub fn look(&self) {
        self.judge.turn_to(self.judge.step(), self.site_time());
        let archived = self.places.iter().filter(|place| place.state == PlaceState::Archived);
        self.judge
            .archived_are(archived.map(|place| place.id.to_string()).collect());
        for (feed, facts) in self.judge.feeds() {
            let chosen = self
                .places
                .iter()
                .filter(|place| self.sites[place.site] == facts.site && facts.spaces.contains_key(&place.id));
            let rows = chosen.flat_map(|place| self.fake.truth(&facts.account, facts.site.as_str(), &place.key));
            self.judge.truth_is(feed, rows.map(|told| row(&told)).collect());
        }
    }

    /// Admins give back what they took from those who connected feeds.
    pub fn give_back(&self) {
        for place in &self.places {
            let accounts = self.accounts_of_feeds();
            let asked =
                json!({ "cloud_id": self.sites[place.site].as_str(), "space": place.key, "accounts": accounts });
            let _ = self.control("grant", asked);
        }
        self.look();
    }

    /// Those who may have connected feeds.
    pub fn accounts_of_feeds(&self) -> &[String] {
        &self.people[..self.people.len().min(CONNECTING_MAX)]
    }

    /// What Atlassian's clock shows.
    pub fn site_time(&self) -> Timestamp {
        Timestamp(self.board.site_clock.load(Ordering::Relaxed))
    }

    /// The app of people over another search engine.
    pub fn app_over(&self, engine: Arc<dyn SearchEngine>) -> Result<App> {
        let ports = AppPorts {
            http: Arc::new(Direct(self.fake.clone())),
            store: self.store.clone(),
            engine,
            clock: Arc::new(Wall(self.board.clone())),
            allowance: self.allowance,
            unpriced: false,
            counted_for: CLIENT.into(),
            probes: self.probes,
        };
        ports.app(|source| source)
    }

    async fn make_feeds(&mut self, chance: &mut Chance, size: Size) -> Result<()> {
        let now = Timestamp(BEGINNING_MS);
        let several = |chance: &mut Chance| match size {
            Size::Small => 1,
            Size::Medium | Size::Large => 1 + chance.below(2),
        };
        for number in 0..several(chance) {
            let index = self.store.create_index(&format!("Index {number}"), "", now).await?;
            self.indexes.push(index.id);
        }
        for _ in 0..several(chance) {
            let index = self.indexes[chance.below(self.indexes.len())];
            let account = self.people[chance.below(CONNECTING_MAX.min(self.people.len()))].clone();
            let site = chance.below(self.sites.len());
            let mut chosen: Vec<Place> = self.places.iter().filter(|place| place.site == site).cloned().collect();
            while chosen.len() > 1 && chance.strikes(50) {
                chosen.remove(chance.below(chosen.len()));
            }
            self.make_feed(index, account, site, chosen).await?;
        }
        Ok(())
    }

    async fn make_feed(&mut self, index: IndexId, account: String, site: usize, mut chosen: Vec<Place>) -> Result<()> {
        // A space is carried into an index once.
        for facts in self.judge.feeds().values() {
            if facts.index == index && facts.site == self.sites[site] {
                chosen.retain(|place| !facts.spaces.contains_key(&place.id));
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        let start = self.app.begin_connect(&self.caller, index).await?;
        self.come_back(&start.url, &account).await?;
        self.app
            .choose_site(&self.caller, start.feed, &self.sites[site])
            .await?;
        let ids: Vec<SpaceId> = chosen.iter().map(|place| place.id.clone()).collect();
        self.app.add_spaces(&self.caller, start.feed, &ids).await?;
        let spaces: BTreeMap<SpaceId, BTreeSet<String>> = chosen
            .into_iter()
            .map(|place| (place.id, BTreeSet::from([place.key])))
            .collect();
        let site = self.sites[site].clone();
        self.feeds.push(start.feed);
        self.judge.feed_is(
            start.feed,
            FeedFacts {
                index,
                account,
                site,
                spaces,
            },
        );
        if let Some(connection) = self.store.feed(start.feed).await?.connection {
            self.judge.connection_is(start.feed, connection);
        }
        Ok(())
    }

    /// The person consents at Atlassian and comes back.
    pub async fn come_back(&self, url: &str, account: &str) -> Result<()> {
        let (code, state) = self.fake.consent(url, account).await.map_err(Error::internal)?;
        let code = Secret::new(code);
        let callback = Callback {
            state: &state,
            code: Some(&code),
            error: None,
        };
        self.app.finish_connect(&self.caller, callback).await?;
        Ok(())
    }
}

/// The clock of people: it tells the time and nobody sleeps by it.
struct Wall(Arc<Board>);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        self.0.wall()
    }

    fn sleep(&self, _duration: std::time::Duration) -> Slept {
        Box::pin(std::future::ready(()))
    }
}

/// What an app stands on.
pub struct AppPorts {
    pub http: Arc<dyn Http>,
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn SearchEngine>,
    pub clock: Arc<dyn Clock>,
    pub allowance: Allowance,
    /// For a planted bug: nothing is reserved and nothing settled.
    pub unpriced: bool,
    /// The client id under which points are counted.
    pub counted_for: String,
    pub probes: bool,
}

impl AppPorts {
    /// The app over these, wired as the binary wires it; `watched` may stand before its source.
    pub fn app(self, watched: impl FnOnce(Arc<dyn Source>) -> Arc<dyn Source>) -> Result<App> {
        let Self {
            http,
            store,
            engine,
            clock,
            allowance,
            unpriced,
            counted_for,
            probes,
        } = self;
        let endpoints = Endpoints::parse("http://localhost", "http://localhost")?;
        let registration = Arc::new(Registration);
        let authority = Arc::new(Atlassian3lo::new(
            http.clone(),
            endpoints.clone(),
            registration,
            clock.clone(),
        ));
        let tokens = GrantKeeper::new(store.clone(), authority.clone(), clock.clone());
        let tokens = Arc::new(tokens.shielded_by(Shield::Inline));
        let keeper = PointsKeeper::new(store.clone(), clock.clone(), allowance, Some(counted_for));
        let budget: Arc<dyn Budget> = match unpriced {
            true => Arc::new(Unpriced(keeper)),
            false => Arc::new(keeper),
        };
        let source = ConfluenceSource::new(http, endpoints, tokens.clone(), budget.clone(), clock.clone());
        let asked = capabilities::DEFAULT_SCOPES
            .iter()
            .map(|asked| (asked.scope, asked.reason));
        let asked = asked.chain(probes.then_some((PROBE_SCOPE, "to notice sooner what is gone")));
        Ok(App::new(Parts {
            source: watched(Arc::new(source)),
            store,
            engine,
            files: None,
            models: None,
            budget,
            authority,
            tokens,
            clock,
            scopes: Scopes {
                requested: asked
                    .map(|(scope, reason)| (scope.to_owned(), reason.to_owned()))
                    .collect(),
                missing_for_import: capabilities::missing_for_import,
                degraded: capabilities::degraded,
            },
            public_url: PUBLIC_URL.into(),
            atlassian_app_configured: true,
        }))
    }
}

/// Who the Atlassian app is.
struct Registration;

#[async_trait]
impl ClientCredentials for Registration {
    async fn credentials(&self) -> Result<(String, Secret)> {
        Ok((CLIENT.into(), Secret::new(CLIENT_SECRET)))
    }
}

/// One world in four has few points.
fn allowance(chance: &mut Chance) -> Result<Allowance> {
    match chance.below(4) {
        0 => Allowance::new(600 + chance.below(600) as u64, 100),
        _ => Ok(Allowance::default()),
    }
}

fn administrator() -> Caller {
    Caller {
        user: User {
            id: UserId(1),
            email: "ann@example.org".into(),
            name: "Ann".into(),
            role: Role::Admin,
            created_at: Timestamp(BEGINNING_MS),
        },
        via: Via::Machine,
    }
}

fn people(chance: &mut Chance) -> Vec<seed::SeedPerson> {
    let person = |number: usize| seed::SeedPerson {
        account_id: format!("712020:person-{number}"),
        name: format!("Person {number}"),
        email: format!("person{number}@example.org"),
        active: true,
    };
    (0..3 + chance.below(2)).map(person).collect()
}

fn sites(chance: &mut Chance, people: &[seed::SeedPerson], size: Size) -> Vec<seed::SeedSite> {
    let sites = match size {
        Size::Small => 1,
        Size::Medium | Size::Large => 1 + usize::from(chance.strikes(30)),
    };
    let spaces = |chance: &mut Chance| match size {
        Size::Small => 2,
        Size::Medium | Size::Large => 2 + usize::from(chance.strikes(30)),
    };
    (0..sites)
        .map(|site| seed::SeedSite {
            cloud_id: format!("0000000{site}-1111-4222-a333-444455556666"),
            name: format!("site{site}"),
            people: people.to_vec(),
            groups: Vec::new(),
            spaces: (0..spaces(chance))
                .map(|space| match size {
                    Size::Large if site + space == 0 => large_space(people),
                    Size::Small | Size::Medium | Size::Large => self::space(chance, people, site, space),
                })
                .collect(),
        })
        .collect()
}

fn space(chance: &mut Chance, people: &[seed::SeedPerson], site: usize, number: usize) -> seed::SeedSpace {
    let key = format!("S{site}{}", ["A", "B", "C", "D"][number % 4]);
    let pages = (0..1 + chance.below(4))
        .map(|page| self::page(chance, people, &key, page))
        .collect();
    let posts = (0..chance.below(2)).map(|post| self::page(chance, people, &format!("{key} post"), post));
    seed::SeedSpace {
        name: format!("Space {key}"),
        kind: "global".into(),
        blog_posts: posts.map(|post| seed::SeedPage { parent: None, ..post }).collect(),
        pages,
        key,
        ..seed::SeedSpace::default()
    }
}

/// Pages below one: when that is restricted, so many vanish at once that it is not believed at once.
fn large_space(people: &[seed::SeedPerson]) -> seed::SeedSpace {
    let page = |number: usize| seed::SeedPage {
        attachments: Vec::new(),
        comments: Vec::new(),
        parent: (number > 0).then_some(0),
        ..self::page(&mut Chance::new(number as u64), people, "large", number)
    };
    seed::SeedSpace {
        key: "S0A".into(),
        name: "Space S0A".into(),
        kind: "global".into(),
        pages: (0..PAGES_OF_LARGE).map(page).collect(),
        ..seed::SeedSpace::default()
    }
}

fn page(chance: &mut Chance, people: &[seed::SeedPerson], of: &str, number: usize) -> seed::SeedPage {
    let at = BEGINNING_MS - DAY_MS * (1 + chance.below(300) as i64) - chance.below(86_400_000) as i64;
    let author = people[chance.below(people.len())].account_id.clone();
    let comments = (0..chance.below(2)).map(|comment| seed::SeedComment {
        inline: chance.strikes(40),
        body: format!("<p>Comment {comment} on {of} {number}</p>"),
        author: author.clone(),
        created_at: at + 60_000 + comment as i64,
        quoted: Some("text".into()),
        ..seed::SeedComment::default()
    });
    let comments = comments.collect();
    let attachments = (0..chance.below(2)).map(|file| seed::SeedAttachment {
        file_name: format!("file-{of}-{number}-{file}.txt"),
        media_type: "text/plain".into(),
        bytes: b"text".to_vec(),
        author: author.clone(),
        created_at: at + 90_000,
        version: 1,
        comment: None,
    });
    seed::SeedPage {
        title: format!("{of} page {number}"),
        parent: (number > 0 && chance.strikes(60)).then(|| chance.below(number)),
        status: "current".into(),
        body: format!("<h1>Heading</h1><p>Text of {of} {number}</p>"),
        editor: author.clone(),
        created_at: at,
        modified_at: at,
        version: 1,
        labels: Vec::new(),
        restricted_to: None,
        live: false,
        attachments: attachments.collect(),
        comments,
        author,
    }
}
