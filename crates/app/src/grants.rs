//! Tokens that work: one refresh at a time per grant, and the new token is kept before it is used.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Clock, ConnectionId, Error, ErrorKind, Result, Secret,
    authority::{Authority, Tokens},
    connection::{ConnectionState, Grant},
    store::Store,
};

/// A token that dies within this time is refreshed first.
const FRESH_MIN: Duration = Duration::from_secs(60);
/// How long one refresh may hold the lease: longer than any answer takes.
const LEASE: Duration = Duration::from_secs(150);
/// How long to wait between looks at a lease that another holds.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often to look before giving up: three minutes, longer than a lease.
const LOOKS_MAX: u32 = 3_600;

/// Gives tokens from the store and refreshes them at the authority.
#[derive(Clone)]
pub struct GrantKeeper {
    pub store: Arc<dyn Store>,
    pub authority: Arc<dyn Authority>,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Tokens for GrantKeeper {
    async fn access_token(&self, connection: ConnectionId, refused: Option<&Secret>) -> Result<Secret> {
        // The holder names this one call: two calls of one process are kept apart like two processes.
        let holder = crate::token::random();
        for _ in 0..LOOKS_MAX {
            let grant = self.store.grant(connection).await?;
            if self.usable(&grant, refused) {
                return Ok(grant.access_token);
            }
            if self
                .store
                .lease_grant(connection, holder.expose(), self.clock.now(), LEASE)
                .await?
            {
                // On a task of its own: whoever asked may go away in the midst of it (a closed tab, a time limit), and the
                // new token must be kept all the same, since the old one is dead.
                let (keeper, refused) = (self.clone(), refused.cloned());
                let refreshing = tokio::spawn(async move {
                    let refreshed = keeper.refreshed(connection, refused.as_ref()).await;
                    keeper.store.release_grant(connection, holder.expose()).await?;
                    refreshed
                });
                return match refreshing.await {
                    Ok(refreshed) => refreshed,
                    Err(panic) => Err(Error::internal("refreshing a token broke down").because(panic)),
                };
            }
            self.clock.sleep(LOOK_AGAIN).await;
        }
        Err(Error::unavailable(
            "another process has been refreshing this connection's token for three minutes",
        ))
    }
}

impl GrantKeeper {
    fn usable(&self, grant: &Grant, refused: Option<&Secret>) -> bool {
        refused != Some(&grant.access_token) && grant.expires_at > self.clock.now().plus(FRESH_MIN)
    }

    /// Under the lease: whoever held it before may have refreshed already.
    async fn refreshed(&self, connection: ConnectionId, refused: Option<&Secret>) -> Result<Secret> {
        let held = self.store.grant(connection).await?;
        if self.usable(&held, refused) {
            return Ok(held.access_token);
        }
        let Some(refresh_token) = &held.refresh_token else {
            return Err(self.lost(connection, "Atlassian gave no refresh token".into()).await);
        };
        match self.authority.refresh(refresh_token).await {
            Ok(mut grant) => {
                // Atlassian rotates refresh tokens: the old one is dead now. Kept first, used after. Should this process
                // die before the next line, the old one may be exchanged again for ten minutes.
                grant.refresh_token = grant.refresh_token.or(held.refresh_token);
                if grant.scopes.is_empty() {
                    grant.scopes = held.scopes;
                }
                self.store.save_grant(connection, &grant).await?;
                Ok(grant.access_token)
            }
            Err(error) if error.kind == ErrorKind::Unauthenticated => Err(self.lost(connection, error.message).await),
            Err(error) => Err(error),
        }
    }

    async fn lost(&self, connection: ConnectionId, why: String) -> Error {
        let state = ConnectionState::NeedsReconnect { why: why.clone() };
        match self.store.set_connection_state(connection, &state).await {
            Ok(()) => Error::unauthenticated(why),
            Err(error) => error,
        }
    }
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
