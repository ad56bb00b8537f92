//! The port to where documents come from.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    AccountId, ConnectionId, ContentId, Result, SpaceId, Timestamp,
    address::Address,
    cursor::{Cursor, Stream},
    document::{Document, DocumentKind, Observed, Person},
    site::Site,
    space::{Estimate, Space, SpaceSeen},
    sync_run::Spent,
};

/// A site, the connection through which it is read, and how much it matters.
#[derive(Clone, Debug)]
pub struct Reach {
    pub connection: ConnectionId,
    pub site: Site,
    pub urgency: Urgency,
    /// Counts what is called through this reach and its clones.
    pub meter: Meter,
}

/// What was spent at Atlassian, every call that was made, also those that failed. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU64,
    points: AtomicU64,
}

impl Meter {
    pub fn add(&self, spent: Spent) {
        self.0.calls.fetch_add(spent.calls, Ordering::Relaxed);
        self.0.points.fetch_add(spent.points, Ordering::Relaxed);
    }
    pub fn read(&self) -> Spent {
        Spent {
            calls: self.0.calls.load(Ordering::Relaxed),
            points: self.0.points.load(Ordering::Relaxed),
        }
    }
}

/// How calls go at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most calls at once.
    pub at_once: u32,
    /// What an answer with many rows takes; none before one came.
    pub latency: Option<Duration>,
}

/// For what a call is made. Where the hour's points run short, the first of these go first (sync.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody waits for it.
    Person,
    /// What was written lately.
    Changes,
    /// Imports, walks and probes on their schedule.
    Whole,
}

/// One answer of a listing, and what it cost.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Rows that could not be read, with the reason. One bad document never stops a run.
    pub unreadable: Vec<Unreadable>,
    /// Where it goes on; none at the end.
    pub next: Option<Cursor>,
    /// What time it is at Atlassian, by the answer.
    pub at: Option<Timestamp>,
    /// Calls and points of what is answered here. Calls that failed on the way are on the reach's [`Meter`].
    pub spent: Spent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its content id, when that much could be read.
    pub content: Option<String>,
    pub title: String,
    pub why: String,
}

/// Where documents come from. Errors carry the kinds of architecture.md; nothing partial is ever returned as whole.
#[async_trait]
pub trait Source: Send + Sync {
    /// Who the connection is: proves that its token is alive.
    async fn me(&self, reach: &Reach) -> Result<Person>;

    /// The spaces that the connected person can see: for choosing only.
    async fn spaces(&self, reach: &Reach, after: Option<&Cursor>) -> Result<Listed<Space>>;

    /// About how much these spaces hold. `MissingScope` when the grant cannot tell.
    async fn estimate(&self, reach: &Reach, spaces: &[Space]) -> Result<Estimate>;

    /// The next documents of a stream, in an order that does not shift, current ones only, with bodies.
    /// `MissingScope` when the grant cannot read this kind.
    async fn list(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>>;

    /// These spaces as they are now, for whom can see them. At most [`SPACES_BY_ID_MAX`]; no other is named or answered.
    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>>;

    /// Those of these spaces in which a rule of the site's admin hides something from Circuit; none when the site does not
    /// tell of all of them. At most [`SPACES_BY_ID_MAX`].
    async fn hidden_from_apps(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Option<BTreeSet<SpaceId>>> {
        let _ = (reach, spaces);
        Ok(None)
    }

    /// The next pages or blog posts of a stream as [`Source::list`] would give them, without their bodies.
    async fn observe(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Observed>>;

    /// Current pages or blog posts by id, with bodies and labels, as far as they are in these spaces and can be seen. At
    /// most [`IDS_MAX`] ids.
    async fn fetch(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        ids: &[ContentId],
    ) -> Result<Listed<Document>>;

    /// A second look at documents that seem to be gone: what is there in these spaces, in which status, and what is not.
    /// At most [`IDS_MAX`] ids. What cannot be told is in none of the sets.
    async fn look(&self, reach: &Reach, spaces: &[Space], kind: DocumentKind, ids: &[ContentId]) -> Result<Looked>;

    /// Those of these ids that are gone or can no longer be seen, at the price of one call. At most
    /// [`PROBE_IDS_MAX`] ids. `MissingScope` when the grant cannot tell.
    async fn probe(&self, reach: &Reach, ids: &[ContentId]) -> Result<(BTreeSet<ContentId>, Spent)>;

    /// The documents of a kind in these spaces that were changed at `since` or later, those changed last first, current
    /// ones only, with bodies and labels. At most [`CHANGES_SPACES_MAX`] spaces, and about `rows` rows are asked for.
    /// `MissingScope` as in `list`.
    async fn changes(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        since: Timestamp,
        rows: u32,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>>;

    /// The next comments or attachments of these pages and blog posts, as far as they are in these spaces, current ones
    /// only, with bodies. At most [`HOLDERS_MAX`] pages and [`CHANGES_SPACES_MAX`] spaces, none of them archived.
    /// `MissingScope` as in `list`.
    async fn belongings(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        holders: &[ContentId],
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>>;

    /// The names of people; who is unknown there is absent from the answer. At most [`PEOPLE_MAX`] at once.
    async fn people(&self, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)>;

    /// What an address that a person pasted names; none when it is no address. Asks nobody.
    fn address(&self, pasted: &str) -> Option<Address>;

    /// How calls go at present, over all reaches.
    fn pace(&self) -> Pace;
}

/// What a second look showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub current: BTreeSet<ContentId>,
    /// Trashed, archived, a draft: there, and not to be found.
    pub put_away: BTreeSet<ContentId>,
    /// Not there for this reader.
    pub absent: BTreeSet<ContentId>,
    pub spent: Spent,
}

/// The most spaces asked for by id at once: what `/spaces` answers with (openapi-v2, `limit`).
pub const SPACES_BY_ID_MAX: usize = 250;
/// The most ids named in one call: what `/pages` and `/blogposts` take (openapi-v2, `id`).
pub const IDS_MAX: usize = 250;
/// The most ids of one probe (openapi-v2, `ContentIdToContentTypeRequest`).
pub const PROBE_IDS_MAX: usize = 100;
/// The most spaces in one listing of changes: what `/pages` takes (openapi-v2, `space-id`).
pub const CHANGES_SPACES_MAX: usize = 100;
/// The most pages whose comments or attachments are asked for at once: their ids fit into an address.
pub const HOLDERS_MAX: usize = 50;
/// The most people asked for at once: `/user/bulk` silently drops the rest (facts.md §9).
pub const PEOPLE_MAX: usize = 100;
