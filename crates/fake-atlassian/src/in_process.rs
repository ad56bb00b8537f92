//! What a test or a simulation in the same process does to the fake and asks of it, without HTTP and without waiting.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    FakeAtlassian, control,
    journal::JournalRow,
    truth::TruthRow,
    world::{Kind, Site, SpaceStatus, space_id},
};

/// A space, as far as a test wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceView {
    pub id: String,
    pub key: String,
    pub name: String,
    pub status: SpaceStatus,
}

impl FakeAtlassian {
    /// What `POST /_world/{name}` does, with the same answer; an error is why it was not done.
    pub fn control(&self, name: &str, body: Value) -> Result<Value, String> {
        control::asked_for(&self.0, name, body).map_err(|refused| refused.reason)
    }

    /// What the account sees in the space now, by kind and then by id; nothing when it, the site or the space is unknown.
    pub fn truth(&self, account: &str, cloud_id: &str, space_key: &str) -> Vec<TruthRow> {
        let world = self.0.world();
        match (world.person(account), world.site(cloud_id)) {
            (Some(person), Some(site)) => world.truth(person, site, space_key),
            _ => Vec::new(),
        }
    }

    /// Every space of the site, whoever may read it, deleted ones included; by id.
    pub fn spaces(&self, cloud_id: &str) -> Vec<SpaceView> {
        self.spaces_where(cloud_id, |_, _| true)
    }

    /// The spaces that the account's listing shows now.
    pub fn spaces_seen(&self, account: &str, cloud_id: &str) -> Vec<SpaceView> {
        let reader = {
            let world = self.0.world();
            let person = world.person(account);
            let active = |person: u16| {
                world
                    .people
                    .get(usize::from(person))
                    .is_some_and(|person| person.active)
            };
            person
                .zip(world.site(cloud_id))
                .map(|(person, site)| site.reader(person, active(person)))
        };
        self.spaces_where(cloud_id, |site, place| {
            reader.is_some_and(|reader| site.sees_space(reader, place))
        })
    }

    fn spaces_where(&self, cloud_id: &str, wanted: impl Fn(&Site, u32) -> bool) -> Vec<SpaceView> {
        let world = self.0.world();
        let Some(site) = world.site(cloud_id) else {
            return Vec::new();
        };
        let view = |place: usize| {
            let space = &site.spaces[place];
            SpaceView {
                id: space_id(place).to_string(),
                key: space.key.clone(),
                name: space.name.clone(),
                status: space.status,
            }
        };
        (0..site.spaces.len())
            .filter(|place| wanted(site, *place as u32))
            .map(view)
            .collect()
    }

    /// The text of a page, blog post or comment that a mirror should hold, in storage format: the present one, but of a
    /// live doc whose current body is empty the newest that is not.
    pub fn body(&self, cloud_id: &str, id: &str) -> Option<Arc<str>> {
        let world = self.0.world();
        let site = world.site(cloud_id)?;
        Some(site.text_to_hold(site.slot(id)?))
    }

    /// The present bytes of an attachment.
    pub fn file(&self, cloud_id: &str, id: &str) -> Option<Bytes> {
        let world = self.0.world();
        let site = world.site(cloud_id)?;
        let slot = site.slot(id).filter(|slot| site.item(*slot).kind == Kind::Attachment)?;
        Some(site.file(slot).bytes)
    }

    /// Milliseconds since 1970, as the fake has it.
    pub fn now(&self) -> i64 {
        self.0.now()
    }

    /// Points that the app spent in this UTC hour.
    pub fn points_this_hour(&self) -> u64 {
        let now = self.0.now();
        self.0.limits().spent_in_the_hour(now)
    }

    /// Points that the app spent ever.
    pub fn points_ever(&self) -> u64 {
        self.0.limits().spent_ever
    }

    /// How many requests were answered ever, to all hosts, refused and failed ones included, `/_world` excepted.
    pub fn calls(&self) -> u64 {
        self.0.journal().noted
    }

    /// The last 200,000 requests, the oldest first.
    pub fn journal(&self) -> Vec<JournalRow> {
        self.0.journal().after(0)
    }

    /// Those requests that came after the first `calls` ever: give what `calls()` said before.
    pub fn journal_after(&self, calls: u64) -> Vec<JournalRow> {
        self.0.journal().after(calls)
    }

    /// Whether a refresh token could be exchanged now: a grant is lost when the one kept can not.
    pub fn refresh_token_lives(&self, token: &str) -> bool {
        let now = self.0.now();
        self.0.oauth().refresh_lives(token, now)
    }
}
