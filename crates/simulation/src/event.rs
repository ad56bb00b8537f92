//! What happens in a world besides work: people write, admins take away, machines and networks fail, clocks jump.
//!
//! An event is a word and two numbers that choose among what is there, so that it means something in any world and a
//! script stays a script when lines are taken out of it.

use domain::{ErrorKind, FeedId, Result, feed::FeedState};
use serde_json::{Value, json};

use crate::{
    board::{Aim, HttpFault},
    chance::Chance,
    shape::{Group, Profile},
    world::{Item, PlaceState, World},
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal $group:ident $weight:literal,)*) => {
        /// What kind of thing happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            const ALL: &'static [(Self, &'static str, Group, usize)] = &[$((Self::$name, $word, Group::$group, $weight),)*];
        }
    };
}

kinds! {
    Create "create" Writing 8,
    Blog "blog" Writing 3,
    Edit "edit" Writing 10,
    Rename "rename" Writing 5,
    MoveWithin "move-within" Writing 4,
    MoveBetween "move-between" Writing 5,
    Trash "trash" Writing 5,
    Restore "restore" Writing 4,
    Purge "purge" Writing 3,
    Archive "archive" Writing 3,
    Restrict "restrict" Writing 5,
    Unrestrict "unrestrict" Writing 4,
    Comment "comment" Writing 4,
    Reply "reply" Writing 2,
    EditComment "edit-comment" Writing 2,
    Resolve "resolve" Writing 2,
    Attach "attach" Writing 3,
    Replace "replace" Writing 2,
    Label "label" Writing 1,
    /// The first page of all, and with it what is below: in a large world, more than is believed at once.
    HideFirst "hide-first" Writing 1,
    ShowFirst "show-first" Writing 1,
    LoseSpace "lose-space" Withdrawing 4,
    RegainSpace "regain-space" Withdrawing 4,
    ArchiveSpace "archive-space" Withdrawing 1,
    RestoreSpace "restore-space" Withdrawing 2,
    DeleteSpace "delete-space" Withdrawing 1,
    RenameKey "rename-key" Withdrawing 1,
    RevokeConsent "revoke-consent" Withdrawing 3,
    Reconnect "reconnect" Asking 2,
    Pause "pause" Asking 2,
    Resume "resume" Asking 3,
    Resync "resync" Asking 9,
    /// Kills a process: before an operation, or after it and before its result is told.
    Crash "crash" Crashing 12,
    /// Time passes: minutes, hours, a day.
    Jump "jump" Writing 4,
    /// The machine's clock is set before or behind.
    Skew "skew" Crashing 2,
    Unavailable "unavailable" Failing 6,
    Unreachable "unreachable" Failing 3,
    TooMany "too-many" Failing 4,
    Cut "cut" Failing 4,
    Malformed "malformed" Failing 3,
    Duplicate "duplicate" Failing 3,
    BadRow "bad-row" Failing 4,
    DroppedNext "dropped-next" Failing 5,
    ExpiredCursor "expired-cursor" Failing 3,
    TokenTrouble "token-trouble" Failing 3,
    FullDisk "full-disk" Crashing 3,
    Quota "quota" Failing 2,
    /// How far Atlassian's search is behind what people wrote.
    Lag "lag" Writing 3,
    /// Nothing goes wrong until the first import is over.
    Settle "settle" Asking 0,
    /// Nothing goes wrong any more until all is at rest.
    Quiet "quiet" Asking 0,
}

impl Kind {
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(_, word, ..)| word)
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known, ..)| *known == word)
            .map(|(kind, ..)| *kind)
    }

    pub fn drawn(chance: &mut Chance, profile: Profile) -> Self {
        let weighed = |(.., group, weight): &(Self, &str, Group, usize)| weight * profile.favours(*group);
        let mut drawn = chance.below(Self::ALL.iter().map(weighed).sum());
        for kind in Self::ALL {
            let weight = weighed(kind);
            if drawn < weight {
                return kind.0;
            }
            drawn -= weight;
        }
        Self::Edit
    }
}

/// What happens, and which of what is there it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The step before which it happens.
    pub at: u64,
    pub kind: Kind,
    pub a: usize,
    pub b: usize,
}

const MINUTE_MS: i64 = 60_000;
/// How far time jumps.
const JUMPS_MS: [i64; 6] = [
    30_000,
    4 * MINUTE_MS,
    6 * MINUTE_MS,
    11 * MINUTE_MS,
    61 * MINUTE_MS,
    25 * 60 * MINUTE_MS,
];
/// How far the machine's clock is from Atlassian's.
const SKEWS_MS: [i64; 4] = [0, 3 * MINUTE_MS, -3 * MINUTE_MS, -60 * MINUTE_MS];
/// How far Atlassian's search is behind (facts.md §6: a minute or more); the product looks back further than that.
const LAGS_MS: [i64; 4] = [MINUTE_MS, 3 * MINUTE_MS, 9 * MINUTE_MS, 0];
/// Which of these is the longest.
pub const LAG_LONGEST: usize = 2;
/// The jump after which a pass of changes is due, and which is shorter than the longest lag.
pub const JUMP_TO_CHANGES: usize = 2;
const RETRY_AFTERS: [Option<i64>; 5] = [Some(2), Some(0), Some(999_999_999), None, Some(30)];

impl World {
    /// Lets it happen. Crashes, jumps and rest are the driver's.
    pub async fn happen(&mut self, event: Event) -> Result<()> {
        let board = &self.board;
        let status = |status, retry_after| HttpFault::Status { status, retry_after };
        let aim = if event.b.is_multiple_of(2) {
            Aim::Midway
        } else {
            Aim::Any
        };
        match event.kind {
            Kind::Unavailable => (0..1 + event.a % 7).for_each(|_| board.spoil_answer(status(503, None), aim)),
            Kind::Unreachable => (0..1 + event.a % 7).for_each(|_| board.spoil_answer(HttpFault::Unreachable, aim)),
            Kind::TooMany => board.spoil_answer(status(429, RETRY_AFTERS[event.a % RETRY_AFTERS.len()]), aim),
            Kind::Cut => board.spoil_answer(HttpFault::Cut, aim),
            Kind::Malformed => board.spoil_answer(HttpFault::Malformed, aim),
            Kind::Duplicate => board.spoil_answer(HttpFault::Duplicate, aim),
            Kind::BadRow => board.spoil_answer(HttpFault::BadRow, aim),
            Kind::DroppedNext => board.spoil_answer(HttpFault::DroppedNext, aim),
            Kind::ExpiredCursor => board.spoil_answer(HttpFault::ExpiredCursor, Aim::Midway),
            Kind::Lag => {
                let lag_ms = LAGS_MS[event.a % LAGS_MS.len()];
                self.judge.lags(lag_ms);
                let _ = self.control("faults", json!({ "search_lag_ms": lag_ms }));
            }
            Kind::TokenTrouble => {
                let faults = [
                    HttpFault::Cut,
                    HttpFault::Unreachable,
                    status(503, None),
                    status(429, Some(5)),
                ];
                board.spoil_token_answer(faults[event.a % faults.len()]);
            }
            Kind::FullDisk => board.fill_disk(1 + (event.a % 4) as u32),
            Kind::Skew => board.set_skew(SKEWS_MS[event.a % SKEWS_MS.len()]),
            Kind::Quota => {
                let points = [Some(0), Some(20), None][event.a % 3];
                let _ = self.control("quota", json!({ "points": points }));
            }
            Kind::RevokeConsent => {
                let account = &self.people[event.a % self.people.len()];
                for (feed, facts) in self.judge.feeds() {
                    if facts.account == *account {
                        self.judge.excuse(feed);
                    }
                }
                let _ = self.control("revoke-consent", json!({ "account": account }));
            }
            Kind::Reconnect | Kind::Pause | Kind::Resume | Kind::Resync => {
                if let Some(feed) = self.feeds.get(event.a % self.feeds.len().max(1)).copied() {
                    tolerated(self.person_does(event.kind, feed).await)?;
                }
            }
            Kind::Crash | Kind::Jump | Kind::Settle | Kind::Quiet => {}
            _ => {
                self.edited(event);
                self.look();
            }
        }
        Ok(())
    }

    async fn person_does(&self, kind: Kind, feed: FeedId) -> Result<()> {
        match kind {
            Kind::Pause => self.app.pause(&self.caller, feed).await,
            Kind::Resume => self.app.resume(&self.caller, feed).await,
            Kind::Resync => self.app.resync(&self.caller, feed).await,
            _ => {
                let start = self.app.reconnect(&self.caller, feed).await?;
                let account = self.judge.feeds().get(&feed).map(|facts| facts.account.clone());
                self.come_back(&start.url, &account.unwrap_or_default()).await?;
                // Some spaces are out of this person's sight by now: so be it.
                if self.app.reconnection(&self.caller, feed).await?.is_some() {
                    self.app.accept_reconnection(&self.caller, feed).await?;
                }
                if let Some(connection) = self.store.feed(feed).await?.connection {
                    self.judge.connection_is(feed, connection);
                }
                Ok(())
            }
        }
    }

    /// Nothing goes wrong any more, and whoever's tokens may be dead is connected anew: perhaps nobody noticed yet.
    pub async fn mend(&mut self) -> Result<()> {
        self.board.heal();
        let _ = self.control("quota", json!({ "points": null }));
        let _ = self.control("faults", json!({ "search_lag_ms": 0 }));
        for feed in self.feeds.clone() {
            if self.judge.is_excused(feed) {
                tolerated(self.person_does(Kind::Reconnect, feed).await)?;
            }
        }
        self.tend().await
    }

    /// People want everything read again.
    pub async fn resync_all(&self) -> Result<()> {
        for feed in &self.feeds {
            tolerated(self.person_does(Kind::Resync, *feed).await)?;
        }
        Ok(())
    }

    /// People do what the feeds' pages ask of them, as far as Atlassian lets them now.
    pub async fn tend(&mut self) -> Result<()> {
        for feed in self.feeds.clone() {
            let kind = match self.store.feed(feed).await?.state {
                FeedState::Active => continue,
                FeedState::Paused => Kind::Resume,
                FeedState::Parked(park) if park.until().is_some() => continue,
                _ => Kind::Reconnect,
            };
            tolerated(self.person_does(kind, feed).await)?;
        }
        Ok(())
    }

    fn edited(&mut self, event: Event) {
        let places = self.places.len();
        let place = self.places[event.a % places].clone();
        let cloud = |site: usize| json!(self.sites[site].as_str());
        let item = self.item(event).filter(|item| !self.is_in_closed_space(item));
        let writes = matches!(event.kind, Kind::Create | Kind::Blog);
        if writes && place.state != PlaceState::Open {
            return;
        }
        let account = match event.kind {
            Kind::LoseSpace | Kind::RegainSpace => {
                let connecting = self.accounts_of_feeds();
                json!(connecting[event.b % connecting.len()])
            }
            _ => json!(self.people[event.b % self.people.len()]),
        };
        let body = format!("<p>Written at step {}</p>", event.at);
        let (name, site, asked) = match (event.kind, &item) {
            (Kind::Create, _) => {
                let parent = item
                    .as_ref()
                    .filter(|item| item.kind == "page" && item.site == place.site && event.b.is_multiple_of(2));
                let title = format!("Page of step {} {}", event.at, event.b);
                let parent = parent.map(|item| item.id.clone());
                (
                    "create",
                    place.site,
                    json!({ "space": place.key, "title": title, "body": body, "parent": parent }),
                )
            }
            (Kind::Blog, _) => {
                let title = format!("Post of step {} {}", event.at, event.b);
                (
                    "create",
                    place.site,
                    json!({ "space": place.key, "kind": "blogpost", "title": title, "body": body }),
                )
            }
            (Kind::LoseSpace, _) => (
                "revoke",
                place.site,
                json!({ "space": place.key, "accounts": [account] }),
            ),
            (Kind::RegainSpace, _) => (
                "grant",
                place.site,
                json!({ "space": place.key, "accounts": [account] }),
            ),
            (Kind::ArchiveSpace, _) => ("archive-space", place.site, json!({ "space": place.key })),
            (Kind::RestoreSpace, _) => ("restore-space", place.site, json!({ "space": place.key })),
            (Kind::RenameKey, _) => {
                let to = format!("K{}", event.at);
                ("rename-space-key", place.site, json!({ "space": place.key, "to": to }))
            }
            (Kind::DeleteSpace, _)
                if self
                    .places
                    .iter()
                    .filter(|place| place.state == PlaceState::Open)
                    .count()
                    > 1 =>
            {
                ("delete-space", place.site, json!({ "space": place.key }))
            }
            (Kind::DeleteSpace, _) => return,
            (_, None) => return,
            (kind, Some(item)) => {
                let Some((name, asked)) = change(kind, item, event, self, body, account) else {
                    return;
                };
                (name, item.site, asked)
            }
        };
        let mut asked = asked;
        asked["cloud_id"] = cloud(site);
        let said = self.control(name, asked);
        if said.is_some() {
            self.place_noted(event);
        }
        self.noted(event, item, site, said);
    }

    /// Content that suits the event.
    fn item(&self, event: Event) -> Option<Item> {
        let kinds: &[&str] = match event.kind {
            Kind::Comment | Kind::Attach | Kind::Restrict | Kind::Unrestrict | Kind::Label => &["page", "blogpost"],
            Kind::Edit | Kind::Rename => &["page", "blogpost"],
            Kind::MoveWithin | Kind::MoveBetween | Kind::Archive | Kind::Create => &["page"],
            Kind::Reply | Kind::Resolve | Kind::EditComment => &["comment"],
            Kind::Replace => &["attachment"],
            _ => &["page", "blogpost", "comment", "attachment"],
        };
        if matches!(event.kind, Kind::HideFirst | Kind::ShowFirst) {
            return self
                .items
                .iter()
                .find(|item| item.kind == "page" && !item.purged)
                .cloned();
        }
        let suits = |item: &&Item| !item.purged && kinds.contains(&item.kind.as_str());
        let suiting: Vec<&Item> = self.items.iter().filter(suits).collect();
        suiting.get(event.a % suiting.len().max(1)).map(|item| (*item).clone())
    }

    /// Nobody writes in an archived space.
    fn is_in_closed_space(&self, item: &Item) -> bool {
        let closed = self
            .places
            .iter()
            .filter(|place| place.site == item.site && place.state != PlaceState::Open);
        closed.into_iter().any(|place| {
            let site = self.sites[place.site].as_str();
            let shown = |account: &String| self.fake.truth(account, site, &place.key);
            self.people.iter().flat_map(shown).any(|row| row.id == item.id)
        })
    }

    /// Keeps in mind what became of a space.
    fn place_noted(&mut self, event: Event) {
        let number = event.a % self.places.len();
        let place = &mut self.places[number];
        match event.kind {
            Kind::ArchiveSpace => place.state = PlaceState::Archived,
            Kind::DeleteSpace => place.state = PlaceState::Deleted,
            Kind::RestoreSpace => place.state = PlaceState::Open,
            Kind::RenameKey => {
                place.key = format!("K{}", event.at);
                self.judge.key_is(&place.id, &place.key);
            }
            _ => {}
        }
    }

    /// Keeps in mind what came and what is gone for good.
    fn noted(&mut self, event: Event, item: Option<Item>, site: usize, said: Option<Value>) {
        let Some(said) = said else { return };
        let id = said["id"].as_str().unwrap_or_default().to_owned();
        match event.kind {
            Kind::Create | Kind::Blog | Kind::Comment | Kind::Reply | Kind::Attach => {
                let kind = said["kind"].as_str().unwrap_or_default().to_owned();
                if !self.items.iter().any(|item| item.site == site && item.id == id) {
                    self.items.push(Item {
                        site,
                        id,
                        kind,
                        purged: false,
                    });
                }
            }
            Kind::Purge => {
                let gone = item.map(|item| item.id);
                for item in self.items.iter_mut().filter(|item| item.site == site) {
                    item.purged |= gone.as_deref() == Some(&item.id);
                }
            }
            _ => {}
        }
    }
}

fn change(
    kind: Kind,
    item: &Item,
    event: Event,
    world: &World,
    body: String,
    account: Value,
) -> Option<(&'static str, Value)> {
    let id = &item.id;
    let people = &world.people;
    let there: Vec<_> = world
        .places
        .iter()
        .filter(|place| place.site == item.site && place.state == PlaceState::Open)
        .collect();
    Some(match kind {
        Kind::Edit | Kind::EditComment => ("edit", json!({ "id": id, "body": body })),
        Kind::Rename => (
            "rename",
            json!({ "id": id, "to": format!("Renamed at step {} {}", event.at, event.b) }),
        ),
        Kind::MoveWithin => ("move", json!({ "id": id, "parent": null })),
        Kind::MoveBetween => {
            let place = there.get(event.b % there.len().max(1))?;
            ("move", json!({ "id": id, "to_space": place.key, "parent": null }))
        }
        Kind::Trash => ("trash", json!({ "id": id })),
        Kind::Restore => ("restore", json!({ "id": id })),
        Kind::Purge => ("purge", json!({ "id": id })),
        Kind::Archive => ("archive", json!({ "id": id })),
        Kind::Restrict => ("restrict", json!({ "id": id, "accounts": [account] })),
        // Nobody who connected a feed is among them.
        Kind::HideFirst => ("restrict", json!({ "id": id, "accounts": [people.last()] })),
        Kind::ShowFirst => ("unrestrict", json!({ "id": id })),
        Kind::Unrestrict => ("unrestrict", json!({ "id": id })),
        Kind::Comment => (
            "comment",
            json!({ "id": id, "body": body, "inline": event.b.is_multiple_of(2), "quoted": "text" }),
        ),
        Kind::Reply => ("comment", json!({ "reply_to": id, "body": body })),
        Kind::Resolve => ("resolve", json!({ "id": id })),
        Kind::Attach => {
            let name = format!("file-of-step-{}.txt", event.at);
            ("attach", json!({ "id": id, "file_name": name, "text": "text" }))
        }
        Kind::Replace => ("edit", json!({ "id": id, "text": body })),
        Kind::Label => (
            "label",
            json!({ "id": id, "labels": [format!("label-{}", event.b % 5)] }),
        ),
        _ => return None,
    })
}

/// How far time jumps.
pub fn jump_ms(event: Event) -> i64 {
    JUMPS_MS[event.a % JUMPS_MS.len()]
}

/// What a person is refused is no fault of the world.
fn tolerated(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind == ErrorKind::Internal => Err(error),
        _ => Ok(()),
    }
}
