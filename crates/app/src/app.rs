//! The application: the ports it stands on and what wiring decided.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    Clock, FeedId, Timestamp,
    authority::Authority,
    budget::Budget,
    embedder::{Embedder, Models},
    engine::SearchEngine,
    source::Source,
    space::Space,
    store::Store,
};
use sync::files::FilePorts;
use tokio::sync::{Mutex, Notify, OnceCell, broadcast};

use crate::{
    grants::GrantKeeper,
    meanings::Meanings,
    progress::Counted,
    trouble::{Part, Troubles},
    users::SignInGuard,
};

/// What an [`App`] is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn SearchEngine>,
    /// None when no model is set: then search is by words alone.
    pub models: Option<Arc<dyn Models>>,
    pub source: Arc<dyn Source>,
    /// None when files are found by their names only.
    pub files: Option<FilePorts>,
    pub budget: Arc<dyn Budget>,
    pub authority: Arc<dyn Authority>,
    /// The one that `source` asks for tokens as well: they share what could not be saved yet.
    pub tokens: Arc<GrantKeeper>,
    pub clock: Arc<dyn Clock>,
    pub scopes: Scopes,
    /// Where people reach this Circuit, without a slash at the end: `https://circuit.example.org`.
    pub public_url: String,
    /// Whether configuration gives the Atlassian app's client id and secret (then the admin page only shows that).
    pub atlassian_app_configured: bool,
}

/// What Circuit asks of Atlassian and what the answer means. Data of the `confluence` crate, handed over by wiring.
#[derive(Clone)]
pub struct Scopes {
    /// Scope and, for people, the reason it is asked for.
    pub requested: Vec<(String, String)>,
    /// The scopes without which nothing can be imported and which are not among these.
    pub missing_for_import: fn(&BTreeSet<String>) -> Vec<String>,
    /// A sentence for each thing that is not done for lack of a scope.
    pub degraded: fn(&BTreeSet<String>) -> Vec<String>,
}

/// Everything a door can ask for. Cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub parts: Parts,
    /// Rung when a job was queued.
    pub queued: Notify,
    /// Rung when the store changed and the search index should follow.
    pub changed: Notify,
    /// Rung when a search index changed and models have something to read.
    pub indexed: Notify,
    /// The model that the settings name, once it is ready.
    pub current_model: OnceCell<Arc<dyn Embedder>>,
    pub meanings: Meanings,
    /// Feeds whose picture changed, for those who watch.
    pub pictures: broadcast::Sender<FeedId>,
    pub sign_ins: SignInGuard,
    /// When the store was last proven ready.
    pub readiness: Mutex<Option<Timestamp>>,
    /// Lists of spaces that people choose from at present.
    pub offered: std::sync::Mutex<Vec<(FeedId, Timestamp, Vec<Space>)>>,
    /// What feeds hold, for the price of their next walk.
    pub counted: std::sync::Mutex<BTreeMap<FeedId, Counted>>,
    /// What goes wrong at present.
    pub troubles: Troubles,
    /// The latest time that the clock showed to the queue.
    pub latest: std::sync::Mutex<Timestamp>,
    /// Held while an index follows the store: two at once could bring back what the other just took away.
    pub indexing: Mutex<()>,
}

/// How many changes a slow watcher may lag behind; it reads the present picture anyway.
const PICTURES_MAX: usize = 64;

/// How long a proof that the store is ready holds.
const READY_LIFE: std::time::Duration = std::time::Duration::from_secs(2);

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            queued: Notify::new(),
            changed: Notify::new(),
            indexed: Notify::new(),
            current_model: OnceCell::new(),
            meanings: Meanings::default(),
            pictures: broadcast::channel(PICTURES_MAX).0,
            sign_ins: SignInGuard::default(),
            readiness: Mutex::new(None),
            offered: std::sync::Mutex::default(),
            counted: std::sync::Mutex::default(),
            troubles: Troubles::default(),
            latest: std::sync::Mutex::default(),
            indexing: Mutex::new(()),
        }))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.parts.store
    }
    pub(crate) fn engine(&self) -> &dyn SearchEngine {
        &*self.0.parts.engine
    }
    pub(crate) fn source(&self) -> &dyn Source {
        &*self.0.parts.source
    }
    pub(crate) fn budget(&self) -> &dyn Budget {
        &*self.0.parts.budget
    }
    pub(crate) fn authority(&self) -> &dyn Authority {
        &*self.0.parts.authority
    }
    pub(crate) fn tokens(&self) -> &GrantKeeper {
        &self.0.parts.tokens
    }
    pub fn now(&self) -> domain::Timestamp {
        self.0.parts.clock.now()
    }

    /// Models of meaning, where one is set.
    pub fn models(&self) -> Option<&dyn Models> {
        self.0.parts.models.as_deref()
    }

    /// What is asked of Atlassian, with reasons.
    pub fn scopes(&self) -> &Scopes {
        &self.0.parts.scopes
    }
    pub fn public_url(&self) -> &str {
        &self.0.parts.public_url
    }
    /// Where Atlassian sends people back to: to be registered with the Atlassian app exactly so.
    pub fn redirect_uri(&self) -> String {
        format!("{}/connect/callback", self.0.parts.public_url)
    }
    /// Feeds as their picture changes. A watcher that lagged reads the present picture.
    pub fn watch_feeds(&self) -> broadcast::Receiver<FeedId> {
        self.0.pictures.subscribe()
    }
    pub(crate) fn feed_changed(&self, feed: FeedId) {
        // No watcher is no error.
        let _ = self.0.pictures.send(feed);
    }
    /// Whether the store answers and can be written. Asked by whoever likes, so it looks at most every other second, and
    /// one at a time.
    pub async fn ready(&self) -> domain::Result<()> {
        let mut looked = self.0.readiness.lock().await;
        if looked.is_some_and(|at| self.now().is_within(READY_LIFE, at)) {
            return Ok(());
        }
        *looked = None;
        if let Err(failed) = self.store().probe().await {
            self.0.troubles.met(Part::Store, &failed);
            return Err(failed);
        }
        self.0.troubles.over(Part::Store);
        *looked = Some(self.now());
        Ok(())
    }

    /// Why some search index does not follow the store at present, for people; none when all do.
    pub fn search_trouble(&self) -> Option<String> {
        self.0.troubles.of_indexes()
    }
}
