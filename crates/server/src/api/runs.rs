//! The runs of a feed, and what they could not read.

use app::sync_runs::{EFFECTS_MAX, EXPORTED_MAX, Export};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    ContentId, Error, FeedId, RunId,
    document::DocumentKind,
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
    /// By content id, at most 100,000.
    pub effects: Vec<EffectJson>,
    /// At most 100,000.
    pub failures: Vec<FailureJson>,
    /// Of a `verify`, at most 10,000.
    pub differences: Vec<DifferenceJson>,
    /// False when there is more than these bounds let through.
    pub complete: bool,
}

/// Export a run as JSON
///
/// For administrators.
#[utoipa::path(get, path = "/runs/{id}/export.json", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "What it changed and could not read", body = ExportJson)))]
pub async fn export_json(State(door): State<Door>, Asker(caller): Asker, Id(run): Id<RunId>) -> Answer<Response> {
    let export = door.app.export_run(&caller, run).await?;
    let whole = ExportJson {
        run: export.run.into(),
        effects: export.effects.into_iter().map(EffectJson::from).collect(),
        failures: export.failures.into_iter().map(FailureJson::from).collect(),
        differences: export.differences.into_iter().map(DifferenceJson::from).collect(),
        complete: export.complete,
    };
    Ok(([(CONTENT_DISPOSITION, attachment(run, "json"))], Json(whole)).into_response())
}

/// Export a run as CSV
///
/// For administrators. A cell that a spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(get, path = "/runs/{id}/export.csv", tag = "runs", params(("id" = String, Path, description = "Id of the run")),
    responses((status = 200, description = "What it changed and could not read", body = String, content_type = "text/csv")))]
pub async fn export_csv(State(door): State<Door>, Asker(caller): Asker, Id(run): Id<RunId>) -> Answer<Response> {
    let text = csv(&door.app.export_run(&caller, run).await?);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, attachment(run, "csv")),
    ];
    Ok((headers, text).into_response())
}

fn attachment(run: RunId, ending: &str) -> String {
    format!("attachment; filename=\"run-{run}.{ending}\"")
}

/// The lines of RFC 4180: changes first, then failures, then differences.
fn csv(export: &Export) -> String {
    let mut text = line(["what", "document_id", "kind", "title", "url", "why", "at"]);
    for row in &export.effects {
        let id = row.id.to_string();
        text += &line([row.effect.word(), &id, row.kind.word(), &row.title, &row.url, "", ""]);
    }
    for failure in &export.failures {
        let id = failure.document.as_ref().map(ToString::to_string).unwrap_or_default();
        text += &line([
            "failed",
            &id,
            failure.kind.map(DocumentKind::word).unwrap_or_default(),
            &failure.title,
            "",
            &failure.why,
            &failure.at.to_string(),
        ]);
    }
    for difference in &export.differences {
        let (id, why) = (difference.id.to_string(), sides(difference));
        text += &line([
            difference.differs.word(),
            &id,
            difference.kind.word(),
            &difference.title,
            &difference.url,
            &why,
            "",
        ]);
    }
    if !export.complete {
        let why = format!("there is more than {EXPORTED_MAX} rows");
        text += &line(["incomplete", "", "", "", "", &why, ""]);
    }
    text
}

fn sides(difference: &Difference) -> String {
    let said = |side: &str| {
        if side.is_empty() {
            "nothing".to_owned()
        } else {
            side.to_owned()
        }
    };
    let other = match difference.differs.is_of_search() {
        true => "in search",
        false => "on the site",
    };
    format!("held: {}; {other}: {}", said(&difference.held), said(&difference.other))
}

fn line(cells: [&str; 7]) -> String {
    cells.map(cell).join(",") + "\r\n"
}

/// Quoted, and never a formula: titles are written by strangers and opened in spreadsheets.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_title_is_never_a_formula_in_a_spreadsheet_nor_ends_its_cell() {
        assert_eq!(cell("Pump, \"old\""), "\"Pump, \"\"old\"\"\"");
        for formula in ["=1+1", " @sum(a1)", "+1", "-1", "\t=1", "\r=1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }
}
