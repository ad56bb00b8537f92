//! Given what is known and what was observed, gives the steps that bring the one to the other; given what is missing,
//! what may be believed of it. Pure, and in the order of the ids: the same input gives the same steps.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, SpaceId,
    cursor::{Checkpoint, Mark, Stream},
    document::{DocumentKind, Known, Observed, Removal},
    space::FeedSpace,
};

/// The share of a space, in percent, that may vanish in one walk without a second one (sync.md).
const VANISHING_PERCENT_MAX: u64 = 30;
/// And so many documents may vanish in any case.
const VANISHING_MAX: u64 = 50;

/// What is to be done about a document that a listing showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is held as it was shown.
    Seen(ContentId),
    /// The text is held; place, title or labels are others.
    Place(Observed),
    /// Its text must be read.
    Fetch(ContentId),
}

/// The steps for the documents of one answer; of one shown twice the later row counts.
pub fn steps(known: &BTreeMap<ContentId, Known>, observed: &[Observed]) -> Vec<Step> {
    let observed: BTreeMap<&ContentId, &Observed> = observed.iter().map(|seen| (&seen.id, seen)).collect();
    observed
        .into_iter()
        .map(|(id, seen)| match known.get(id) {
            None => Step::Fetch(id.clone()),
            Some(known) => step(known, seen),
        })
        .collect()
}

fn step(known: &Known, seen: &Observed) -> Step {
    match known.removed {
        // What a person deleted here is not brought back.
        Some(Removal::DeletedHere) => return Step::Seen(seen.id.clone()),
        Some(Removal::GoneFromSite) => return Step::Fetch(seen.id.clone()),
        Some(Removal::Suspended) | None => {}
    }
    // Both together tell an old answer from history that was deleted, which lowers the number alone.
    let older = seen.version < known.version && seen.modified_at < known.modified_at;
    if older && known.removed.is_none() {
        return Step::Seen(seen.id.clone());
    }
    if seen.version != known.version || seen.modified_at != known.modified_at || seen.kind != known.kind {
        return Step::Fetch(seen.id.clone());
    }
    let placed = known.space == seen.space && known.parent == seen.parent && known.title == seen.title;
    let labelled = seen.labels.as_ref().is_none_or(|labels| *labels == known.labels);
    match placed && labelled && known.url == seen.url && known.removed.is_none() {
        true => Step::Seen(seen.id.clone()),
        false => Step::Place(seen.clone()),
    }
}

/// Whether so much of a space is missing that it is not believed at once.
pub fn is_much(missing: u64, held: u64) -> bool {
    missing > VANISHING_MAX && missing.saturating_mul(100) > held.saturating_mul(VANISHING_PERCENT_MAX)
}

/// The streams of these spaces that an import has still to read: pages of all spaces first.
pub fn to_import(spaces: &[&FeedSpace], checkpoint: &Checkpoint) -> Vec<Stream> {
    let all = DocumentKind::ALL.into_iter().flat_map(|kind| {
        spaces.iter().map(move |space| Stream {
            space: space.space.id.clone(),
            kind,
        })
    });
    not_done(all.collect(), checkpoint)
}

/// Those of the streams that were not read to their end.
pub fn not_done(streams: Vec<Stream>, checkpoint: &Checkpoint) -> Vec<Stream> {
    streams
        .into_iter()
        .filter(|stream| checkpoint.0.get(stream) != Some(&Mark::Done))
        .collect()
}

/// The spaces of which every stream that can be read is done.
pub fn imported(spaces: &[&FeedSpace], checkpoint: &Checkpoint, unreadable: &BTreeSet<DocumentKind>) -> Vec<SpaceId> {
    let done = |space: &FeedSpace| {
        DocumentKind::ALL
            .into_iter()
            .filter(|kind| !unreadable.contains(kind))
            .all(|kind| {
                checkpoint.0.get(&Stream {
                    space: space.space.id.clone(),
                    kind,
                }) == Some(&Mark::Done)
            })
    };
    spaces
        .iter()
        .filter(|space| done(space))
        .map(|space| space.space.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::{Timestamp, cursor::Cursor, space::Space};

    use super::*;

    fn space(id: &str) -> FeedSpace {
        FeedSpace {
            space: Space {
                id: SpaceId::new(id),
                key: id.into(),
                name: id.into(),
                kind: "global".into(),
            },
            added_at: Timestamp(0),
            imported_at: None,
            suspended_at: None,
            doubted_at: None,
            archived: false,
            walked: BTreeMap::new(),
            estimate: None,
            documents: 0,
        }
    }

    fn stream(space: &str, kind: DocumentKind) -> Stream {
        Stream {
            space: SpaceId::new(space),
            kind,
        }
    }

    fn observed(id: &str, version: u32) -> Observed {
        Observed {
            id: ContentId::new(id),
            kind: DocumentKind::Page,
            space: SpaceId::new("1"),
            parent: None,
            title: "Pump".into(),
            version,
            modified_at: Timestamp(i64::from(version)),
            labels: Some(Vec::new()),
            url: "u".into(),
        }
    }

    fn known(version: u32, removed: Option<Removal>) -> Known {
        Known {
            kind: DocumentKind::Page,
            space: SpaceId::new("1"),
            parent: None,
            title: "Pump".into(),
            version,
            modified_at: Timestamp(i64::from(version)),
            labels: Vec::new(),
            url: "u".into(),
            removed,
        }
    }

    fn one(known: Known, seen: &Observed) -> Step {
        let known = [(seen.id.clone(), known)].into();
        steps(&known, std::slice::from_ref(seen)).pop().unwrap()
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let seen = observed("1", 2);
        assert_eq!(one(known(2, None), &seen), Step::Seen(seen.id.clone()));
        assert_eq!(one(known(1, None), &seen), Step::Fetch(seen.id.clone()));
        assert_eq!(
            steps(&BTreeMap::new(), std::slice::from_ref(&seen)),
            [Step::Fetch(seen.id)]
        );
    }

    #[test]
    fn a_page_that_moved_or_was_labelled_keeps_its_text_and_gets_its_place() {
        let moved = Observed {
            parent: Some(ContentId::new("9")),
            ..observed("1", 2)
        };
        assert_eq!(one(known(2, None), &moved), Step::Place(moved.clone()));
        let labelled = Observed {
            labels: Some(vec!["runbook".into()]),
            ..observed("1", 2)
        };
        assert_eq!(one(known(2, None), &labelled), Step::Place(labelled.clone()));
        let untold = Observed {
            labels: None,
            ..observed("1", 2)
        };
        let held = Known {
            labels: vec!["runbook".into()],
            ..known(2, None)
        };
        assert_eq!(one(held, &untold), Step::Seen(untold.id));
    }

    #[test]
    fn what_is_seen_again_comes_back_but_not_what_a_person_deleted_here() {
        let seen = observed("1", 2);
        assert_eq!(
            one(known(2, Some(Removal::Suspended)), &seen),
            Step::Place(seen.clone())
        );
        assert_eq!(
            one(known(2, Some(Removal::GoneFromSite)), &seen),
            Step::Fetch(seen.id.clone())
        );
        assert_eq!(one(known(1, Some(Removal::DeletedHere)), &seen), Step::Seen(seen.id));
    }

    #[test]
    fn an_old_answer_does_not_turn_a_page_back_and_deleted_history_does_not_hide_an_edit() {
        let old = observed("1", 2);
        assert_eq!(one(known(3, None), &old), Step::Seen(old.id.clone()));
        let renumbered = Observed {
            modified_at: Timestamp(3),
            ..observed("1", 2)
        };
        assert_eq!(one(known(3, None), &renumbered), Step::Fetch(renumbered.id.clone()));
    }

    #[test]
    fn a_third_of_a_space_is_not_believed_gone_at_once_but_fifty_pages_are() {
        assert!(!is_much(50, 50));
        assert!(is_much(51, 51));
        assert!(!is_much(300, 1_000));
        assert!(is_much(301, 1_000));
    }

    #[test]
    fn pages_of_all_spaces_come_before_comments_of_any() {
        let spaces = [space("1"), space("2")];
        let streams = to_import(&spaces.iter().collect::<Vec<_>>(), &Checkpoint::default());
        assert_eq!(streams.len(), 8);
        assert!(streams[..2].iter().all(|s| s.kind == DocumentKind::Page));
    }

    #[test]
    fn what_is_done_is_not_read_again_and_what_was_begun_goes_on() {
        let spaces = [space("1")];
        let chosen: Vec<_> = spaces.iter().collect();
        let checkpoint = Checkpoint(
            [
                (stream("1", DocumentKind::Page), Mark::Done),
                (stream("1", DocumentKind::BlogPost), Mark::At(Cursor("x".into()))),
            ]
            .into(),
        );
        let streams = to_import(&chosen, &checkpoint);
        assert_eq!(streams[0], stream("1", DocumentKind::BlogPost));
        assert!(imported(&chosen, &checkpoint, &BTreeSet::new()).is_empty());
        let rest = [DocumentKind::BlogPost, DocumentKind::Comment, DocumentKind::Attachment].into();
        assert_eq!(imported(&chosen, &checkpoint, &rest), [SpaceId::new("1")]);
    }
}
