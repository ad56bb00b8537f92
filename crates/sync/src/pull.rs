//! Given a stream and where it was left, reads it to its end: each answer goes to the store with its bookmark in one
//! transaction, while the next answer is already on its way.

use std::collections::BTreeSet;

use domain::{
    AccountId, DocumentId, Error, Result, RunId, Timestamp,
    cursor::{Cursor, Mark, Stream},
    document::Document,
    feed::Feed,
    source::{Listed, PEOPLE_MAX, Reach, Unreadable},
    space::Space,
    store::Recording,
    sync_run::{Failure, Spent},
};

use crate::run::Ports;

/// The most answers of one listing: a space of two million pages has eight thousand.
const ANSWERS_MAX: usize = 100_000;

/// What a pull needs to know, named.
pub struct Pull<'a> {
    pub feed: &'a Feed,
    pub reach: &'a Reach,
    pub run: RunId,
    pub space: &'a Space,
    pub stream: Stream,
    /// Accounts that Atlassian did not know when asked in this run: not asked again.
    pub nameless: &'a mut BTreeSet<AccountId>,
}

/// How a pull ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    ToTheEnd,
    /// Somebody wanted it to stop; what was recorded stays, and it goes on from there.
    Stopped,
}

/// Reads the stream on from `after`. An error leaves everything recorded before it in place.
pub async fn pull(ports: &Ports, pull: Pull<'_>, after: Option<Cursor>) -> Result<Pulled> {
    let mut next = fetch(ports, &pull, after.as_ref()).await?;
    let mut cursors = BTreeSet::new();
    loop {
        let listed = next;
        if let Some(cursor) = &listed.next
            && (!cursors.insert(cursor.0.clone()) || cursors.len() > ANSWERS_MAX)
        {
            return Err(Error::unavailable(format!(
                "Atlassian's listing of the {}s of space {} goes in circles",
                pull.stream.kind.word(),
                pull.space.key
            )));
        }
        let people = names(ports, pull.reach, pull.run, pull.nameless, &listed.items).await?;
        let recording = recording(ports.clock.now(), &pull, &listed, people);
        let Some(cursor) = listed.next else {
            ports.store.record(pull.feed.id, &recording).await?;
            (ports.recorded)(pull.feed);
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
            fetch(ports, &pull, Some(&cursor))
        );
        written?;
        (ports.recorded)(pull.feed);
        next = following?;
    }
}

async fn fetch(ports: &Ports, pull: &Pull<'_>, after: Option<&Cursor>) -> Result<Listed<Document>> {
    ports.source.list(pull.reach, pull.space, &pull.stream, after).await
}

/// Names of the people in these documents whose names are not known yet.
pub async fn names(
    ports: &Ports,
    reach: &Reach,
    run: RunId,
    nameless: &mut BTreeSet<AccountId>,
    documents: &[Document],
) -> Result<(Vec<domain::document::Person>, Spent)> {
    let accounts: BTreeSet<AccountId> = documents
        .iter()
        .flat_map(|document| document.author.iter().chain(&document.editor))
        .cloned()
        .collect();
    let mut unknown = ports.store.unknown_people(&reach.site.id, &accounts).await?;
    unknown.retain(|account| !nameless.contains(account));
    let mut people = Vec::new();
    let mut spent = Spent::default();
    for asked in unknown.chunks(PEOPLE_MAX) {
        // Names are an ornament: documents are not held back when people cannot be read.
        match ports.source.people(reach, asked).await {
            Ok((found, price)) => {
                spent = spent.plus(price);
                people.extend(found);
            }
            Err(error) if tolerable(&error) => {
                tracing::warn!(run.id = %run, "Names of {} people could not be read: {error}", asked.len());
            }
            Err(error) => return Err(error),
        }
    }
    let found: BTreeSet<&AccountId> = people.iter().map(|person| &person.account).collect();
    nameless.extend(unknown.iter().filter(|account| !found.contains(account)).cloned());
    Ok((people, spent))
}

/// Errors about names that do not concern the documents themselves.
fn tolerable(error: &domain::Error) -> bool {
    use domain::ErrorKind::*;
    match error.kind {
        Forbidden | NotFound | Gone | MissingScope { .. } | Invalid | Unavailable => true,
        Unauthenticated | Ended { .. } | Misconfigured | Conflict | RateLimited { .. } | Internal => false,
    }
}

fn recording(
    now: Timestamp,
    pull: &Pull<'_>,
    listed: &Listed<Document>,
    (people, spent): (Vec<domain::document::Person>, Spent),
) -> Recording {
    Recording {
        run: pull.run,
        documents: listed.items.clone(),
        people,
        failures: failures(pull.reach, pull.run, &listed.unreadable, now),
        mark: Some((pull.stream.clone(), listed.next.clone().map_or(Mark::Done, Mark::At))),
        spent: listed.spent.plus(spent),
        now,
    }
}

/// What could not be read, as the run lists it.
pub fn failures(reach: &Reach, run: RunId, unreadable: &[Unreadable], now: Timestamp) -> Vec<Failure> {
    let failure = |unreadable: &Unreadable| Failure {
        run,
        document: unreadable
            .content
            .as_ref()
            .map(|content| DocumentId::new(&reach.site.id, content.clone())),
        title: unreadable.title.clone(),
        why: unreadable.why.clone(),
        at: now,
    };
    unreadable.iter().map(failure).collect()
}
