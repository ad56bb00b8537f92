//! A verify: everything that the site shows is compared with what is held in the index, then that with what search finds,
//! and none of them is changed.
//!
//! It goes on from answer to answer like a walk, with marks of its own, so that a spent quota or a crash costs one answer.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, Error, ErrorKind, Result, SpaceId, Timestamp,
    cursor::{Cursor, Mark, Stream},
    document::{Document, DocumentKind, Known, Observed, Removal},
    feed::Feed,
    source::{IDS_MAX, Listed, Reach, SPACES_BY_ID_MAX},
    space::FeedSpace,
    store::{Checked, HeldFacts},
    sync_run::{DIFFERENCES_MAX, Difference, Differs, Spent, SyncRun},
};

mod search;

use crate::{
    alive, plan,
    pull::{Circles, Pulled, failures},
    run::Ports,
};

/// The most comments and attachments of one listing that are looked at a second time, each with a call of its own.
const BELONGINGS_LOOKS_MAX: usize = 300;

/// Compares all imported spaces.
pub async fn verify(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Pulled> {
    let verify = Verify {
        ports,
        feed,
        reach,
        run,
    };
    let shown = verify.shown_spaces(spaces).await?;
    let done = ports.store.checked(run.id).await?;
    for (space, stream) in streams(&shown) {
        let after = match done.0.get(&stream) {
            Some(Mark::Done) => continue,
            Some(Mark::At(cursor)) => Some(cursor.clone()),
            None => None,
        };
        if verify.compared_or_told(&space, &stream, after).await? == Pulled::Stopped {
            return Ok(Pulled::Stopped);
        }
    }
    if verify.compare_search().await? == Pulled::Stopped {
        return Ok(Pulled::Stopped);
    }
    if ports.store.run(run.id).await?.counts.differing >= DIFFERENCES_MAX as u64 {
        let note = format!("There are more differences than the {DIFFERENCES_MAX} that are listed: a re-sync is due.");
        ports.store.note(run.id, &note).await?;
    }
    ports.store.forget_shown(run.id).await?;
    Ok(Pulled::ToTheEnd)
}

/// The listings of these spaces that can be compared, pages of all spaces first. Atlassian's search, which tells of comments and
/// attachments, does not know archived spaces.
fn streams(spaces: &[FeedSpace]) -> Vec<(FeedSpace, Stream)> {
    let stream = |space: &FeedSpace, kind: DocumentKind| Stream {
        space: space.space.id.clone(),
        kind,
    };
    let of_kind = |kind: DocumentKind| {
        let told = spaces
            .iter()
            .filter(move |space| !(space.archived && kind.is_optional()));
        told.map(move |space| (space.clone(), stream(space, kind)))
    };
    DocumentKind::ALL.into_iter().flat_map(of_kind).collect()
}

struct Verify<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
}

impl Verify<'_> {
    /// Those of the spaces that can be compared, as the site shows them now. Everything held of a space that it does not
    /// show differs.
    async fn shown_spaces(&self, spaces: &[FeedSpace]) -> Result<Vec<FeedSpace>> {
        let ids: Vec<SpaceId> = spaces.iter().map(|space| space.space.id.clone()).collect();
        let (mut seen, mut whole) = (BTreeMap::new(), true);
        for ids in ids.chunks(SPACES_BY_ID_MAX) {
            let listed = self.ports.source.spaces_by_id(self.reach, ids).await?;
            let now = self.ports.clock.now();
            self.ports.store.add_spent(self.run.id, listed.spent, now).await?;
            whole &= listed.next.is_none() && listed.unreadable.is_empty();
            seen.extend(listed.items.into_iter().map(|found| (found.space.id.clone(), found)));
        }
        if spaces.iter().any(|space| !seen.contains_key(&space.space.id)) {
            alive::proven(self.ports, self.reach).await?;
        }
        let mut shown = Vec::new();
        for space in spaces {
            let key = &space.space.key;
            match (seen.get(&space.space.id), space.suspended_at, space.imported_at) {
                (Some(_), Some(_), _) => {
                    let note = format!("{key} is kept out of search at present, and was not compared.");
                    self.ports.store.note(self.run.id, &note).await?;
                }
                (Some(_), None, None) => {
                    let note = format!("The import of {key} is not complete: it was not compared.");
                    self.ports.store.note(self.run.id, &note).await?;
                }
                (Some(found), None, Some(_)) => shown.push(FeedSpace {
                    archived: found.archived,
                    ..space.clone()
                }),
                (None, None, _) if whole => self.lost(space).await?,
                (None, _, _) => {}
            }
        }
        Ok(shown)
    }

    /// The site does not show the space: nothing that is held of it is there.
    async fn lost(&self, space: &FeedSpace) -> Result<()> {
        let note = format!("{} cannot be seen by the connected account.", space.space.key);
        self.ports.store.note(self.run.id, &note).await?;
        for kind in DocumentKind::ALL {
            let stream = Stream {
                space: space.space.id.clone(),
                kind,
            };
            let missing = self.not_shown(&stream, DIFFERENCES_MAX).await?;
            let differences = missing.iter().map(not_on_site).collect();
            self.write(differences, Some((stream, Mark::Done)), Spent::default())
                .await?;
        }
        Ok(())
    }

    /// One listing that cannot be read does not hold up the others.
    async fn compared_or_told(&self, space: &FeedSpace, stream: &Stream, after: Option<Cursor>) -> Result<Pulled> {
        let began_midway = after.is_some();
        let compared = match self.compare(space, stream, after).await {
            // Atlassian no longer knows where it was: from the beginning, for what was shown stays shown.
            Err(error) if error.kind == ErrorKind::Conflict && began_midway => self.compare(space, stream, None).await,
            other => other,
        };
        let note = match compared {
            Ok(pulled) => return Ok(pulled),
            Err(error) if stream.kind.is_optional() && matches!(error.kind, ErrorKind::MissingScope { .. }) => {
                format!("{}s were not compared: {error}.", capital(stream.kind.word()))
            }
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden) => {
                alive::proven(self.ports, self.reach).await?;
                format!(
                    "The {}s of {} were not compared: {error}.",
                    stream.kind.word(),
                    space.space.key
                )
            }
            Err(error) => return Err(error),
        };
        self.ports.store.note(self.run.id, &note).await?;
        Ok(Pulled::ToTheEnd)
    }

    async fn compare(&self, space: &FeedSpace, stream: &Stream, mut after: Option<Cursor>) -> Result<Pulled> {
        let mut circles = Circles::default();
        loop {
            if (self.ports.stopping)() {
                return Ok(Pulled::Stopped);
            }
            let listed = self.listed(space, stream, after.as_ref()).await?;
            let next = listed.next.clone();
            if circles.turned(listed.items.first().map(|seen| &seen.id), next.as_ref()) {
                let (what, key) = (stream.kind.word(), &space.space.key);
                return Err(Error::unavailable(format!(
                    "Atlassian's listing of the {what}s of space {key} goes in circles"
                )));
            }
            let checked = self.check(stream, listed).await?;
            self.ports.store.check(self.feed.id, &checked).await?;
            match next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        let (missing, spent) = self.missing(space, stream).await?;
        self.write(missing, Some((stream.clone(), Mark::Done)), spent).await?;
        Ok(Pulled::ToTheEnd)
    }

    async fn listed(&self, space: &FeedSpace, stream: &Stream, after: Option<&Cursor>) -> Result<Listed<Observed>> {
        let (source, reach) = (&self.ports.source, self.reach);
        match stream.kind {
            DocumentKind::Page | DocumentKind::BlogPost => source.observe(reach, &space.space, stream, after).await,
            DocumentKind::Comment | DocumentKind::Attachment => {
                let listed = source.list(reach, &space.space, stream, after).await?;
                Ok(Listed {
                    items: listed.items.into_iter().map(observed).collect(),
                    unreadable: listed.unreadable,
                    next: listed.next,
                    at: listed.at,
                    spent: listed.spent,
                })
            }
        }
    }

    /// What one answer tells. The mark is written with it while the listing goes on.
    async fn check(&self, stream: &Stream, listed: Listed<Observed>) -> Result<Checked> {
        let now = self.ports.clock.now();
        // By Atlassian's clock, should it be behind ours.
        let behind = listed.at.map(|at| now.since(at)).unwrap_or_default();
        let began = self.run.started_at.minus(behind);
        let parents = listed.items.iter().filter_map(|seen| seen.parent.as_ref());
        let ids: BTreeSet<&ContentId> = listed.items.iter().map(|seen| &seen.id).chain(parents).collect();
        let ids: Vec<ContentId> = ids.into_iter().cloned().collect();
        let known = self.ports.store.known(self.feed.id, &ids).await?;
        let differences = listed.items.iter().filter_map(|seen| difference(&known, seen, began));
        let unreadable = listed.unreadable.iter().filter_map(|row| row.content.as_ref());
        Ok(Checked {
            run: self.run.id,
            shown: listed
                .items
                .iter()
                .map(|seen| seen.id.clone())
                .chain(unreadable.map(ContentId::new))
                .collect(),
            differences: differences.collect(),
            failures: failures(self.reach, self.run.id, stream.kind, &listed.unreadable, now),
            mark: listed.next.map(|cursor| (stream.clone(), Mark::At(cursor))),
            spent: listed.spent,
            now,
        })
    }

    /// What is held of the stream and was not shown, after a second look at each.
    async fn missing(&self, space: &FeedSpace, stream: &Stream) -> Result<(Vec<Difference>, Spent)> {
        let looks_max = match stream.kind.is_optional() {
            true => BELONGINGS_LOOKS_MAX,
            false => DIFFERENCES_MAX,
        };
        let mut missing = self.not_shown(stream, looks_max + 1).await?;
        if missing.len() > looks_max {
            missing.truncate(looks_max);
            let (what, key) = (stream.kind.word(), &space.space.key);
            let note =
                format!("More than {looks_max} {what}s of {key} were not shown; {looks_max} of them were looked at.");
            self.ports.store.note(self.run.id, &note).await?;
        }
        let mut spent = Spent::default();
        if missing.is_empty() {
            return Ok((Vec::new(), spent));
        }
        let ids: Vec<ContentId> = missing.iter().map(|facts| facts.id.clone()).collect();
        let mut gone = BTreeSet::new();
        for ids in ids.chunks(IDS_MAX) {
            let chosen = std::slice::from_ref(&space.space);
            let looked = self.ports.source.look(self.reach, chosen, stream.kind, ids).await?;
            spent = spent.plus(looked.spent);
            gone.extend(looked.absent.into_iter().chain(looked.put_away));
        }
        // A dead token is answered as if nothing were there.
        alive::proven(self.ports, self.reach).await?;
        let gone = missing.iter().filter(|facts| gone.contains(&facts.id));
        Ok((gone.map(not_on_site).collect(), spent))
    }

    async fn not_shown(&self, stream: &Stream, limit: usize) -> Result<Vec<HeldFacts>> {
        self.ports.store.never_shown(self.run.id, stream, None, limit).await
    }

    async fn write(&self, differences: Vec<Difference>, mark: Option<(Stream, Mark)>, spent: Spent) -> Result<()> {
        let checked = Checked {
            run: self.run.id,
            shown: Vec::new(),
            differences,
            failures: Vec::new(),
            mark,
            spent,
            now: self.ports.clock.now(),
        };
        self.ports.store.check(self.feed.id, &checked).await
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| format!("{}{}", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}

fn observed(document: Document) -> Observed {
    Observed {
        id: document.id.content,
        kind: document.kind,
        space: document.space,
        parent: document.parent,
        title: document.title,
        version: document.version,
        modified_at: document.modified_at,
        labels: Some(document.labels),
        url: document.url,
    }
}

fn not_on_site(held: &HeldFacts) -> Difference {
    Difference {
        id: held.id.clone(),
        kind: held.kind,
        space: held.space.clone(),
        differs: Differs::NotOnSite,
        title: held.title.clone(),
        url: held.url.clone(),
        held: format!("version {}", held.version),
        other: String::new(),
    }
}

/// In what the document that the site shows differs from the one that can be found; none when it does not, when it was
/// written at `began` or later, and when it is not here because a person wanted so.
fn difference(known: &BTreeMap<ContentId, Known>, seen: &Observed, began: Timestamp) -> Option<Difference> {
    let own = known.get(&seen.id);
    let removed = own.and_then(|own| own.removed);
    // What hangs on a page that is not to be found is as little to be found.
    let parent = seen.parent.as_ref().and_then(|parent| known.get(parent));
    let hangs_on_removed = seen.kind.is_optional() && parent.is_some_and(|parent| parent.removed.is_some());
    if seen.modified_at >= began || removed == Some(Removal::DeletedHere) || hangs_on_removed {
        return None;
    }
    let steps = plan::steps(known, std::slice::from_ref(seen));
    if let Some(plan::Step::Seen(_)) = steps.first() {
        return None;
    }
    let (differs, held, other) = match own {
        None => (Differs::NotInIndex, String::new(), format!("version {}", seen.version)),
        Some(own) => told(own, seen)?,
    };
    Some(Difference {
        id: seen.id.clone(),
        kind: seen.kind,
        space: seen.space.clone(),
        differs,
        title: seen.title.clone(),
        url: seen.url.clone(),
        held,
        other,
    })
}

fn told(own: &Known, seen: &Observed) -> Option<(Differs, String, String)> {
    let version = |number: u32| format!("version {number}");
    let place = |space: &SpaceId, parent: &Option<ContentId>| match parent {
        Some(parent) => format!("below {parent} in space {space}"),
        None => format!("in space {space}"),
    };
    let labels = |labels: &[String]| match labels {
        [] => "no labels".to_owned(),
        _ => labels.join(", "),
    };
    match own.removed {
        Some(Removal::Suspended) => {
            let held = format!("{}, kept out of search", version(own.version));
            return Some((Differs::NotInIndex, held, version(seen.version)));
        }
        Some(Removal::GoneFromSite) => return Some((Differs::NotInIndex, "removed".into(), version(seen.version))),
        Some(Removal::DeletedHere) => return None,
        None => {}
    }
    if own.version != seen.version || own.modified_at != seen.modified_at || own.kind != seen.kind {
        let of = |number: u32, at: Timestamp| format!("version {number} of {at}");
        let held = of(own.version, own.modified_at);
        return Some((Differs::OtherVersion, held, of(seen.version, seen.modified_at)));
    }
    if own.space != seen.space || own.parent != seen.parent {
        let held = place(&own.space, &own.parent);
        return Some((Differs::OtherPlace, held, place(&seen.space, &seen.parent)));
    }
    if own.title != seen.title {
        return Some((Differs::OtherTitle, own.title.clone(), seen.title.clone()));
    }
    match &seen.labels {
        Some(shown) if *shown != own.labels => Some((Differs::OtherLabels, labels(&own.labels), labels(shown))),
        Some(_) | None => (own.url != seen.url).then(|| (Differs::OtherAddress, own.url.clone(), seen.url.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Observed {
        Observed {
            id: ContentId::new("1"),
            kind: DocumentKind::Page,
            space: SpaceId::new("10"),
            parent: None,
            title: "Pump".into(),
            version: 3,
            modified_at: Timestamp(100),
            labels: Some(Vec::new()),
            url: "u".into(),
        }
    }

    fn held(removed: Option<Removal>) -> Known {
        let seen = seen();
        Known {
            kind: seen.kind,
            space: seen.space,
            parent: seen.parent,
            title: seen.title,
            version: seen.version,
            modified_at: seen.modified_at,
            labels: Vec::new(),
            url: seen.url,
            removed,
        }
    }

    fn told(own: Option<Known>, seen: &Observed) -> Option<(Differs, String, String)> {
        let known = own.map(|own| (seen.id.clone(), own)).into_iter().collect();
        let found = difference(&known, seen, Timestamp(1_000))?;
        Some((found.differs, found.held, found.other))
    }

    #[test]
    fn what_is_held_as_it_is_shown_differs_in_nothing() {
        assert_eq!(told(Some(held(None)), &seen()), None);
        assert_eq!(
            told(Some(held(Some(Removal::DeletedHere))), &seen()),
            None,
            "a person wanted so"
        );
    }

    #[test]
    fn what_was_written_while_it_was_compared_is_no_difference() {
        let fresh = Observed {
            modified_at: Timestamp(1_000),
            ..seen()
        };
        assert_eq!(told(None, &fresh), None);
        assert_eq!(told(Some(held(None)), &fresh), None);
    }

    #[test]
    fn each_difference_is_told_by_its_name_and_both_sides() {
        let differs = |own, seen: &Observed| {
            told(own, seen).map(|(differs, held, site)| format!("{}: {held} / {site}", differs.word()))
        };
        assert_eq!(differs(None, &seen()).unwrap(), "not_in_index:  / version 3");
        let suspended = Some(held(Some(Removal::Suspended)));
        assert_eq!(
            differs(suspended, &seen()).unwrap(),
            "not_in_index: version 3, kept out of search / version 3"
        );
        let newer = Observed { version: 4, ..seen() };
        assert!(
            differs(Some(held(None)), &newer)
                .unwrap()
                .starts_with("other_version: version 3 of ")
        );
        let moved = Observed {
            parent: Some(ContentId::new("9")),
            ..seen()
        };
        assert_eq!(
            differs(Some(held(None)), &moved).unwrap(),
            "other_place: in space 10 / below 9 in space 10"
        );
        let renamed = Observed {
            title: "Pumps".into(),
            ..seen()
        };
        assert_eq!(
            differs(Some(held(None)), &renamed).unwrap(),
            "other_title: Pump / Pumps"
        );
        let labelled = Observed {
            labels: Some(vec!["ops".into()]),
            ..seen()
        };
        assert_eq!(
            differs(Some(held(None)), &labelled).unwrap(),
            "other_labels: no labels / ops"
        );
        let unlabelled = Observed { labels: None, ..seen() };
        assert_eq!(differs(Some(held(None)), &unlabelled), None, "the grant cannot tell");
    }
}
