//! The world as it stands now: sites, spaces and what is in them, compact enough for a million pages.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use crate::{chance, generated::Recipe, lag::Change, seed::SeedPerson};

/// The first content id; those of spaces lie below.
const CONTENT_ID_FIRST: u64 = 98_304;
const CONTENT_ID_STEP: u64 = 16;
const SPACE_ID_FIRST: u64 = 32_769;
const SPACE_ID_STEP: u64 = 8;
/// So many earlier versions of an item are kept with their text; the oldest go first.
const PAST_MAX: usize = 20;

/// Everything that exists.
#[derive(Debug, Default)]
pub struct World {
    pub people: Vec<SeedPerson>,
    by_account: HashMap<String, u16>,
    pub sites: Vec<Site>,
}

#[derive(Debug, Default)]
pub struct Site {
    pub cloud_id: String,
    pub name: String,
    pub members: BTreeSet<u16>,
    pub groups: Vec<Group>,
    pub spaces: Vec<Space>,
    /// By slot; nothing is ever taken out, a purged item is marked.
    pub items: Vec<Item>,
    /// (holder, held): pages below pages, comments and attachments on pages, replies under comments.
    pub held: BTreeSet<(u32, u32)>,
    pub recipe: Option<Recipe>,
    /// Members who lost their access to Confluence, and are still on the site.
    pub locked_out: BTreeSet<u16>,
    /// How items were before they were changed, the oldest change first.
    pub changes: VecDeque<Change>,
    /// When what is done now is done; none while the world is made.
    pub changing_at: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub members: BTreeSet<u16>,
}

/// Who may read, by place.
#[derive(Clone, Debug, Default)]
pub enum Readers {
    #[default]
    Everyone,
    Only {
        people: BTreeSet<u16>,
        groups: BTreeSet<u16>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceStatus {
    Current,
    Archived,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Space {
    pub key: String,
    pub name: String,
    pub kind: String,
    pub description: Option<String>,
    pub readers: Readers,
    pub status: SpaceStatus,
    /// An admin's app access rule hides what is in it from the app; the space itself stays visible.
    pub ruled_out: bool,
    pub author: u16,
    pub created_at: i64,
    pub homepage: Option<u32>,
    /// Slots, rising, of each kind.
    pub content: [Vec<u32>; 4],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Page,
    BlogPost,
    Comment,
    Attachment,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Page, Kind::BlogPost, Kind::Comment, Kind::Attachment];

    pub fn place(self) -> usize {
        match self {
            Kind::Page => 0,
            Kind::BlogPost => 1,
            Kind::Comment => 2,
            Kind::Attachment => 3,
        }
    }

    /// As v1 and CQL name it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Page => "page",
            Kind::BlogPost => "blogpost",
            Kind::Comment => "comment",
            Kind::Attachment => "attachment",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Current,
    Archived,
    Trashed,
    Draft,
    /// Gone for good.
    Purged,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Current => "current",
            Status::Archived => "archived",
            Status::Trashed => "trashed",
            Status::Draft => "draft",
            Status::Purged => "deleted",
        }
    }

    pub fn named(word: &str) -> Self {
        match word {
            "archived" => Status::Archived,
            "trashed" => Status::Trashed,
            "draft" => Status::Draft,
            _ => Status::Current,
        }
    }
}

/// A page, blog post, comment or attachment, small: what a generated world can compute is not stored.
#[derive(Clone, Debug)]
pub struct Item {
    pub kind: Kind,
    pub status: Status,
    /// Of a comment.
    pub inline: bool,
    pub author: u16,
    pub editor: u16,
    pub space: u32,
    pub version: u32,
    pub position: u32,
    /// A page's parent; the page or blog post of a comment or an attachment.
    pub holder: Option<u32>,
    /// The comment that a reply answers.
    pub reply_to: Option<u32>,
    pub created_at: i64,
    pub modified_at: i64,
    pub own: Option<Box<Own>>,
}

/// What an item has of its own, as opposed to what a recipe computes.
#[derive(Clone, Debug, Default)]
pub struct Own {
    pub title: Option<String>,
    pub body: Option<Arc<str>>,
    pub labels: Vec<String>,
    pub restriction: Option<Readers>,
    pub resolution: Option<String>,
    pub quoted: Option<String>,
    pub file: Option<File>,
    /// Of a page: a live doc.
    pub live: bool,
    /// Answers that would hold its storage format fail.
    pub poisoned: bool,
    /// Earlier versions, the oldest first.
    pub past: Vec<Past>,
}

/// An earlier version.
#[derive(Clone, Debug)]
pub struct Past {
    pub version: u32,
    pub title: String,
    pub body: Arc<str>,
    pub editor: u16,
    pub at: i64,
}

/// What an attachment holds.
#[derive(Clone, Debug)]
pub struct File {
    pub media_type: String,
    pub bytes: Bytes,
    pub comment: String,
}

pub fn content_id(slot: u32) -> u64 {
    CONTENT_ID_FIRST + u64::from(slot) * CONTENT_ID_STEP
}

pub fn space_id(place: usize) -> u64 {
    SPACE_ID_FIRST + place as u64 * SPACE_ID_STEP
}

impl World {
    pub fn person(&self, account: &str) -> Option<u16> {
        self.by_account.get(account).copied()
    }

    pub fn site(&self, cloud_id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.cloud_id == cloud_id)
    }

    /// The person's place; one who was never introduced is somebody who has left.
    pub fn met(&mut self, account: &str) -> u16 {
        if let Some(place) = self.person(account) {
            return place;
        }
        self.introduce(SeedPerson {
            account_id: account.to_owned(),
            name: "Former user".to_owned(),
            email: String::new(),
            active: false,
        })
    }

    pub fn introduce(&mut self, person: SeedPerson) -> u16 {
        if let Some(place) = self.person(&person.account_id) {
            return place;
        }
        // 65,535 people are more than any world here has; whoever comes after shares the last place.
        let place = u16::try_from(self.people.len()).unwrap_or(u16::MAX);
        self.by_account.insert(person.account_id.clone(), place);
        self.people.push(person);
        place
    }
}

impl Site {
    /// Its address at Atlassian.
    pub fn url(&self) -> String {
        format!("https://{}.atlassian.net", self.name)
    }

    pub fn group(&self, name: &str) -> Option<u16> {
        let place = self
            .groups
            .iter()
            .position(|group| group.name == name || group.id == name)?;
        u16::try_from(place).ok()
    }

    pub fn add_space(&mut self, space: Space) -> u32 {
        self.spaces.push(space);
        (self.spaces.len() - 1) as u32
    }

    pub fn space_by_key(&self, key: &str) -> Option<u32> {
        let matching = |space: &Space| space.status != SpaceStatus::Deleted && space.key.eq_ignore_ascii_case(key);
        self.spaces.iter().position(matching).map(|place| place as u32)
    }

    pub fn space_by_id(&self, id: &str) -> Option<u32> {
        let number: u64 = id.parse().ok()?;
        let place = number.checked_sub(SPACE_ID_FIRST)?;
        if place % SPACE_ID_STEP != 0 {
            return None;
        }
        let place = usize::try_from(place / SPACE_ID_STEP).ok()?;
        let space = self.spaces.get(place)?;
        (space.status != SpaceStatus::Deleted).then_some(place as u32)
    }

    /// The slot of an id such as `98432` or `att98448`; purged items have none.
    pub fn slot(&self, id: &str) -> Option<u32> {
        let (digits, attached) = match id.strip_prefix("att") {
            Some(digits) => (digits, true),
            None => (id, false),
        };
        let number: u64 = digits.parse().ok()?;
        let beyond = number.checked_sub(CONTENT_ID_FIRST)?;
        if beyond % CONTENT_ID_STEP != 0 {
            return None;
        }
        let slot = u32::try_from(beyond / CONTENT_ID_STEP).ok()?;
        let item = self.items.get(slot as usize)?;
        let right = item.status != Status::Purged && (!attached || item.kind == Kind::Attachment);
        right.then_some(slot)
    }

    pub fn item(&self, slot: u32) -> &Item {
        &self.items[slot as usize]
    }

    /// The item, to be changed: how it was is kept for whoever sees it late.
    pub fn item_mut(&mut self, slot: u32) -> &mut Item {
        let before = self.item(slot).clone();
        self.keep_change(slot, Some(before));
        &mut self.items[slot as usize]
    }

    pub fn space_of(&self, slot: u32) -> &Space {
        &self.spaces[self.item(slot).space as usize]
    }

    /// The id as the API shows it.
    pub fn shown_id(&self, slot: u32) -> String {
        match self.item(slot).kind {
            Kind::Attachment => format!("att{}", content_id(slot)),
            Kind::Page | Kind::BlogPost | Kind::Comment => content_id(slot).to_string(),
        }
    }

    /// Puts an item into its space, under its holder, in the last position.
    pub fn add_item(&mut self, mut item: Item) -> u32 {
        let slot = self.items.len() as u32;
        item.position = slot;
        self.spaces[item.space as usize].content[item.kind.place()].push(slot);
        if let Some(holder) = item.holder.filter(|_| item.reply_to.is_none()) {
            self.held.insert((holder, slot));
        }
        if let Some(answered) = item.reply_to {
            self.held.insert((answered, slot));
        }
        let space = &mut self.spaces[item.space as usize];
        if item.kind == Kind::Page
            && item.holder.is_none()
            && space.homepage.is_none()
            && item.status == Status::Current
        {
            space.homepage = Some(slot);
        }
        self.items.push(item);
        self.keep_change(slot, None);
        slot
    }

    /// Keeps the present version among the earlier ones; whoever calls this changes it next.
    pub fn keep_version(&mut self, slot: u32) {
        let past = self.present(slot);
        let own = self.own(slot);
        if own.past.len() == PAST_MAX {
            own.past.remove(0);
        }
        own.past.push(past);
    }

    fn present(&self, slot: u32) -> Past {
        let item = self.item(slot);
        Past {
            version: item.version,
            title: self.title(slot),
            body: self.body(slot),
            editor: item.editor,
            at: item.modified_at,
        }
    }

    /// The item at one of its versions. Those from before the world was watched read like the oldest that is known, with
    /// times spread between creation and then.
    pub fn at_version(&self, slot: u32, version: u32) -> Option<Past> {
        let item = self.item(slot);
        if !(1..=item.version).contains(&version) {
            return None;
        }
        let past = item.own.as_ref().map(|own| own.past.as_slice()).unwrap_or_default();
        if version == item.version {
            return Some(self.present(slot));
        }
        if let Some(known) = past.iter().find(|past| past.version == version) {
            return Some(known.clone());
        }
        let oldest = past.first().cloned().unwrap_or_else(|| self.present(slot));
        let steps = i64::from(oldest.version.max(2) - 1);
        let at = item.created_at + (oldest.at - item.created_at) / steps * i64::from(version - 1);
        Some(Past {
            version,
            editor: item.author,
            at,
            ..oldest
        })
    }

    /// A live doc.
    pub fn live(&self, slot: u32) -> bool {
        self.item(slot).own.as_ref().is_some_and(|own| own.live)
    }

    /// Answers that would hold its storage format fail.
    pub fn poisoned(&self, slot: u32) -> bool {
        self.item(slot).own.as_ref().is_some_and(|own| own.poisoned)
    }

    /// What a mirror should hold: of a live doc whose current body is empty, the newest text that is not.
    pub fn text_to_hold(&self, slot: u32) -> Arc<str> {
        let body = self.body(slot);
        let own = self.item(slot).own.as_ref().filter(|own| own.live && body.is_empty());
        let earlier = own.and_then(|own| own.past.iter().rev().find(|past| !past.body.is_empty()));
        earlier.map_or(body, |past| past.body.clone())
    }

    /// What hangs directly on it, by slot.
    pub fn held_by(&self, holder: u32) -> impl Iterator<Item = u32> + '_ {
        self.held.range((holder, 0)..=(holder, u32::MAX)).map(|(_, slot)| *slot)
    }

    /// Pages directly below.
    pub fn child_pages(&self, slot: u32) -> Vec<u32> {
        self.held_by(slot)
            .filter(|child| self.item(*child).kind == Kind::Page)
            .collect()
    }

    /// Every comment and attachment of a page, replies included.
    pub fn belongings(&self, page: u32) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .held_by(page)
            .filter(|slot| self.item(*slot).kind != Kind::Page)
            .collect();
        let mut seen = 0;
        while let Some(slot) = found.get(seen).copied() {
            seen += 1;
            if self.item(slot).kind == Kind::Comment {
                found.extend(self.held_by(slot));
            }
        }
        found
    }

    /// From the parent up to the root.
    pub fn ancestors(&self, slot: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut at = self.item(slot).holder;
        while let Some(holder) = at.filter(|holder| !found.contains(holder)) {
            found.push(holder);
            at = self.item(holder).holder;
        }
        found
    }

    /// From the answered comment up to the first.
    pub fn answered(&self, slot: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut at = self.item(slot).reply_to;
        while let Some(comment) = at.filter(|comment| !found.contains(comment)) {
            found.push(comment);
            at = self.item(comment).reply_to;
        }
        found
    }

    /// Everything of a kind, by slot.
    pub fn every(&self, kind: Kind) -> Vec<u32> {
        let is =
            |(slot, item): (usize, &Item)| (item.kind == kind && item.status != Status::Purged).then_some(slot as u32);
        self.items.iter().enumerate().filter_map(is).collect()
    }

    pub fn title(&self, slot: u32) -> String {
        let item = self.item(slot);
        if let Some(title) = item.own.as_ref().and_then(|own| own.title.clone()) {
            return title;
        }
        match (item.kind, item.holder) {
            (Kind::Comment, Some(page)) => format!("Re: {}", self.title(page)),
            _ => self
                .recipe
                .as_ref()
                .map_or_else(String::new, |recipe| recipe.title(item.kind, slot)),
        }
    }

    /// In storage format.
    pub fn body(&self, slot: u32) -> Arc<str> {
        let item = self.item(slot);
        if let Some(body) = item.own.as_ref().and_then(|own| own.body.clone()) {
            return body;
        }
        match &self.recipe {
            Some(recipe) => recipe.body(item.kind, slot).into(),
            None => "".into(),
        }
    }

    pub fn labels(&self, slot: u32) -> Vec<String> {
        let item = self.item(slot);
        match (&item.own, &self.recipe) {
            (Some(own), _) if !own.labels.is_empty() || own.title.is_some() => own.labels.clone(),
            (_, Some(recipe)) => recipe.labels(item.kind, slot),
            _ => Vec::new(),
        }
    }

    /// Of an inline comment: how it stands and what it is about.
    pub fn inline_marks(&self, slot: u32) -> (String, String) {
        let own = self.item(slot).own.as_ref();
        let resolution = own
            .and_then(|own| own.resolution.clone())
            .unwrap_or_else(|| "open".into());
        let quoted = own.and_then(|own| own.quoted.clone());
        let quoted = quoted.or_else(|| self.recipe.as_ref().map(|recipe| recipe.quoted(slot)));
        (resolution, quoted.unwrap_or_default())
    }

    pub fn file(&self, slot: u32) -> File {
        if let Some(file) = self.item(slot).own.as_ref().and_then(|own| own.file.clone()) {
            return file;
        }
        match &self.recipe {
            Some(recipe) => recipe.file(slot),
            None => File {
                media_type: "application/octet-stream".into(),
                bytes: Bytes::new(),
                comment: String::new(),
            },
        }
    }

    pub fn file_id(&self, slot: u32) -> String {
        chance::uuid(&["file", &self.cloud_id, &slot.to_string()])
    }

    /// What the item has of its own, made if need be.
    pub fn own(&mut self, slot: u32) -> &mut Own {
        self.item_mut(slot).own.get_or_insert_with(Default::default)
    }

    /// How many items of each status a site holds; for its statistics.
    pub fn census(&self) -> BTreeMap<&'static str, u64> {
        let mut census = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.status == Status::Current) {
            *census.entry(item.kind.word()).or_insert(0) += 1;
        }
        census
    }
}
