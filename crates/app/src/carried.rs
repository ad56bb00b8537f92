//! The spaces that an index carries, for whoever searches in them.

use domain::{FeedId, IndexId, Result, Timestamp, space::FeedSpace, sync_run::RunKind};

use crate::{App, Caller};

/// A space whose documents can be found in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedSpace {
    pub feed: FeedId,
    pub space: FeedSpace,
    /// What was changed on the site before this instant is known here. None until its first import is complete.
    pub checked_at: Option<Timestamp>,
}

impl App {
    /// The spaces of this index whose documents can be found, feed by feed.
    pub async fn carried_spaces(&self, caller: &Caller, index: IndexId) -> Result<Vec<CarriedSpace>> {
        self.seen_index(caller, index).await?;
        let mut carried = Vec::new();
        for feed in self.store().feeds(index).await? {
            let changes = self.store().began_last(feed.id).await?.remove(&RunKind::Changes);
            let spaces = self.store().feed_spaces(feed.id).await?;
            let found = spaces.into_iter().filter(|space| space.suspended_at.is_none());
            carried.extend(found.map(|space| CarriedSpace {
                feed: feed.id,
                checked_at: checked_at(&space, changes),
                space,
            }));
        }
        Ok(carried)
    }
}

/// A look at the changes of a feed tells of a space only once that was imported.
fn checked_at(space: &FeedSpace, changes: Option<Timestamp>) -> Option<Timestamp> {
    let imported = space.imported_at?;
    let walked = space.walked.values().copied().max();
    let looked = changes.filter(|at| *at >= space.added_at);
    Some(walked.max(looked).unwrap_or(imported))
}
