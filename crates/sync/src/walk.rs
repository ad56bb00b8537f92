//! A walk's end: what complete listings did not show is looked at a second time, and goes when that agrees.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, Result, SpaceId, Timestamp,
    cursor::{Mark, Stream},
    document::DocumentKind,
    feed::Feed,
    source::{IDS_MAX, Looked, Reach, SPACES_BY_ID_MAX},
    space::{FeedSpace, Space},
    store::{Recording, Unseen, Verdict},
    sync_run::SyncRun,
};
use tracing::info;

use crate::{alive, plan::is_much, pull::bring, run::Ports, schedule::AGREE_AFTER, visible::visible_spaces};

/// The most missing pages of one space that are looked at again in one walk: a hundred calls of a point each. The others
/// wait for the next.
const LOOKS_MAX: usize = 25_000;
/// The most missing pages that are read at once when they are there after all: a point each. A listing that left out more
/// than that was none.
const BACK_MAX: usize = 1_000;
/// The most comments and attachments looked at in one walk, each with a call of its own; the others wait for the next.
const BELONGINGS_LOOKS_MAX: usize = 300;

/// The listings of a walk that are judged together as soon as they were read: where who may read a page is at stake, nothing
/// waits for thousands of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Pages,
    Comments,
    Attachments,
}

impl Part {
    /// In the order in which they are read.
    pub const ALL: [Self; 3] = [Self::Pages, Self::Comments, Self::Attachments];

    pub fn holds(self, kind: DocumentKind) -> bool {
        match kind {
            DocumentKind::Page | DocumentKind::BlogPost => self == Self::Pages,
            DocumentKind::Comment => self == Self::Comments,
            DocumentKind::Attachment => self == Self::Attachments,
        }
    }
}

/// Whether this run has judged these streams already, before it gave way or waited.
pub fn is_judged(run: &SyncRun, spaces: &[FeedSpace], streams: &[Stream], now: Timestamp) -> bool {
    streams.iter().all(|stream| {
        let space = spaces.iter().find(|space| space.space.id == stream.space);
        let walked = space.and_then(|space| space.walked.get(&stream.kind));
        walked.is_some_and(|at| *at > run.started_at && *at <= now)
    })
}

/// Judges what this run's complete listings of a part did not show, and applies what is proven.
pub async fn judge(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    spaces: &[FeedSpace],
    part: Part,
    streams: &[Stream],
) -> Result<()> {
    let judge = Judge {
        ports,
        feed,
        reach,
        run,
        spaces,
        chosen: spaces.iter().map(|space| space.space.clone()).collect(),
    };
    match part {
        Part::Pages => judge.pages(streams).await,
        Part::Comments | Part::Attachments => judge.belongings(part, streams).await,
    }
}

struct Judge<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
    spaces: &'a [FeedSpace],
    chosen: Vec<Space>,
}

/// What a space's complete listings did not show, and what a second look told of it.
struct Missing<'a> {
    space: &'a FeedSpace,
    pages: Vec<Unseen>,
    looked: Looked,
    /// Pages and blog posts held of the space, those that are kept out of search included.
    held: u64,
}

impl Missing<'_> {
    /// Those that were not looked at in this walk.
    fn others(&self) -> &[Unseen] {
        self.pages.get(LOOKS_MAX..).unwrap_or_default()
    }

    /// Neither a listing nor a look by id told of anything that is held.
    fn is_everything(&self) -> bool {
        let told = &self.looked;
        self.pages.len() as u64 >= self.held && told.current.is_empty() && told.put_away.is_empty()
    }
}

impl Judge<'_> {
    async fn pages(&self, streams: &[Stream]) -> Result<()> {
        let read = self.read_to_the_end(streams, |kind| !kind.is_optional()).await?;
        let missing = self.missing_pages().await?;
        if self.shows_nothing(&read, &missing).await? {
            self.keep_out(&missing).await?;
            self.apply(self.verdict(read)).await?;
            return self.remove_emptied(&missing).await;
        }
        let mut verdict = self.verdict(read.clone());
        for space in self.spaces {
            let id = &space.space.id;
            let whole = [DocumentKind::Page, DocumentKind::BlogPost].into_iter().all(|kind| {
                read.contains(&Stream {
                    space: id.clone(),
                    kind,
                })
            });
            match missing.iter().find(|missing| missing.space.space.id == *id) {
                None if whole => verdict.settled.push(id.clone()),
                None => {}
                Some(missing) => self.judge_space(missing, whole, &mut verdict).await?,
            }
        }
        self.apply(verdict).await
    }

    /// Of the walked spaces those that are kept out of search by now.
    async fn suspended_spaces(&self) -> Result<BTreeSet<SpaceId>> {
        let spaces = self.ports.store.feed_spaces(self.feed.id).await?;
        let suspended = spaces.into_iter().filter(|space| space.suspended_at.is_some());
        Ok(suspended.map(|space| space.space.id).collect())
    }

    /// By space, each looked at a second time while the token is proven alive.
    async fn missing_pages(&self) -> Result<Vec<Missing<'_>>> {
        let mut by_space: BTreeMap<SpaceId, Vec<Unseen>> = BTreeMap::new();
        for unseen in self.ports.store.unseen(self.feed.id, self.run.id).await? {
            if !unseen.kind.is_optional() {
                by_space.entry(unseen.space.clone()).or_default().push(unseen);
            }
        }
        let mut missing = Vec::new();
        for space in self.spaces {
            let Some(pages) = by_space.remove(&space.space.id) else {
                continue;
            };
            alive::proven(self.ports, self.reach).await?;
            missing.push(Missing {
                space,
                looked: self.look(&pages[..pages.len().min(LOOKS_MAX)]).await?,
                held: self.ports.store.pages_held(self.feed.id, &space.space.id).await?,
                pages,
            });
        }
        Ok(missing)
    }

    /// Whether no page of any space that was walked is shown any more, though there were some. Rules for apps hide what is
    /// in a space from listings and looks alike, and leave the space to be seen (facts.md §6).
    async fn shows_nothing(&self, read: &[Stream], missing: &[Missing<'_>]) -> Result<bool> {
        for space in self.spaces {
            let space = &space.space.id;
            let shown = match missing.iter().find(|missing| missing.space.space.id == *space) {
                Some(missing) => !missing.is_everything(),
                None if read.iter().any(|stream| stream.space == *space) => {
                    self.ports.store.pages_held(self.feed.id, space).await? > 0
                }
                None => false,
            };
            if shown {
                return Ok(false);
            }
        }
        Ok(!missing.is_empty())
    }

    /// Keeps these spaces out of search, whole and with their texts, until something of any is shown.
    async fn keep_out(&self, missing: &[Missing<'_>]) -> Result<()> {
        let still = visible_spaces(self.ports, self.feed, self.reach, self.run, self.spaces).await?;
        let seen = |missing: &&Missing<'_>| {
            let mut seen = still.spaces.iter();
            seen.any(|space| space.space.id == missing.space.space.id)
        };
        for missing in missing.iter().filter(seen).collect::<Vec<_>>() {
            let (id, key) = (&missing.space.space.id, &missing.space.space.key);
            let now = self.ports.clock.now();
            self.ports
                .store
                .set_space_suspended(self.feed.id, id, Some(now))
                .await?;
            info!(feed.id = %self.feed.id, run.id = %self.run.id, "Space {key} is kept out of search: it shows nothing");
            let note = format!(
                "None of the {} pages of {key} is shown any more, though the space itself can be seen: perhaps an app access \
                 rule hides its content, perhaps all of it was deleted or restricted. {key} is kept out of search until a \
                 page is shown again, and its documents are removed if a later walk agrees and no such rule is there.",
                missing.held
            );
            self.ports.store.note(self.run.id, &note).await?;
        }
        (self.ports.recorded)(self.feed);
        Ok(())
    }

    /// Removes what is held of the spaces that showed nothing in an earlier walk either, if Atlassian tells that no rule hides
    /// anything in any of them: then it was deleted, or closed to the connected person. Their texts go with it.
    async fn remove_emptied(&self, missing: &[Missing<'_>]) -> Result<()> {
        let now = self.ports.clock.now();
        let agreed = |space: &FeedSpace| {
            let since = space.suspended_at;
            since.is_some_and(|since| since < self.run.started_at && now.since(since) >= AGREE_AFTER)
        };
        let emptied: Vec<&FeedSpace> = missing.iter().map(|missing| missing.space).collect();
        if !emptied.iter().all(|space| agreed(space)) {
            return Ok(());
        }
        let ids: Vec<SpaceId> = emptied.iter().map(|space| space.space.id.clone()).collect();
        for ids in ids.chunks(SPACES_BY_ID_MAX) {
            let hidden = self.ports.source.hidden_from_apps(self.reach, ids).await?;
            if hidden.is_none_or(|hidden| !hidden.is_empty()) {
                return Ok(());
            }
        }
        alive::proven(self.ports, self.reach).await?;
        let still = visible_spaces(self.ports, self.feed, self.reach, self.run, self.spaces).await?;
        if still.spaces.len() < self.spaces.len() {
            return Ok(());
        }
        for space in emptied {
            let (id, key) = (&space.space.id, &space.space.key);
            let removed = self
                .ports
                .store
                .remove_space(self.feed.id, id, self.run.id, now)
                .await?;
            (self.ports.recorded)(self.feed);
            let note = format!(
                "{key} showed no page a second time, and Atlassian tells of no rule that hides its content: its {removed} \
                 documents were removed."
            );
            self.ports.store.note(self.run.id, &note).await?;
        }
        Ok(())
    }

    async fn judge_space(&self, missing: &Missing<'_>, whole: bool, verdict: &mut Verdict) -> Result<()> {
        let Missing {
            space, looked, held, ..
        } = missing;
        let (id, key) = (&space.space.id, &space.space.key);
        if looked.current.len() > BACK_MAX {
            // Nothing is concluded from a listing that left out so much.
            verdict.doubted.push(id.clone());
            let note = format!(
                "{} documents of {key} were missing from Atlassian's listing, but {} of them are there: nothing was removed. \
                 The space is walked again soon.",
                missing.pages.len(),
                looked.current.len()
            );
            return self.ports.store.note(self.run.id, &note).await;
        }
        self.bring_back(missing).await?;
        // Of these Atlassian says itself that they were trashed or archived.
        verdict.gone.extend(looked.put_away.iter().cloned());
        let gone = missing.pages.iter().filter(|unseen| looked.absent.contains(&unseen.id));
        let (agreed, new): (Vec<&Unseen>, Vec<&Unseen>) = gone.partition(|unseen| unseen.suspended);
        verdict.gone.extend(agreed.into_iter().map(|unseen| unseen.id.clone()));
        let others = missing.others();
        let vanished = (new.len() + others.len()) as u64;
        let new = new.into_iter().map(|unseen| unseen.id.clone());
        if !is_much(vanished, *held) {
            verdict.gone.extend(new);
            match others {
                [] if whole => verdict.settled.push(id.clone()),
                [] => {}
                _ => verdict.doubted.push(id.clone()),
            }
            return Ok(());
        }
        verdict.doubted.push(id.clone());
        verdict.suspended.extend(new);
        // A listing that shows itself incomplete says nothing of those that nobody looked at.
        if looked.current.is_empty() {
            verdict.suspended.extend(others.iter().map(|unseen| unseen.id.clone()));
        }
        info!(feed.id = %self.feed.id, run.id = %self.run.id, "{vanished} documents of space {key} are missing at once");
        let note = format!(
            "{vanished} of {held} pages of {key} are missing at once: they are kept out of search, and removed if a second \
             walk agrees."
        );
        self.ports.store.note(self.run.id, &note).await
    }

    /// Asked by kind, in pieces.
    async fn look(&self, missing: &[Unseen]) -> Result<Looked> {
        let mut all = Looked::default();
        for (kind, ids) in by_kind(missing) {
            let looked = self.look_at(kind, &ids).await?;
            all.current.extend(looked.current);
            all.put_away.extend(looked.put_away);
            all.absent.extend(looked.absent);
        }
        Ok(all)
    }

    async fn look_at(&self, kind: DocumentKind, ids: &[ContentId]) -> Result<Looked> {
        let mut all = Looked::default();
        for ids in ids.chunks(IDS_MAX) {
            let looked = self.ports.source.look(self.reach, &self.chosen, kind, ids).await?;
            self.ports
                .store
                .add_spent(self.run.id, looked.spent, self.ports.clock.now())
                .await?;
            all.current.extend(looked.current);
            all.put_away.extend(looked.put_away);
            all.absent.extend(looked.absent);
        }
        Ok(all)
    }

    /// What is there after all was moved to another chosen space while the walk went on, or came back.
    async fn bring_back(&self, missing: &Missing<'_>) -> Result<()> {
        let there = |unseen: &&Unseen| missing.looked.current.contains(&unseen.id);
        let back: Vec<Unseen> = missing.pages.iter().filter(there).cloned().collect();
        if back.is_empty() {
            return Ok(());
        }
        bring(
            self.ports,
            self.feed,
            self.reach,
            self.run.id,
            &self.chosen,
            &by_kind(&back),
        )
        .await
    }

    async fn belongings(&self, part: Part, streams: &[Stream]) -> Result<()> {
        let read = self.read_to_the_end(streams, DocumentKind::is_optional).await?;
        let unseen = self.ports.store.unseen(self.feed.id, self.run.id).await?;
        let hidden = self.suspended_spaces().await?;
        // What is suspended waits for its page, or with its space.
        let waits = |unseen: &Unseen| unseen.suspended || hidden.contains(&unseen.space);
        let missing = unseen
            .into_iter()
            .filter(|unseen| part.holds(unseen.kind) && !waits(unseen));
        let mut missing: Vec<Unseen> = missing.collect();
        if missing.len() > BELONGINGS_LOOKS_MAX {
            // Another part of them each time.
            let part = usize::try_from(self.run.id.0).unwrap_or(0) * BELONGINGS_LOOKS_MAX % missing.len();
            missing.rotate_left(part);
            let note = format!(
                "{} comments and attachments were not listed; {BELONGINGS_LOOKS_MAX} of them were looked at, the others \
                 follow with the next walks.",
                missing.len()
            );
            self.ports.store.note(self.run.id, &note).await?;
            missing.truncate(BELONGINGS_LOOKS_MAX);
        }
        let mut verdict = self.verdict(read);
        if !missing.is_empty() {
            alive::proven(self.ports, self.reach).await?;
            let looked = self.look(&missing).await?;
            let (hanging, seen) = self.on_pages_not_held(looked.current).await?;
            self.note_seen(&seen).await?;
            verdict
                .gone
                .extend(looked.absent.into_iter().chain(looked.put_away).chain(hanging));
        }
        self.apply(verdict).await
    }

    /// Takes out of `current` what hangs on pages that are not held, since Atlassian says that they were archived or trashed:
    /// its search lagged behind when it told of it. What hangs on a page of which nobody knows why it is not held stays: its
    /// row may have been unreadable.
    async fn on_pages_not_held(
        &self,
        current: BTreeSet<ContentId>,
    ) -> Result<(BTreeSet<ContentId>, BTreeSet<ContentId>)> {
        let store = &self.ports.store;
        let ids: Vec<ContentId> = current.iter().cloned().collect();
        let known = store.known(self.feed.id, &ids).await?;
        let parents: BTreeSet<ContentId> = known.values().filter_map(|known| known.parent.clone()).collect();
        let parents: Vec<ContentId> = parents.into_iter().collect();
        let held = store.known(self.feed.id, &parents).await?;
        let is_held = |parent: &ContentId| held.get(parent).is_some_and(|held| held.removed.is_none());
        let strange: Vec<ContentId> = parents.into_iter().filter(|parent| !is_held(parent)).collect();
        if strange.is_empty() {
            return Ok((BTreeSet::new(), current));
        }
        let mut put_away = BTreeSet::new();
        for kind in [DocumentKind::Page, DocumentKind::BlogPost] {
            put_away.extend(self.look_at(kind, &strange).await?.put_away);
        }
        let hangs_on_put_away = |id: &ContentId| {
            let parent = known.get(id).and_then(|known| known.parent.as_ref());
            parent.is_some_and(|parent| put_away.contains(parent))
        };
        Ok(current.into_iter().partition(hangs_on_put_away))
    }

    /// Atlassian's search did not tell of these, and they are there.
    async fn note_seen(&self, seen: &BTreeSet<ContentId>) -> Result<()> {
        let recording = Recording {
            seen: seen.iter().cloned().collect(),
            ..Recording::empty(self.run.id, self.ports.clock.now())
        };
        if !seen.is_empty() {
            self.ports.store.record(self.feed.id, &recording).await?;
        }
        Ok(())
    }

    /// Before anything goes, the token is proven alive once more and the spaces seen: a grant that died in between
    /// answers as if nothing were there.
    async fn apply(&self, verdict: Verdict) -> Result<()> {
        if !(verdict.gone.is_empty() && verdict.suspended.is_empty()) {
            alive::proven(self.ports, self.reach).await?;
            let still = visible_spaces(self.ports, self.feed, self.reach, self.run, self.spaces)
                .await?
                .spaces;
            if still.len() < self.spaces.len() {
                // The space itself is judged, not its pages: everything stays as it is until the next walk.
                return Ok(());
            }
        }
        let taken = self.ports.store.apply(self.feed.id, &verdict).await?;
        if taken > 0 || !verdict.settled.is_empty() {
            (self.ports.recorded)(self.feed);
        }
        Ok(())
    }

    fn verdict(&self, walked: Vec<Stream>) -> Verdict {
        Verdict {
            run: self.run.id,
            gone: Vec::new(),
            suspended: Vec::new(),
            doubted: Vec::new(),
            settled: Vec::new(),
            walked,
            now: self.ports.clock.now(),
        }
    }

    /// Those of the streams whose listing came to its end; without the scope for a kind there is nothing to come.
    async fn read_to_the_end(&self, streams: &[Stream], of: impl Fn(DocumentKind) -> bool) -> Result<Vec<Stream>> {
        let checkpoint = self.ports.store.checkpoint(self.feed.id).await?;
        let visible: BTreeSet<&SpaceId> = self.spaces.iter().map(|space| &space.space.id).collect();
        let done = |stream: &&Stream| {
            let ended = checkpoint.0.get(*stream) == Some(&Mark::Done) || stream.kind.is_optional();
            of(stream.kind) && visible.contains(&stream.space) && ended
        };
        Ok(streams.iter().filter(done).cloned().collect())
    }
}

fn by_kind(unseen: &[Unseen]) -> BTreeMap<DocumentKind, Vec<ContentId>> {
    let mut by_kind: BTreeMap<DocumentKind, Vec<ContentId>> = BTreeMap::new();
    for unseen in unseen {
        by_kind.entry(unseen.kind).or_default().push(unseen.id.clone());
    }
    by_kind
}
