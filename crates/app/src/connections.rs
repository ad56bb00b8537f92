//! The way to Atlassian and back: state, callback, grant.

use std::time::Duration;

use domain::{
    ConnectionId, Error, FeedId, IndexId, Result, Secret,
    connection::Grant,
    feed::{Feed, FeedState},
    site::Site,
    source::{Meter, Reach, Urgency},
    store::Authorization,
};

use crate::{App, Caller, Via, reconnections::ANSWERED_WITHIN, token};

/// How long a person may take at Atlassian. After this the feed's page says that an admin may have to approve Circuit
/// first, since Atlassian's page for that never calls back (facts.md §3).
pub const CONNECTING_MAX: Duration = Duration::from_secs(10 * 60);

/// Where to send the person, and the feed that waits for them.
#[derive(Clone, Debug)]
pub struct ConnectStart {
    pub feed: FeedId,
    pub url: String,
}

/// What Atlassian's redirect brought.
pub struct Callback<'a> {
    pub state: &'a str,
    pub code: Option<&'a Secret>,
    /// Atlassian's `error`, such as `access_denied` when the person pressed Cancel.
    pub error: Option<&'a str>,
}

impl App {
    /// Begins a new feed of this index: the person is to be sent to the URL.
    pub async fn begin_connect(&self, caller: &Caller, index: IndexId) -> Result<ConnectStart> {
        caller.must_manage()?;
        self.seen_index(caller, index).await?;
        let feed = self.store().create_feed(index, self.now()).await?;
        match self.sent_to_atlassian(caller, feed.id).await {
            Ok(start) => Ok(start),
            Err(error) => {
                self.store().delete_feed(feed.id).await?;
                Err(error)
            }
        }
    }

    /// Sends the person to Atlassian again for a feed that exists: to reconnect, or to try once more.
    pub async fn reconnect(&self, caller: &Caller, feed: FeedId) -> Result<ConnectStart> {
        let feed = self.managed_feed(caller, feed).await?;
        if feed.state == FeedState::Removed {
            return Err(removed());
        }
        if let FeedState::Connecting { .. } = feed.state {
            self.store()
                .set_feed_state(feed.id, &FeedState::Connecting { since: self.now() })
                .await?;
        }
        self.sent_to_atlassian(caller, feed.id).await
    }

    async fn sent_to_atlassian(&self, caller: &Caller, feed: FeedId) -> Result<ConnectStart> {
        let state = token::random();
        let scopes: Vec<String> = self.scopes().requested.iter().map(|(scope, _)| scope.clone()).collect();
        let url = self
            .authority()
            .authorize_url(&scopes, state.expose(), &self.redirect_uri())
            .await?;
        let authorization = Authorization {
            state_digest: token::digest(state.expose()),
            session_digest: bound_to(caller),
            feed,
            expires_at: self.now().plus(CONNECTING_MAX),
        };
        self.store().begin_authorization(&authorization).await?;
        Ok(ConnectStart { feed, url })
    }

    /// The person came back. The state must be one that this session (or, begun with an API key, this user) was given,
    /// and is good for one use. Gives the feed that it belongs to.
    pub async fn finish_connect(&self, caller: &Caller, callback: Callback<'_>) -> Result<FeedId> {
        caller.must_manage()?;
        let forged = || {
            Error::forbidden(
                "this answer from Atlassian does not belong to a connection that was begun in this browser, or it was used \
                 already; begin again from the index's Integrations",
            )
        };
        let authorization = self
            .store()
            .take_authorization(&token::digest(callback.state))
            .await?
            .ok_or_else(forged)?;
        if authorization.session_digest != bound_to(caller) && authorization.session_digest != user_bound(caller) {
            return Err(forged());
        }
        if authorization.expires_at < self.now() {
            return Err(Error::invalid(
                "this connection was begun more than ten minutes ago; begin again",
            ));
        }
        let feed = self.seen_feed(caller, authorization.feed).await?;
        let code = match (callback.code, callback.error) {
            (_, Some("access_denied")) => {
                return Err(Error::forbidden(
                    "you chose Cancel at Atlassian, so nothing was connected; connect again when you want to",
                ));
            }
            (_, Some(error)) => {
                let error: String = error.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
                return Err(Error::invalid(format!(
                    "Atlassian did not connect and said {error:?}; connect again, and see the log if it stays"
                )));
            }
            (Some(code), None) => code,
            (None, None) => {
                return Err(Error::invalid(
                    "Atlassian's answer holds neither a code nor an error; connect again",
                ));
            }
        };
        let grant = self.authority().exchange(code.expose(), &self.redirect_uri()).await?;
        self.connected(feed.id, &grant).await?;
        self.feed_changed(feed.id);
        Ok(feed.id)
    }

    /// Looks first, then changes: a grant that is of no use here leaves the one before it in place.
    async fn connected(&self, feed: FeedId, grant: &Grant) -> Result<()> {
        // As it is now: the exchange took time, and somebody may have removed the feed meanwhile.
        let feed = self.store().feed(feed).await?;
        if feed.state == FeedState::Removed {
            return Err(removed());
        }
        self.store()
            .delete_stray_grants(self.now().minus(ANSWERED_WITHIN))
            .await?;
        let site = match &feed.site {
            None => None,
            Some(site) => Some(self.granted(site, grant).await?),
        };
        match site {
            Some(site) if !self.store().feed_spaces(feed.id).await?.is_empty() => {
                self.reconnected(&feed, site, grant).await
            }
            site => {
                let connection = self.store().create_connection(grant, self.now()).await?;
                self.switched(&feed, connection.id, site).await
            }
        }
    }

    /// The feed's site as this grant reaches it.
    async fn granted(&self, site: &Site, grant: &Grant) -> Result<Site> {
        let sites = self.authority().sites(&grant.access_token).await?;
        sites.into_iter().find(|granted| granted.id == site.id).ok_or_else(|| {
            Error::forbidden(format!(
                "the account you connected does not reach {}; reconnect with one that does, and tick that site on \
                     Atlassian's page",
                site.name
            ))
        })
    }

    /// The new connection takes the place of the one before, whose tokens are deleted; the feed goes on if it waited for it.
    pub(crate) async fn switched(&self, feed: &Feed, connection: ConnectionId, site: Option<Site>) -> Result<()> {
        self.store().set_feed_connection(feed.id, connection).await?;
        self.release_connection(feed).await?;
        if let Some(site) = site {
            self.store().set_feed_site(feed.id, &site).await?;
            self.note_account(connection, site).await?;
        }
        match &feed.state {
            FeedState::Connecting { .. } => self.store().set_feed_state(feed.id, &FeedState::ChoosingSite).await,
            FeedState::Parked(_) if self.store().feed_spaces(feed.id).await?.is_empty() => {
                // It never came to choosing spaces: the grant before lacked scopes.
                self.store().set_feed_state(feed.id, &FeedState::ChoosingSite).await
            }
            FeedState::Parked(_) => {
                self.store().set_feed_state(feed.id, &FeedState::Active).await?;
                self.queue_sync(feed.id).await
            }
            FeedState::ChoosingSite | FeedState::ChoosingSpaces => Ok(()),
            FeedState::Active | FeedState::Paused | FeedState::Removed => Ok(()),
        }
    }

    /// Whose account it is is good to know; the connection works without.
    async fn note_account(&self, connection: ConnectionId, site: Site) -> Result<()> {
        if self.store().connection(connection).await?.account.is_some() {
            return Ok(());
        }
        let reach = Reach {
            connection,
            site,
            urgency: Urgency::Person,
            meter: Meter::default(),
        };
        match self.source().me(&reach).await {
            Ok(me) => self.store().set_connection_account(connection, &me).await,
            Err(_) => Ok(()),
        }
    }

    /// Deletes the tokens of a feed's connection unless another feed uses it.
    pub(crate) async fn release_connection(&self, feed: &Feed) -> Result<()> {
        let Some(connection) = feed.connection else {
            return Ok(());
        };
        let shared = self.store().all_feeds().await?.iter().any(|other| {
            other.id != feed.id && other.connection == Some(connection) && other.state != FeedState::Removed
        });
        match shared {
            true => Ok(()),
            false => self.deleted_grant(connection).await,
        }
    }

    pub(crate) async fn deleted_grant(&self, connection: ConnectionId) -> Result<()> {
        self.store().delete_grant(connection).await?;
        self.tokens().forget(connection);
        Ok(())
    }
}

pub(crate) fn removed() -> Error {
    Error::conflict("this integration was removed; make a new one")
}

fn bound_to(caller: &Caller) -> String {
    match &caller.via {
        Via::Session { digest } => format!("session:{digest}"),
        Via::ApiKey(_) | Via::Machine => user_bound(caller),
    }
}

fn user_bound(caller: &Caller) -> String {
    format!("user:{}", caller.user.id)
}
