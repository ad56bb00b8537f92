//! Tokens under every failure that rotation knows.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Clock, ConnectionId, Error, ErrorKind, Result, Secret, Timestamp,
    authority::{Authority, Tokens},
    connection::{ConnectionState, Grant},
    site::Site,
    store::Store,
};
use store::{SealingKey, SealingKeys, SqlStore};

use super::GrantKeeper;

#[derive(Default)]
struct TurnedClock(AtomicI64);
impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    fn sleep(&self, duration: Duration) -> domain::time::Slept {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Rotates like Atlassian: only the newest refresh token works (the ten minutes' leeway is not given).
struct Rotating {
    clock: Arc<TurnedClock>,
    newest: Mutex<u32>,
    refreshes: AtomicUsize,
    /// What it answers instead, once.
    refusal: Mutex<Option<Error>>,
}

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
        // As slow as a network: whoever comes meanwhile must wait.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Some(error) = self.refusal.lock().unwrap().take() {
            return Err(error);
        }
        let mut newest = self.newest.lock().unwrap();
        if refresh_token.expose() != format!("refresh-{newest}") {
            return Err(Error::unauthenticated("rotated out"));
        }
        *newest += 1;
        Ok(grant(*newest, self.clock.now().plus(Duration::from_secs(3_600))))
    }
    async fn sites(&self, _: &Secret) -> Result<Vec<Site>> {
        Ok(Vec::new())
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
    store: Arc<dyn Store>,
    authority: Arc<Rotating>,
    keeper: Arc<GrantKeeper>,
    clock: Arc<TurnedClock>,
    connection: ConnectionId,
}

/// A connection whose access token dies at 1,000 s; it is 0 s now.
async fn world() -> World {
    let keys = SealingKeys::new(SealingKey::generate());
    let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory(keys).await.unwrap());
    let clock = Arc::new(TurnedClock::default());
    let authority = Arc::new(Rotating {
        clock: clock.clone(),
        newest: Mutex::new(0),
        refreshes: AtomicUsize::new(0),
        refusal: Mutex::new(None),
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
    *world.authority.refusal.lock().unwrap() = Some(Error::invalid("the secret is wrong"));
    assert_eq!(world.token().await.unwrap_err().kind, ErrorKind::Invalid);
    let connection = world.store.connection(world.connection).await.unwrap();
    assert_eq!(connection.state, ConnectionState::Active);
}

#[tokio::test]
async fn a_revoked_grant_is_said_on_the_connection() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    *world.authority.refusal.lock().unwrap() = Some(Error::unauthenticated("it was revoked"));
    assert_eq!(world.token().await.unwrap_err().kind, ErrorKind::Unauthenticated);
    let connection = world.store.connection(world.connection).await.unwrap();
    let why = "it was revoked".to_owned();
    assert_eq!(connection.state, ConnectionState::NeedsReconnect { why });
}

#[tokio::test]
async fn a_refresh_whose_asker_went_away_is_kept_all_the_same() {
    let world = world().await;
    world.clock.0.store(2_000_000, Ordering::SeqCst);
    let gone = tokio::time::timeout(Duration::from_millis(5), world.token()).await;
    assert!(gone.is_err(), "the asker did not wait");
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
