//! Documents that a person wants read by their ids: one that could not be read, or one that is not here yet.

use std::collections::BTreeSet;

use domain::{
    ContentId, DocumentId, Result,
    document::DocumentKind,
    feed::Feed,
    source::{IDS_MAX, Looked, Reach},
    space::{FeedSpace, Space},
    store::{Recording, Wanted},
    sync_run::{Failure, SyncRun},
};

use crate::{
    people::{Asked, named},
    pull::failures,
    run::Ports,
};

/// Reads what is wanted, as far as it is in these spaces. What cannot be read is listed among the run's failures, and is
/// wanted no longer either way.
pub async fn read_wanted(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<()> {
    let wanted = ports.store.wanted(feed.id).await?;
    let mut reading = Wish {
        ports,
        feed,
        reach,
        run,
        spaces: spaces.iter().map(|space| space.space.clone()).collect(),
        asked: Asked::new(),
    };
    for wanted in wanted.chunks(IDS_MAX) {
        let mut left: BTreeSet<ContentId> = wanted.iter().map(|wanted| wanted.id.clone()).collect();
        for kind in [DocumentKind::Page, DocumentKind::BlogPost] {
            let ids = of_kind(wanted, kind, &left);
            if !ids.is_empty() && !reading.spaces.is_empty() {
                reading.read(kind, &ids, &mut left).await?;
            }
        }
        reading.list_as_failed(&left).await?;
        let ids: Vec<ContentId> = wanted.iter().map(|wanted| wanted.id.clone()).collect();
        ports.store.forget_wanted(feed.id, &ids).await?;
    }
    Ok(())
}

/// Those that may be of this kind and were not read yet.
fn of_kind(wanted: &[Wanted], kind: DocumentKind, left: &BTreeSet<ContentId>) -> Vec<ContentId> {
    let may_be = |wanted: &&Wanted| wanted.kind.is_none_or(|known| known == kind) && left.contains(&wanted.id);
    wanted.iter().filter(may_be).map(|wanted| wanted.id.clone()).collect()
}

struct Wish<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
    spaces: Vec<Space>,
    asked: Asked,
}

impl Wish<'_> {
    /// Takes out of `left` what was read, and what was told to be unreadable or put away.
    async fn read(&mut self, kind: DocumentKind, ids: &[ContentId], left: &mut BTreeSet<ContentId>) -> Result<()> {
        let (ports, reach, run) = (self.ports, self.reach, self.run.id);
        let fetched = ports.source.fetch(reach, &self.spaces, kind, ids).await?;
        let named = named(ports, reach, run, &mut self.asked, &fetched.items).await?;
        for document in &fetched.items {
            left.remove(&document.id.content);
        }
        for unreadable in fetched.unreadable.iter().filter_map(|row| row.content.as_ref()) {
            left.remove(&ContentId::new(unreadable));
        }
        let now = ports.clock.now();
        let missing: Vec<ContentId> = ids.iter().filter(|id| left.contains(id)).cloned().collect();
        let looked = match missing.is_empty() {
            true => Looked::default(),
            false => ports.source.look(reach, &self.spaces, kind, &missing).await?,
        };
        let mut failed = failures(reach, run, kind, &fetched.unreadable, now);
        for id in &looked.put_away {
            left.remove(id);
            failed.push(self.failure(
                id,
                Some(kind),
                "it was archived in Confluence, or is in the trash of its space",
            ));
        }
        let recording = Recording {
            documents: fetched.items,
            people: named.people,
            mentions: named.mentions,
            failures: failed,
            spent: fetched.spent.plus(named.spent).plus(looked.spent),
            ..Recording::empty(run, now)
        };
        ports.store.record(self.feed.id, &recording).await?;
        (ports.recorded)(self.feed);
        Ok(())
    }

    async fn list_as_failed(&self, left: &BTreeSet<ContentId>) -> Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let why = "Confluence shows neither a page nor a blog post with this id in the chosen spaces to the connected account: \
                   it is not visible to it, or no longer there";
        let recording = Recording {
            failures: left.iter().map(|id| self.failure(id, None, why)).collect(),
            ..Recording::empty(self.run.id, self.ports.clock.now())
        };
        self.ports.store.record(self.feed.id, &recording).await?;
        Ok(())
    }

    fn failure(&self, id: &ContentId, kind: Option<DocumentKind>, why: &str) -> Failure {
        Failure {
            run: self.run.id,
            document: Some(DocumentId {
                site: self.reach.site.id.clone(),
                content: id.clone(),
            }),
            kind,
            title: format!("Document {id}"),
            why: why.to_owned(),
            at: self.ports.clock.now(),
        }
    }
}
