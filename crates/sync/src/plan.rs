//! Given a feed's spaces and its checkpoint, gives the streams that are still to be read, in order. Pure.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    SpaceId, Timestamp,
    cursor::{Checkpoint, Mark, Stream},
    document::DocumentKind,
    space::FeedSpace,
    sync_run::{RunKind, Trigger},
};

/// How old the last reading of everything may be: after this the schedule reads everything again, since only that
/// proves what is gone.
pub const WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What a new run is for: a space that was never imported makes it an import; a person wants everything read again; the
/// schedule reads what changed, and once a day everything.
pub fn kind_of_run(spaces: &[FeedSpace], trigger: Trigger, whole_at: Option<Timestamp>, now: Timestamp) -> RunKind {
    if spaces.iter().any(|space| space.imported_at.is_none()) {
        return RunKind::Import;
    }
    match trigger {
        Trigger::Person => RunKind::Resync,
        Trigger::Schedule if whole_at.is_some_and(|at| now.since(at) < WHOLE_EVERY) => RunKind::Changes,
        Trigger::Schedule => RunKind::Resync,
    }
}

/// The spaces that a run of this kind reads.
pub fn spaces_of_run(kind: RunKind, spaces: &[FeedSpace]) -> Vec<&FeedSpace> {
    match kind {
        RunKind::Import => spaces.iter().filter(|space| space.imported_at.is_none()).collect(),
        RunKind::Resync | RunKind::Changes => spaces.iter().collect(),
    }
}

/// The streams that are not done: pages of all spaces first, because they are what people search for.
pub fn streams_to_read(spaces: &[&FeedSpace], checkpoint: &Checkpoint) -> Vec<Stream> {
    DocumentKind::ALL
        .into_iter()
        .flat_map(|kind| {
            spaces.iter().map(move |space| Stream {
                space: space.space.id.clone(),
                kind,
            })
        })
        .filter(|stream| checkpoint.0.get(stream) != Some(&Mark::Done))
        .collect()
}

/// The spaces of which every stream that can be read is done.
pub fn spaces_done(
    spaces: &[&FeedSpace],
    checkpoint: &Checkpoint,
    unreadable: &BTreeSet<DocumentKind>,
) -> Vec<SpaceId> {
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
    use domain::{cursor::Cursor, space::Space};

    use super::*;

    fn space(id: &str, imported: bool) -> FeedSpace {
        FeedSpace {
            space: Space {
                id: SpaceId::new(id),
                key: id.into(),
                name: id.into(),
                kind: "global".into(),
            },
            added_at: Timestamp(0),
            imported_at: imported.then_some(Timestamp(1)),
            suspended_at: None,
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

    #[test]
    fn an_added_space_is_imported_without_reading_the_others_again() {
        let spaces = [space("1", true), space("2", false)];
        let kind = kind_of_run(&spaces, Trigger::Person, None, Timestamp(0));
        assert_eq!(kind, RunKind::Import);
        let chosen = spaces_of_run(kind, &spaces);
        assert_eq!(chosen.iter().map(|s| s.space.key.as_str()).collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn the_schedule_reads_what_changed_and_once_a_day_everything() {
        let spaces = [space("1", true)];
        let at = |hours: u64| Timestamp(0).plus(Duration::from_secs(hours * 3600));
        let kind = |hours| kind_of_run(&spaces, Trigger::Schedule, Some(Timestamp(0)), at(hours));
        assert_eq!(
            (kind(1), kind(23), kind(24)),
            (RunKind::Changes, RunKind::Changes, RunKind::Resync)
        );
        assert_eq!(kind_of_run(&spaces, Trigger::Schedule, None, at(1)), RunKind::Resync);
        assert_eq!(
            kind_of_run(&spaces, Trigger::Person, Some(Timestamp(0)), at(1)),
            RunKind::Resync
        );
    }

    #[test]
    fn pages_of_all_spaces_come_before_comments_of_any() {
        let spaces = [space("1", false), space("2", false)];
        let streams = streams_to_read(&spaces.iter().collect::<Vec<_>>(), &Checkpoint::default());
        assert_eq!(streams.len(), 8);
        assert!(streams[..2].iter().all(|s| s.kind == DocumentKind::Page));
    }

    #[test]
    fn what_is_done_is_not_read_again_and_what_was_begun_goes_on() {
        let spaces = [space("1", false)];
        let chosen: Vec<_> = spaces.iter().collect();
        let checkpoint = Checkpoint(
            [
                (stream("1", DocumentKind::Page), Mark::Done),
                (stream("1", DocumentKind::BlogPost), Mark::At(Cursor("x".into()))),
            ]
            .into(),
        );
        let streams = streams_to_read(&chosen, &checkpoint);
        assert_eq!(streams[0], stream("1", DocumentKind::BlogPost));
        assert!(spaces_done(&chosen, &checkpoint, &BTreeSet::new()).is_empty());
        let rest = [DocumentKind::BlogPost, DocumentKind::Comment, DocumentKind::Attachment].into();
        assert_eq!(spaces_done(&chosen, &checkpoint, &rest), [SpaceId::new("1")]);
    }
}
