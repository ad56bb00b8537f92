//! The store, every operation through the gate.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    AccountId, ApiKeyId, ConnectionId, ContentId, DocumentId, FeedId, IndexId, JobId, Result, RunId, Secret, SiteId,
    SpaceId, Timestamp, UserId,
    budget::{Hour, HourPoints},
    connection::{Connection, ConnectionState, Grant, Reconnection},
    cursor::{Checkpoint, Stream},
    document::{Document, DocumentKind, Held, Known, Person},
    feed::{Feed, FeedState, Park, Schedule},
    given_answer::{Claimed, GivenAnswer, OnceOnly},
    index::Index,
    job::{Claim, Job, Standing, Work},
    site::Site,
    space::{Estimate, FeedSpace, Space, SpaceSeen},
    store::{
        Ancestor, AtlassianApp, Authorization, Called, Checked, Connections, DocumentFilter, DocumentRow, Documents,
        EffectRow, Feeds, FileRecording, Files, FilesWaiting, GivenAnswers, HeldFacts, IndexFigures, Indexes, Jobs,
        NewApiKey, NewUser, Points, Recording, Settings, Store, SyncRuns, Touch, UnreadFile, Unseen, Users, Verdict,
        Wanted,
    },
    sync_run::{Counts, Difference, Effect as RunEffect, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
    user::{ApiKey, User},
};

use tokio::sync::Notify;

use crate::{
    board::{Effect, Gate, Port},
    judge::Judge,
    planted::{Plant, PlantedStore},
};

/// The store of one process.
#[derive(Clone)]
pub struct GatedStore {
    pub gate: Gate,
    pub real: Arc<dyn Store>,
    pub judge: Judge,
    pub planted: PlantedStore,
    /// Rung after what changes documents.
    pub bell: Arc<Notify>,
}

/// One trait of the store: `reads`, `writes` (one statement) and `transacts` operations that only pass the gate, and
/// those written out.
macro_rules! gated {
    ($name:ident { $($effect:ident $op:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* } $({ $($written:tt)* })?) => {
        #[async_trait]
        impl $name for GatedStore {
            $(async fn $op(&self, $($arg: $type),*) -> Result<$answer> {
                gated!(@ $effect self, $op, self.real.$op($($arg),*))
            })*
            $($($written)*)?
        }
    };
    (@ reads $self:ident, $op:ident, $call:expr) => {
        $self.gate.pass(Port::Store, stringify!($op), Effect::Reads, $call).await
    };
    (@ writes $self:ident, $op:ident, $call:expr) => {
        $self.gate.pass(Port::Store, stringify!($op), Effect::Writes, $call).await
    };
    (@ transacts $self:ident, $op:ident, $call:expr) => {
        $self.gate.pass(Port::Store, stringify!($op), Effect::Writes, $self.noticed(None, $call)).await
    };
}

impl GatedStore {
    /// Tells the judge what the operation did to documents.
    async fn noticed<T>(&self, of: Option<FeedId>, op: impl Future<Output = Result<T>>) -> Result<T> {
        let result = op.await?;
        if self.judge.look_at_store(&*self.real, of).await? {
            self.bell.notify_one();
        }
        Ok(result)
    }
}

gated! { Indexes {
    writes create_index(name: &str, description: &str, now: Timestamp) -> Index;
    reads index(id: IndexId) -> Index;
    reads indexes() -> Vec<Index>;
    writes update_index(id: IndexId, name: &str, description: &str) -> Index;
    writes delete_index(id: IndexId) -> ();
    reads index_figures(id: IndexId) -> IndexFigures;
    reads last_sequence(id: IndexId) -> i64;
} }

gated! { Connections {
    writes begin_authorization(authorization: &Authorization) -> ();
    writes take_authorization(state_digest: &str) -> Option<Authorization>;
    writes create_connection(grant: &Grant, now: Timestamp) -> Connection;
    reads connection(id: ConnectionId) -> Connection;
    writes set_connection_account(id: ConnectionId, person: &Person) -> ();
    writes set_connection_state(id: ConnectionId, state: &ConnectionState) -> ();
    writes delete_grant(id: ConnectionId) -> ();
    writes delete_stray_grants(before: Timestamp) -> u64;
    writes ask_reconnection(feed: FeedId, reconnection: &Reconnection) -> ();
    reads reconnection(feed: FeedId) -> Option<Reconnection>;
    writes take_reconnection(feed: FeedId) -> Option<Reconnection>;
    writes lease_grant(id: ConnectionId, holder: &str, now: Timestamp, lease: Duration) -> bool;
    writes release_grant(id: ConnectionId, holder: &str) -> ();
} {
        async fn grant(&self, id: ConnectionId) -> Result<Grant> {
            if let Some((unsaved, due)) = self.planted.unsaved(id) {
                if let Some(spent) = due {
                    self.grant_saved(id, &spent, &unsaved, self.gate.board.wall()).await?;
                }
                return Ok(unsaved);
            }
            self.gate.pass(Port::Store, "grant", Effect::Reads, self.real.grant(id)).await
        }

        async fn save_grant(&self, id: ConnectionId, spent: &Secret, grant: &Grant, now: Timestamp) -> Result<()> {
            if self.planted.keeps_unsaved(id, spent, grant) {
                return Ok(());
            }
            self.grant_saved(id, spent, grant, now).await
        }
} }

impl GatedStore {
    async fn grant_saved(&self, id: ConnectionId, spent: &Secret, grant: &Grant, now: Timestamp) -> Result<()> {
        let saving = async {
            self.real.save_grant(id, spent, grant, now).await?;
            self.judge.grant_saved(self.gate.life);
            Ok(())
        };
        let saved = self.gate.pass(Port::Store, "save_grant", Effect::Writes, saving).await;
        if saved.is_err() {
            self.judge.grant_not_saved(self.gate.life);
        }
        saved
    }
}

gated! { Feeds {
    writes create_feed(index: IndexId, now: Timestamp) -> Feed;
    reads feed(id: FeedId) -> Feed;
    reads feeds(index: IndexId) -> Vec<Feed>;
    reads all_feeds() -> Vec<Feed>;
    writes set_feed_state(id: FeedId, state: &FeedState) -> ();
    writes park_feed(id: FeedId, park: &Park) -> ();
    writes unpark_feed(id: FeedId) -> ();
    writes set_feed_schedule(id: FeedId, schedule: &Schedule) -> ();
    writes hold_whole(id: FeedId, until: Timestamp) -> ();
    writes set_feed_connection(id: FeedId, connection: ConnectionId) -> ();
    writes set_feed_site(id: FeedId, site: &Site) -> ();
    writes add_feed_spaces(id: FeedId, site: &SiteId, spaces: &[(Space, Option<Estimate>)], now: Timestamp) -> ();
    reads feed_spaces(id: FeedId) -> Vec<FeedSpace>;
    reads suspended_spaces(index: IndexId) -> BTreeSet<(FeedId, SpaceId)>;
    transacts set_space_seen(id: FeedId, seen: &SpaceSeen) -> ();
    reads changes_until(id: FeedId) -> Option<Timestamp>;
    writes set_changes_until(id: FeedId, until: Timestamp) -> ();
    writes forget_walks(id: FeedId) -> ();
    reads checkpoint(id: FeedId) -> Checkpoint;
    writes delete_feed(id: FeedId) -> ();
} {
        async fn set_space_suspended(&self, id: FeedId, space: &SpaceId, at: Option<Timestamp>) -> Result<()> {
            if at.is_none() && self.planted.is(Plant::SuspendedForEver) {
                return Ok(());
            }
            let setting = self.real.set_space_suspended(id, space, at);
            self.gate.pass(Port::Store, "set_space_suspended", Effect::Writes, setting).await
        }

        async fn set_space_imported(&self, id: FeedId, space: &SpaceId, at: Timestamp) -> Result<()> {
            let setting = async {
                self.real.set_space_imported(id, space, at).await?;
                self.judge.imported(id, space);
                Ok(())
            };
            self.gate.pass(Port::Store, "set_space_imported", Effect::Writes, setting).await
        }

        async fn clear_checkpoint(&self, id: FeedId) -> Result<()> {
            let clearing = async {
                self.real.clear_checkpoint(id).await?;
                self.judge.checkpoint_cleared(id);
                Ok(())
            };
            self.gate.pass(Port::Store, "clear_checkpoint", Effect::Writes, clearing).await
        }
} }

gated! { Documents {
    reads changed_after(index: IndexId, sequence: i64, limit: usize) -> Vec<Held>;
    reads document(index: IndexId, id: &DocumentId) -> Held;
    reads documents(index: IndexId, filter: &DocumentFilter) -> (Vec<DocumentRow>, u64);
    reads held_after(feed: FeedId, space: Option<&SpaceId>, after: Option<&ContentId>, limit: usize) -> Vec<HeldFacts>;
    reads held_kinds(feed: FeedId) -> BTreeMap<DocumentKind, u64>;
    reads labelled(feed: FeedId) -> u64;
    reads pages_held(feed: FeedId, space: &SpaceId) -> u64;
    reads known(feed: FeedId, ids: &[ContentId]) -> BTreeMap<ContentId, Known>;
    reads called(feed: FeedId, called: Called<'_>) -> Option<ContentId>;
    writes want(feed: FeedId, wanted: &Wanted, now: Timestamp) -> ();
    reads wanted(feed: FeedId) -> Vec<Wanted>;
    writes forget_wanted(feed: FeedId, ids: &[ContentId]) -> ();
    reads hidden_after(index: IndexId, sequence: i64, limit: usize) -> Vec<(FeedId, DocumentId)>;
    reads unseen(feed: FeedId, run: RunId) -> Vec<Unseen>;
    reads unknown_people(site: &SiteId, accounts: &BTreeSet<AccountId>, since: Timestamp) -> Vec<AccountId>;
    reads unread_for_mentions(feed: FeedId, limit: usize) -> Option<Vec<Document>>;
    transacts record_mentions(feed: FeedId, recording: &Recording) -> ();
    reads names(site: &SiteId, accounts: &BTreeSet<AccountId>) -> BTreeMap<AccountId, String>;
    reads ancestors(feed: FeedId, parent: &ContentId) -> Vec<Ancestor>;
    reads hanging(feed: FeedId, on: &ContentId, kind: DocumentKind, limit: usize) -> (Vec<DocumentRow>, u64);
    reads titled(feed: FeedId, space: &SpaceId, titles: &BTreeSet<String>) -> BTreeMap<String, ContentId>;
    transacts delete_documents(index: IndexId, ids: &[DocumentId], now: Timestamp) -> u64;
    transacts remove_space(feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> u64;
    transacts return_space(feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> u64;
    transacts delete_feed_documents(feed: FeedId, limit: usize, now: Timestamp) -> u64;
} {
        async fn record(&self, feed: FeedId, recording: &Recording) -> Result<Counts> {
            let mut recording = recording.clone();
            if self.planted.is(Plant::MarkBeforeDocuments) && recording.mark.is_some() && !recording.documents.is_empty() {
                let mark = Recording { documents: Vec::new(), spent: Spent::default(), ..recording.clone() };
                let marking = self.recorded(feed, &mark);
                self.gate.pass(Port::Store, "record", Effect::Writes, marking).await?;
                recording.mark = None;
            }
            if self.planted.is(Plant::MoveIgnored) {
                recording.seen.extend(recording.placed.drain(..).map(|placed| placed.id));
                self.planted.without_moves(&*self.real, feed, &mut recording).await?;
            }
            let recording = self.recorded(feed, &recording);
            self.gate.pass(Port::Store, "record", Effect::Writes, recording).await
        }

    async fn apply(&self, feed: FeedId, verdict: &Verdict) -> Result<u64> {
        let mut verdict = verdict.clone();
        if self.planted.is(Plant::CommentsStay) {
            self.planted
                .without_comments(&*self.real, feed, &mut verdict)
                .await?;
        }
        if self.planted.is(Plant::SuspendedForEver) {
            self.planted
                .without_suspended(&*self.real, feed, &mut verdict)
                .await?;
        }
        let applying = async {
            let taken = self.noticed(Some(feed), self.real.apply(feed, &verdict)).await?;
            self.judge.applied(self.gate.life, feed, &verdict);
            Ok(taken)
        };
        self.gate.pass(Port::Store, "apply", Effect::Writes, applying).await
    }
} }

impl GatedStore {
    async fn recorded(&self, feed: FeedId, recording: &Recording) -> Result<Counts> {
        self.judge.recording(feed, recording);
        let counts = self.noticed(Some(feed), self.real.record(feed, recording)).await?;
        self.judge.recorded(self.gate.life, feed, recording);
        Ok(counts)
    }
}

gated! { Files {
    reads unread_files(feed: FeedId, now: Timestamp, limit: usize) -> Vec<UnreadFile>;
    reads files_waiting(feed: FeedId) -> FilesWaiting;
    transacts record_files(feed: FeedId, recording: &FileRecording) -> ();
    writes read_files_anew(feed: FeedId, ids: &[ContentId]) -> ();
    writes put_files_off(feed: FeedId, until: Timestamp) -> ();
} }

gated! { SyncRuns {
    reads run(id: RunId) -> SyncRun;
    reads open_run_of(feed: FeedId) -> Option<SyncRun>;
    reads last_run(feed: FeedId, kind: RunKind) -> Option<SyncRun>;
    reads began_last(feed: FeedId) -> BTreeMap<RunKind, Timestamp>;
    writes note(id: RunId, note: &str) -> ();
    reads notes(id: RunId) -> Vec<String>;
    reads effects(id: RunId, effect: Option<RunEffect>, after: Option<&ContentId>, limit: usize) -> Vec<EffectRow>;
    writes forget_quiet_runs(before: RunId) -> ();
    reads runs(feed: FeedId, limit: usize) -> Vec<SyncRun>;
    reads failures(run: RunId, limit: usize) -> Vec<Failure>;
    reads failures_from(run: RunId, skipped: usize, limit: usize) -> Vec<Failure>;
    reads failures_of(feed: FeedId, document: &ContentId, limit: usize) -> Vec<Failure>;
    reads touches(feed: FeedId, document: &ContentId, limit: usize) -> Vec<Touch>;
    reads verify_of(feed: FeedId) -> Option<SyncRun>;
    writes check(feed: FeedId, checked: &Checked) -> ();
    reads checked(run: RunId) -> Checkpoint;
    reads never_shown(run: RunId, stream: &Stream, after: Option<&ContentId>, limit: usize) -> Vec<HeldFacts>;
    writes forget_shown(run: RunId) -> ();
    reads differences(run: RunId, after: Option<&ContentId>, limit: usize) -> Vec<Difference>;
    writes add_spent(id: RunId, spent: Spent, now: Timestamp) -> ();
} {
    async fn open_run(&self, feed: FeedId, kind: RunKind, trigger: Trigger, now: Timestamp) -> Result<SyncRun> {
        let opening = async {
            let run = self.real.open_run(feed, kind, trigger, now).await?;
            self.judge.run_opened(&run);
            Ok(run)
        };
        self.gate.pass(Port::Store, "open_run", Effect::Writes, opening).await
    }

    async fn reopen_run(&self, id: RunId) -> Result<SyncRun> {
        let opening = async {
            let run = self.real.reopen_run(id).await?;
            self.judge.run_opened(&run);
            Ok(run)
        };
        self.gate.pass(Port::Store, "reopen_run", Effect::Writes, opening).await
    }

    async fn close_run(&self, id: RunId, outcome: &Outcome, now: Timestamp) -> Result<()> {
        let closing = async {
            let run = self.real.run(id).await?;
            self.real.close_run(id, outcome, now).await?;
            self.judge.run_closed(&*self.real, &run, outcome).await
        };
        self.gate.pass(Port::Store, "close_run", Effect::Writes, closing).await
    }
} }

gated! { Points {
    reads hour_points(app: &str, hour: Hour) -> HourPoints;
    writes add_feed_spent(feed: FeedId, spent: Spent, now: Timestamp) -> ();
    reads feed_spent(feed: FeedId, since: Hour) -> Spent;
} {
    async fn change_points(
        &self,
        app: &str,
        hour: Hour,
        change: &(dyn for<'a> Fn(&'a mut HourPoints) -> Result<()> + Send + Sync),
    ) -> Result<()> {
        let changing = self.real.change_points(app, hour, change);
        self.gate.pass(Port::Store, "change_points", Effect::Writes, changing).await
    }
} }

gated! { Jobs {
    writes enqueue(work: Work, at: Timestamp) -> ();
    writes heartbeat(id: JobId, worker: &str, until: Timestamp) -> ();
    reads standing(feed: FeedId) -> Option<Standing>;
    writes free_leases() -> ();
    reads queued() -> u64;
    reads dead() -> u64;
} {
        async fn claim(&self, worker: &str, now: Timestamp, lease: Duration) -> Result<Option<Job>> {
            let asked_at = match self.planted.is(Plant::LeaseIgnored) {
                true => now.plus(lease),
                false => now,
            };
            let claiming = async {
                let job = self.real.claim(worker, asked_at, lease).await?;
                if let Some(job) = &job {
                    self.judge.claimed(self.gate.life, job);
                }
                Ok(job)
            };
            self.gate.pass(Port::Store, "claim", Effect::Writes, claiming).await
        }

        fn under(&self, claim: &Claim) -> Arc<dyn Store> {
            let real = match self.planted.is(Plant::LeaseIgnored) {
                true => self.real.clone(),
                false => self.real.under(claim),
            };
            Arc::new(Self { real, ..self.clone() })
        }

        async fn finish(&self, id: JobId, worker: &str, next: Option<Timestamp>) -> Result<()> {
            self.judge.out_of_feed(self.gate.life);
            let finishing = self.real.finish(id, worker, next);
            self.gate.pass(Port::Store, "finish", Effect::Writes, finishing).await
        }

        async fn postpone(&self, id: JobId, worker: &str, at: Timestamp) -> Result<()> {
            self.judge.out_of_feed(self.gate.life);
            let postponing = self.real.postpone(id, worker, at);
            self.gate.pass(Port::Store, "postpone", Effect::Writes, postponing).await
        }

        async fn fail(&self, id: JobId, worker: &str, why: &str, at: Timestamp, now: Timestamp) -> Result<bool> {
            self.judge.out_of_feed(self.gate.life);
            let failing = self.real.fail(id, worker, why, at, now);
            self.gate.pass(Port::Store, "fail", Effect::Writes, failing).await
        }
} }

gated! { Users {
    writes create_user(user: &NewUser<'_>, now: Timestamp) -> User;
    reads user(id: UserId) -> User;
    reads users() -> Vec<User>;
    reads any_user() -> bool;
    reads user_by_email(email: &str) -> Option<(User, String)>;
    writes create_session(digest: &str, user: UserId, now: Timestamp, expires_at: Timestamp) -> ();
    reads session(digest: &str, now: Timestamp) -> Option<User>;
    writes delete_session(digest: &str) -> ();
    writes create_api_key(key: &NewApiKey<'_>, now: Timestamp) -> ApiKey;
    reads api_keys(user: UserId) -> Vec<ApiKey>;
    writes user_by_api_key(digest: &str, now: Timestamp) -> Option<(User, ApiKey)>;
    writes delete_api_key(user: UserId, id: ApiKeyId) -> ();
} }

gated! { Settings {
    reads atlassian_app() -> Option<AtlassianApp>;
    writes set_atlassian_app(app: &AtlassianApp) -> ();
    writes probe() -> ();
} }

gated! { GivenAnswers {
    writes claim_request(request: &OnceOnly, now: Timestamp) -> Claimed;
    writes keep_answer(request: &OnceOnly, answer: &GivenAnswer) -> ();
    writes release_request(request: &OnceOnly) -> ();
} }
