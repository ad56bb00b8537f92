//! The port to what Circuit remembers: one small trait per noun.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    AccountId, ApiKeyId, ConnectionId, ContentId, DocumentId, FeedId, IndexId, JobId, Result, RunId, Secret, SiteId,
    SpaceId, Timestamp, UserId,
    budget::{Hour, HourPoints},
    connection::{Connection, ConnectionState, Grant, Reconnection},
    cursor::{Checkpoint, Mark, Stream},
    document::{Body, Document, DocumentKind, Held, Known, Observed, Person, Removal},
    feed::{Feed, FeedState, Park, Schedule},
    given_answer::{Claimed, GivenAnswer, OnceOnly},
    index::Index,
    job::{Claim, Job, Standing, Work},
    site::Site,
    space::{Estimate, FeedSpace, Space, SpaceSeen},
    sync_run::{Counts, Difference, Effect, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
    user::{ApiKey, KeyLimits, Role, User},
};

/// Everything that is remembered.
pub trait Store:
    Indexes + Connections + Feeds + Documents + Files + SyncRuns + Points + Jobs + Users + Settings + GivenAnswers
{
}
impl<T> Store for T where
    T: Indexes + Connections + Feeds + Documents + Files + SyncRuns + Points + Jobs + Users + Settings + GivenAnswers
{
}

#[async_trait]
pub trait Indexes: Send + Sync {
    /// `Conflict` when the name is taken (compared without case).
    async fn create_index(&self, name: &str, description: &str, now: Timestamp) -> Result<Index>;
    async fn index(&self, id: IndexId) -> Result<Index>;
    /// All of them by name.
    async fn indexes(&self) -> Result<Vec<Index>>;
    async fn update_index(&self, id: IndexId, name: &str, description: &str) -> Result<Index>;
    /// Deletes it with its feeds, documents and runs.
    async fn delete_index(&self, id: IndexId) -> Result<()>;
    async fn index_figures(&self, id: IndexId) -> Result<IndexFigures>;
    /// The number of the last change; the search index is current when its watermark equals it.
    async fn last_sequence(&self, id: IndexId) -> Result<i64>;
}

/// What an index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexFigures {
    pub documents: u64,
    pub feeds: u64,
    /// The number of the last change; the search index is current when its watermark equals it.
    pub last_sequence: i64,
}

/// A person on the way to Atlassian and back. Found by the digest of the OAuth `state`; good for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    pub state_digest: String,
    /// The digest of the session that began it: another session's callback is refused.
    pub session_digest: String,
    pub feed: FeedId,
    pub expires_at: Timestamp,
}

#[async_trait]
pub trait Connections: Send + Sync {
    async fn begin_authorization(&self, authorization: &Authorization) -> Result<()>;
    /// Takes it out: a second call with the same digest finds nothing.
    async fn take_authorization(&self, state_digest: &str) -> Result<Option<Authorization>>;

    /// Keeps a grant, its tokens sealed.
    async fn create_connection(&self, grant: &Grant, now: Timestamp) -> Result<Connection>;
    async fn connection(&self, id: ConnectionId) -> Result<Connection>;
    async fn set_connection_account(&self, id: ConnectionId, person: &Person) -> Result<()>;
    async fn set_connection_state(&self, id: ConnectionId, state: &ConnectionState) -> Result<()>;
    /// The tokens, opened. `Unauthenticated` when they were deleted.
    async fn grant(&self, id: ConnectionId) -> Result<Grant>;
    /// Replaces the tokens that came with the refresh token `spent`; durable when it returns. Makes the connection active.
    /// `Conflict` when they were replaced by others meanwhile, `Unauthenticated` when they were deleted.
    async fn save_grant(&self, id: ConnectionId, spent: &Secret, grant: &Grant, now: Timestamp) -> Result<()>;
    /// Deletes the tokens and marks the connection removed.
    async fn delete_grant(&self, id: ConnectionId) -> Result<()>;
    /// Deletes the tokens of connections from before `before` that no feed uses and no question is about.
    async fn delete_stray_grants(&self, before: Timestamp) -> Result<u64>;
    /// Keeps a new grant of this feed until a person answers; the one that waited before goes, with its tokens.
    async fn ask_reconnection(&self, feed: FeedId, reconnection: &Reconnection) -> Result<()>;
    async fn reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>>;
    /// Takes the question out, and gives its connection. A second call finds nothing.
    async fn take_reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>>;
    /// Takes the lease on refreshing this grant, if nobody else holds it at `now`. A lease that ends further ahead than
    /// twice `lease` was set by a clock that was wrong then or is now, and is nobody's.
    async fn lease_grant(&self, id: ConnectionId, holder: &str, now: Timestamp, lease: Duration) -> Result<bool>;
    async fn release_grant(&self, id: ConnectionId, holder: &str) -> Result<()>;
}

#[async_trait]
pub trait Feeds: Send + Sync {
    async fn create_feed(&self, index: IndexId, now: Timestamp) -> Result<Feed>;
    async fn feed(&self, id: FeedId) -> Result<Feed>;
    /// Of one index, oldest first.
    async fn feeds(&self, index: IndexId) -> Result<Vec<Feed>>;
    async fn all_feeds(&self) -> Result<Vec<Feed>>;
    async fn set_feed_state(&self, id: FeedId, state: &FeedState) -> Result<()>;
    /// Parks a feed that is active; one that a person paused or removed meanwhile stays as it is.
    async fn park_feed(&self, id: FeedId, park: &Park) -> Result<()>;
    /// Makes a feed active again whose park ends by itself (`Park::until`); any other stays as it is.
    async fn unpark_feed(&self, id: FeedId) -> Result<()>;
    /// How often each of its passes begins; the caller has checked the bounds.
    async fn set_feed_schedule(&self, id: FeedId, schedule: &Schedule) -> Result<()>;
    /// Imports, walks and probes that nobody asked for wait until then; changes do not.
    async fn hold_whole(&self, id: FeedId, until: Timestamp) -> Result<()>;
    async fn set_feed_connection(&self, id: FeedId, connection: ConnectionId) -> Result<()>;
    async fn set_feed_site(&self, id: FeedId, site: &Site) -> Result<()>;
    /// Adds spaces of this site; those it has already stay as they are. `Conflict` when the feed's site is another by now.
    async fn add_feed_spaces(
        &self,
        id: FeedId,
        site: &SiteId,
        spaces: &[(Space, Option<Estimate>)],
        now: Timestamp,
    ) -> Result<()>;
    /// By key.
    async fn feed_spaces(&self, id: FeedId) -> Result<Vec<FeedSpace>>;
    async fn set_space_imported(&self, id: FeedId, space: &SpaceId, at: Timestamp) -> Result<()>;
    /// Keeps the space's documents out of search since `at`, or lets them be found again.
    async fn set_space_suspended(&self, id: FeedId, space: &SpaceId, at: Option<Timestamp>) -> Result<()>;
    /// The spaces of an index whose documents must not be found.
    async fn suspended_spaces(&self, index: IndexId) -> Result<BTreeSet<(FeedId, SpaceId)>>;
    /// Notes a space's present key, name and whether it is archived. Under a new name its documents are indexed again.
    async fn set_space_seen(&self, id: FeedId, seen: &SpaceSeen) -> Result<()>;
    /// Up to when, by Atlassian's clock, all changes were read; none before the first import.
    async fn changes_until(&self, id: FeedId) -> Result<Option<Timestamp>>;
    /// Never goes back.
    async fn set_changes_until(&self, id: FeedId, until: Timestamp) -> Result<()>;
    /// Forgets when this feed's listings were last read to their end: all of them are due.
    async fn forget_walks(&self, id: FeedId) -> Result<()>;
    async fn checkpoint(&self, id: FeedId) -> Result<Checkpoint>;
    /// Forgets all marks: the next pass begins anew.
    async fn clear_checkpoint(&self, id: FeedId) -> Result<()>;
    /// Deletes a feed that never carried anything.
    async fn delete_feed(&self, id: FeedId) -> Result<()>;
}

/// What one answer of a listing brings: written whole or not at all.
#[derive(Clone, Debug)]
pub struct Recording {
    pub run: RunId,
    pub documents: Vec<Document>,
    /// Shown again at the version that is held, in another place or with other labels.
    pub placed: Vec<Observed>,
    /// Shown again just as they are held.
    pub seen: Vec<ContentId>,
    /// Whose names were asked for; one without a name is not asked for again before [`NAME_LIFE`] is over.
    pub people: Vec<Person>,
    /// Whom the documents' texts mention; those of a document that is not named here are nobody.
    pub mentions: BTreeMap<ContentId, BTreeSet<AccountId>>,
    pub failures: Vec<Failure>,
    /// How far a stream has come with them; none for what belongs to no stream (changes).
    pub mark: Option<(Stream, Mark)>,
    pub spent: Spent,
    pub now: Timestamp,
}

impl Recording {
    /// One that brings nothing yet.
    pub fn empty(run: RunId, now: Timestamp) -> Self {
        Self {
            run,
            documents: Vec::new(),
            placed: Vec::new(),
            seen: Vec::new(),
            people: Vec::new(),
            mentions: BTreeMap::new(),
            failures: Vec::new(),
            mark: None,
            spent: Spent::default(),
            now,
        }
    }
}

/// How long a name that Atlassian gave is believed: people marry, and accounts are closed.
pub const NAME_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A page above a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    pub id: ContentId,
    pub space: SpaceId,
    pub title: String,
    pub removed: Option<Removal>,
}

/// Which documents a person wants listed.
#[derive(Clone, Debug, Default)]
pub struct DocumentFilter {
    pub feed: Option<FeedId>,
    pub space: Option<SpaceId>,
    pub kind: Option<DocumentKind>,
    /// Part of the title, without case.
    pub title: Option<String>,
    pub offset: usize,
    /// At most [`DOCUMENTS_MAX`].
    pub limit: usize,
}

/// The most documents listed at once.
pub const DOCUMENTS_MAX: usize = 200;

/// A document that listings read from beginning to end by one run did not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    pub id: ContentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    /// Suspended by an earlier run already.
    pub suspended: bool,
}

/// What a walk has proven: applied whole or not at all.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub run: RunId,
    /// Gone for the connected person. Comments and attachments of a page go with it.
    pub gone: Vec<ContentId>,
    /// Missing with so much else that a second walk must agree: kept, and not found.
    pub suspended: Vec<ContentId>,
    /// The spaces of those.
    pub doubted: Vec<SpaceId>,
    /// Spaces whose pages were read and judged: seen again, nothing in doubt.
    pub settled: Vec<SpaceId>,
    /// Listings that were read from beginning to end.
    pub walked: Vec<Stream>,
    pub now: Timestamp,
}

/// What is held of a document, for comparison with the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFacts {
    pub id: ContentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub parent: Option<ContentId>,
    pub title: String,
    pub version: u32,
    pub url: String,
}

/// A document that a person wants read by its id in the next pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub id: ContentId,
    /// None when nobody knows.
    pub kind: Option<DocumentKind>,
}

/// The most documents of a feed that wait to be read by id: four calls for each kind.
pub const WANTED_MAX: usize = 1_000;

/// A document looked for by what people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called<'a> {
    /// A page or blog post of a space by its title, without case.
    Page { space: &'a SpaceId, title: &'a str },
    /// A file by what it hangs on and its name.
    File { on: &'a ContentId, name: &'a str },
}

/// A document's row in a list: no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    pub feed: FeedId,
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub space_key: String,
    pub version: u32,
    pub modified_at: Timestamp,
    pub editor: Option<String>,
    pub url: String,
}

#[async_trait]
pub trait Documents: Send + Sync {
    /// Writes documents, people, failures, mark and the run's counts in one transaction, and says what changed.
    /// A document that is the same as the one held is unchanged and only marked as seen. One that a person deleted here
    /// stays deleted. New titles and parents give the documents below a new sequence, so that their breadcrumbs follow.
    async fn record(&self, feed: FeedId, recording: &Recording) -> Result<Counts>;

    /// The documents of an index that changed after `sequence`, in order of sequence, at most `limit` and no more
    /// than fit into memory together, removed ones included.
    async fn changed_after(&self, index: IndexId, sequence: i64, limit: usize) -> Result<Vec<Held>>;

    async fn document(&self, index: IndexId, id: &DocumentId) -> Result<Held>;
    /// Rows that are neither removed nor of a suspended space, by title, and how many there are in all.
    async fn documents(&self, index: IndexId, filter: &DocumentFilter) -> Result<(Vec<DocumentRow>, u64)>;
    /// What is held and may be found (not removed, not of a suspended space), by content id, after `after`; of one space
    /// or of all. At most `limit`.
    async fn held_after(
        &self,
        feed: FeedId,
        space: Option<&SpaceId>,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<HeldFacts>>;
    /// How many documents of each kind a feed holds.
    async fn held_kinds(&self, feed: FeedId) -> Result<BTreeMap<DocumentKind, u64>>;
    /// How many pages and blog posts of a feed bear labels.
    async fn labelled(&self, feed: FeedId) -> Result<u64>;
    /// How many pages and blog posts are held of a space, suspended ones included.
    async fn pages_held(&self, feed: FeedId, space: &SpaceId) -> Result<u64>;
    /// What is known of these documents; those never seen are absent.
    async fn known(&self, feed: FeedId, ids: &[ContentId]) -> Result<BTreeMap<ContentId, Known>>;
    /// Documents of an index that must not be found and that a search index at `sequence` may still hold: at most `limit`.
    async fn hidden_after(&self, index: IndexId, sequence: i64, limit: usize) -> Result<Vec<(FeedId, DocumentId)>>;
    /// The document that is called so; one that may be found before one that was removed.
    async fn called(&self, feed: FeedId, called: Called<'_>) -> Result<Option<ContentId>>;
    /// Remembers that a person wants this document read by its id. `Conflict` when [`WANTED_MAX`] of the feed wait.
    async fn want(&self, feed: FeedId, wanted: &Wanted, now: Timestamp) -> Result<()>;
    /// What waits to be read by id, those asked for first first.
    async fn wanted(&self, feed: FeedId) -> Result<Vec<Wanted>>;
    /// These were read, or proven not to be readable.
    async fn forget_wanted(&self, feed: FeedId, ids: &[ContentId]) -> Result<()>;
    /// Those of `accounts` that were not asked for since `since`.
    async fn unknown_people(
        &self,
        site: &SiteId,
        accounts: &BTreeSet<AccountId>,
        since: Timestamp,
    ) -> Result<Vec<AccountId>>;
    /// Documents that an older Circuit wrote, of which it is not written down whom they mention: by id, at most `limit`.
    /// None when it is of all.
    async fn unread_for_mentions(&self, feed: FeedId, limit: usize) -> Result<Option<Vec<Document>>>;
    /// Writes whom these mention, what people are called and how far that has come, in one transaction; a recording without
    /// documents says that there were no more. Those that mention somebody have a new sequence; what was replaced or removed
    /// meanwhile is passed over.
    async fn record_mentions(&self, feed: FeedId, recording: &Recording) -> Result<()>;
    /// The names of those of `accounts` that have one.
    async fn names(&self, site: &SiteId, accounts: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, String>>;

    /// What is above a document with this parent, from the top of its space down to the parent.
    async fn ancestors(&self, feed: FeedId, parent: &ContentId) -> Result<Vec<Ancestor>>;
    /// What hangs on a page or blog post and may be found, of this kind, oldest first: at most `limit`, and how many there
    /// are in all.
    async fn hanging(
        &self,
        feed: FeedId,
        on: &ContentId,
        kind: DocumentKind,
        limit: usize,
    ) -> Result<(Vec<DocumentRow>, u64)>;
    /// Pages and blog posts of a space that were not removed, by title without case: each title of `titles` that has one.
    async fn titled(
        &self,
        feed: FeedId,
        space: &SpaceId,
        titles: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ContentId>>;

    /// A person deletes documents from the index, with the comments and attachments of a deleted page; how many went.
    async fn delete_documents(&self, index: IndexId, ids: &[DocumentId], now: Timestamp) -> Result<u64>;
    /// What the listings that this one run read from beginning to end did not show, by kind and id; nothing that the run
    /// failed to read, and nothing at all when it met a row that it could not even name.
    async fn unseen(&self, feed: FeedId, run: RunId) -> Result<Vec<Unseen>>;
    /// Applies what a walk has proven; how many documents were removed or suspended by it.
    async fn apply(&self, feed: FeedId, verdict: &Verdict) -> Result<u64>;
    /// Takes away everything of a space that a second, later look did not find either. When it is seen again it is
    /// imported anew.
    async fn remove_space(&self, feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> Result<u64>;
    /// A space whose import was not complete is seen again: its listings begin anew, and what was held of it is found again
    /// only as they show it, for nobody knows what was restricted meanwhile; how many documents wait for that.
    async fn return_space(&self, feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> Result<u64>;
    /// Everything that a feed brought, as a person deletes it: at most `limit` at once, so that other writers get their
    /// turn; how many went. None are left when fewer than `limit` went.
    async fn delete_feed_documents(&self, feed: FeedId, limit: usize, now: Timestamp) -> Result<u64>;
}

/// An attachment whose present version was neither read nor given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadFile {
    pub id: ContentId,
    /// What it is attached to: a page, a blog post or a comment.
    pub holder: ContentId,
    /// The page or blog post that it is on: the holder, or what the holder comments on.
    pub page: ContentId,
    pub page_kind: DocumentKind,
    pub version: u32,
    /// With its ending.
    pub name: String,
    pub media_type: Option<String>,
    /// As Atlassian says.
    pub size_bytes: Option<u64>,
    /// How often Atlassian failed to give this version.
    pub tries: u32,
}

/// How many files of a feed wait to be read, and when the first of them is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesWaiting {
    pub count: u64,
    pub next: Option<Timestamp>,
}

/// What became of one version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// A [`Body::File`].
    Read(Body),
    /// For good, as long as it is this version; the sentence is for people.
    Unread { why: String },
    /// Not now. `tried` counts against the file.
    Later { at: Timestamp, tried: bool },
}

/// One version of a file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    pub id: ContentId,
    pub version: u32,
    pub outcome: FileOutcome,
}

/// What became of some files: written whole or not at all.
#[derive(Clone, Debug)]
pub struct FileRecording {
    pub run: RunId,
    pub files: Vec<FileRecord>,
    pub failures: Vec<Failure>,
    pub spent: Spent,
    pub now: Timestamp,
}

/// The bytes of attachments: what is to be read, and what came of it.
#[async_trait]
pub trait Files: Send + Sync {
    /// Files that may be found and wait at `now`, those changed last first; at most `limit`. None of a space that is
    /// suspended or not chosen, or on a page that is not to be found.
    async fn unread_files(&self, feed: FeedId, now: Timestamp, limit: usize) -> Result<Vec<UnreadFile>>;
    /// How many of those there are, now or later.
    async fn files_waiting(&self, feed: FeedId) -> Result<FilesWaiting>;
    /// Writes texts, reasons, failures and the run's counts in one transaction. What was replaced or removed meanwhile is
    /// passed over. What changed has a new sequence.
    async fn record_files(&self, feed: FeedId, recording: &FileRecording) -> Result<()>;
    /// These are read again, whatever became of them; until then they keep their texts.
    async fn read_files_anew(&self, feed: FeedId, ids: &[ContentId]) -> Result<()>;
    /// No file of the feed is due before then.
    async fn put_files_off(&self, feed: FeedId, until: Timestamp) -> Result<()>;
}

/// A document that a run changed something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectRow {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub effect: Effect,
    /// As it is now.
    pub title: String,
    pub url: String,
}

/// What a run did to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    pub run: RunId,
    pub kind: RunKind,
    pub effect: Effect,
    /// When the run began.
    pub at: Timestamp,
}

/// What one answer of a listing told a verify: written whole or not at all, and without touching a document.
#[derive(Clone, Debug)]
pub struct Checked {
    pub run: RunId,
    /// Everything that the answer showed, readable or not.
    pub shown: Vec<ContentId>,
    pub differences: Vec<Difference>,
    pub failures: Vec<Failure>,
    /// How far the stream has been compared; none for what belongs to no listing.
    pub mark: Option<(Stream, Mark)>,
    pub spent: Spent,
    pub now: Timestamp,
}

/// The most sentences kept of one run.
pub const NOTES_MAX: usize = 50;

#[async_trait]
pub trait SyncRuns: Send + Sync {
    async fn open_run(&self, feed: FeedId, kind: RunKind, trigger: Trigger, now: Timestamp) -> Result<SyncRun>;
    async fn close_run(&self, id: RunId, outcome: &Outcome, now: Timestamp) -> Result<()>;
    async fn run(&self, id: RunId) -> Result<SyncRun>;
    /// The run that was begun and not ended, a verify apart: Circuit stopped in its midst.
    async fn open_run_of(&self, feed: FeedId) -> Result<Option<SyncRun>>;
    /// Opens a run again that waited or was broken off: it goes on from the checkpoint as the same run, so that what it
    /// has seen counts.
    async fn reopen_run(&self, id: RunId) -> Result<SyncRun>;
    /// The newest run of this kind.
    async fn last_run(&self, feed: FeedId, kind: RunKind) -> Result<Option<SyncRun>>;
    /// When the last complete run of each kind began.
    async fn began_last(&self, feed: FeedId) -> Result<BTreeMap<RunKind, Timestamp>>;
    /// Adds a sentence for people; the same one is kept once. At most [`NOTES_MAX`] of a run.
    async fn note(&self, id: RunId, note: &str) -> Result<()>;
    async fn notes(&self, id: RunId) -> Result<Vec<String>>;
    /// What the run did to which documents, by content id after `after`, of one effect or all; at most `limit`.
    async fn effects(
        &self,
        id: RunId,
        effect: Option<Effect>,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<EffectRow>>;
    /// Forgets passes of changes, probes and files before this one that found nothing: there is one every few minutes. The last
    /// complete one of each kind is kept.
    async fn forget_quiet_runs(&self, before: RunId) -> Result<()>;
    /// Newest first, at most `limit`.
    async fn runs(&self, feed: FeedId, limit: usize) -> Result<Vec<SyncRun>>;
    /// In the order in which they happened, at most `limit`.
    async fn failures(&self, run: RunId, limit: usize) -> Result<Vec<Failure>>;
    /// The same in pages: at most `limit` of those that come after the first `skipped`.
    async fn failures_from(&self, run: RunId, skipped: usize, limit: usize) -> Result<Vec<Failure>>;
    /// Of this document, newest first, at most `limit`.
    async fn failures_of(&self, feed: FeedId, document: &ContentId, limit: usize) -> Result<Vec<Failure>>;
    /// What runs did to this document, newest first, at most `limit`.
    async fn touches(&self, feed: FeedId, document: &ContentId, limit: usize) -> Result<Vec<Touch>>;
    /// The verify that somebody asked for and that has not ended, or waits or was stopped in its midst.
    async fn verify_of(&self, feed: FeedId) -> Result<Option<SyncRun>>;
    /// Writes what one answer told a verify.
    async fn check(&self, feed: FeedId, checked: &Checked) -> Result<()>;
    /// How far a verify has compared each stream.
    async fn checked(&self, run: RunId) -> Result<Checkpoint>;
    /// What may be found of this stream and was held before the verify began, and no answer to it or to a later run has
    /// shown: by content id after `after`, at most `limit`. Nothing when the verify met a row that it could not even name.
    async fn never_shown(
        &self,
        run: RunId,
        stream: &Stream,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<HeldFacts>>;
    /// Forgets what a verify was shown; what it found stays.
    async fn forget_shown(&self, run: RunId) -> Result<()>;
    /// In what site and index differed, by content id after `after`; at most `limit`.
    async fn differences(&self, run: RunId, after: Option<&ContentId>, limit: usize) -> Result<Vec<Difference>>;
    /// Adds to what a run and its feed spent outside of a recording.
    async fn add_spent(&self, id: RunId, spent: Spent, now: Timestamp) -> Result<()>;
}

/// What Circuit spent at Atlassian, by app and hour, and by feed. Older hours than [`POINTS_LIFE_HOURS`] are forgotten.
#[async_trait]
pub trait Points: Send + Sync {
    /// Changes the points of an app's hour, alone: nobody else reads or changes them meanwhile. When `change` refuses,
    /// nothing is written and its error is given.
    async fn change_points(
        &self,
        app: &str,
        hour: Hour,
        change: &(dyn for<'a> Fn(&'a mut HourPoints) -> Result<()> + Send + Sync),
    ) -> Result<()>;
    async fn hour_points(&self, app: &str, hour: Hour) -> Result<HourPoints>;
    /// Adds to what a feed spent outside of its runs: on a person's behalf.
    async fn add_feed_spent(&self, feed: FeedId, spent: Spent, now: Timestamp) -> Result<()>;
    /// What a feed spent in the hours from `since` on.
    async fn feed_spent(&self, feed: FeedId, since: Hour) -> Result<Spent>;
}

/// How long hours of points are kept, in hours: today and yesterday, wherever midnight is.
pub const POINTS_LIFE_HOURS: i64 = 48;

#[async_trait]
pub trait Jobs: Send + Sync {
    /// Queues work to begin at `at`. When the same feed's work waits already, that one is kept with the earlier of the
    /// two times, and a person's wish stays one. What is asked for while the work runs is done once more afterwards. A
    /// dead job is revived by a person and by nobody else.
    async fn enqueue(&self, work: Work, at: Timestamp) -> Result<()>;
    /// Claims a job that is due and not leased: first what a person waits for, then what is due longest. Never two of one
    /// feed at once. What waits longer than [`crate::job::JOB_WAIT_MAX`] is due.
    async fn claim(&self, worker: &str, now: Timestamp, lease: Duration) -> Result<Option<Job>>;
    /// The same store for whoever holds this claim: once the claim is lost, whatever a run writes is refused as `Conflict`,
    /// in the same transaction.
    fn under(&self, claim: &Claim) -> Arc<dyn Store>;
    /// Prolongs the lease; `Conflict` when it was lost.
    async fn heartbeat(&self, id: JobId, worker: &str, until: Timestamp) -> Result<()>;
    /// The work is done. With `next`, the same work is queued for then, as the schedule's; without, the job goes. What was
    /// asked for meanwhile stays queued in any case.
    async fn finish(&self, id: JobId, worker: &str, next: Option<Timestamp>) -> Result<()>;
    /// Puts it back to begin at `at`.
    async fn postpone(&self, id: JobId, worker: &str, at: Timestamp) -> Result<()>;
    /// The same after a failure that trying again does not mend; at [`crate::job::JOB_FAILURES_MAX`] of them the job is
    /// dead, and true is given.
    async fn fail(&self, id: JobId, worker: &str, why: &str, at: Timestamp, now: Timestamp) -> Result<bool>;
    /// How the feed's job stands; none when nothing is queued.
    async fn standing(&self, feed: FeedId) -> Result<Option<Standing>>;
    /// Frees every lease. Only for a store that no other process uses: then a lease is what a killed process left.
    async fn free_leases(&self) -> Result<()>;
    /// How many wait or run.
    async fn queued(&self) -> Result<u64>;
    /// How many are dead.
    async fn dead(&self) -> Result<u64>;
}

#[async_trait]
pub trait Users: Send + Sync {
    /// `Conflict` when the email is taken. With `first_only`, also when there is any user.
    async fn create_user(&self, user: &NewUser<'_>, now: Timestamp) -> Result<User>;
    async fn user(&self, id: UserId) -> Result<User>;
    async fn users(&self) -> Result<Vec<User>>;
    async fn any_user(&self) -> Result<bool>;
    /// The user and the password's hash.
    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>>;

    /// Also forgets the sessions that have expired at `now`.
    async fn create_session(&self, digest: &str, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<()>;
    async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<User>>;
    async fn delete_session(&self, digest: &str) -> Result<()>;

    async fn create_api_key(&self, key: &NewApiKey<'_>, now: Timestamp) -> Result<ApiKey>;
    async fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>>;
    /// Finds the key and its owner, and notes its use unless it is over.
    async fn user_by_api_key(&self, digest: &str, now: Timestamp) -> Result<Option<(User, ApiKey)>>;
    async fn delete_api_key(&self, user: UserId, id: ApiKeyId) -> Result<()>;
}

pub struct NewUser<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub role: Role,
    /// Only as the very first user: decided in the same transaction.
    pub first_only: bool,
}

pub struct NewApiKey<'a> {
    pub user: UserId,
    pub name: &'a str,
    pub prefix: &'a str,
    pub digest: &'a str,
    pub limits: &'a KeyLimits,
}

/// The settings that an administrator makes in the app.
#[async_trait]
pub trait Settings: Send + Sync {
    /// Client id and secret of the Atlassian app, the secret sealed at rest.
    async fn atlassian_app(&self) -> Result<Option<AtlassianApp>>;
    async fn set_atlassian_app(&self, app: &AtlassianApp) -> Result<()>;
    /// Proves that the store answers and can write.
    async fn probe(&self) -> Result<()>;
}

/// Circuit's registration with Atlassian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtlassianApp {
    pub client_id: String,
    pub client_secret: crate::Secret,
}

/// Answers that are given again (see [`crate::given_answer`]).
#[async_trait]
pub trait GivenAnswers: Send + Sync {
    /// Takes the name for this request unless it stands for one already, in one transaction. Forgets what is too old, and
    /// the oldest of too many.
    async fn claim_request(&self, request: &OnceOnly, now: Timestamp) -> Result<Claimed>;
    /// Keeps the answer to a request that was claimed.
    async fn keep_answer(&self, request: &OnceOnly, answer: &GivenAnswer) -> Result<()>;
    /// Nothing was made: the name is free again.
    async fn release_request(&self, request: &OnceOnly) -> Result<()>;
}
