//! What Circuit keeps: documents as they were shown, removed on proof, marks that go on, runs that end.

use std::collections::{BTreeSet, btree_map::Entry};

use domain::{
    FeedId, IndexId, Result, SpaceId, Timestamp,
    cursor::{Mark, Stream, Watermark},
    document::{DocumentKind, Removal},
    job::{Job, Work},
    store::{Recording, Store, Verdict},
    sync_run::{Outcome, RunKind, SyncRun},
};

use super::{Judge, Promise, Rule, content, held_row};
use crate::{
    board::Life,
    truth::{Row, Shown},
};

/// More than any world holds.
const CHANGED_MAX: usize = 10_000;

impl Judge {
    /// Reads what changed in the store, of one feed's index or of all, and looks whether it was right; whether anything did.
    pub async fn look_at_store(&self, store: &dyn Store, of: Option<FeedId>) -> Result<bool> {
        let mut changed = false;
        let looked_at = |(feed, _): &(&FeedId, &super::FeedFacts)| of.is_none_or(|of| of == **feed);
        let indexes: BTreeSet<IndexId> = {
            let inner = self.locked();
            let facts = inner.feeds.iter().filter(looked_at);
            facts.map(|(_, facts)| facts.index).collect()
        };
        for index in indexes {
            let after = self.locked().sequences.get(&index).copied().unwrap_or_default();
            for held in store.changed_after(index, after, CHANGED_MAX).await? {
                self.held(&held);
                self.locked().sequences.insert(index, held.sequence);
                changed = true;
            }
        }
        Ok(changed)
    }

    fn held(&self, held: &domain::document::Held) {
        let mut inner = self.locked();
        let (feed, id, row) = (held.feed, content(&held.document.id), held_row(held));
        let before = inner
            .held
            .insert((feed, id.clone()), (row.clone(), held.removed.is_some()));
        let was_held = before.as_ref().is_some_and(|(_, removed)| !removed);
        let Some(truth) = inner.truths.get(&feed) else {
            return;
        };
        match held.removed {
            Some(Removal::GoneFromSite) if was_held => {
                let was_hidden = |id: &String| {
                    let seen = inner.last_seen.get(&(feed, id.clone())).copied().unwrap_or_default();
                    truth.was_hidden_since(id, seen)
                };
                // A comment or a file goes with its page.
                let page = row.parent.as_ref().filter(|_| row.is_told_by_search());
                if !was_hidden(&id) && !page.is_some_and(was_hidden) {
                    let what = format!(
                        "feed {feed} removed {id} ({row:?}), which has been shown all the time since it was seen"
                    );
                    inner.violate(Rule::Proof, what);
                }
            }
            Some(_) => {}
            None if before
                .as_ref()
                .is_some_and(|(before, removed)| !removed && *before == row) => {}
            None if truth.ever(&id).is_some_and(|ever| ever.contains(&row)) => {}
            None if truth.followed_its_page(&id, &row) => {}
            None => {
                let what = format!(
                    "feed {feed} holds {id} as {row:?}, which was never shown so: {:?}",
                    truth.ever(&id)
                );
                inner.violate(Rule::Proof, what);
            }
        }
    }

    /// A recording is about to be written.
    pub fn recording(&self, feed: FeedId, recording: &Recording) {
        let mut inner = self.locked();
        let Some(facts) = inner.feeds.get(&feed).cloned() else {
            return;
        };
        for document in &recording.documents {
            if !facts.spaces.contains_key(&document.space) || document.id.site != facts.site {
                let what = format!("feed {feed} keeps {} of space {}", document.id, document.space);
                inner.violate(Rule::Chosen, what);
            }
        }
    }

    /// It was written.
    pub fn recorded(&self, life: Life, feed: FeedId, recording: &Recording) {
        let mut inner = self.locked();
        inner.refuse_stranger(life, feed);
        let Some((stream, mark)) = &recording.mark else {
            return;
        };
        let reading = inner.readings.entry((feed, stream.clone())).or_default();
        let back = match mark {
            Mark::Done => {
                reading.done = true;
                false
            }
            Mark::At(cursor) => {
                reading.mark = Some(cursor.0.clone());
                reading.done || !reading.marked.insert(cursor.0.clone())
            }
        };
        if back {
            inner.violate(
                Rule::Bookmarks,
                format!("the mark of feed {feed} in {stream:?} went back"),
            );
        }
    }

    pub fn checkpoint_cleared(&self, feed: FeedId) {
        self.locked().readings.retain(|(of, _), _| *of != feed);
    }

    /// A walk's verdict was applied.
    pub fn applied(&self, life: Life, feed: FeedId, verdict: &Verdict) {
        let mut inner = self.locked();
        inner.refuse_stranger(life, feed);
        inner
            .walked
            .entry(feed)
            .or_default()
            .extend(verdict.walked.iter().cloned());
    }

    /// An import has read this space.
    pub fn imported(&self, feed: FeedId, space: &SpaceId) {
        let mut inner = self.locked();
        inner.imported.entry(feed).or_default().insert(space.to_string());
    }

    pub fn claimed(&self, life: Life, job: &Job) {
        let Work::SyncFeed { feed, .. } = job.work;
        let mut inner = self.locked();
        inner.claims.insert(feed, life);
        inner.within.insert(life.process, feed);
    }

    /// A run was opened, or opened again.
    pub fn run_opened(&self, run: &SyncRun) {
        let mut inner = self.locked();
        let (step, at) = (inner.step, inner.site_time);
        if let Entry::Vacant(first) = inner.began.entry(run.id) {
            first.insert((step, at));
            inner.figures.runs += 1;
            inner.walked.remove(&run.feed);
            inner.imported.remove(&run.feed);
            inner.misled.remove(&run.feed);
        }
        if let Some(open) = inner.open_runs.insert(run.feed, run.id) {
            let what = format!("feed {} opened run {} while run {open} is open", run.feed, run.id);
            inner.violate(Rule::Runs, what);
        }
    }

    pub async fn run_closed(&self, store: &dyn Store, run: &SyncRun, outcome: &Outcome) -> Result<()> {
        let began = {
            let mut inner = self.locked();
            if inner.open_runs.remove(&run.feed) != Some(run.id) {
                let what = format!("run {} of feed {} was closed and was not open", run.id, run.feed);
                inner.violate(Rule::Runs, what);
            }
            inner.began.get(&run.id).copied()
        };
        let (Some((step, at)), Outcome::Complete) = (began, outcome) else {
            return Ok(());
        };
        self.locked().whole(run, step);
        match run.kind {
            RunKind::Walk => self.promised(store, run, step, at).await,
            RunKind::Changes => self.changes_complete(store, run, at).await,
            RunKind::Import | RunKind::Probe | RunKind::Verify | RunKind::Files => Ok(()),
        }
    }

    /// A complete walk: what was hidden before it began must go, as far as it read the listing that would show it.
    async fn promised(&self, store: &dyn Store, run: &SyncRun, began: u64, at: Timestamp) -> Result<()> {
        let Some(index) = self.locked().feeds.get(&run.feed).map(|facts| facts.index) else {
            return Ok(());
        };
        let sequence = store.last_sequence(index).await?;
        let mut inner = self.locked();
        *inner.walks.entry(run.feed).or_default() += 1;
        inner.walk_began.insert(run.feed, began);
        let walked = inner.walked.remove(&run.feed).unwrap_or_default();
        let spaces = inner.feeds.get(&run.feed).map_or(0, |facts| facts.spaces.len());
        if !inner.misled.contains(&run.feed) && walked.len() == spaces * DocumentKind::ALL.len() {
            inner.blinded.remove(&run.feed);
        }
        let read = |row: &Row| {
            walked
                .iter()
                .any(|stream| stream.space.as_str() == row.space && stream.kind.word() == row.kind)
        };
        // It is missed in the listing of the space in which it is held, which may not be the one that showed it last.
        let held = |id: &String| inner.held.get(&(run.feed, id.clone()));
        let missed = |id: &String, row: &Row| read(row) && held(id).is_none_or(|(row, _)| read(row));
        let searched = inner.searched(at);
        let hidden = inner.truths.get(&run.feed).map(|truth| {
            let hidden = truth.hidden_before(began, searched).filter(|(id, row)| missed(id, row));
            hidden.map(|(id, _)| id.clone()).collect()
        });
        inner.promises.push(Promise {
            feed: run.feed,
            index,
            sequence,
            documents: hidden.unwrap_or_default(),
        });
        let reached = inner.watermarks.get(&index).copied().unwrap_or_default();
        inner.keep_promises(index, reached);
        Ok(())
    }

    /// A complete pass of changes: what was written while it was shown, before the pass began, is held.
    async fn changes_complete(&self, store: &dyn Store, run: &SyncRun, began: Timestamp) -> Result<()> {
        let spaces = store.feed_spaces(run.feed).await?;
        let suspended: BTreeSet<String> = spaces
            .iter()
            .filter(|space| space.suspended_at.is_some() || space.imported_at.is_none())
            .map(|space| space.space.id.to_string())
            .collect();
        let mut inner = self.locked();
        if inner.blinded.contains(&run.feed) {
            return Ok(());
        }
        let Some(truth) = inner.truths.get(&run.feed) else {
            return Ok(());
        };
        let searched = inner.searched(began);
        let lags = searched < began && truth.moved_at.is_some_and(|at| at >= searched);
        let missed = truth.now.iter().find(|(id, shown)| {
            let told = if shown.row.is_told_by_search() { searched } else { began };
            let written_before = shown.modified < told && shown.since <= shown.modified;
            let held = inner.held.get(&(run.feed, (*id).clone()));
            let current = held.is_some_and(|(row, removed)| !removed && row.version >= shown.row.version);
            let archived = inner.archived_last.get(&shown.row.space);
            let archived = archived.is_some_and(|at| *at >= shown.modified);
            let keys_read = inner.walk_began.get(&run.feed).copied().unwrap_or_default();
            let renamed = inner.renamed.get(&shown.row.space).is_some_and(|at| *at >= keys_read);
            let untold = shown.row.is_told_by_search() && (archived || renamed || lags);
            written_before && !current && !untold && !suspended.contains(&shown.row.space)
        });
        if let Some((id, shown)) = missed {
            let what = format!(
                "run {} of feed {} is complete and missed {id} ({:?})",
                run.id, run.feed, shown.row
            );
            inner.violate(Rule::Changes, what);
        }
        Ok(())
    }

    pub fn indexed(&self, index: IndexId, reached: Watermark) {
        let mut inner = self.locked();
        let before = inner.watermarks.insert(index, reached.0).unwrap_or_default();
        if reached.0 < before {
            inner.violate(
                Rule::Bookmarks,
                format!("index {index}'s watermark went from {before} to {}", reached.0),
            );
        }
        inner.keep_promises(index, reached.0);
    }

    pub fn index_removed(&self, index: IndexId) {
        self.locked().watermarks.remove(&index);
    }
}

impl super::Inner {
    /// The feed that this life is in, as long as nobody else has claimed it: who lost the claim reads on until its next write,
    /// which is refused.
    pub(super) fn claimed_by(&self, life: Life) -> Option<FeedId> {
        let feed = self.within.get(&life.process).copied()?;
        (self.claims.get(&feed) == Some(&life)).then_some(feed)
    }

    /// A complete import or walk: what was shown in a listing's space since before that listing began is held.
    fn whole(&mut self, run: &SyncRun, began: u64) {
        let (walked, imported) = (self.walked.get(&run.feed), self.imported.get(&run.feed));
        let is_read = |stream: &Stream| match run.kind {
            RunKind::Walk => walked.is_some_and(|walked| walked.contains(stream)),
            RunKind::Import => imported.is_some_and(|imported| imported.contains(stream.space.as_str())),
            RunKind::Changes | RunKind::Probe | RunKind::Verify | RunKind::Files => false,
        };
        let Some(truth) = self.truths.get(&run.feed) else {
            return;
        };
        let readings = self.readings.iter().filter(|((feed, _), _)| *feed == run.feed);
        let readings = readings.filter(|((_, stream), reading)| is_read(stream) && reading.done && !reading.misled);
        let missed = readings.into_iter().find_map(|((_, stream), reading)| {
            let (space, kind) = (stream.space.as_str(), stream.kind.word());
            let renamed = self
                .renamed
                .get(space)
                .is_some_and(|at| *at >= began.min(reading.began));
            let is_held = |id: &String| {
                let held = self.held.get(&(run.feed, id.clone()));
                held.is_some_and(|(_, removed)| !removed)
            };
            let must_be_held = |shown: &Shown| {
                let archived = self.archived_last.get(space).is_some_and(|at| *at >= shown.modified);
                let untold = shown.row.is_told_by_search() && (archived || renamed);
                // What hangs on a page goes with it.
                let page = shown.row.parent.as_ref().filter(|_| shown.row.is_told_by_search());
                let alone = page.is_some_and(|page| !is_held(page));
                let searched = self.searched(reading.began_at);
                let moved = searched < reading.began_at && truth.moved_at.is_some_and(|at| at >= searched);
                let lags = shown.row.is_told_by_search() && (moved || shown.placed_at >= searched);
                let read = shown.row.space == space && shown.row.kind == kind && shown.placed < reading.began;
                read && !untold && !lags && !alone
            };
            let mut shown = truth.now.iter();
            shown.find(|(id, shown)| must_be_held(shown) && !is_held(id))
        });
        if let Some((id, shown)) = missed {
            let what = format!(
                "run {} of feed {} is complete and lacks {id} ({:?})",
                run.id, run.feed, shown.row
            );
            self.violate(Rule::Whole, what);
        }
    }

    /// Whoever lost the claim writes nothing.
    fn refuse_stranger(&mut self, life: Life, feed: FeedId) {
        if self.claims.get(&feed).is_some_and(|holder| *holder != life) {
            let what = format!("{life:?} wrote to feed {feed}, which another worker has claimed");
            self.violate(Rule::Runs, what);
        }
    }

    fn keep_promises(&mut self, index: IndexId, reached: i64) {
        self.searched = false;
        let due = |promise: &mut Promise| promise.index == index && promise.sequence <= reached;
        for promise in self.promises.extract_if(.., due) {
            let place = |id| (promise.feed, id);
            self.forgotten.extend(promise.documents.into_iter().map(place));
        }
    }
}
