//! Tokens that work: one refresh at a time per grant, and the new token is kept before it is used.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Clock, ConnectionId, Error, ErrorKind, Result, Secret,
    authority::{Authority, Tokens},
    connection::{ConnectionState, Ending, Grant},
    store::Connections,
};
use tokio::sync::RwLock;
use tracing::warn;

/// A token that dies within this time is refreshed first.
const FRESH_MIN: Duration = Duration::from_secs(60);
/// How long one refresh may hold the lease: longer than any answer takes, with the attempts to save it.
const LEASE: Duration = Duration::from_secs(150);
/// How long to wait between looks at a lease that another holds.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often to look before giving up: three minutes, longer than a lease.
const LOOKS_MAX: u32 = 3_600;
/// How often a new grant is offered to a store that does not take it, before the caller is told; and the wait between.
/// The grant stays in memory and is offered again with every later call.
const SAVES_MAX: u32 = 10;
const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// What keeps a refresh from being broken off when whoever asked goes away in its midst (a closed tab, a time limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shield {
    /// A task of its own, that [`GrantKeeper::settled`] waits for.
    Task,
    /// Nothing: it ends with its caller, as in a crash. For a simulation that must decide alone what runs when.
    Inline,
}

/// Gives tokens from the store and refreshes them at the authority. Clones share what they keep.
#[derive(Clone)]
pub struct GrantKeeper {
    store: Arc<dyn Connections>,
    authority: Arc<dyn Authority>,
    clock: Arc<dyn Clock>,
    shield: Shield,
    /// What Atlassian gave and the store did not take yet. The tokens before are dead, so these must not be lost.
    unsaved: Arc<Mutex<BTreeMap<ConnectionId, Unsaved>>>,
    /// Held for reading by every refresh that is under way.
    under_way: Arc<RwLock<()>>,
}

#[derive(Clone, PartialEq)]
struct Unsaved {
    /// The refresh token that was given for it.
    spent: Secret,
    grant: Grant,
}

#[async_trait]
impl Tokens for GrantKeeper {
    async fn access_token(&self, connection: ConnectionId, refused: Option<&Secret>) -> Result<Secret> {
        // The holder names this one call: two calls of one process are kept apart like two processes.
        let holder = crate::token::random();
        for _ in 0..LOOKS_MAX {
            let grant = self.store.grant(connection).await?;
            if self.usable(&grant, refused) && self.unsaved_of(connection).is_none() {
                return Ok(grant.access_token);
            }
            let now = self.clock.now();
            if self.store.lease_grant(connection, holder.expose(), now, LEASE).await? {
                if let Some(token) = self.shielded(connection, refused, &holder).await? {
                    return Ok(token);
                }
            } else {
                self.clock.sleep(LOOK_AGAIN).await;
            }
        }
        Err(Error::unavailable(
            "another process has been refreshing this connection's token for three minutes",
        ))
    }
}

impl GrantKeeper {
    pub fn new(store: Arc<dyn Connections>, authority: Arc<dyn Authority>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            authority,
            clock,
            shield: Shield::Task,
            unsaved: Arc::default(),
            under_way: Arc::default(),
        }
    }

    pub fn shielded_by(mut self, shield: Shield) -> Self {
        self.shield = shield;
        self
    }

    /// Returns when no refresh is under way: what was answered is saved, or given up for now.
    pub async fn settled(&self) {
        drop(self.under_way.write().await);
    }

    /// Forgets what it keeps of a connection whose tokens were deleted.
    pub fn forget(&self, connection: ConnectionId) {
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.remove(&connection);
    }

    fn unsaved_of(&self, connection: ConnectionId) -> Option<Unsaved> {
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.get(&connection).cloned()
    }

    fn usable(&self, grant: &Grant, refused: Option<&Secret>) -> bool {
        refused != Some(&grant.access_token) && grant.expires_at > self.clock.now().plus(FRESH_MIN)
    }

    async fn shielded(
        &self,
        connection: ConnectionId,
        refused: Option<&Secret>,
        holder: &Secret,
    ) -> Result<Option<Secret>> {
        let under_way = self.under_way.clone().read_owned().await;
        let (keeper, refused, holder) = (self.clone(), refused.cloned(), holder.clone());
        let refreshing = async move {
            let _under_way = under_way;
            let refreshed = keeper.refreshed(connection, refused.as_ref()).await;
            if let Err(error) = keeper.store.release_grant(connection, holder.expose()).await {
                warn!(connection.id = %connection, error = ?error, "A lease could not be given back; it will run out");
            }
            refreshed
        };
        match self.shield {
            Shield::Inline => refreshing.await,
            Shield::Task => match tokio::spawn(refreshing).await {
                Ok(refreshed) => refreshed,
                Err(panic) => Err(Error::internal("refreshing a token broke down").because(panic)),
            },
        }
    }

    /// Under the lease: whoever held it before may have refreshed already. None when things changed meanwhile, and it is
    /// to be looked at anew.
    async fn refreshed(&self, connection: ConnectionId, refused: Option<&Secret>) -> Result<Option<Secret>> {
        if let Some(unsaved) = self.unsaved_of(connection) {
            self.saved(connection, &unsaved).await?;
        }
        let held = self.store.grant(connection).await?;
        if self.usable(&held, refused) {
            return Ok(Some(held.access_token));
        }
        let Some(spent) = held.refresh_token else {
            let scopes = vec!["offline_access".to_owned()];
            return Err(Error::new(
                ErrorKind::MissingScope { scopes },
                "Atlassian gave no refresh token: the grant lacks offline_access",
            ));
        };
        match self.authority.refresh(&spent).await {
            Ok(mut grant) => {
                // Atlassian rotates refresh tokens: the old one is dead now. Kept first, used after. Should this process
                // die before the next lines, the old one may be exchanged again for ten minutes.
                grant.refresh_token = grant.refresh_token.or_else(|| Some(spent.clone()));
                if grant.scopes.is_empty() {
                    grant.scopes = held.scopes;
                }
                let unsaved = Unsaved { spent, grant };
                self.keep(connection, &unsaved);
                let saved = self.saved(connection, &unsaved).await?;
                Ok(saved.then_some(unsaved.grant.access_token))
            }
            Err(error) if error.kind == ErrorKind::Unauthenticated => self.lost(connection, &spent, error).await,
            Err(error) => Err(error),
        }
    }

    fn keep(&self, connection: ConnectionId, unsaved: &Unsaved) {
        let mut kept = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(connection, unsaved.clone());
    }

    /// Saves what Atlassian gave, patiently: a full disk must not cost the grant. False when other tokens took its place
    /// meanwhile.
    async fn saved(&self, connection: ConnectionId, unsaved: &Unsaved) -> Result<bool> {
        let mut attempt = 1;
        loop {
            let now = self.clock.now();
            let saving = self.store.save_grant(connection, &unsaved.spent, &unsaved.grant, now);
            let error = match saving.await {
                Ok(()) => {
                    self.forget(connection);
                    return Ok(true);
                }
                Err(error) => error,
            };
            if error.kind == ErrorKind::Conflict {
                self.forget(connection);
                return Ok(false);
            }
            // Removed meanwhile: these tokens are to go as well.
            if matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::NotFound) {
                self.forget(connection);
                return Err(error);
            }
            if attempt == SAVES_MAX {
                return Err(unsaved_still(error));
            }
            warn!(connection.id = %connection, attempt, error = ?error, "New tokens could not be saved yet");
            attempt += 1;
            self.clock.sleep(SAVE_AGAIN).await;
        }
    }

    /// Atlassian does not know the refresh token any more. Unless another process exchanged it meanwhile, the connection
    /// has ended, and its age tells how.
    async fn lost(&self, connection: ConnectionId, spent: &Secret, refusal: Error) -> Result<Option<Secret>> {
        let held = self.store.grant(connection).await?;
        if held.refresh_token.as_ref() != Some(spent) {
            return Ok(None);
        }
        let ending = self.store.connection(connection).await?.ending(self.clock.now());
        let why = match ending {
            Ending::Expired => {
                "Atlassian no longer accepts this connection: it was not used for ninety days, or is a year old"
            }
            Ending::Revoked
            | Ending::SiteRemoved
            | Ending::NoConfluence
            | Ending::Anonymous
            | Ending::OtherAccount
            | Ending::HiddenFromApp => {
                "Atlassian no longer accepts this connection: the consent was taken back, or the Atlassian password was \
                 changed"
            }
        };
        let state = ConnectionState::NeedsReconnect {
            ending,
            why: why.to_owned(),
        };
        self.store.set_connection_state(connection, &state).await?;
        Err(Error::ended(ending, why).because(refusal))
    }
}

fn unsaved_still(error: Error) -> Error {
    let why = format!("new tokens of Atlassian could not be saved and are kept in memory until they can: {error}");
    Error::unavailable(why).because(error)
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
