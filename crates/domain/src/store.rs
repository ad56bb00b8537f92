//! The port to what Circuit remembers: one small trait per noun.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    AccountId, ApiKeyId, ConnectionId, ContentId, DocumentId, FeedId, IndexId, JobId, Result, RunId, Secret, SiteId,
    SpaceId, Timestamp, UserId,
    connection::{Connection, ConnectionState, Grant, Reconnection},
    cursor::{Checkpoint, Mark, Stream},
    document::{Document, DocumentKind, Held, Person},
    feed::{Feed, FeedState, Park, Schedule},
    index::Index,
    job::{Claim, Job, Standing, Work},
    site::Site,
    space::{Estimate, FeedSpace, Space},
    sync_run::{Counts, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
    user::{ApiKey, Role, User},
};

/// Everything that is remembered.
pub trait Store: Indexes + Connections + Feeds + Documents + SyncRuns + Jobs + Users + Settings {}
impl<T: Indexes + Connections + Feeds + Documents + SyncRuns + Jobs + Users + Settings> Store for T {}

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
    pub people: Vec<Person>,
    pub failures: Vec<Failure>,
    /// How far a stream has come with them; none for what belongs to no stream (changes).
    pub mark: Option<(Stream, Mark)>,
    pub spent: Spent,
    pub now: Timestamp,
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

/// What a complete reading did not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    pub removed: u64,
    /// Spaces of which too much is missing to believe it at once.
    pub doubted: Vec<(SpaceId, u64)>,
}

/// The share of a space, in percent, that may vanish in one reading without a second one (sync.md).
pub const VANISHING_PERCENT_MAX: i64 = 30;
/// And so many documents may vanish in any case.
pub const VANISHING_MAX: i64 = 50;

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
    /// Ids of what is held of a space and not removed (for comparison with the site).
    async fn held_ids(&self, feed: FeedId, space: &SpaceId) -> Result<BTreeSet<ContentId>>;
    /// Those of `accounts` whose name is not known.
    async fn unknown_people(&self, site: &SiteId, accounts: &BTreeSet<AccountId>) -> Result<Vec<AccountId>>;

    /// A person deletes documents from the index, with the comments and attachments of a deleted page; how many went.
    async fn delete_documents(&self, index: IndexId, ids: &[DocumentId], now: Timestamp) -> Result<u64>;
    /// Takes away what a complete reading did not show. Only pages and blog posts of listings that this one run read from
    /// beginning to end, with what hangs on them; nothing that the run failed to read. When more than a share of a space is
    /// missing, a second run must agree first: those spaces are told, with how much is missing.
    async fn remove_unseen(&self, feed: FeedId, run: RunId, now: Timestamp) -> Result<Unseen>;
    /// Everything that a feed brought, as a person deletes it: at most `limit` at once, so that other writers get their
    /// turn; how many went. None are left when fewer than `limit` went.
    async fn delete_feed_documents(&self, feed: FeedId, limit: usize, now: Timestamp) -> Result<u64>;
}

#[async_trait]
pub trait SyncRuns: Send + Sync {
    async fn open_run(&self, feed: FeedId, kind: RunKind, trigger: Trigger, now: Timestamp) -> Result<SyncRun>;
    async fn close_run(&self, id: RunId, outcome: &Outcome, now: Timestamp) -> Result<()>;
    async fn run(&self, id: RunId) -> Result<SyncRun>;
    /// The run that was begun and not ended: Circuit stopped in its midst.
    async fn open_run_of(&self, feed: FeedId) -> Result<Option<SyncRun>>;
    /// Since when changes are to be asked for: when the last complete pass of changes began, else when the feed's first
    /// import did. None before that.
    async fn read_until(&self, feed: FeedId) -> Result<Option<Timestamp>>;
    /// When the last pass ended that read everything: a re-sync, else the feed's first import.
    async fn read_whole_at(&self, feed: FeedId) -> Result<Option<Timestamp>>;
    /// Forgets passes of changes before this one that found nothing: there is one every few minutes.
    async fn forget_quiet_runs(&self, before: RunId) -> Result<()>;
    /// Newest first, at most `limit`.
    async fn runs(&self, feed: FeedId, limit: usize) -> Result<Vec<SyncRun>>;
    async fn failures(&self, run: RunId, limit: usize) -> Result<Vec<Failure>>;
    /// Adds to what a run spent outside of a recording.
    async fn add_spent(&self, id: RunId, spent: Spent) -> Result<()>;
}

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

    async fn create_api_key(
        &self,
        user: UserId,
        name: &str,
        prefix: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<ApiKey>;
    async fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>>;
    /// Finds the key and notes its use.
    async fn user_by_api_key(&self, digest: &str, now: Timestamp) -> Result<Option<User>>;
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
