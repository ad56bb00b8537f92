//! Tokens under every failure that rotation knows.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Clock, ConnectionId, Error, ErrorKind, FeedId, Result, Secret, Timestamp,
    authority::{Authority, Tokens},
    connection::{Connection, ConnectionState, Ending, Grant, Reconnection},
    document::Person,
    site::Site,
    store::{Authorization, Connections},
};
use store::{SealingKey, SealingKeys, SqlStore};
use tokio::sync::Notify;

use super::{GrantKeeper, SAVES_MAX, Shield};

#[derive(Default)]
struct TurnedClock(AtomicI64);
impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    /// Waits in real time, and for no longer than a moment: what matters is who gets a turn meanwhile.
    fn sleep(&self, duration: Duration) -> domain::time::Slept {
        Box::pin(tokio::time::sleep(duration.min(Duration::from_millis(50))))
    }
}

/// Rotates like Atlassian: the newest refresh token works, and one that was spent works again for ten minutes.
struct Rotating {
    clock: Arc<TurnedClock>,
    newest: Mutex<u32>,
    spent_at: Mutex<BTreeMap<String, Timestamp>>,
    refreshes: AtomicUsize,
    /// Rung when a refresh has begun.
    begun: Notify,
    /// What it answers instead, once.
    refusal: Mutex<Option<Error>>,
    /// Its first answer is made and does not arrive before this is rung.
    held_back: Mutex<Option<Arc<Notify>>>,
}

const LEEWAY: Duration = Duration::from_secs(600);

#[async_trait]
impl Authority for Rotating {
    async fn authorize_url(&self, _: &[String], _: &str, _: &str) -> Result<String> {
        Err(Error::internal("not asked for"))
    }
    async fn exchange(&self, _: &str, _: &str) -> Result<Grant> {
        Err(Error::internal("not asked for"))
    }
    async fn refresh(&self, refresh_token: &Secret) -> Result<Grant> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        // As slow as a network: whoever comes meanwhile must wait.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = self.answered(refresh_token.expose());
        let held_back = self.held_back.lock().unwrap().take();
        if let Some(rung) = held_back {
            rung.notified().await;
        }
        answer
    }
    async fn sites(&self, _: &Secret) -> Result<Vec<Site>> {
        Ok(Vec::new())
    }
}

impl Rotating {
    fn answered(&self, refresh_token: &str) -> Result<Grant> {
        if let Some(error) = self.refusal.lock().unwrap().take() {
            return Err(error);
        }
        let now = self.clock.now();
        let mut spent_at = self.spent_at.lock().unwrap();
        let mut newest = self.newest.lock().unwrap();
        let again = spent_at.get(refresh_token).is_some_and(|at| now.since(*at) <= LEEWAY);
        if refresh_token != format!("refresh-{newest}") && !again {
            return Err(Error::unauthenticated("rotated out"));
        }
        spent_at.entry(refresh_token.to_owned()).or_insert(now);
        *newest += 1;
        Ok(grant(*newest, now.plus(Duration::from_secs(3_600))))
    }
}

/// A store whose disk is full while it is told so.
struct Disk {
    store: Arc<SqlStore>,
    full: AtomicBool,
    /// How often it refused new tokens.
    refused: AtomicUsize,
}

#[async_trait]
impl Connections for Disk {
    async fn begin_authorization(&self, authorization: &Authorization) -> Result<()> {
        self.store.begin_authorization(authorization).await
    }
    async fn take_authorization(&self, state_digest: &str) -> Result<Option<Authorization>> {
        self.store.take_authorization(state_digest).await
    }
    async fn create_connection(&self, grant: &Grant, now: Timestamp) -> Result<Connection> {
        self.store.create_connection(grant, now).await
    }
    async fn connection(&self, id: ConnectionId) -> Result<Connection> {
        self.store.connection(id).await
    }
    async fn set_connection_account(&self, id: ConnectionId, person: &Person) -> Result<()> {
        self.store.set_connection_account(id, person).await
    }
    async fn set_connection_state(&self, id: ConnectionId, state: &ConnectionState) -> Result<()> {
        self.store.set_connection_state(id, state).await
    }
    async fn grant(&self, id: ConnectionId) -> Result<Grant> {
        self.store.grant(id).await
    }
    async fn save_grant(&self, id: ConnectionId, spent: &Secret, grant: &Grant, now: Timestamp) -> Result<()> {
        if self.full.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Error::unavailable("the disk is full"));
        }
        self.store.save_grant(id, spent, grant, now).await
    }
    async fn delete_grant(&self, id: ConnectionId) -> Result<()> {
        self.store.delete_grant(id).await
    }
    async fn delete_stray_grants(&self, before: Timestamp) -> Result<u64> {
        self.store.delete_stray_grants(before).await
    }
    async fn ask_reconnection(&self, feed: FeedId, reconnection: &Reconnection) -> Result<()> {
        self.store.ask_reconnection(feed, reconnection).await
    }
    async fn reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>> {
        self.store.reconnection(feed).await
    }
    async fn take_reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>> {
        self.store.take_reconnection(feed).await
    }
    async fn lease_grant(&self, id: ConnectionId, holder: &str, now: Timestamp, lease: Duration) -> Result<bool> {
        self.store.lease_grant(id, holder, now, lease).await
    }
    async fn release_grant(&self, id: ConnectionId, holder: &str) -> Result<()> {
        self.store.release_grant(id, holder).await
    }
}

fn grant(number: u32, expires_at: Timestamp) -> Grant {
    Grant {
        access_token: Secret::new(format!("access-{number}")),
        expires_at,
        refresh_token: Some(Secret::new(format!("refresh-{number}"))),
        scopes: ["read:page:confluence".to_owned()].into(),
    }
}

struct World {
    store: Arc<Disk>,
    authority: Arc<Rotating>,
    keeper: Arc<GrantKeeper>,
    clock: Arc<TurnedClock>,
    connection: ConnectionId,
}

/// A connection whose access token dies at 1,000 s; it is 0 s now.
async fn world() -> World {
    let keys = SealingKeys::new(SealingKey::generate());
    let store = Arc::new(Disk {
        store: Arc::new(SqlStore::in_memory(keys).await.unwrap()),
        full: AtomicBool::new(false),
        refused: AtomicUsize::new(0),
    });
    let clock = Arc::new(TurnedClock::default());
    let authority = Arc::new(Rotating {
        clock: clock.clone(),
        newest: Mutex::new(0),
        spent_at: Mutex::default(),
        refreshes: AtomicUsize::new(0),
        begun: Notify::new(),
        refusal: Mutex::new(None),
        held_back: Mutex::new(None),
    });
    let connection = store
        .create_connection(&grant(0, Timestamp(1_000_000)), Timestamp(0))
        .await
        .unwrap()
        .id;
    let keeper = Arc::new(GrantKeeper::new(store.clone(), authority.clone(), clock.clone()));
    World {
        store,
        authority,
        keeper,
        clock,
        connection,
    }
}

impl World {
    /// Asks for a token and is gone as soon as the refresh is under way.
    async fn ask_and_go(&self) {
        tokio::select! {
            _ = self.token() => panic!("the asker did not wait"),
            () = self.authority.begun.notified() => {}
        }
    }

    async fn token(&self) -> Result<String> {
        Ok(self
            .keeper
            .access_token(self.connection, None)
            .await?
            .expose()
            .to_owned())
    }
}

#[tokio::test]
async fn a_token_that_lives_is_given_without_asking_and_one_about_to_die_is_refreshed_first() {
    let world = world().await;
    assert_eq!(world.token().await.unwrap(), "access-0");
    world.clock.0.store(950_000, Ordering::SeqCst);
    assert_eq!(world.token().await.unwrap(), "access-1");
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1);
    let kept = world.store.grant(world.connection).await.unwrap();
    assert_eq!(
        kept.refresh_token,
        Some(Secret::new("refresh-1")),
        "the rotated token is kept"
    );
}

#[tokio::test]
async fn many_who_need_a_token_at_once_cause_one_refresh() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let tokens = futures::future::join_all((0..20).map(|_| world.token())).await;
    assert!(tokens.into_iter().all(|token| token.unwrap() == "access-1"));
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_atlassian_refused_is_not_given_again() {
    let world = world().await;
    let refused = Secret::new("access-0");
    let token = world
        .keeper
        .access_token(world.connection, Some(&refused))
        .await
        .unwrap();
    assert_eq!(token.expose(), "access-1");
    // Somebody else still holds the old one: it is told the new one without another refresh.
    let token = world
        .keeper
        .access_token(world.connection, Some(&refused))
        .await
        .unwrap();
    assert_eq!(token.expose(), "access-1");
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_network_failure_keeps_the_refresh_token_for_the_next_try() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::unavailable("the network is down"));
    assert_eq!(world.token().await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(world.token().await.unwrap(), "access-1");
    let connection = world.store.connection(world.connection).await.unwrap();
    assert_eq!(connection.state, ConnectionState::Active);
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_operators_error_and_the_person_need_not_reconnect() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::misconfigured("the secret is wrong"));
    assert_eq!(world.token().await.unwrap_err().kind, ErrorKind::Misconfigured);
    let connection = world.store.connection(world.connection).await.unwrap();
    assert_eq!(connection.state, ConnectionState::Active);
    assert_eq!(
        world.token().await.unwrap(),
        "access-1",
        "healed when the secret is right again"
    );
}

#[tokio::test]
async fn a_revoked_grant_is_said_on_the_connection() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::unauthenticated("not known"));
    assert_eq!(world.token().await.unwrap_err().kind, ended(Ending::Revoked));
    let connection = world.store.connection(world.connection).await.unwrap();
    let ConnectionState::NeedsReconnect { ending, why } = connection.state else {
        panic!("{:?}", connection.state)
    };
    assert_eq!(ending, Ending::Revoked);
    assert!(
        why.contains("consent was taken back") && why.contains("password was changed"),
        "{why}"
    );
}

fn ended(ending: Ending) -> ErrorKind {
    ErrorKind::Ended { ending }
}

#[tokio::test]
async fn a_grant_that_nobody_used_for_ninety_days_has_expired() {
    let world = world().await;
    let days = |days: i64| days * 24 * 3_600_000;
    world.clock.0.store(days(60), Ordering::SeqCst);
    world.token().await.unwrap();
    world.clock.0.store(days(149), Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::unauthenticated("not known"));
    assert_eq!(
        world.token().await.unwrap_err().kind,
        ended(Ending::Revoked),
        "used 89 days ago"
    );
    world.clock.0.store(days(150), Ordering::SeqCst);
    assert_eq!(
        world.token().await.unwrap(),
        "access-2",
        "a grant that works again is well"
    );
    world.clock.0.store(days(240), Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::unauthenticated("not known"));
    assert_eq!(world.token().await.unwrap_err().kind, ended(Ending::Expired));
}

#[tokio::test]
async fn a_crash_between_the_answer_and_the_commit_is_healed_within_ten_minutes_and_not_after() {
    for (minutes, healed) in [(9, true), (11, false)] {
        let world = world().await;
        world.clock.0.store(2_000_000, Ordering::SeqCst);
        let inline = world.keeper.as_ref().clone().shielded_by(Shield::Inline);
        *world.authority.held_back.lock().unwrap() = Some(Arc::default());
        let dying = inline.access_token(world.connection, None);
        assert!(tokio::time::timeout(Duration::from_millis(60), dying).await.is_err());
        assert_eq!(
            world.authority.refreshes.load(Ordering::SeqCst),
            1,
            "answered, and never saved"
        );
        world.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
        assert_eq!(world.token().await.is_ok(), healed, "{minutes} minutes later");
    }
}

#[tokio::test]
async fn two_processes_refresh_one_grant_once() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let other = GrantKeeper::new(world.store.clone(), world.authority.clone(), world.clock.clone());
    let (one, two) = tokio::join!(world.token(), other.access_token(world.connection, None));
    assert_eq!((one.unwrap().as_str(), two.unwrap().expose()), ("access-1", "access-1"));
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1);
}

/// One process has its answer on the way for longer than its lease, and another refreshes meanwhile.
async fn overtaken(world: &World) -> (Result<String>, Result<Secret>) {
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let rung: Arc<Notify> = Arc::default();
    *world.authority.held_back.lock().unwrap() = Some(rung.clone());
    let other = GrantKeeper::new(world.store.clone(), world.authority.clone(), world.clock.clone());
    let overtaking = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        world.clock.0.fetch_add(151_000, Ordering::SeqCst);
        let token = other.access_token(world.connection, None).await;
        rung.notify_one();
        token
    };
    tokio::join!(world.token(), overtaking)
}

#[tokio::test]
async fn a_refresh_that_outlived_its_lease_takes_the_tokens_of_whoever_overtook_it() {
    let world = world().await;
    let (late, early) = overtaken(&world).await;
    assert_eq!(early.unwrap().expose(), "access-2");
    assert_eq!(late.unwrap(), "access-2", "its own answer is dropped");
    let kept = world.store.grant(world.connection).await.unwrap();
    assert_eq!(kept.refresh_token, Some(Secret::new("refresh-2")));
}

#[tokio::test]
async fn a_refusal_that_comes_after_another_process_refreshed_ends_nothing() {
    let world = world().await;
    *world.authority.refusal.lock().unwrap() = Some(Error::unauthenticated("rotated out"));
    let (late, early) = overtaken(&world).await;
    assert_eq!(
        (late.unwrap().as_str(), early.unwrap().expose()),
        ("access-1", "access-1")
    );
    let connection = world.store.connection(world.connection).await.unwrap();
    assert_eq!(connection.state, ConnectionState::Active);
}

#[tokio::test]
async fn tokens_that_a_full_disk_does_not_take_are_kept_and_saved_when_there_is_room() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    world.store.full.store(true, Ordering::SeqCst);
    let error = world.token().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "not used before it is kept");
    assert!(error.message.contains("disk is full") && !format!("{error:?}").contains("refresh-1"));
    assert_eq!(world.store.refused.load(Ordering::SeqCst), SAVES_MAX as usize);
    // Longer than the old token could be exchanged again.
    world.clock.0.fetch_add(20 * 60_000, Ordering::SeqCst);
    world.store.full.store(false, Ordering::SeqCst);
    assert_eq!(world.token().await.unwrap(), "access-1");
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1, "nothing was lost");
    let kept = world.store.grant(world.connection).await.unwrap();
    assert_eq!(kept.refresh_token, Some(Secret::new("refresh-1")));
}

#[tokio::test]
async fn tokens_of_a_connection_that_was_removed_meanwhile_are_not_kept() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let rung: Arc<Notify> = Arc::default();
    *world.authority.held_back.lock().unwrap() = Some(rung.clone());
    let removing = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        world.store.delete_grant(world.connection).await.unwrap();
        rung.notify_one();
    };
    let (token, ()) = tokio::join!(world.token(), removing);
    assert_eq!(token.unwrap_err().kind, ErrorKind::Unauthenticated);
    assert!(world.store.grant(world.connection).await.is_err());
    assert!(world.keeper.unsaved_of(world.connection).is_none());
}

#[tokio::test]
async fn a_process_that_ends_waits_for_the_refresh_that_is_under_way() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    world.ask_and_go().await;
    world.keeper.settled().await;
    let kept = world.store.grant(world.connection).await.unwrap();
    assert_eq!(kept.refresh_token, Some(Secret::new("refresh-1")));
}

#[tokio::test]
async fn a_clock_that_was_set_back_neither_blocks_nor_ends_a_grant() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let lease = Duration::from_secs(150);
    let leased = world
        .store
        .lease_grant(world.connection, "dead", world.clock.now(), lease);
    assert!(leased.await.unwrap());
    world.clock.0.store(-86_400_000, Ordering::SeqCst);
    // Atlassian refused the token, whatever our clock says of its life; the lease of the dead is nobody's.
    let refused = Secret::new("access-0");
    let token = world.keeper.access_token(world.connection, Some(&refused)).await;
    assert_eq!(token.unwrap().expose(), "access-1");
}

#[tokio::test]
async fn a_refresh_whose_asker_went_away_is_kept_all_the_same() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    world.ask_and_go().await;
    assert_eq!(world.token().await.unwrap(), "access-1");
    assert_eq!(world.authority.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refresher_that_died_in_its_lease_does_not_block_the_next_for_ever() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let lease = Duration::from_secs(150);
    assert!(
        world
            .store
            .lease_grant(world.connection, "dead", world.clock.now(), lease)
            .await
            .unwrap()
    );
    let later = async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        world.clock.0.store(2_151_000, Ordering::SeqCst);
    };
    let (token, ()) = tokio::join!(world.token(), later);
    assert_eq!(token.unwrap(), "access-1");
}
