//! Whom documents mention that an older Circuit brought: written down a few at a time, with the looks at changes.

use domain::{Result, feed::Feed, source::Reach, store::Recording, sync_run::SyncRun};

use crate::{
    people::{Asked, named},
    run::Ports,
};

/// Documents that are read together, within the memory that a page of a listing takes.
const TOGETHER: usize = 50;
/// Documents that one run reads at most: a hundred thousand pages are through in some hours.
const RUN_DOCUMENTS_MAX: usize = 2_000;

/// Reads some of those that are left. A feed of which all is known costs one look into the store.
pub async fn read_mentions(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun) -> Result<()> {
    let mut asked = Asked::new();
    let mut read = 0;
    while read < RUN_DOCUMENTS_MAX && !(ports.stopping)() {
        let Some(documents) = ports.store.unread_for_mentions(feed.id, TOGETHER).await? else {
            return Ok(());
        };
        read += TOGETHER;
        let named = named(ports, reach, run.id, &mut asked, &documents).await?;
        let recording = Recording {
            documents,
            people: named.people,
            mentions: named.mentions,
            spent: named.spent,
            ..Recording::empty(run.id, ports.clock.now())
        };
        ports.store.record_mentions(feed.id, &recording).await?;
        if !recording.mentions.is_empty() {
            (ports.recorded)(feed);
        }
    }
    Ok(())
}
