//! Given a feed, gives in what search differs from what is held: what it does not find, finds otherwise, or still finds.
//!
//! The expected passages are cut from the store again and compared with those that the engine holds, page by page. Nothing
//! is asked of Atlassian.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    ContentId, DocumentId, Error, Result, SpaceId,
    cursor::Watermark,
    document::{DocumentKind, Held, Removal},
    engine::{Findable, Which},
    sync_run::{DIFFERENCES_MAX, Difference, Differs, Spent},
};

use super::Verify;
use crate::{
    indexer::{DOCUMENTS_PER_COMMIT, batch_of},
    pull::Pulled,
};

/// The most documents asked of the engine at once.
const FINDABLE_AT_ONCE: usize = 1_000;
/// How often it is looked whether the search index has followed the store, and how many looks in a row may find it
/// where it was: a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LOOKS_IN_VAIN_MAX: u32 = 60;

impl Verify<'_> {
    /// Compares everything that is held when it begins, once the search index has followed that far. It has no mark: after
    /// a crash it begins anew.
    pub(super) async fn compare_search(&self) -> Result<Pulled> {
        let last = self.ports.store.last_sequence(self.feed.index).await?;
        if self.follows(last).await? == Pulled::Stopped {
            return Ok(Pulled::Stopped);
        }
        let mut sequence = 0;
        while sequence < last {
            if self.is_over().await? {
                return Ok(self.ended());
            }
            let held = self.held_after(sequence).await?;
            let Some(end) = held.last() else { break };
            sequence = end.sequence;
            self.tell(self.page(held, last).await?).await?;
        }
        let mut after = None;
        loop {
            if self.is_over().await? {
                return Ok(self.ended());
            }
            let limit = FINDABLE_AT_ONCE;
            let listed = self.findable(Which::After { after, limit }).await?;
            after = listed.last().map(|last| last.document.clone());
            if after.is_none() {
                return Ok(Pulled::ToTheEnd);
            }
            self.tell(self.unknown(listed).await?).await?;
        }
    }

    async fn tell(&self, differences: Vec<Difference>) -> Result<()> {
        match differences.is_empty() {
            true => Ok(()),
            false => self.write(differences, None, Spent::default()).await,
        }
    }

    /// Waits until searches see what is held up to here.
    async fn follows(&self, last: i64) -> Result<Pulled> {
        let (mut reached, mut in_vain) = (Watermark::default(), 0);
        loop {
            let now = self.watermark().await?;
            if now.0 >= last {
                return Ok(Pulled::ToTheEnd);
            }
            in_vain = if now == reached { in_vain + 1 } else { 0 };
            reached = now;
            if in_vain > LOOKS_IN_VAIN_MAX {
                return Err(Error::unavailable(
                    "the search index does not follow what was read, and cannot be compared; the log says what hinders it",
                ));
            }
            if (self.ports.stopping)() {
                return Ok(Pulled::Stopped);
            }
            (self.ports.recorded)(self.feed);
            self.ports.clock.sleep(LOOK_AGAIN).await;
        }
    }

    async fn watermark(&self) -> Result<Watermark> {
        self.ports.engine.watermark(self.feed.index).await
    }

    /// Whether to look no further: it is asked to stop, or more is known already than is kept.
    async fn is_over(&self) -> Result<bool> {
        let differing = self.ports.store.run(self.run.id).await?.counts.differing;
        Ok((self.ports.stopping)() || differing >= DIFFERENCES_MAX as u64)
    }

    fn ended(&self) -> Pulled {
        match (self.ports.stopping)() {
            true => Pulled::Stopped,
            false => Pulled::ToTheEnd,
        }
    }

    async fn held_after(&self, sequence: i64) -> Result<Vec<Held>> {
        let store = &self.ports.store;
        store
            .changed_after(self.feed.index, sequence, DOCUMENTS_PER_COMMIT)
            .await
    }

    async fn findable(&self, which: Which) -> Result<Vec<Findable>> {
        self.ports.engine.findable(self.feed.index, self.feed.id, which).await
    }

    /// What of this page search does not show as it is held.
    async fn page(&self, held: Vec<Held>, last: i64) -> Result<Vec<Difference>> {
        // What changed meanwhile, the index may not know yet.
        let own = held
            .into_iter()
            .filter(|held| held.feed == self.feed.id && held.sequence <= last);
        let own: Vec<Held> = own.collect();
        let ids: Vec<DocumentId> = own.iter().map(|held| held.document.id.clone()).collect();
        let mut shown = BTreeMap::new();
        for ids in ids.chunks(FINDABLE_AT_ONCE) {
            let found = self.findable(Which::These(ids.to_vec())).await?;
            shown.extend(found.into_iter().map(|found| (found.document.clone(), found)));
        }
        if self.watermark().await?.0 < last {
            return Err(Error::unavailable(
                "the search index began anew while it was compared; it is compared again when it is whole",
            ));
        }
        let facts: Vec<Facts> = own.iter().map(Facts::of).collect();
        let expected = Findable::of(&batch_of(&*self.ports.store, own).await?.passages);
        let mut differences = Vec::new();
        for facts in facts {
            let id = &facts.document;
            let Some(difference) = facts.difference(expected.get(id), shown.get(id)) else {
                continue;
            };
            // It may have changed in the store after it was read there, and before search was asked.
            let same = self
                .ports
                .store
                .changed_after(self.feed.index, facts.sequence - 1, 1)
                .await?;
            if same.first().is_some_and(|held| held.sequence == facts.sequence) {
                differences.push(difference);
            }
        }
        Ok(differences)
    }

    /// Those of which the store knows nothing at all.
    async fn unknown(&self, listed: Vec<Findable>) -> Result<Vec<Difference>> {
        let ids: Vec<ContentId> = listed.iter().map(|found| found.document.content.clone()).collect();
        let known = self.ports.store.known(self.feed.id, &ids).await?;
        let own: BTreeSet<&ContentId> = known.keys().collect();
        let unknown = listed.iter().filter(|found| !own.contains(&found.document.content));
        Ok(unknown.map(|found| left(found, "")).collect())
    }
}

/// What a difference tells of a document that the store knows.
struct Facts {
    document: DocumentId,
    kind: DocumentKind,
    space: SpaceId,
    title: String,
    url: String,
    version: u32,
    removed: Option<Removal>,
    sequence: i64,
}

impl Facts {
    fn of(held: &Held) -> Self {
        let document = &held.document;
        Self {
            document: document.id.clone(),
            kind: document.kind,
            space: document.space.clone(),
            title: document.title.clone(),
            url: document.url.clone(),
            version: document.version,
            removed: held.removed,
            sequence: held.sequence,
        }
    }

    fn difference(&self, expected: Option<&Findable>, shown: Option<&Findable>) -> Option<Difference> {
        let differs = match (expected, shown) {
            (None, None) => return None,
            (None, Some(shown)) => {
                let held = match self.removed {
                    Some(Removal::Suspended) => "kept out of search",
                    Some(Removal::GoneFromSite | Removal::DeletedHere) | None => "removed",
                };
                return Some(left(shown, held));
            }
            (Some(_), None) => Differs::NotInSearch,
            (Some(expected), Some(shown)) if expected.digest == shown.digest => return None,
            (Some(_), Some(_)) => Differs::OtherInSearch,
        };
        let passages = expected.map_or(0, |expected| expected.passages);
        Some(Difference {
            id: self.document.content.clone(),
            kind: self.kind,
            space: self.space.clone(),
            differs,
            title: self.title.clone(),
            url: self.url.clone(),
            held: format!("version {}, {}", self.version, counted(passages)),
            other: shown.map(|shown| other(passages, shown.passages)).unwrap_or_default(),
        })
    }
}

fn left(found: &Findable, held: &str) -> Difference {
    Difference {
        id: found.document.content.clone(),
        kind: found.kind,
        space: found.space.clone(),
        differs: Differs::LeftInSearch,
        title: found.title.clone(),
        url: found.url.clone(),
        held: held.to_owned(),
        other: counted(found.passages),
    }
}

fn counted(passages: u64) -> String {
    match passages {
        1 => "1 passage".to_owned(),
        many => format!("{many} passages"),
    }
}

fn other(expected: u64, shown: u64) -> String {
    match expected == shown {
        true => format!("{}, not as they are held", counted(shown)),
        false => counted(shown),
    }
}
