//! Given a stream and where it was left, reads it to its end: each answer goes to the store with its bookmark in one
//! transaction, while the next answer is already on its way.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, DocumentId, Error, ErrorKind, Result, RunId, Timestamp,
    cursor::{Cursor, Mark, Stream},
    document::{Document, DocumentKind, Known, Observed, Removal},
    feed::Feed,
    source::{HOLDERS_MAX, IDS_MAX, Reach, Unreadable},
    space::Space,
    store::Recording,
    sync_run::{Failure, Spent},
};

use crate::{
    people::{Asked, Named, named},
    plan::{Step, steps},
    run::Ports,
};

/// The most answers of one listing: a space of two million pages has eight thousand.
const ANSWERS_MAX: usize = 100_000;

/// What a pull needs to know, named.
pub struct Pull<'a> {
    pub feed: &'a Feed,
    pub reach: &'a Reach,
    pub run: RunId,
    pub space: &'a Space,
    pub stream: Stream,
    pub reading: Reading,
    pub returned: Returned,
}

/// What comes with a page that was gone and is there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Its comments and attachments, at once.
    WithBelongings,
    /// Nothing: their own listings follow, or cannot be asked for.
    Alone,
}

/// How much of each document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everything with its body: an import.
    Bodies,
    /// What is there; bodies only of what is new or has changed: a walk.
    Changed,
}

/// How a pull ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    ToTheEnd,
    /// Somebody wanted it to stop; what was recorded stays, and it goes on from there.
    Stopped,
}

/// Reads the stream on from `after`. A cursor that Atlassian no longer knows begins the listing anew, which is safe: what
/// is held already is unchanged. An error leaves everything recorded before it in place.
pub async fn pull(ports: &Ports, pull: &Pull<'_>, after: Option<Cursor>, asked: &mut Asked) -> Result<Pulled> {
    let began_midway = after.is_some();
    match pull_on(ports, pull, after, asked).await {
        Err(error) if error.kind == ErrorKind::Conflict && began_midway => pull_on(ports, pull, None, asked).await,
        other => other,
    }
}

async fn pull_on(ports: &Ports, pull: &Pull<'_>, after: Option<Cursor>, asked: &mut Asked) -> Result<Pulled> {
    let mut next = answer(ports, pull, after.as_ref()).await?;
    let mut circles = Circles::default();
    loop {
        let answer_now = next;
        if circles.turned(answer_now.first.as_ref(), answer_now.next.as_ref()) {
            return Err(Error::unavailable(format!(
                "Atlassian's listing of the {}s of space {} goes in circles",
                pull.stream.kind.word(),
                pull.space.key
            )));
        }
        let people = named(ports, pull.reach, pull.run, asked, &answer_now.documents).await?;
        let (cursor, back) = (answer_now.next.clone(), answer_now.back.clone());
        let recording = answer_now.recording(ports.clock.now(), pull, people);
        let Some(cursor) = cursor else {
            ports.store.record(pull.feed.id, &recording).await?;
            (ports.recorded)(pull.feed);
            bring_belongings(ports, pull, &back, asked).await?;
            return Ok(Pulled::ToTheEnd);
        };
        if (ports.stopping)() {
            ports.store.record(pull.feed.id, &recording).await?;
            (ports.recorded)(pull.feed);
            return Ok(Pulled::Stopped);
        }
        // The answer that follows is asked for while this one is written. If the writing fails the answer is dropped:
        // the bookmark still stands before it.
        let (written, following) = tokio::join!(
            ports.store.record(pull.feed.id, &recording),
            answer(ports, pull, Some(&cursor))
        );
        written?;
        (ports.recorded)(pull.feed);
        bring_belongings(ports, pull, &back, asked).await?;
        next = following?;
    }
}

/// Notices a listing that leads nowhere: back to a place, or on and on with the same rows (facts.md §10, 16).
#[derive(Default)]
pub struct Circles {
    cursors: BTreeSet<String>,
    first: Option<ContentId>,
}

impl Circles {
    /// Whether the answer that begins with `first` and goes on at `next` shows it.
    pub fn turned(&mut self, first: Option<&ContentId>, next: Option<&Cursor>) -> bool {
        let Some(next) = next else { return false };
        let stands = first.is_some() && self.first.as_ref() == first;
        self.first = first.cloned();
        stands || !self.cursors.insert(next.0.clone()) || self.cursors.len() > ANSWERS_MAX
    }
}

/// What hangs on pages that were gone before.
async fn bring_belongings(ports: &Ports, pull: &Pull<'_>, back: &[ContentId], asked: &mut Asked) -> Result<()> {
    match pull.returned {
        Returned::Alone => Ok(()),
        Returned::WithBelongings => {
            let spaces = std::slice::from_ref(pull.space);
            belongings(ports, pull.feed, pull.reach, pull.run, spaces, back, asked).await
        }
    }
}

/// What one answer of a listing brought, with the bodies that were wanted.
struct Answer {
    documents: Vec<Document>,
    placed: Vec<Observed>,
    seen: Vec<ContentId>,
    unreadable: Vec<Unreadable>,
    /// The first row.
    first: Option<ContentId>,
    /// Those of the documents that were gone before.
    back: Vec<ContentId>,
    next: Option<Cursor>,
    spent: Spent,
}

impl Answer {
    fn recording(self, now: Timestamp, pull: &Pull<'_>, named: Named) -> Recording {
        Recording {
            run: pull.run,
            documents: self.documents,
            placed: self.placed,
            seen: self.seen,
            people: named.people,
            mentions: named.mentions,
            failures: failures(pull.reach, pull.run, pull.stream.kind, &self.unreadable, now),
            mark: Some((pull.stream.clone(), self.next.map_or(Mark::Done, Mark::At))),
            spent: self.spent.plus(named.spent),
            now,
        }
    }
}

async fn answer(ports: &Ports, pull: &Pull<'_>, after: Option<&Cursor>) -> Result<Answer> {
    match (pull.reading, pull.stream.kind) {
        (Reading::Changed, DocumentKind::Page | DocumentKind::BlogPost) => observed(ports, pull, after).await,
        // Comments and attachments come with what they are in any case.
        (Reading::Changed, DocumentKind::Comment | DocumentKind::Attachment) | (Reading::Bodies, _) => {
            let listed = ports.source.list(pull.reach, pull.space, &pull.stream, after).await?;
            Ok(Answer {
                first: listed.items.first().map(|document| document.id.content.clone()),
                documents: listed.items,
                placed: Vec::new(),
                seen: Vec::new(),
                unreadable: listed.unreadable,
                back: Vec::new(),
                next: listed.next,
                spent: listed.spent,
            })
        }
    }
}

async fn observed(ports: &Ports, pull: &Pull<'_>, after: Option<&Cursor>) -> Result<Answer> {
    let listed = ports
        .source
        .observe(pull.reach, pull.space, &pull.stream, after)
        .await?;
    let ids: Vec<ContentId> = listed.items.iter().map(|seen| seen.id.clone()).collect();
    let known = ports.store.known(pull.feed.id, &ids).await?;
    let mut answer = Answer {
        first: ids.first().cloned(),
        documents: Vec::new(),
        placed: Vec::new(),
        seen: Vec::new(),
        unreadable: listed.unreadable,
        back: Vec::new(),
        next: listed.next,
        spent: listed.spent,
    };
    let mut wanted = Vec::new();
    for step in steps(&known, &listed.items) {
        match step {
            Step::Seen(id) => answer.seen.push(id),
            Step::Place(observed) => answer.placed.push(observed),
            Step::Fetch(id) => wanted.push(id),
        }
    }
    for ids in wanted.chunks(IDS_MAX) {
        let spaces = std::slice::from_ref(pull.space);
        let fetched = ports.source.fetch(pull.reach, spaces, pull.stream.kind, ids).await?;
        answer.documents.extend(fetched.items);
        answer.unreadable.extend(fetched.unreadable);
        answer.spent = answer.spent.plus(fetched.spent);
    }
    answer.back = back(&known, &answer.documents);
    Ok(answer)
}

/// Pages and blog posts among these that were gone from the site: what hung on them went with them.
pub fn back(known: &BTreeMap<ContentId, Known>, documents: &[Document]) -> Vec<ContentId> {
    let gone = |id: &ContentId| {
        known
            .get(id)
            .is_some_and(|known| known.removed == Some(Removal::GoneFromSite))
    };
    let pages = documents.iter().filter(|document| !document.kind.is_optional());
    let ids = pages.map(|document| document.id.content.clone());
    ids.filter(gone).collect()
}

/// Reads the comments and attachments of these pages and records them, outside of any stream.
pub async fn belongings(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: RunId,
    spaces: &[Space],
    pages: &[ContentId],
    asked: &mut Asked,
) -> Result<()> {
    for kind in [DocumentKind::Comment, DocumentKind::Attachment] {
        for pages in pages.chunks(HOLDERS_MAX) {
            let mut after = None;
            let mut circles = Circles::default();
            loop {
                let hanging = ports.source.belongings(reach, spaces, kind, pages, after.as_ref());
                let listed = match hanging.await {
                    Ok(listed) => listed,
                    // The grant cannot read them, or a space has another key by now: then the next walk tells.
                    Err(error) if matches!(error.kind, ErrorKind::MissingScope { .. } | ErrorKind::Invalid) => break,
                    Err(error) => return Err(error),
                };
                let first = listed.items.first().map(|document| document.id.content.clone());
                // What leads nowhere is left: their own listing will tell the rest.
                let turned = circles.turned(first.as_ref(), listed.next.as_ref());
                let named = named(ports, reach, run, asked, &listed.items).await?;
                let now = ports.clock.now();
                let recording = Recording {
                    documents: listed.items,
                    people: named.people,
                    mentions: named.mentions,
                    failures: failures(reach, run, kind, &listed.unreadable, now),
                    spent: listed.spent.plus(named.spent),
                    ..Recording::empty(run, now)
                };
                ports.store.record(feed.id, &recording).await?;
                (ports.recorded)(feed);
                match listed.next {
                    Some(next) if !turned => after = Some(next),
                    Some(_) | None => break,
                }
            }
        }
    }
    Ok(())
}

/// What could not be read, as the run lists it.
pub fn failures(
    reach: &Reach,
    run: RunId,
    kind: DocumentKind,
    unreadable: &[Unreadable],
    now: Timestamp,
) -> Vec<Failure> {
    let failure = |unreadable: &Unreadable| Failure {
        run,
        document: unreadable
            .content
            .as_ref()
            .map(|content| DocumentId::new(&reach.site.id, content.clone())),
        kind: Some(kind),
        title: unreadable.title.clone(),
        why: unreadable.why.clone(),
        at: now,
    };
    unreadable.iter().map(failure).collect()
}

/// Reads these documents by id and records them as what a run found, outside of any stream.
pub async fn bring(
    ports: &Ports,
    feed: &Feed,
    reach: &Reach,
    run: RunId,
    spaces: &[Space],
    wanted: &BTreeMap<DocumentKind, Vec<ContentId>>,
) -> Result<()> {
    let mut asked = Asked::new();
    for (kind, ids) in wanted.iter().filter(|(kind, _)| !kind.is_optional()) {
        for ids in ids.chunks(IDS_MAX) {
            let fetched = ports.source.fetch(reach, spaces, *kind, ids).await?;
            let named = named(ports, reach, run, &mut asked, &fetched.items).await?;
            let now = ports.clock.now();
            let recording = Recording {
                documents: fetched.items,
                people: named.people,
                mentions: named.mentions,
                failures: failures(reach, run, *kind, &fetched.unreadable, now),
                spent: fetched.spent.plus(named.spent),
                ..Recording::empty(run, now)
            };
            ports.store.record(feed.id, &recording).await?;
            (ports.recorded)(feed);
        }
    }
    Ok(())
}
