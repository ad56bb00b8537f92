//! The labels of a space's pages and blog posts. Listings come without them, and asking each page would cost a call for
//! each: so the labels that are in use are listed first, and then the content that bears them, without bodies. What
//! bears no label costs nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    ErrorKind, Result, SiteId, SpaceId, Timestamp,
    document::{Document, DocumentKind, Observed},
    source::{Reach, Urgency},
    space::Space,
    sync_run::Spent,
};
use serde::Deserialize;

use crate::{
    client::{Call, Client, Price},
    pages,
    spaces::{keys, quoted, total},
    wire::{self, Listing},
};

/// The most the v2 API returns in one answer.
const LIMIT: &str = "250";
/// What v1's search gives at once when something is expanded (facts.md §5).
const SEARCH_LIMIT: u32 = 200;
/// Labels named in one search: the query stays far below what servers take as an address.
const LABELS_PER_SEARCH: usize = 50;
/// The most labels of one space that are followed.
const LABELS_MAX: usize = 2_000;
/// The most answers read of one listing: 20,000 labelled pages for each fifty labels.
const ANSWERS_MAX: usize = 100;
/// The most spaces whose labels are kept for what follows.
const SPACES_MAX: usize = 32;
/// The most spaces of which it is known when their labels were read.
const READINGS_MAX: usize = 10_000;
/// How long the labels that were read are good enough for walks that the schedule makes. What bears a label costs a point,
/// often as much as half of the walk itself: who may read what is proven every hour, and labels a few times a day.
const LABELS_LIFE: Duration = Duration::from_secs(3 * 3600);
/// What was written after labels were read may bear others, which a pass of changes has read since. Our clock and
/// Atlassian's differ, and such a pass reads again what is ten minutes old.
const WRITTEN_SINCE: Duration = Duration::from_secs(15 * 60);

/// By content id.
#[derive(Default)]
struct Labels {
    of: LabelsOf,
    /// Whether all that is labelled was read; else what is not here may bear labels all the same.
    whole: bool,
}

type Place = (SiteId, SpaceId);

/// The labels of the spaces that are being read, by content id.
#[derive(Default)]
pub struct LabelBook {
    labels: Mutex<BTreeMap<Place, Arc<Labels>>>,
    readings: Mutex<BTreeMap<Place, LastRead>>,
}

/// When all labels of a space were read last.
#[derive(Clone, Copy)]
struct LastRead {
    at: Timestamp,
    /// Whether the pass that goes on tells of them.
    told: bool,
}

/// Whether a listing begins, and labels are to be read anew, or goes on with those that are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    FromTheBeginning,
    Onwards,
}

impl LabelBook {
    /// Writes the labels into the documents. Without the scope for it they stay without: pages are worth more than
    /// their labels. Gives what it cost.
    pub async fn label(
        &self,
        client: &Client,
        reach: &Reach,
        space: &Space,
        listed: Listed,
        documents: &mut [Document],
    ) -> Result<Spent> {
        let now = client.clock.now();
        let (labels, spent) = self.of_space(client, reach, space, listed).await?;
        if listed == Listed::FromTheBeginning && labels.whole {
            self.note(
                (reach.site.id.clone(), space.id.clone()),
                LastRead { at: now, told: true },
            );
        }
        for document in documents {
            if let Some(labels) = labels.of.get(document.id.content.as_str()) {
                document.labels = labels.clone();
            }
        }
        Ok(spent)
    }

    /// The same for what was listed without bodies. Where not all labels could be read, or they were read not long ago, none
    /// are told of.
    pub async fn label_observed(
        &self,
        client: &Client,
        reach: &Reach,
        space: &Space,
        listed: Listed,
        observed: &mut [Observed],
    ) -> Result<Spent> {
        let place = (reach.site.id.clone(), space.id.clone());
        let now = client.clock.now();
        let last = self.readings().get(&place).copied();
        let untold = last.is_some_and(|last| match listed {
            Listed::FromTheBeginning => reach.urgency != Urgency::Person && now.is_within(LABELS_LIFE, last.at),
            Listed::Onwards => !last.told,
        });
        if let Some(last) = last.filter(|_| untold) {
            self.note(place, LastRead { told: false, ..last });
            return Ok(Spent::default());
        }
        let (labels, spent) = self.of_space(client, reach, space, listed).await?;
        let at = match (listed, last) {
            (Listed::Onwards, Some(last)) => last.at,
            (Listed::Onwards, None) | (Listed::FromTheBeginning, _) => now,
        };
        if !labels.whole {
            self.readings().remove(&place);
            return Ok(spent);
        }
        self.note(place, LastRead { at, told: true });
        let unwritten = |observed: &&mut Observed| observed.modified_at < at.minus(WRITTEN_SINCE);
        for observed in observed.iter_mut().filter(unwritten) {
            observed.labels = Some(labels.of.get(observed.id.as_str()).cloned().unwrap_or_default());
        }
        Ok(spent)
    }

    fn readings(&self) -> MutexGuard<'_, BTreeMap<Place, LastRead>> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, place: Place, last: LastRead) {
        let mut readings = self.readings();
        while readings.len() >= READINGS_MAX && !readings.contains_key(&place) {
            readings.pop_first();
        }
        readings.insert(place, last);
    }

    async fn of_space(
        &self,
        client: &Client,
        reach: &Reach,
        space: &Space,
        listed: Listed,
    ) -> Result<(Arc<Labels>, Spent)> {
        let place = (reach.site.id.clone(), space.id.clone());
        if let Some(known) = self.known(&place).filter(|_| listed == Listed::Onwards) {
            return Ok((known, Spent::default()));
        }
        let (mut spent, mut labels) = (Spent::default(), Labels::default());
        match read(client, reach, space, &mut labels.of, &mut spent).await {
            Ok(()) => labels.whole = true,
            Err(error) if bearable(&error.kind) => {
                tracing::info!("Not all labels of space {} are read: {error}", space.key);
            }
            Err(error) => return Err(error),
        }
        let labels = Arc::new(labels);
        self.keep(place, labels.clone());
        Ok((labels, spent))
    }

    fn keep(&self, place: Place, labels: Arc<Labels>) {
        let mut book = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        while book.len() >= SPACES_MAX && !book.contains_key(&place) {
            book.pop_first();
        }
        book.insert(place, labels);
    }

    fn known(&self, place: &Place) -> Option<Arc<Labels>> {
        self.labels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(place)
            .cloned()
    }
}

/// Writes the labels into these few documents, asking for them by id.
pub async fn label_some(client: &Client, reach: &Reach, spaces: &[Space], documents: &mut [Document]) -> Result<Spent> {
    let (mut spent, mut labels) = (Spent::default(), BTreeMap::new());
    for some in documents.chunks(LABELS_PER_SEARCH) {
        let ids: Vec<&str> = some.iter().map(|document| document.id.content.as_str()).collect();
        let cql = format!("space in ({}) and id in ({})", keys(spaces), ids.join(","));
        match bearers(client, reach, spaces, &cql, &mut labels, &mut spent).await {
            Ok(()) => {}
            // Written without their labels they would lose those that they have: what passes is waited for.
            Err(error) if bearable(&error.kind) && !passes(&error.kind) => {
                tracing::info!("The labels of changed pages are not read: {error}");
                break;
            }
            Err(error) => return Err(error),
        }
    }
    for document in documents {
        if let Some(labels) = labels.remove(document.id.content.as_str()) {
            document.labels = labels;
        }
    }
    Ok(spent)
}

/// Errors that are about labels alone.
fn bearable(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::MissingScope { .. } | ErrorKind::Gone | ErrorKind::Invalid => true,
        ErrorKind::Forbidden | ErrorKind::NotFound => true,
        // What was read of them until the quota was spent serves; the pages go on.
        ErrorKind::RateLimited { .. } | ErrorKind::Unavailable => true,
        ErrorKind::Ended { .. } | ErrorKind::Misconfigured => false,
        ErrorKind::Unauthenticated | ErrorKind::Conflict | ErrorKind::Internal => false,
    }
}

fn passes(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::RateLimited { .. } | ErrorKind::Unavailable)
}

type LabelsOf = BTreeMap<String, Vec<String>>;

async fn read(client: &Client, reach: &Reach, space: &Space, labels: &mut LabelsOf, spent: &mut Spent) -> Result<()> {
    let names: Vec<String> = names(client, reach, space, spent).await?.into_iter().collect();
    for names in names.chunks(LABELS_PER_SEARCH) {
        let cql = format!("{} order by created asc", bearing(space, names));
        bearers(client, reach, std::slice::from_ref(space), &cql, labels, spent).await?;
    }
    Ok(())
}

/// What bears one of these labels in the space, as CQL.
fn bearing(space: &Space, names: &[String]) -> String {
    let named: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!(
        "space={} and type in ({},{}) and label in ({})",
        keys(std::slice::from_ref(space)),
        DocumentKind::Page.word(),
        DocumentKind::BlogPost.word(),
        named.join(",")
    )
}

/// About how many rows the reading of these spaces' labels will have; none when the grant cannot tell.
pub async fn estimate(client: &Client, reach: &Reach, spaces: &[Space]) -> Result<Option<u64>> {
    let mut labelled = 0;
    for space in spaces {
        let mut spent = Spent::default();
        let names = match names(client, reach, space, &mut spent).await {
            Ok(names) => names.into_iter().collect::<Vec<_>>(),
            Err(error) if bearable(&error.kind) && !passes(&error.kind) => return Ok(None),
            Err(error) => return Err(error),
        };
        for names in names.chunks(LABELS_PER_SEARCH) {
            labelled += total(client, reach, &bearing(space, names), 1).await?;
        }
    }
    Ok(Some(labelled))
}

/// The labels in use in the space.
async fn names(client: &Client, reach: &Reach, space: &Space, spent: &mut Spent) -> Result<BTreeSet<String>> {
    let what = format!("the labels of space {}", space.key);
    let mut names = BTreeSet::new();
    let mut after: Option<String> = None;
    for _ in 0..ANSWERS_MAX {
        let mut query = vec![("limit", LIMIT)];
        query.extend(after.as_deref().map(|cursor| ("cursor", cursor)));
        let call = Call {
            what: &what,
            path: &["api", "v2", "spaces", space.id.as_str(), "content", "labels"],
            query: &query,
            scopes: &["read:space:confluence"],
            price: Price::CALL,
        };
        let answered = client
            .get::<Listing>(reach, &call)
            .await
            .map_err(|refused| refused.into_error(&what))?;
        *spent = spent.plus(answered.spent);
        let rows = answered
            .value
            .results
            .into_iter()
            .filter_map(|row| serde_json::from_value::<LabelRow>(row).ok());
        names.extend(rows.filter_map(LabelRow::shown));
        let next = wire::cursor(answered.value.links.next.as_deref());
        if next.is_none() || next == after || names.len() >= LABELS_MAX {
            break;
        }
        after = next;
    }
    Ok(names.into_iter().take(LABELS_MAX).collect())
}

/// Who bears them, with all the labels that each bears.
async fn bearers(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    cql: &str,
    labels: &mut LabelsOf,
    spent: &mut Spent,
) -> Result<()> {
    let what = "the labels of pages";
    let limit = SEARCH_LIMIT.to_string();
    let mut after: Option<String> = None;
    for _ in 0..ANSWERS_MAX {
        let mut query = vec![("cql", cql), ("limit", &limit), ("expand", "space,metadata.labels")];
        query.extend(after.as_deref().map(|cursor| ("cursor", cursor)));
        let call = Call {
            what,
            path: &["rest", "api", "content", "search"],
            query: &query,
            scopes: &["search:confluence"],
            price: Price::of_rows(1, SEARCH_LIMIT),
        };
        let answered = client
            .get::<Listing>(reach, &call)
            .await
            .map_err(|refused| refused.into_error(what))?;
        let rows = answered.value.results.len();
        *spent = spent.plus(answered.spent);
        for row in answered.value.results {
            let Ok(row) = serde_json::from_value::<BearerRow>(row) else {
                continue;
            };
            if pages::space_of(spaces, row.space.as_ref().map(|space| space.id.as_str())).is_some() {
                let shown = row.metadata.labels.results.into_iter().filter_map(LabelRow::shown);
                labels.insert(row.id, shown.collect::<BTreeSet<_>>().into_iter().collect());
            }
        }
        let next = wire::cursor(answered.value.links.next.as_deref());
        if next.is_none() || next == after || rows == 0 {
            return Ok(());
        }
        after = next;
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LabelRow {
    name: Option<String>,
    prefix: Option<String>,
}

impl LabelRow {
    /// A person's own labels (`my`) are nobody else's business.
    fn shown(self) -> Option<String> {
        let global = self.prefix.as_deref().is_none_or(|prefix| prefix == "global");
        self.name
            .filter(|_| global)
            .map(|name| wire::shortened(&name))
            .filter(|name| !name.is_empty())
    }
}

#[derive(Deserialize)]
struct BearerRow {
    #[serde(deserialize_with = "wire::id")]
    id: String,
    #[serde(default)]
    space: Option<wire::SpaceRow>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    labels: LabelRows,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LabelRows {
    results: Vec<LabelRow>,
}
