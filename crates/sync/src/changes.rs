//! What was written since the last pass: each kind newest first, until what is older than that pass began. A quiet pass
//! costs an answer of each kind, whatever the size of the site.

use std::time::Duration;

use domain::{
    ContentId, Error, ErrorKind, Result, Timestamp,
    document::DocumentKind,
    feed::Feed,
    source::{CHANGES_SPACES_MAX, Reach},
    space::{FeedSpace, Space},
    store::Recording,
    sync_run::SyncRun,
};

use crate::{
    people::{Asked, named},
    pull::{Circles, Pulled, back, belongings, failures},
    run::Ports,
};

/// How far behind the last pass's beginning is read again: our clock and Atlassian's differ, and its search, which tells
/// of comments and files, lags behind the site by a minute or more.
const OVERLAP: Duration = Duration::from_secs(10 * 60);
/// Rows of the first answer: enough to see that nothing was written. Each further answer asks for twice as many.
const ROWS_FIRST: u32 = 5;
const ROWS_MAX: u32 = 250;

/// Reads the changes of these spaces since the last complete pass of them. Nothing is taken away by it: a page that is
/// gone does not show here.
pub async fn read_changes(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    spaces: &[FeedSpace],
) -> Result<Pulled> {
    let began = ports.clock.now();
    let until = ports.store.changes_until(feed.id).await?.unwrap_or_default();
    // A bookmark that lies ahead was made before a clock was set back.
    let horizon = until.min(began).minus(OVERLAP);
    let mut pass = Pass {
        ports,
        feed,
        reach,
        run,
        asked: Asked::new(),
        at: None,
        searched: spaces_of(spaces, DocumentKind::Comment),
    };
    for kind in DocumentKind::ALL {
        for spaces in spaces_of(spaces, kind).chunks(CHANGES_SPACES_MAX) {
            match pass.read(spaces, kind, horizon).await {
                Ok(Pulled::ToTheEnd) => {}
                Ok(Pulled::Stopped) => return Ok(Pulled::Stopped),
                Err(error) if kind.is_optional() && matches!(error.kind, ErrorKind::MissingScope { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    // Of the two clocks the one behind: what is read twice costs little, what is passed over is lost.
    let reached = pass.at.map_or(began, |at| at.min(began));
    ports.store.set_changes_until(feed.id, reached).await?;
    Ok(Pulled::ToTheEnd)
}

/// The spaces in which this kind can be asked for: Atlassian's search does not know archived ones, and refuses keys that it
/// does not know.
fn spaces_of(spaces: &[FeedSpace], kind: DocumentKind) -> Vec<Space> {
    let listed = spaces.iter().filter(|space| !(space.archived && kind.is_optional()));
    listed.map(|space| space.space.clone()).collect()
}

struct Pass<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
    asked: Asked,
    /// What time it was at Atlassian when the first answer came.
    at: Option<Timestamp>,
    /// The spaces that Atlassian's search knows.
    searched: Vec<Space>,
}

impl Pass<'_> {
    async fn read(&mut self, spaces: &[Space], kind: DocumentKind, horizon: Timestamp) -> Result<Pulled> {
        let (mut after, mut rows) = (None, ROWS_FIRST);
        let mut circles = Circles::default();
        loop {
            if (self.ports.stopping)() {
                return Ok(Pulled::Stopped);
            }
            let listed = self
                .ports
                .source
                .changes(self.reach, spaces, kind, horizon, rows, after.as_ref())
                .await?;
            self.at = self.at.or(listed.at);
            let named = named(self.ports, self.reach, self.run.id, &mut self.asked, &listed.items).await?;
            let turned = circles.turned(
                listed.items.first().map(|document| &document.id.content),
                listed.next.as_ref(),
            );
            let ids: Vec<ContentId> = listed
                .items
                .iter()
                .map(|document| document.id.content.clone())
                .collect();
            let back = back(&self.ports.store.known(self.feed.id, &ids).await?, &listed.items);
            let now = self.ports.clock.now();
            let recording = Recording {
                documents: listed.items,
                people: named.people,
                mentions: named.mentions,
                failures: failures(self.reach, self.run.id, kind, &listed.unreadable, now),
                spent: listed.spent.plus(named.spent),
                ..Recording::empty(self.run.id, now)
            };
            let counts = self.ports.store.record(self.feed.id, &recording).await?;
            if counts.added + counts.changed > 0 {
                (self.ports.recorded)(self.feed);
            }
            self.bring_belongings(&back).await?;
            let Some(next) = listed.next else {
                return Ok(Pulled::ToTheEnd);
            };
            if turned {
                let what = kind.word();
                return Err(Error::unavailable(format!(
                    "Atlassian's listing of changed {what}s goes in circles"
                )));
            }
            after = Some(next);
            rows = rows.saturating_mul(2).min(ROWS_MAX);
        }
    }

    /// What hangs on pages that were gone before. Archived spaces are left out: Atlassian's search does not know them.
    async fn bring_belongings(&mut self, back: &[ContentId]) -> Result<()> {
        let (ports, feed, reach, run) = (self.ports, self.feed, self.reach, self.run.id);
        for spaces in self.searched.chunks(CHANGES_SPACES_MAX) {
            belongings(ports, feed, reach, run, spaces, back, &mut self.asked).await?;
        }
        Ok(())
    }
}
