//! Feeds: a site chosen, spaces chosen, run, paused, removed.

use std::{collections::BTreeSet, sync::PoisonError, time::Duration};

use domain::{
    DocumentId, Error, ErrorKind, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    authority::Tokens,
    connection::Ending,
    document::{DocumentKind, Removal},
    feed::{Feed, FeedState, Park, Schedule},
    job::{Standing, Work},
    price::Quote,
    site::Site,
    source::{Meter, Reach, Urgency},
    space::{Estimate, Space},
    store::Wanted,
    sync_run::{RunKind, SyncRun, Trigger},
};

use futures::{StreamExt, stream};
use sync::{run::facts, schedule::due};
use tokio::time::Instant;

use crate::{App, Caller, connections::CONNECTING_MAX};

/// The most spaces that are offered for choosing; a site with more is searched by name at Atlassian first.
const SPACES_OFFERED_MAX: usize = 10_000;
/// The most spaces of one feed.
pub const SPACES_CHOSEN_MAX: usize = 1_000;
/// How long choosing may wait for Atlassian's list.
const OFFER_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a list of spaces serves for choosing, and how many of them are kept.
const OFFER_LIFE: Duration = Duration::from_secs(5 * 60);
const OFFERS_MAX: usize = 8;
/// The most spaces whose size is asked for when they are added, how many at once, and how long that may take: the
/// person waits for it.
const ESTIMATED_MAX: usize = 40;
const ESTIMATES_AT_ONCE: usize = 4;
const ESTIMATE_TIME_MAX: Duration = Duration::from_secs(8);

impl App {
    pub async fn feed(&self, caller: &Caller, id: FeedId) -> Result<Feed> {
        self.seen_feed(caller, id).await
    }

    pub async fn feeds(&self, caller: &Caller, index: IndexId) -> Result<Vec<Feed>> {
        self.seen_index(caller, index).await?;
        self.store().feeds(index).await
    }

    /// The sites that the feed's connection reaches.
    pub async fn sites(&self, caller: &Caller, feed: FeedId) -> Result<Vec<Site>> {
        let feed = self.managed_feed(caller, feed).await?;
        let connection = feed.connection.ok_or_else(not_connected)?;
        let tokens = self.tokens();
        let token = tokens.access_token(connection, None).await?;
        match self.authority().sites(&token).await {
            Err(error) if error.kind == ErrorKind::Unauthenticated => {
                let token = tokens.access_token(connection, Some(&token)).await?;
                self.authority().sites(&token).await.map_err(refused_twice)
            }
            sites => sites,
        }
    }

    /// Fixes the feed's site. It can be changed until spaces were chosen.
    pub async fn choose_site(&self, caller: &Caller, feed: FeedId, site: &SiteId) -> Result<Feed> {
        let sites = self.sites(caller, feed).await?;
        let site = sites.into_iter().find(|granted| granted.id == *site).ok_or_else(|| {
            Error::not_found("this connection does not reach that site; reconnect and tick it on Atlassian's page")
        })?;
        match self.store().feed(feed).await?.state {
            FeedState::ChoosingSite | FeedState::ChoosingSpaces => {}
            FeedState::Connecting { .. } => return Err(not_connected()),
            FeedState::Active | FeedState::Paused | FeedState::Parked(_) | FeedState::Removed => {
                return Err(Error::conflict(
                    "this feed has its site already; make a new integration for another one",
                ));
            }
        }
        let missing = (self.scopes().missing_for_import)(&site.scopes);
        self.store().set_feed_site(feed, &site).await?;
        let state = match missing.is_empty() {
            true => FeedState::ChoosingSpaces,
            false => FeedState::Parked(Park::NeedsScopes { missing }),
        };
        self.store().set_feed_state(feed, &state).await?;
        let connected = self.reach(feed).await?;
        if let Ok(me) = self.source().me(&connected).await {
            self.store().set_connection_account(connected.connection, &me).await?;
        }
        self.charge(feed, &connected).await?;
        self.feed_changed(feed);
        self.store().feed(feed).await
    }

    /// The spaces that the connected person can see on the feed's site.
    pub async fn spaces(&self, caller: &Caller, feed: FeedId) -> Result<Vec<Space>> {
        self.managed_feed(caller, feed).await?;
        let reach = self.reach(feed).await?;
        let slow = || Error::unavailable("Atlassian took more than a minute to list the spaces; try again");
        let offered = tokio::time::timeout(OFFER_TIME_MAX, self.offered(&reach)).await;
        self.charge(feed, &reach).await?;
        let offered = offered.map_err(|_| slow())??;
        let mut kept = self.0.offered.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, at, _)| self.now().is_within(OFFER_LIFE, *at));
        kept.truncate(OFFERS_MAX - 1);
        kept.insert(0, (feed, self.now(), offered.clone()));
        Ok(offered)
    }

    /// The list that was last offered for this feed, if that is not long ago; else nothing.
    fn offered_lately(&self, feed: FeedId) -> Vec<Space> {
        let kept = self.0.offered.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |at: &Timestamp| self.now().is_within(OFFER_LIFE, *at);
        let found = kept.iter().find(|(of, at, _)| *of == feed && lately(at));
        found.map(|(_, _, spaces)| spaces.clone()).unwrap_or_default()
    }

    async fn offered(&self, reach: &Reach) -> Result<Vec<Space>> {
        let mut spaces = Vec::new();
        let mut after = None;
        while spaces.len() < SPACES_OFFERED_MAX {
            let listed = self.source().spaces(reach, after.as_ref()).await?;
            spaces.extend(listed.items);
            match listed.next {
                // The same place again is no place to go on.
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                Some(_) | None => break,
            }
        }
        Ok(spaces)
    }

    /// About how much these spaces hold, and what it costs to carry them. Changes nothing.
    pub async fn estimate(&self, caller: &Caller, feed: FeedId, spaces: &[SpaceId]) -> Result<Quote> {
        let chosen = self.chosen(caller, feed, spaces).await?;
        let reach = self.reach(feed).await?;
        let estimate = self.source().estimate(&reach, &chosen).await;
        self.charge(feed, &reach).await?;
        let (pace, budget) = (self.pace(), self.budget_picture().await?);
        Ok(Quote::of(estimate?, chosen.len() as u64, pace, &budget, self.now()))
    }

    /// Adds spaces to the feed and starts importing them.
    pub async fn add_spaces(&self, caller: &Caller, feed: FeedId, spaces: &[SpaceId]) -> Result<Feed> {
        let chosen = self.chosen(caller, feed, spaces).await?;
        let this = self.store().feed(feed).await?;
        match this.state {
            FeedState::ChoosingSpaces | FeedState::Active | FeedState::Paused | FeedState::Parked(_) => {}
            FeedState::Connecting { .. } | FeedState::ChoosingSite => return Err(not_connected()),
            FeedState::Removed => return Err(Error::conflict("this integration was removed; make a new one")),
        }
        self.refuse_twice(&this, &chosen).await?;
        let reach = self.reach(feed).await?;
        let estimated = self.estimated(&reach, chosen).await;
        self.charge(feed, &reach).await?;
        self.store()
            .add_feed_spaces(feed, &reach.site.id, &estimated, self.now())
            .await?;
        if this.state == FeedState::ChoosingSpaces {
            self.store().set_feed_state(feed, &FeedState::Active).await?;
        }
        self.queue_sync(feed).await?;
        self.store().feed(feed).await
    }

    /// Each space with about how much it holds. An estimate is for the eye: without it, or when it is slow, the import
    /// still goes.
    async fn estimated(&self, reach: &Reach, spaces: Vec<Space>) -> Vec<(Space, Option<Estimate>)> {
        let until = Instant::now() + ESTIMATE_TIME_MAX;
        let mut spaces = spaces;
        let rest = spaces.split_off(spaces.len().min(ESTIMATED_MAX));
        let asked = stream::iter(spaces).map(|space| self.estimated_space(reach.clone(), space, until));
        let mut estimated: Vec<_> = asked.buffered(ESTIMATES_AT_ONCE).collect().await;
        estimated.extend(rest.into_iter().map(|space| (space, None)));
        estimated
    }

    async fn estimated_space(&self, reach: Reach, space: Space, until: Instant) -> (Space, Option<Estimate>) {
        let estimate = self.source().estimate(&reach, std::slice::from_ref(&space));
        let estimate = tokio::time::timeout_at(until, estimate).await;
        (space, estimate.ok().and_then(Result::ok))
    }

    async fn chosen(&self, caller: &Caller, feed: FeedId, spaces: &[SpaceId]) -> Result<Vec<Space>> {
        let wanted: BTreeSet<&SpaceId> = spaces.iter().collect();
        match wanted.len() {
            0 => return Err(Error::invalid("choose at least one space")),
            n if n > SPACES_CHOSEN_MAX => {
                return Err(Error::invalid(format!(
                    "a feed carries at most {SPACES_CHOSEN_MAX} spaces"
                )));
            }
            _ => {}
        }
        self.managed_feed(caller, feed).await?;
        let among = |offered: Vec<Space>| -> Vec<Space> {
            offered.into_iter().filter(|space| wanted.contains(&space.id)).collect()
        };
        // The list that the person chose from a moment ago will do: reading it anew costs Atlassian's points each time.
        let mut chosen = among(self.offered_lately(feed));
        if chosen.len() != wanted.len() {
            chosen = among(self.spaces(caller, feed).await?);
        }
        match chosen.len() == wanted.len() {
            true => Ok(chosen),
            false => Err(Error::not_found(
                "one of these spaces is not among those that the connected person can see; load the list again",
            )),
        }
    }

    /// One space is carried into one index once: twice would show every page twice.
    async fn refuse_twice(&self, feed: &Feed, chosen: &[Space]) -> Result<()> {
        for other in self.store().feeds(feed.index).await? {
            let same_site = other.site.as_ref().map(|site| &site.id) == feed.site.as_ref().map(|site| &site.id);
            if other.id == feed.id || !same_site || other.state == FeedState::Removed {
                continue;
            }
            let carried = self.store().feed_spaces(other.id).await?;
            if let Some(space) = chosen
                .iter()
                .find(|space| carried.iter().any(|carried| carried.space.id == space.id))
            {
                return Err(Error::conflict(format!(
                    "{} is brought into this index by another integration already",
                    space.key
                )));
            }
        }
        Ok(())
    }

    /// Reads everything again now; a person does not wait for the schedule. A feed that waits for what may be over is tried
    /// again, and a dead job revived.
    pub async fn resync(&self, caller: &Caller, feed: FeedId) -> Result<()> {
        self.managed_feed(caller, feed).await?;
        self.make_ready(feed).await?;
        self.queue_sync(feed).await
    }

    /// Compares everything that the site shows with what is found here, without changing either; the run that does. One
    /// that waits or goes on already is given again.
    pub async fn verify(&self, caller: &Caller, feed: FeedId) -> Result<SyncRun> {
        self.managed_feed(caller, feed).await?;
        if self.store().feed_spaces(feed).await?.is_empty() {
            return Err(Error::conflict(
                "this integration carries no space yet; choose some first",
            ));
        }
        self.make_ready(feed).await?;
        let run = match self.store().verify_of(feed).await? {
            Some(asked) => asked,
            None => self.asked_to_verify(feed).await?,
        };
        self.queue_wish(feed).await?;
        Ok(run)
    }

    async fn asked_to_verify(&self, feed: FeedId) -> Result<SyncRun> {
        let (kind, trigger) = (RunKind::Verify, Trigger::Person);
        match self.store().open_run(feed, kind, trigger, self.now()).await {
            // Somebody else asked at the same moment.
            Err(error) if error.kind == ErrorKind::Conflict => self.store().verify_of(feed).await?.ok_or(error),
            asked => asked,
        }
    }

    /// Reads one document again, whatever the schedule: one that could not be read, or one that is not here yet. The feed
    /// that does.
    pub async fn retry(&self, caller: &Caller, index: IndexId, document: &DocumentId) -> Result<Feed> {
        caller.must_manage()?;
        self.seen_index(caller, index).await?;
        let (feed, kind) = self.reader_of(index, document).await?;
        self.make_ready(feed.id).await?;
        match kind {
            // These are told of by their space alone; a file's bytes are read again after it.
            Some(DocumentKind::Attachment) => {
                let id = std::slice::from_ref(&document.content);
                self.store().read_files_anew(feed.id, id).await?;
                self.queue_sync(feed.id).await?;
            }
            Some(DocumentKind::Comment) => self.queue_sync(feed.id).await?,
            Some(DocumentKind::Page | DocumentKind::BlogPost) | None => {
                let id = document.content.clone();
                self.store().want(feed.id, &Wanted { id, kind }, self.now()).await?;
                self.queue_wish(feed.id).await?;
            }
        }
        self.store().feed(feed.id).await
    }

    /// The feed of this index that holds the document or failed to read it, or else the first that carries its site; and
    /// what kind it is, if anybody knows.
    async fn reader_of(&self, index: IndexId, document: &DocumentId) -> Result<(Feed, Option<DocumentKind>)> {
        let feeds = self.store().feeds(index).await?;
        let of_site = |feed: &Feed| feed.site.as_ref().is_some_and(|site| site.id == document.site);
        let feeds: Vec<Feed> = feeds
            .into_iter()
            .filter(|feed| feed.state != FeedState::Removed && of_site(feed))
            .collect();
        for feed in &feeds {
            let id = std::slice::from_ref(&document.content);
            if let Some(known) = self.store().known(feed.id, id).await?.remove(&document.content) {
                if known.removed == Some(Removal::DeletedHere) {
                    return Err(Error::conflict(
                        "somebody deleted this document from the index; syncing does not bring it back",
                    ));
                }
                return Ok((feed.clone(), Some(known.kind)));
            }
            let failures = self.store().failures_of(feed.id, &document.content, 1).await?;
            if let Some(failure) = failures.first() {
                return Ok((feed.clone(), failure.kind));
            }
        }
        if document.content.as_str().parse::<i64>().is_err() {
            return Err(Error::invalid(
                "a page or blog post that is not here yet has a number for its id",
            ));
        }
        let first = feeds.into_iter().next();
        first.map(|feed| (feed, None)).ok_or_else(|| {
            Error::not_found(format!(
                "no integration of this index carries the site of document {document}"
            ))
        })
    }

    /// A feed that a person wants something of must be able to run. One that waits for what may be over is tried again.
    async fn make_ready(&self, feed: FeedId) -> Result<()> {
        match self.store().feed(feed).await?.state {
            FeedState::Active => Ok(()),
            // What is kept back from the schedule is kept for this.
            FeedState::Parked(Park::QuotaSpent { .. }) if self.budget_picture().await?.serves_people() => {
                self.store().unpark_feed(feed).await
            }
            FeedState::Parked(Park::QuotaSpent { until }) => Err(Error::conflict(format!(
                "the points of this hour are spent; it goes on by itself at {until}"
            ))),
            FeedState::Parked(park) if park.may_mend() => self.store().set_feed_state(feed, &FeedState::Active).await,
            FeedState::Parked(_) => Err(Error::conflict("reconnect first")),
            FeedState::Paused => Err(Error::conflict("this integration is paused; resume it first")),
            FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => {
                Err(Error::conflict("choose the site and the spaces first"))
            }
            FeedState::Removed => Err(Error::conflict("this integration was removed")),
        }
    }

    /// Stops the feed until somebody resumes it; a run that goes on ends at its next answer. Pausing twice is pausing.
    pub async fn pause(&self, caller: &Caller, feed: FeedId) -> Result<()> {
        match self.managed_feed(caller, feed).await?.state {
            FeedState::Active | FeedState::Parked(Park::QuotaSpent { .. } | Park::Misconfigured { .. }) => {
                self.store().set_feed_state(feed, &FeedState::Paused).await?;
                self.feed_changed(feed);
                Ok(())
            }
            FeedState::Paused => Ok(()),
            FeedState::Parked(
                Park::NeedsReconnect { .. }
                | Park::AccessLost { .. }
                | Park::NeedsScopes { .. }
                | Park::Withdrawn { .. },
            )
            | FeedState::Connecting { .. }
            | FeedState::ChoosingSite
            | FeedState::ChoosingSpaces
            | FeedState::Removed => Err(Error::conflict("only a running integration can be paused")),
        }
    }

    /// Goes on where it was. Resuming what runs is no error.
    pub async fn resume(&self, caller: &Caller, feed: FeedId) -> Result<()> {
        match self.managed_feed(caller, feed).await?.state {
            FeedState::Paused => {
                self.store().set_feed_state(feed, &FeedState::Active).await?;
                self.queue(feed, Trigger::Schedule).await
            }
            FeedState::Active => Ok(()),
            FeedState::Connecting { .. }
            | FeedState::ChoosingSite
            | FeedState::ChoosingSpaces
            | FeedState::Parked(_)
            | FeedState::Removed => Err(Error::conflict("only a paused integration can be resumed")),
        }
    }

    /// How often each pass begins by itself, from now on. `Invalid` outside of the bounds of [`Schedule`].
    pub async fn set_schedule(&self, caller: &Caller, feed: FeedId, schedule: Schedule) -> Result<Feed> {
        self.managed_feed(caller, feed).await?;
        let schedule = schedule.checked()?;
        self.store().set_feed_schedule(feed, &schedule).await?;
        let changed = self.store().feed(feed).await?;
        if changed.state == FeedState::Active && self.store().standing(feed).await?.is_some() {
            // What waits for longer than the new intervals comes earlier.
            let trigger = Trigger::Schedule;
            let spaces = self.store().feed_spaces(feed).await?;
            let due = due(&facts(self.store(), &changed, &spaces, self.now()).await?, self.now());
            if let Some(at) = due.next() {
                self.store().enqueue(Work::SyncFeed { feed, trigger }, at).await?;
            }
        }
        self.feed_changed(feed);
        Ok(changed)
    }

    /// Stops the feed and deletes the stored tokens; its documents stay until somebody deletes them.
    pub async fn remove_feed(&self, caller: &Caller, feed: FeedId) -> Result<()> {
        let feed = self.managed_feed(caller, feed).await?;
        self.store().set_feed_state(feed.id, &FeedState::Removed).await?;
        self.release_connection(&feed).await?;
        self.drop_reconnection(feed.id).await?;
        if self.store().feed_spaces(feed.id).await?.is_empty() {
            self.store().delete_feed(feed.id).await?;
        }
        self.feed_changed(feed.id);
        Ok(())
    }

    pub(crate) async fn reach(&self, feed: FeedId) -> Result<Reach> {
        let feed = self.store().feed(feed).await?;
        match (feed.connection, feed.site) {
            (Some(connection), Some(site)) => Ok(Reach {
                connection,
                site,
                urgency: Urgency::Person,
                meter: Meter::default(),
            }),
            (Some(_), None) => Err(Error::conflict("choose the site first")),
            (None, _) => Err(not_connected()),
        }
    }

    /// What a person asked for by name is written down already: the job needs only to begin. A dead one is revived, which
    /// reads everything again besides.
    async fn queue_wish(&self, feed: FeedId) -> Result<()> {
        let trigger = match self.store().standing(feed).await? {
            Some(Standing::Dead { .. }) => Trigger::Person,
            Some(Standing::Waits { .. } | Standing::Runs) | None => Trigger::Schedule,
        };
        self.queue(feed, trigger).await
    }

    /// Everything is read again, or imported if it never was.
    pub(crate) async fn queue_sync(&self, feed: FeedId) -> Result<()> {
        self.queue(feed, Trigger::Person).await
    }

    pub(crate) async fn queue(&self, feed: FeedId, trigger: Trigger) -> Result<()> {
        self.store()
            .enqueue(Work::SyncFeed { feed, trigger }, self.now())
            .await?;
        self.0.queued.notify_one();
        self.feed_changed(feed);
        Ok(())
    }

    /// Whether the person has been at Atlassian for too long: then the hint about the site admin is shown.
    pub fn connecting_too_long(&self, feed: &Feed) -> bool {
        match feed.state {
            FeedState::Connecting { since } => self.now().since(since) > CONNECTING_MAX,
            _ => false,
        }
    }
}

fn refused_twice(error: Error) -> Error {
    match error.kind {
        ErrorKind::Unauthenticated => Error::ended(Ending::Revoked, error.message),
        _ => error,
    }
}

fn not_connected() -> Error {
    Error::conflict("this integration is not connected to Atlassian yet; connect it first")
}
