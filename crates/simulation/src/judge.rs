//! The judge sees every operation of every port, knows the truth, and says which rule was broken.

mod asking;
mod keeping;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    ConnectionId, DocumentId, FeedId, IndexId, RunId, SiteId, SpaceId, Timestamp, cursor::Stream, document::Held,
};

use crate::{
    board::Life,
    truth::{Row, Truth},
};

/// What must hold, always or when all is quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// When quiet, what is searchable is what the person sees.
    Mirror,
    /// What was hidden before a complete walk began is not found after it.
    Forgotten,
    /// Nothing outside the chosen spaces is asked for or kept.
    Chosen,
    /// Bookmarks never go back.
    Bookmarks,
    /// Every run ends; one at a time in each feed.
    Runs,
    /// Points are spent as they are said to be, and the quota's wall is not run into again and again.
    Budget,
    /// No token is lost while it could be saved.
    Tokens,
    /// A document is removed only when it was hidden, and held only as it was shown.
    Proof,
    /// An index built anew equals the one that was kept.
    Rebuilt,
    /// A complete pass of changes brought all that was written before it.
    Changes,
    /// A complete import or walk brought all that its listings must have shown.
    Whole,
    /// The world comes to rest.
    Rest,
    /// No process breaks down.
    Alive,
}

impl Rule {
    pub fn words(self) -> &'static str {
        match self {
            Self::Mirror => "when quiet, what is searchable is what the person sees",
            Self::Forgotten => "what was hidden before a complete walk is not found after it",
            Self::Chosen => "nothing outside the chosen spaces is asked for or kept",
            Self::Bookmarks => "bookmarks never go back",
            Self::Runs => "every run ends, and a feed has one at a time",
            Self::Budget => "the budget is kept",
            Self::Tokens => "no token is lost while it could be saved",
            Self::Proof => "documents are removed on proof and held as they were shown",
            Self::Rebuilt => "an index built anew equals the one that was kept",
            Self::Changes => "a complete pass of changes brings all that was written before it",
            Self::Whole => "a complete import or walk holds all that was shown since before its listings began",
            Self::Rest => "the world comes to rest",
            Self::Alive => "no process breaks down",
        }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    pub rule: Rule,
    pub step: u64,
    pub what: String,
}

/// What a search finds: title and breadcrumb of each document.
pub type Found = BTreeMap<(FeedId, String), (String, Vec<String>)>;

/// A feed as it was set up.
#[derive(Clone, Debug)]
pub struct FeedFacts {
    pub index: IndexId,
    pub account: String,
    pub site: SiteId,
    /// The chosen spaces, with every key they ever had.
    pub spaces: BTreeMap<SpaceId, BTreeSet<String>>,
}

/// What must not be found once the search index has come so far.
struct Promise {
    feed: FeedId,
    index: IndexId,
    sequence: i64,
    documents: BTreeSet<String>,
}

/// How far a stream has been listed.
#[derive(Default)]
struct Reading {
    /// Cursors that its answers gave.
    given: BTreeSet<String>,
    /// Cursors that were written as marks.
    marked: BTreeSet<String>,
    /// The last of them, which is in the store.
    mark: Option<String>,
    done: bool,
    /// The step at which its first answer was asked for, and the time at Atlassian.
    began: u64,
    began_at: Timestamp,
    /// An answer did not show what was there, and did not say so.
    misled: bool,
}

#[derive(Default)]
struct Inner {
    step: u64,
    site_time: Timestamp,
    violations: Vec<Violation>,
    feeds: BTreeMap<FeedId, FeedFacts>,
    truths: BTreeMap<FeedId, Truth>,
    /// The store's documents, as they were last looked at.
    held: BTreeMap<(FeedId, String), (Row, bool)>,
    sequences: BTreeMap<IndexId, i64>,
    watermarks: BTreeMap<IndexId, i64>,
    /// When a listing that showed it was asked for.
    last_seen: BTreeMap<(FeedId, String), u64>,
    readings: BTreeMap<(FeedId, Stream), Reading>,
    /// Which feed a process is in.
    within: BTreeMap<usize, FeedId>,
    /// Who claimed the feed's job last.
    claims: BTreeMap<FeedId, Life>,
    open_runs: BTreeMap<FeedId, RunId>,
    /// When a run was first opened, by steps and by Atlassian's clock.
    began: BTreeMap<RunId, (u64, Timestamp)>,
    /// The listings that a walk has read and judged.
    walked: BTreeMap<FeedId, BTreeSet<Stream>>,
    /// The spaces that an import has read and told to be imported.
    imported: BTreeMap<FeedId, BTreeSet<String>>,
    walks: BTreeMap<FeedId, u64>,
    /// Feeds whose present run was told that a listing ended where it did not.
    misled: BTreeSet<FeedId>,
    /// Feeds of which a pass of changes may have missed something for which no later one looks: the next whole walk does.
    blinded: BTreeSet<FeedId>,
    /// How far Atlassian's search is behind now.
    lag_ms: i64,
    /// Until when what it tells is that far behind at most, and how far.
    lagged: Vec<(Timestamp, i64)>,
    /// Spaces that are archived now.
    archived: BTreeSet<String>,
    /// At which step each space was given its present key, if it had another.
    renamed: BTreeMap<String, u64>,
    /// At which step each feed's last complete walk began, which reads keys anew.
    walk_began: BTreeMap<FeedId, u64>,
    /// When each space was archived last, by Atlassian's clock.
    archived_last: BTreeMap<String, Timestamp>,
    promises: Vec<Promise>,
    /// What must not be found, unless it is shown again.
    forgotten: BTreeSet<(FeedId, String)>,
    /// Processes that were given tokens which are not in the store yet, with the feeds.
    unsaved_answers: BTreeMap<usize, BTreeSet<FeedId>>,
    /// The connections that the feeds had last.
    connections: BTreeMap<FeedId, ConnectionId>,
    /// Feeds whose tokens may be dead: an answer was lost, or consent taken back.
    excused: BTreeSet<FeedId>,
    /// Documents or what may be found changed since the index was last searched.
    searched: bool,
    pub figures: Figures,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub runs: u64,
    pub calls: u64,
}

/// Clones share it.
#[derive(Clone, Default)]
pub struct Judge(Arc<Mutex<Inner>>);

impl Judge {
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn violate(&self, rule: Rule, what: impl Into<String>) {
        self.locked().violate(rule, what);
    }

    /// The first rule that was broken.
    pub fn violation(&self) -> Option<Violation> {
        self.locked().violations.first().cloned()
    }

    pub fn figures(&self) -> Figures {
        self.locked().figures
    }

    pub fn step(&self) -> u64 {
        self.locked().step
    }

    pub fn turn_to(&self, step: u64, site_time: Timestamp) {
        let mut inner = self.locked();
        (inner.step, inner.site_time) = (step, site_time);
    }

    pub fn feed_is(&self, feed: FeedId, facts: FeedFacts) {
        self.locked().feeds.insert(feed, facts);
    }

    /// The space has this key from now on.
    pub fn key_is(&self, space: &SpaceId, key: &str) {
        let mut inner = self.locked();
        let step = inner.step;
        inner.renamed.insert(space.to_string(), step);
        for facts in inner.feeds.values_mut() {
            if let Some(keys) = facts.spaces.get_mut(space) {
                keys.insert(key.to_owned());
            }
        }
    }

    pub fn feeds(&self) -> BTreeMap<FeedId, FeedFacts> {
        self.locked().feeds.clone()
    }

    pub fn archived_are(&self, spaces: BTreeSet<String>) {
        let mut inner = self.locked();
        let at = inner.site_time;
        let before = std::mem::replace(&mut inner.archived, spaces);
        let ever: Vec<String> = before.union(&inner.archived).cloned().collect();
        inner.archived_last.extend(ever.into_iter().map(|space| (space, at)));
    }

    /// Atlassian's search is so far behind from now on.
    pub fn lags(&self, ms: i64) {
        let mut inner = self.locked();
        let (at, before) = (inner.site_time, inner.lag_ms);
        inner.lagged.push((at, before));
        inner.lag_ms = ms;
    }

    /// What the feed's person sees from now on.
    pub fn truth_is(&self, feed: FeedId, rows: Vec<(String, Row, Timestamp)>) {
        let mut inner = self.locked();
        let (step, at) = (inner.step, inner.site_time);
        let truth = inner.truths.entry(feed).or_default();
        truth.turn(rows, step, at);
        let shown: BTreeSet<String> = truth.now.keys().cloned().collect();
        let again = |(of, id): &(FeedId, String)| *of == feed && shown.contains(id);
        inner.forgotten.retain(|place| !again(place));
        for promise in inner.promises.iter_mut().filter(|promise| promise.feed == feed) {
            promise.documents.retain(|id| !shown.contains(id));
        }
    }

    /// The process has settled its job. A refresh that it gave up when it lost its claim is over: here nothing shields it.
    pub fn out_of_feed(&self, life: Life) {
        let mut inner = self.locked();
        inner.within.remove(&life.process);
        let unsaved = inner.unsaved_answers.remove(&life.process).unwrap_or_default();
        inner.excused.extend(unsaved);
    }

    /// How many complete walks the feed has had.
    pub fn walks(&self, feed: FeedId) -> u64 {
        self.locked().walks.get(&feed).copied().unwrap_or_default()
    }

    /// In what an index differs from what its feeds' people see.
    pub fn difference(&self, index: IndexId, found: &Found) -> Option<String> {
        let inner = self.locked();
        for (feed, _) in inner.feeds.iter().filter(|(_, facts)| facts.index == index) {
            let shown: BTreeMap<&String, &Row> = match inner.truths.get(feed) {
                Some(truth) => truth.now.iter().map(|(id, shown)| (id, &shown.row)).collect(),
                None => BTreeMap::new(),
            };
            let searchable: BTreeSet<&String> = found.keys().filter(|(of, _)| of == feed).map(|(_, id)| id).collect();
            // Atlassian's search is blind there (facts.md §6): what was never told cannot be held.
            let untold = |row: &Row| inner.archived.contains(&row.space) && row.is_told_by_search();
            let missing = shown
                .iter()
                .find(|(id, row)| !searchable.contains(**id) && !untold(row));
            if let Some((id, row)) = missing {
                return Some(format!("feed {feed} does not find {id}: {row:?}"));
            }
            let untold_of = |id: &String| {
                inner
                    .held
                    .get(&(*feed, id.clone()))
                    .is_some_and(|(held, _)| untold(held))
            };
            if let Some(id) = searchable.iter().find(|id| !shown.contains_key(**id) && !untold_of(id)) {
                return Some(format!("feed {feed} finds {id}, which is not shown"));
            }
            let comparable = |(id, row): &(&String, &Row)| searchable.contains(*id) && !untold(row);
            for (id, row) in shown.into_iter().filter(comparable) {
                let held = inner.held.get(&(*feed, id.clone())).map(|(held, _)| held);
                if held != Some(row) {
                    return Some(format!("feed {feed} holds {id} as {held:?}, and it is {row:?}"));
                }
            }
        }
        None
    }

    /// A process that is in the midst of a job.
    pub fn at_work(&self) -> Option<usize> {
        self.locked().within.keys().next().copied()
    }

    /// Whether any process is in the midst of a job.
    pub fn is_at_work(&self) -> bool {
        !self.locked().within.is_empty()
    }

    /// Whether the search index must be looked at again; asked once for each change.
    pub fn is_to_search(&self) -> bool {
        let mut inner = self.locked();
        !std::mem::replace(&mut inner.searched, true) && !inner.forgotten.is_empty()
    }

    /// What a search finds now, without what is kept out of it.
    pub fn found(&self, found: &BTreeSet<(FeedId, String)>) {
        let mut inner = self.locked();
        let broken: Vec<_> = found.intersection(&inner.forgotten).cloned().collect();
        if let Some((feed, id)) = broken.first() {
            inner.violate(
                Rule::Forgotten,
                format!("feed {feed} finds {id}, which was hidden before its last complete walk began"),
            );
        }
    }
}

impl Inner {
    /// Since when what people wrote may be unknown to Atlassian's search when it was asked at this time or later.
    fn searched(&self, from: Timestamp) -> Timestamp {
        let lags = self.lagged.iter().filter(|(until, _)| *until >= from);
        let lag_ms = lags.map(|(_, lag_ms)| *lag_ms).fold(self.lag_ms, i64::max);
        Timestamp(from.0 - lag_ms)
    }

    fn violate(&mut self, rule: Rule, what: impl Into<String>) {
        let step = self.step;
        self.violations.push(Violation {
            rule,
            step,
            what: what.into(),
        });
    }
}

/// A held document as a row of the truth.
pub fn held_row(held: &Held) -> Row {
    let document = &held.document;
    let kind = document.kind.word().to_owned();
    Row {
        title: match kind.as_str() {
            "comment" => String::new(),
            _ => document.title.clone(),
        },
        kind,
        version: document.version,
        parent: document.parent.as_ref().map(|parent| parent.to_string()),
        space: document.space.to_string(),
    }
}

fn content(id: &DocumentId) -> String {
    id.content.to_string()
}
