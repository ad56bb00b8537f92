//! The runs of a feed, and what they could not read.

use axum::{Json, extract::State};
use domain::{
    FeedId, RunId,
    sync_run::{Counts, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Door,
    api::{auth::Asker, problem::Answer, request::Id},
};

/// One pass of a feed.
#[derive(Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunJson {
    pub id: String,
    pub feed_id: String,
    pub kind: RunKindJson,
    pub trigger: TriggerJson,
    #[schema(format = DateTime)]
    pub started_at: String,
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// Null while it goes on.
    pub outcome: Option<OutcomeJson>,
    /// Why it ended so, for people.
    pub why: Option<String>,
    pub counts: CountsJson,
    pub spent: SpentJson,
}

/// `import`: a space's first pass. `walk`: everything that is there, the proof of what is gone. `probe`: a quick look at what can no longer be seen.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunKind)]
pub enum RunKindJson {
    Import,
    Walk,
    Probe,
    Changes,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Trigger)]
pub enum TriggerJson {
    Person,
    Schedule,
}

/// `parked` and `stopped` go on later from where they were.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Outcome)]
pub enum OutcomeJson {
    Complete,
    Parked,
    Failed,
    Stopped,
}

/// What a run did, in documents.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsJson {
    pub seen: u64,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
    pub skipped: u64,
    pub failed: u64,
}

impl From<Counts> for CountsJson {
    fn from(counts: Counts) -> Self {
        Self {
            seen: counts.seen,
            added: counts.added,
            changed: counts.changed,
            unchanged: counts.unchanged,
            removed: counts.removed,
            skipped: counts.skipped,
            failed: counts.failed,
        }
    }
}

/// What a run cost at Atlassian.
#[derive(Serialize, ToSchema)]
#[schema(as = Spent)]
pub struct SpentJson {
    pub calls: u64,
    /// Of the hourly quota.
    pub points: u64,
}

impl From<Spent> for SpentJson {
    fn from(spent: Spent) -> Self {
        Self {
            calls: spent.calls,
            points: spent.points,
        }
    }
}

impl From<SyncRun> for RunJson {
    fn from(run: SyncRun) -> Self {
        let (outcome, why) = match run.outcome {
            None => (None, None),
            Some(Outcome::Complete) => (Some(OutcomeJson::Complete), None),
            Some(Outcome::Parked { why }) => (Some(OutcomeJson::Parked), Some(why)),
            Some(Outcome::Failed { why }) => (Some(OutcomeJson::Failed), Some(why)),
            Some(Outcome::Stopped { why }) => (Some(OutcomeJson::Stopped), Some(why)),
        };
        Self {
            id: run.id.to_string(),
            feed_id: run.feed.to_string(),
            kind: match run.kind {
                RunKind::Import => RunKindJson::Import,
                RunKind::Walk => RunKindJson::Walk,
                RunKind::Probe => RunKindJson::Probe,
                RunKind::Changes => RunKindJson::Changes,
            },
            trigger: match run.trigger {
                Trigger::Person => TriggerJson::Person,
                Trigger::Schedule => TriggerJson::Schedule,
            },
            started_at: run.started_at.to_string(),
            ended_at: run.ended_at.map(|at| at.to_string()),
            outcome,
            why,
            counts: run.counts.into(),
            spent: run.spent.into(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Runs)]
pub struct RunsJson {
    /// Newest first, at most 100.
    pub runs: Vec<RunJson>,
}

/// A document that a run could not read.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureJson {
    /// Null when not even its id could be read.
    pub document_id: Option<String>,
    pub title: String,
    pub why: String,
    #[schema(format = DateTime)]
    pub at: String,
}

impl From<Failure> for FailureJson {
    fn from(failure: Failure) -> Self {
        Self {
            document_id: failure.document.map(|document| document.to_string()),
            title: failure.title,
            why: failure.why,
            at: failure.at.to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Failures)]
pub struct FailuresJson {
    /// At most 100.
    pub failures: Vec<FailureJson>,
}

/// List a feed's runs
#[utoipa::path(get, path = "/feeds/{id}/runs", tag = "runs", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "Runs", body = RunsJson)))]
pub async fn list_runs(State(door): State<Door>, Asker(caller): Asker, Id(feed): Id<FeedId>) -> Answer<Json<RunsJson>> {
    let runs = door.app.runs(&caller, feed).await?;
    Ok(Json(RunsJson {
        runs: runs.into_iter().map(RunJson::from).collect(),
    }))
}

/// Read a run
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "The run", body = RunJson)))]
pub async fn read_run(State(door): State<Door>, Asker(caller): Asker, Id(run): Id<RunId>) -> Answer<Json<RunJson>> {
    Ok(Json(door.app.run(&caller, run).await?.into()))
}

/// List what a run could not read
#[utoipa::path(get, path = "/runs/{id}/failures", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "Failures", body = FailuresJson)))]
pub async fn list_failures(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(run): Id<RunId>,
) -> Answer<Json<FailuresJson>> {
    let failures = door.app.failures(&caller, run).await?;
    Ok(Json(FailuresJson {
        failures: failures.into_iter().map(FailureJson::from).collect(),
    }))
}
