//! The runs of a feed, and what they could not read.

mod export;

use app::sync_runs::EFFECTS_MAX;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    ContentId, Error, FeedId, RunId,
    store::EffectRow,
    sync_run::{Counts, Difference, Differs, Effect, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        documents::KindJson,
        problem::Answer,
        request::{Id, Parameters},
    },
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

/// `import`: a space's first pass. `walk`: everything that is there, the proof of what is gone. `probe`: a quick look at what
/// can no longer be seen. `changes`: what was written lately. `verify`: a comparison of site, index and search that changes none.
/// `files`: the text of attachments.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunKind)]
pub enum RunKindJson {
    Import,
    Walk,
    Probe,
    Changes,
    Verify,
    Files,
}

impl From<RunKind> for RunKindJson {
    fn from(kind: RunKind) -> Self {
        match kind {
            RunKind::Import => Self::Import,
            RunKind::Walk => Self::Walk,
            RunKind::Probe => Self::Probe,
            RunKind::Changes => Self::Changes,
            RunKind::Verify => Self::Verify,
            RunKind::Files => Self::Files,
        }
    }
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
    /// Documents in which site, index and search differ; of a `verify` only.
    pub differing: u64,
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
            differing: counts.differing,
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
            kind: run.kind.into(),
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
    /// Null when it is not known what it is.
    pub kind: Option<KindJson>,
    pub title: String,
    pub why: String,
    #[schema(format = DateTime)]
    pub at: String,
}

impl From<Failure> for FailureJson {
    fn from(failure: Failure) -> Self {
        Self {
            document_id: failure.document.map(|document| document.to_string()),
            kind: failure.kind.map(KindJson::from),
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

/// What a run did to a document. `suspended`: kept out of search until a second pass agrees that it is gone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EffectKind)]
pub enum EffectKindJson {
    Added,
    Updated,
    Removed,
    Suspended,
}

impl From<Effect> for EffectKindJson {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Added => Self::Added,
            Effect::Updated => Self::Updated,
            Effect::Removed => Self::Removed,
            Effect::Suspended => Self::Suspended,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Effect)]
pub struct EffectJson {
    pub document_id: String,
    pub kind: KindJson,
    pub effect: EffectKindJson,
    /// As it is now.
    pub title: String,
    /// Opens it at Atlassian.
    pub url: String,
}

impl From<EffectRow> for EffectJson {
    fn from(row: EffectRow) -> Self {
        Self {
            document_id: row.id.to_string(),
            kind: row.kind.into(),
            effect: row.effect.into(),
            title: row.title,
            url: row.url,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Effects)]
pub struct EffectsJson {
    /// By content id, at most 200.
    pub effects: Vec<EffectJson>,
    /// Give it as `after` for what follows; null at the end.
    pub next: Option<String>,
}

/// List what a run changed
///
/// For administrators.
#[utoipa::path(get, path = "/runs/{id}/effects", tag = "runs",
    params(("id" = String, Path, description = "Id of the run"),
        ("effect" = Option<String>, Query, description = "`added`, `updated`, `removed` or `suspended`; all without it"),
        ("after" = Option<String>, Query, description = "`next` of the answer before")),
    responses((status = 200, description = "Changes", body = EffectsJson)))]
pub async fn list_effects(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(run): Id<RunId>,
    parameters: Parameters,
) -> Answer<Json<EffectsJson>> {
    let effect = parameters.one("effect")?.map(|word| effect_of(&word)).transpose()?;
    let after = parameters.one("after")?.map(ContentId::new);
    let rows = door.app.effects(&caller, run, effect, after.as_ref()).await?;
    let last = rows.last().filter(|_| rows.len() == EFFECTS_MAX);
    Ok(Json(EffectsJson {
        next: last.map(|row| row.id.content.to_string()),
        effects: rows.into_iter().map(EffectJson::from).collect(),
    }))
}

fn effect_of(word: &str) -> Result<Effect, Error> {
    let effect = Effect::ALL.into_iter().find(|effect| effect.word() == word);
    effect.ok_or_else(|| Error::invalid("effect: is one of added, updated, removed and suspended"))
}

/// In what site and index differ about a document. `not_in_index`: the site shows it, and it cannot be found. `not_on_site`: it
/// can be found, and the site does not show it. `not_in_search`: it is held, and search does not find it. `left_in_search`:
/// search finds it, and it is not held or was removed. `other_in_search`: search finds it in part, or as it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Differs)]
pub enum DiffersJson {
    NotInIndex,
    NotOnSite,
    OtherVersion,
    OtherPlace,
    OtherTitle,
    OtherLabels,
    OtherAddress,
    NotInSearch,
    LeftInSearch,
    OtherInSearch,
}

impl From<Differs> for DiffersJson {
    fn from(differs: Differs) -> Self {
        match differs {
            Differs::NotInIndex => Self::NotInIndex,
            Differs::NotOnSite => Self::NotOnSite,
            Differs::OtherVersion => Self::OtherVersion,
            Differs::OtherPlace => Self::OtherPlace,
            Differs::OtherTitle => Self::OtherTitle,
            Differs::OtherLabels => Self::OtherLabels,
            Differs::OtherAddress => Self::OtherAddress,
            Differs::NotInSearch => Self::NotInSearch,
            Differs::LeftInSearch => Self::LeftInSearch,
            Differs::OtherInSearch => Self::OtherInSearch,
        }
    }
}

/// A document in which site and index differ, or what is held and what search finds: the first thing that does.
#[derive(Serialize, ToSchema)]
#[schema(as = Difference)]
pub struct DifferenceJson {
    /// Within the feed's site.
    pub content_id: String,
    pub kind: KindJson,
    pub space_id: String,
    pub differs: DiffersJson,
    pub title: String,
    /// Opens it at Atlassian.
    pub url: String,
    /// What is held, for people; empty when nothing is.
    pub held: String,
    /// What the site shows, for people; empty when it shows nothing. Null when site and index are the same, and search
    /// differs.
    pub on_site: Option<String>,
    /// What search finds, for people; empty when it finds nothing. Null when site and index differ.
    pub in_search: Option<String>,
}

impl From<Difference> for DifferenceJson {
    fn from(difference: Difference) -> Self {
        let of_search = difference.differs.is_of_search();
        Self {
            content_id: difference.id.to_string(),
            kind: difference.kind.into(),
            space_id: difference.space.to_string(),
            differs: difference.differs.into(),
            title: difference.title,
            url: difference.url,
            held: difference.held,
            on_site: (!of_search).then(|| difference.other.clone()),
            in_search: of_search.then_some(difference.other),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Differences)]
pub struct DifferencesJson {
    /// By content id, at most 200.
    pub differences: Vec<DifferenceJson>,
    /// Give it as `after` for what follows; null at the end.
    pub next: Option<String>,
    /// What people should know of the run, in sentences: what was not compared, and why.
    pub notes: Vec<String>,
}

/// List in what site, index and search differed
///
/// For administrators. Of a `verify`; at most 10,000 are kept.
#[utoipa::path(get, path = "/runs/{id}/differences", tag = "runs",
    params(("id" = String, Path, description = "Id of the run"),
        ("after" = Option<String>, Query, description = "`next` of the answer before")),
    responses((status = 200, description = "Differences", body = DifferencesJson)))]
pub async fn list_differences(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(run): Id<RunId>,
    parameters: Parameters,
) -> Answer<Json<DifferencesJson>> {
    let after = parameters.one("after")?.map(ContentId::new);
    let rows = door.app.differences(&caller, run, after.as_ref()).await?;
    let last = rows.last().filter(|_| rows.len() == EFFECTS_MAX);
    Ok(Json(DifferencesJson {
        next: last.map(|row| row.id.to_string()),
        notes: door.app.notes(&caller, run).await?,
        differences: rows.into_iter().map(DifferenceJson::from).collect(),
    }))
}

/// All of a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunExport)]
pub struct ExportJson {
    pub run: RunJson,
    /// By content id.
    pub effects: Vec<EffectJson>,
    pub failures: Vec<FailureJson>,
    /// Of a `verify`, at most 10,000.
    pub differences: Vec<DifferenceJson>,
    /// Written last, and always true: a file without it was cut short.
    pub complete: bool,
}

/// Export a run as JSON
///
/// For administrators. It is sent while it is read, however long it is.
#[utoipa::path(get, path = "/runs/{id}/export.json", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "What it changed and could not read", body = ExportJson)))]
pub async fn export_json(State(door): State<Door>, Asker(caller): Asker, Id(run): Id<RunId>) -> Answer<Response> {
    let export = door.app.export_run(&caller, run).await?;
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, attachment(run, "json")),
    ];
    Ok((headers, export::json(export)).into_response())
}

/// Export a run as CSV
///
/// For administrators. It is sent while it is read, however long it is. A cell that a spreadsheet would take for a formula
/// begins with an apostrophe.
#[utoipa::path(get, path = "/runs/{id}/export.csv", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "What it changed and could not read", body = String, content_type = "text/csv")))]
pub async fn export_csv(State(door): State<Door>, Asker(caller): Asker, Id(run): Id<RunId>) -> Answer<Response> {
    let export = door.app.export_run(&caller, run).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, attachment(run, "csv")),
    ];
    Ok((headers, export::csv(export)).into_response())
}

fn attachment(run: RunId, ending: &str) -> String {
    format!("attachment; filename=\"run-{run}.{ending}\"")
}
