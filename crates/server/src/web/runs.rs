//! A feed's runs, and one of them: what it did, what it cost, what it could not read.

use app::sync_runs::EFFECTS_MAX;
use askama::Template;
use axum::extract::{Path, State};
use domain::{
    ContentId, Error, FeedId, IndexId, Result, RunId,
    store::EffectRow,
    sync_run::{Counts, Difference, Differs, Effect, Outcome, RunKind, SyncRun, Trigger},
};

use super::{
    error::Shown,
    fields::Fields,
    moment::{Moment, span},
    page::{Page, grouped, id, kind_name, link, ok, sentence},
    session::SignedIn,
};
use crate::Door;

/// Runs on a feed's page.
const RUNS_SHOWN: usize = 20;

/// The last runs of a feed, which its page renders anew with every change.
#[derive(Template)]
#[template(path = "_runs.html")]
pub struct RunList {
    feed: FeedId,
    runs: Vec<RunRow>,
}

impl RunList {
    /// `runs` has the newest first.
    pub fn new(feed: FeedId, runs: &[SyncRun]) -> Self {
        Self {
            feed,
            runs: runs.iter().take(RUNS_SHOWN).map(run_row).collect(),
        }
    }
}

/// A run in a list.
pub struct RunRow {
    pub id: RunId,
    pub kind: &'static str,
    pub trigger: &'static str,
    pub started: Moment,
    pub took: Option<String>,
    pub outcome: &'static str,
    pub tone: &'static str,
    pub why: String,
    pub added: String,
    pub changed: String,
    pub removed: String,
    pub failed: u64,
}

fn run_row(run: &SyncRun) -> RunRow {
    let (outcome, tone, why) = match &run.outcome {
        None => ("Running", "busy", ""),
        Some(Outcome::Complete) => ("Complete", "good", ""),
        Some(Outcome::Parked { why }) => ("Parked", "bad", why.as_str()),
        Some(Outcome::Failed { why }) => ("Failed", "bad", why.as_str()),
        Some(Outcome::Stopped { why }) => ("Stopped", "quiet", why.as_str()),
    };
    RunRow {
        id: run.id,
        kind: match run.kind {
            RunKind::Import => "Import",
            RunKind::Walk => "Walk",
            RunKind::Probe => "Probe",
            RunKind::Changes => "Changes",
            RunKind::Verify => "Verify",
            RunKind::Files => "Files",
        },
        trigger: match run.trigger {
            Trigger::Person => "by a person",
            Trigger::Schedule => "on schedule",
        },
        started: Moment::new(run.started_at),
        took: run.ended_at.map(|ended| span(ended.since(run.started_at))),
        outcome,
        tone,
        why: sentence(why),
        added: grouped(run.counts.added),
        changed: grouped(run.counts.changed),
        removed: grouped(run.counts.removed),
        failed: run.counts.failed,
    }
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    page: Page,
    feed: FeedId,
    feed_name: String,
    run: RunRow,
    counts: Vec<(&'static str, String)>,
    calls: String,
    points: String,
    /// Of a verify only.
    verify: Option<Compared>,
    failures: Vec<FailureRow>,
    more_failures: bool,
    notes: Vec<String>,
    index: IndexId,
    changes: Vec<Change>,
    /// The effects one may choose among, and whether it is chosen; the first stands for all.
    effects: Vec<(&'static str, &'static str, bool)>,
    /// Where the list of changes goes on.
    next: Option<String>,
}

struct Change {
    id: String,
    title: String,
    link: String,
    kind: String,
    effect: &'static str,
}

fn change(row: EffectRow) -> Change {
    Change {
        id: row.id.to_string(),
        link: link(&row.url),
        kind: kind_name(row.kind.word()).to_owned(),
        effect: effect_name(row.effect),
        title: row.title,
    }
}

/// What a run did to a document, in a word.
pub fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Added => "New",
        Effect::Updated => "Changed",
        Effect::Removed => "Removed",
        Effect::Suspended => "Suspended",
    }
}

/// What a verify found.
struct Compared {
    /// In a sentence, once it is done.
    said: String,
    rows: Vec<DifferenceRow>,
    next: Option<String>,
}

struct DifferenceRow {
    title: String,
    link: String,
    kind: String,
    what: &'static str,
    held: String,
    on_site: String,
    in_search: String,
}

fn difference(difference: Difference) -> DifferenceRow {
    let of_search = difference.differs.is_of_search();
    DifferenceRow {
        link: link(&difference.url),
        kind: kind_name(difference.kind.word()).to_owned(),
        what: match difference.differs {
            Differs::NotInIndex => "Missing in the index",
            Differs::NotOnSite => "No longer on the site",
            Differs::OtherVersion => "Other version",
            Differs::OtherPlace => "Other place",
            Differs::OtherTitle => "Other title",
            Differs::OtherLabels => "Other labels",
            Differs::OtherAddress => "Other address",
            Differs::NotInSearch => "Not found by search",
            Differs::LeftInSearch => "Still found by search",
            Differs::OtherInSearch => "Found otherwise by search",
        },
        title: difference.title,
        held: difference.held,
        on_site: if of_search {
            String::new()
        } else {
            difference.other.clone()
        },
        in_search: if of_search { difference.other } else { String::new() },
    }
}

/// What a verify found, for administrators.
async fn compared(door: &Door, who: &SignedIn, run: &SyncRun, query: &Fields) -> Result<Option<Compared>> {
    match run.kind {
        RunKind::Verify if who.manages() => {}
        RunKind::Import | RunKind::Changes | RunKind::Walk | RunKind::Probe | RunKind::Verify | RunKind::Files => {
            return Ok(None);
        }
    }
    let after = Some(query.one("after"))
        .filter(|after| !after.is_empty())
        .map(ContentId::new);
    let rows = door.app.differences(&who.caller, run.id, after.as_ref()).await?;
    let said = match (&run.outcome, run.counts.differing) {
        (Some(Outcome::Complete), 0) => "Site, index and search are the same.".to_owned(),
        (Some(Outcome::Complete), 1) => "Site, index and search differ in 1 document.".to_owned(),
        (Some(Outcome::Complete), many) => format!("Site, index and search differ in {} documents.", grouped(many)),
        (None, _) => "It goes on; load the page again to see how far it is.".to_owned(),
        (Some(Outcome::Parked { .. } | Outcome::Stopped { .. }), _) => {
            "It is not complete, and goes on later.".to_owned()
        }
        (Some(Outcome::Failed { .. }), _) => "It is not complete. Choose Verify again.".to_owned(),
    };
    let last = rows.last().filter(|_| rows.len() == EFFECTS_MAX);
    Ok(Some(Compared {
        said,
        next: last.map(|row| query.with("after", row.id.as_str())),
        rows: rows.into_iter().map(difference).collect(),
    }))
}

struct FailureRow {
    title: String,
    document: String,
    why: String,
}

pub async fn show(
    State(door): State<Door>,
    who: SignedIn,
    Path((feed, run)): Path<(String, String)>,
    query: Fields,
) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let run = door.app.run(&who.caller, id(&run)?).await?;
    if run.feed != feed.id {
        return Err(Error::not_found("there is no such run of this integration").into());
    }
    let failures = door.app.failures(&who.caller, run.id).await?;
    let effect = Effect::ALL
        .into_iter()
        .find(|effect| effect.word() == query.one("effect"));
    let after = Some(query.one("after"))
        .filter(|after| !after.is_empty())
        .map(ContentId::new);
    let rows = match who.manages() {
        true => door.app.effects(&who.caller, run.id, effect, after.as_ref()).await?,
        false => Vec::new(),
    };
    let last = rows.last().filter(|_| rows.len() == EFFECTS_MAX);
    Ok(ok(&RunPage {
        verify: compared(&door, &who, &run, &query).await?,
        page: Page::new(&who, format!("Run {}", run.id)),
        notes: door.app.notes(&who.caller, run.id).await?,
        index: feed.index,
        effects: choices(effect),
        next: last.map(|row| query.with("after", row.id.content.as_str())),
        changes: rows.into_iter().map(change).collect(),
        feed: feed.id,
        feed_name: match feed.site {
            Some(site) => format!("Confluence: {}", site.name),
            None => "Confluence".to_owned(),
        },
        run: run_row(&run),
        counts: counts(run.kind, &run.counts),
        calls: grouped(run.spent.calls),
        points: grouped(run.spent.points),
        more_failures: run.counts.failed > failures.len() as u64,
        failures: failures
            .into_iter()
            .map(|failure| FailureRow {
                title: failure.title,
                document: failure.document.map(|id| id.to_string()).unwrap_or_default(),
                why: sentence(&failure.why),
            })
            .collect(),
    }))
}

fn choices(chosen: Option<Effect>) -> Vec<(&'static str, &'static str, bool)> {
    let some = Effect::ALL.map(|effect| (effect.word(), effect_name(effect), chosen == Some(effect)));
    [("", "All", chosen.is_none())].into_iter().chain(some).collect()
}

fn counts(kind: RunKind, counts: &Counts) -> Vec<(&'static str, String)> {
    let told = match kind {
        RunKind::Verify => vec![
            ("Compared", counts.seen),
            ("Differing", counts.differing),
            ("Failed", counts.failed),
        ],
        RunKind::Files => vec![
            ("Files", counts.seen),
            ("Read", counts.changed),
            ("Later", counts.skipped),
            ("Not readable", counts.failed),
        ],
        RunKind::Import | RunKind::Changes | RunKind::Walk | RunKind::Probe => vec![
            ("Seen", counts.seen),
            ("New", counts.added),
            ("Changed", counts.changed),
            ("Unchanged", counts.unchanged),
            ("Removed", counts.removed),
            ("Skipped", counts.skipped),
            ("Failed", counts.failed),
        ],
    };
    told.into_iter().map(|(name, count)| (name, grouped(count))).collect()
}
