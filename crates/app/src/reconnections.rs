//! A feed is connected anew: does the new grant see what the feed carries, and is it the same person's? If not, a person
//! is asked first, and until they answer nothing changes.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Error, ErrorKind, FeedId, Result, SpaceId,
    connection::{Connection, Grant, Reconnection},
    document::Person,
    feed::{Feed, FeedState},
    site::Site,
    source::{Meter, Reach, SPACES_BY_ID_MAX, Urgency},
    space::{FeedSpace, Space},
};

use crate::{App, Caller, connections::removed};

/// How long a question waits for its answer; then the new grant's tokens are deleted.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(3600);

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub reconnection: Reconnection,
    /// The connection that is in place until then.
    pub present: Option<Connection>,
    /// How many spaces the feed carries.
    pub spaces: usize,
}

impl Question {
    /// Whether the new grant is another Atlassian account's.
    pub fn another_account(&self) -> bool {
        let present = self.present.as_ref().and_then(|present| present.account.as_ref());
        present.is_some_and(|account| *account != self.reconnection.person.account)
    }
}

impl App {
    /// A feed that has its spaces was given a new grant: taken at once when it is the same person's and sees the same
    /// spaces, kept for an answer otherwise.
    pub(crate) async fn reconnected(&self, feed: &Feed, site: Site, grant: &Grant) -> Result<()> {
        let missing = (self.scopes().missing_for_import)(&site.scopes);
        if !missing.is_empty() {
            let message = format!(
                "the new connection lacks {}; add it to the Atlassian app in the developer console, and reconnect",
                missing.join(", ")
            );
            return Err(Error::new(ErrorKind::MissingScope { scopes: missing }, message));
        }
        let connection = self.store().create_connection(grant, self.now()).await?.id;
        let reach = Reach {
            connection,
            site,
            urgency: Urgency::Person,
            meter: Meter::default(),
        };
        let looked = match self.looked(feed, &reach).await {
            Ok(looked) => looked,
            Err(error) => {
                self.deleted_grant(connection).await?;
                return Err(error);
            }
        };
        let (person, hidden) = looked;
        self.store().set_connection_account(connection, &person).await?;
        if hidden.is_empty() && self.same_person(feed, &person).await? {
            self.drop_reconnection(feed.id).await?;
            return self.switched(feed, connection, Some(reach.site)).await;
        }
        let reconnection = Reconnection {
            connection,
            person,
            site: reach.site,
            hidden,
            asked_at: self.now(),
        };
        self.store().ask_reconnection(feed.id, &reconnection).await
    }

    /// Who the new grant is, and which of the feed's spaces it does not see. Those that are out of search already are no
    /// loss.
    async fn looked(&self, feed: &Feed, reach: &Reach) -> Result<(Person, Vec<Space>)> {
        let person = self.source().me(reach).await?;
        let spaces = self.store().feed_spaces(feed.id).await?;
        let chosen: Vec<SpaceId> = spaces.iter().map(|space| space.space.id.clone()).collect();
        let mut seen = BTreeSet::new();
        for some in chosen.chunks(SPACES_BY_ID_MAX) {
            let listed = self.source().spaces_by_id(reach, some).await?;
            seen.extend(listed.items.into_iter().map(|seen| seen.space.id));
        }
        let lost = |space: &FeedSpace| space.suspended_at.is_none() && !seen.contains(&space.space.id);
        let hidden = spaces.into_iter().filter(lost).map(|space| space.space).collect();
        Ok((person, hidden))
    }

    async fn same_person(&self, feed: &Feed, person: &Person) -> Result<bool> {
        let Some(connection) = feed.connection else {
            return Ok(true);
        };
        let present = self.store().connection(connection).await?;
        Ok(present.account.is_none_or(|account| account == person.account))
    }

    /// The question about this feed's new grant, while it waits for an answer.
    pub async fn reconnection(&self, caller: &Caller, feed: FeedId) -> Result<Option<Question>> {
        let feed = self.managed_feed(caller, feed).await?;
        let Some(reconnection) = self.store().reconnection(feed.id).await? else {
            return Ok(None);
        };
        if self.now().since(reconnection.asked_at) > ANSWERED_WITHIN {
            self.drop_reconnection(feed.id).await?;
            return Ok(None);
        }
        let present = match feed.connection {
            Some(connection) => Some(self.store().connection(connection).await?),
            None => None,
        };
        Ok(Some(Question {
            reconnection,
            present,
            spaces: self.store().feed_spaces(feed.id).await?.len(),
        }))
    }

    /// Yes: the new grant takes the place of the one before, and what it does not see is kept out of search at once.
    pub async fn accept_reconnection(&self, caller: &Caller, feed: FeedId) -> Result<Feed> {
        if self.reconnection(caller, feed).await?.is_none() {
            return Err(unasked());
        }
        let present = self.store().feed(feed).await?;
        if present.state == FeedState::Removed {
            return Err(removed());
        }
        let Some(reconnection) = self.store().take_reconnection(feed).await? else {
            return Err(unasked());
        };
        for space in &reconnection.hidden {
            let at = Some(self.now());
            self.store().set_space_suspended(feed, &space.id, at).await?;
        }
        self.switched(&present, reconnection.connection, Some(reconnection.site))
            .await?;
        self.feed_changed(feed);
        self.store().feed(feed).await
    }

    /// No: the new grant's tokens are deleted, and everything stays as it was. Refusing twice is refusing.
    pub async fn refuse_reconnection(&self, caller: &Caller, feed: FeedId) -> Result<Feed> {
        let present = self.managed_feed(caller, feed).await?;
        self.drop_reconnection(feed).await?;
        Ok(present)
    }

    pub(crate) async fn drop_reconnection(&self, feed: FeedId) -> Result<()> {
        match self.store().take_reconnection(feed).await? {
            Some(reconnection) => self.deleted_grant(reconnection.connection).await,
            None => Ok(()),
        }
    }
}

fn unasked() -> Error {
    Error::conflict("no new connection waits for an answer, or it waited for more than an hour; reconnect")
}
