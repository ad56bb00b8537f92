//! Given options and a world, gives the state that all requests share, each part behind its own lock.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    faults::Faults,
    journal::Journal,
    limits::Limits,
    oauth::{Client, OAuth},
    world::World,
};

/// How much of an answer there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// All that Atlassian's has.
    #[default]
    Full,
    /// Without pictures, links to the API, names of what could be expanded and the like: what most clients never read,
    /// and most of the work. For simulations, which ask thousands of times a second.
    Terse,
}

/// How this Atlassian behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is reached, without a slash at the end.
    pub base_url: String,
    /// What signed media addresses begin with. Unless given, the base address under its other name (`127.0.0.1` for
    /// `localhost` and the other way round), so that media is on another host, as Atlassian's is.
    pub media_url: Option<String>,
    pub client_id: String,
    pub client_secret: String,
    /// How long every answer takes, `/_world` excepted.
    pub latency: Duration,
    pub seed: u64,
    /// Points an hour; `u64::MAX` is not enforced.
    pub quota_points: u64,
    /// The app's registered callbacks; none means that any http(s) address is good.
    pub redirect_uris: Vec<String>,
    /// The scopes added to the app; none means all.
    pub enabled_scopes: BTreeSet<String>,
    /// CQL reads times in the zone of whoever made the site: so many minutes east of UTC.
    pub cql_zone_minutes: i64,
    /// The time that a simulation keeps, in milliseconds since 1970: it may be set forward and back at any moment. Given
    /// it, the machine's clock is never read and nobody is made to wait: latency is added to this clock instead. None is
    /// the machine's clock.
    pub clock: Option<Arc<AtomicI64>>,
    pub detail: Detail,
}

impl Options {
    pub(crate) fn media_base(&self) -> String {
        let base = self
            .media_url
            .clone()
            .unwrap_or_else(|| match self.base_url.contains("://localhost") {
                true => self.base_url.replacen("://localhost", "://127.0.0.1", 1),
                false => self.base_url.replacen("://127.0.0.1", "://localhost", 1),
            });
        base.trim_end_matches('/').to_owned()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_url: "http://atlassian.test".into(),
            media_url: None,
            client_id: "circuit".into(),
            client_secret: "circuit-secret".into(),
            latency: Duration::ZERO,
            seed: 1,
            quota_points: u64::MAX,
            redirect_uris: Vec::new(),
            enabled_scopes: BTreeSet::new(),
            cql_zone_minutes: 0,
            clock: None,
            detail: Detail::Full,
        }
    }
}

pub struct Fake {
    pub options: Options,
    world: RwLock<World>,
    oauth: Mutex<OAuth>,
    limits: Mutex<Limits>,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
    clock_ahead_ms: AtomicI64,
}

fn machine_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each lock guards whole values: one left by a panic is as good as any.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fake {
    pub fn new(world: World, options: Options) -> Self {
        let client = Client {
            id: options.client_id.clone(),
            secret: options.client_secret.clone(),
        };
        let latency_ms = u64::try_from(options.latency.as_millis()).unwrap_or(u64::MAX);
        Self {
            world: RwLock::new(world),
            oauth: Mutex::new(OAuth::new(client, options.seed)),
            limits: Mutex::new(Limits::new(options.quota_points)),
            faults: Mutex::new(Faults::new(options.seed, latency_ms)),
            journal: Mutex::new(Journal::default()),
            clock_ahead_ms: AtomicI64::new(0),
            options,
        }
    }

    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn oauth(&self) -> MutexGuard<'_, OAuth> {
        locked(&self.oauth)
    }

    pub fn limits(&self) -> MutexGuard<'_, Limits> {
        locked(&self.limits)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        locked(&self.faults)
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        locked(&self.journal)
    }

    /// Milliseconds since 1970: the clock given, else the machine's, and what `/_world/clock` added or took away.
    pub fn now(&self) -> i64 {
        let kept = match &self.options.clock {
            Some(clock) => clock.load(Ordering::Relaxed),
            None => machine_now(),
        };
        kept.saturating_add(self.clock_ahead_ms.load(Ordering::Relaxed))
    }

    /// Moves the clock, back when negative.
    pub fn advance_clock(&self, ms: i64) {
        self.clock_ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// As long as an answer takes: waited for, or added to the clock that a simulation keeps.
    pub async fn take(&self, latency_ms: u64) {
        if latency_ms == 0 {
            return;
        }
        match &self.options.clock {
            Some(clock) => {
                clock.fetch_add(i64::try_from(latency_ms).unwrap_or(i64::MAX), Ordering::Relaxed);
            }
            None => tokio::time::sleep(Duration::from_millis(latency_ms)).await,
        }
    }
}
