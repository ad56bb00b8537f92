//! Which of a feed's chosen spaces the connected person can see now, and what follows for the others: out of search at
//! once, and removed when a second, later look agrees (sync.md).

use std::{collections::BTreeMap, time::Duration};

use domain::{
    ContentId, Result, SpaceId, Timestamp,
    feed::Feed,
    source::{Reach, SPACES_BY_ID_MAX},
    space::{FeedSpace, SpaceSeen},
    sync_run::SyncRun,
};
use tracing::info;

use crate::{alive, run::Ports, schedule::AGREE_AFTER};

/// So long a lost space waits for what could not be read. It is out of search all that time.
const UNREAD_WAITS: Duration = Duration::from_secs(7 * 24 * 3_600);
/// After so many failures of a run anything may be among what could not be read.
const FAILURES_LOOKED_AT: usize = 1_000;

/// What can be seen.
pub struct Visible {
    /// With their present names.
    pub spaces: Vec<FeedSpace>,
    /// What time it was at Atlassian.
    pub at: Option<Timestamp>,
}

/// The spaces that can be seen. What is not seen is suspended.
/// `Ended` when Atlassian answers as to somebody else or to nobody: then nothing is concluded.
pub async fn visible_spaces(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    spaces: &[FeedSpace],
) -> Result<Visible> {
    let seen = seen(ports, reach, run, spaces).await?;
    if spaces.iter().any(|space| !seen.spaces.contains_key(&space.space.id)) {
        // Atlassian answers a dead token, and one that does not reach the site, as if nothing were there (facts.md §3).
        alive::proven(ports, reach).await?;
    }
    let now = ports.clock.now();
    let mut visible = Vec::new();
    for space in spaces {
        let Some(found) = seen.spaces.get(&space.space.id) else {
            if seen.whole {
                missed(ports, feed, run, space, now).await?;
            }
            continue;
        };
        if found.space != space.space || found.archived != space.archived {
            ports.store.set_space_seen(feed.id, found).await?;
            (ports.recorded)(feed);
        }
        let mut space = FeedSpace {
            space: found.space.clone(),
            archived: found.archived,
            ..space.clone()
        };
        if space.imported_at.is_none() && space.suspended_at.is_some() {
            ports.store.return_space(feed.id, &space.space.id, run.id, now).await?;
            (ports.recorded)(feed);
            space.suspended_at = None;
        }
        visible.push(space);
    }
    Ok(Visible {
        spaces: visible,
        at: seen.at,
    })
}

struct Seen {
    spaces: BTreeMap<SpaceId, SpaceSeen>,
    /// Whether all that can be seen was told.
    whole: bool,
    at: Option<Timestamp>,
}

async fn seen(ports: &Ports, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Seen> {
    let ids: Vec<SpaceId> = spaces.iter().map(|space| space.space.id.clone()).collect();
    let mut seen = Seen {
        spaces: BTreeMap::new(),
        whole: true,
        at: None,
    };
    for ids in ids.chunks(SPACES_BY_ID_MAX) {
        let listed = ports.source.spaces_by_id(reach, ids).await?;
        seen.at = seen.at.or(listed.at);
        ports.store.add_spent(run.id, listed.spent, ports.clock.now()).await?;
        // All of them fit into one answer.
        seen.whole &= listed.next.is_none() && listed.unreadable.is_empty();
        let found = listed.items.into_iter().map(|found| (found.space.id.clone(), found));
        seen.spaces.extend(found);
    }
    Ok(seen)
}

async fn missed(ports: &Ports, feed: &Feed, run: &SyncRun, space: &FeedSpace, now: Timestamp) -> Result<()> {
    let (id, key) = (&space.space.id, &space.space.key);
    match space.suspended_at {
        // Told to have happened later than now: before a clock was set back.
        Some(since) if since > now => ports.store.set_space_suspended(feed.id, id, Some(now)).await,
        Some(_) => Ok(()),
        None => {
            info!(feed.id = %feed.id, run.id = %run.id, "Space {key} is kept out of search: it can no longer be seen");
            ports.store.set_space_suspended(feed.id, id, Some(now)).await?;
            let note = format!(
                "{key} can no longer be seen by the connected person: it is kept out of search, and removed if a later look \
                 agrees."
            );
            ports.store.note(run.id, &note).await
        }
    }
}

/// Whether the run failed to read something that is held in this space, or of which nobody knows what it is: it was shown
/// in another space, and what was moved must not go with the space that it left.
async fn may_hold_unread(ports: &Ports, feed: &Feed, run: &SyncRun, space: &SpaceId) -> Result<bool> {
    let failures = ports.store.failures(run.id, FAILURES_LOOKED_AT + 1).await?;
    if failures.len() > FAILURES_LOOKED_AT || failures.iter().any(|failure| failure.document.is_none()) {
        return Ok(true);
    }
    let failed = failures.into_iter().filter_map(|failure| failure.document);
    let ids: Vec<ContentId> = failed.map(|document| document.content).collect();
    let known = ports.store.known(feed.id, &ids).await?;
    Ok(known.values().any(|known| known.space == *space))
}

/// The spaces with documents that were out of sight long enough, when this run began, for a second look.
pub fn lost(run: &SyncRun, spaces: &[FeedSpace], now: Timestamp) -> Vec<FeedSpace> {
    let agreed = |since: Timestamp| since < run.started_at && now.since(since) >= AGREE_AFTER;
    let lost = |space: &&FeedSpace| space.suspended_at.is_some_and(agreed) && space.documents > 0;
    spaces.iter().filter(lost).cloned().collect()
}

/// Removes the spaces that were out of sight long enough and are so still. After a walk has read the others: what was
/// moved there from such a space is theirs by then, and stays.
pub async fn remove_lost(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<()> {
    let now = ports.clock.now();
    let lost = lost(run, spaces, now);
    if lost.is_empty() {
        return Ok(());
    }
    let seen = seen(ports, reach, run, &lost).await?;
    if !seen.whole {
        return Ok(());
    }
    alive::proven(ports, reach).await?;
    for space in lost.iter().filter(|space| !seen.spaces.contains_key(&space.space.id)) {
        let (id, key) = (&space.space.id, &space.space.key);
        let since = space.suspended_at.unwrap_or(now);
        if now.since(since) < UNREAD_WAITS && may_hold_unread(ports, feed, run, id).await? {
            let note = format!(
                "{key} stays out of search and is not removed yet: what this run could not read may have been moved out of it. \
                 A later walk that reads it removes the rest."
            );
            ports.store.note(run.id, &note).await?;
            continue;
        }
        let removed = ports.store.remove_space(feed.id, id, run.id, now).await?;
        (ports.recorded)(feed);
        let note = format!(
            "{key} could not be seen a second time: its {removed} documents were removed. They are imported again when the \
             connected person can see the space."
        );
        ports.store.note(run.id, &note).await?;
    }
    Ok(())
}
