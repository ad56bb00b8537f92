//! Given when each pass of a feed last ran, gives which is due, and when the next one will be. Pure.

use std::time::Duration;

use domain::{
    Timestamp,
    cursor::Stream,
    document::DocumentKind,
    feed::Schedule,
    space::FeedSpace,
    sync_run::{RunKind, Trigger},
};

/// The longest between two walks: only they prove what is gone (sync.md).
const WALK_MAX: Duration = Duration::from_secs(24 * 3600);
/// The shortest between two walks that the schedule makes by itself: with the walk's own duration, what is gone is noticed
/// within the hour.
const WALK_MIN: Duration = Duration::from_secs(45 * 60);
/// Points an hour that a feed's walks of pages may cost by themselves: with these, ten thousand pages are walked every
/// 46 minutes, within half of Atlassian's quota.
const PAGES_POINTS_PER_HOUR: u64 = 13_000;
/// The same for comments, and for attachments: they go with their page, and seldom alone.
const BELONGINGS_POINTS_PER_HOUR: u64 = 4_000;
/// How long after a first look that missed much, or a whole space, a second one is made.
pub const AGREE_AFTER: Duration = Duration::from_secs(10 * 60);
/// How often a probe is made where the grant allows it.
const PROBE_EVERY: Duration = Duration::from_secs(15 * 60);
/// Streams that are due within this share of their interval go along with a walk that begins: one walk, not many.
const ALONG_PERCENT: u32 = 90;
/// Comments that Atlassian's search answers with at once.
const COMMENTS_PER_CALL: u64 = 100;

/// What is known of a feed when the next pass is chosen.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub schedule: Schedule,
    pub spaces: &'a [FeedSpace],
    /// When the last complete pass of changes began; none before the first.
    pub changes_began: Option<Timestamp>,
    /// When the last complete walk began.
    pub walk_began: Option<Timestamp>,
    pub probe_began: Option<Timestamp>,
    /// Imports, walks and probes have no points until then.
    pub whole_waits_until: Option<Timestamp>,
    /// Whether the grant can probe.
    pub can_probe: bool,
    /// When the first of the files is due that wait to be read; none when none waits, or files are not read.
    pub files: Option<Timestamp>,
    /// Documents held now, by kind in [`DocumentKind::ALL`]'s order.
    pub held: Held,
}

/// Documents of a feed that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Pages and blog posts.
    pub pages: u64,
    pub comments: u64,
    pub attachments: u64,
}

/// When each pass is due; none for one that never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub import: Option<Timestamp>,
    pub changes: Option<Timestamp>,
    pub walk: Option<Timestamp>,
    pub probe: Option<Timestamp>,
    pub files: Option<Timestamp>,
}

impl Due {
    /// The earliest of them.
    pub fn next(&self) -> Option<Timestamp> {
        [self.import, self.changes, self.walk, self.probe, self.files]
            .into_iter()
            .flatten()
            .min()
    }
}

/// When each pass is due. What is told to have happened in the future happened before a clock was set back: it is due.
pub fn due(facts: &Facts<'_>, now: Timestamp) -> Due {
    let after = |last: Timestamp, every: Duration| if last > now { now } else { last.plus(every) };
    let imports = facts.spaces.iter().any(needs_import);
    let imported = || facts.spaces.iter().filter(|space| space.imported_at.is_some());
    // What cannot be read now is looked at in its own turn, below: its listings would be due for ever.
    let streams = imported()
        .filter(|space| space.suspended_at.is_none())
        .flat_map(|space| DocumentKind::ALL.map(|kind| (space, kind)))
        .filter(|(space, kind)| walks(space, *kind));
    let walks = streams.map(|(space, kind)| match space.walked.get(&kind) {
        Some(at) => after(*at, walk_every(facts, space, kind)),
        None => now,
    });
    // A space that could not be seen, and one that lacked much, is looked at again soon.
    let looked = |since: Timestamp| facts.walk_began.map_or(since, |began| began.max(since));
    let doubts = facts
        .spaces
        .iter()
        .filter_map(|space| match (space.suspended_at, space.doubted_at) {
            (Some(at), _) if space.documents > 0 => Some(after(looked(at), AGREE_AFTER)),
            (Some(at), _) => Some(after(looked(at), WALK_MIN)),
            (None, Some(at)) => Some(after(looked(at), AGREE_AFTER)),
            (None, None) => None,
        });
    let anything = imported().next().is_some();
    let with_points = |at: Timestamp| facts.whole_waits_until.map_or(at, |until| at.max(until));
    Due {
        import: imports.then_some(now).map(with_points),
        // The first one comes a while after the import, which has just read everything.
        changes: facts
            .changes_began
            .or_else(|| imported().filter_map(|space| space.imported_at).min())
            .filter(|_| anything)
            .map(|began| after(began, facts.schedule.changes_every)),
        walk: walks.chain(doubts).min().map(with_points),
        probe: (anything && facts.can_probe)
            .then(|| {
                facts
                    .probe_began
                    .or_else(|| imported().filter_map(|space| space.imported_at).max())
            })
            .flatten()
            .map(|began| after(began, facts.schedule.probe_every.unwrap_or(PROBE_EVERY)))
            .map(with_points),
        files: facts.files.map(with_points),
    }
}

/// Which pass is to be made now; none when nothing is due. What people wrote comes before what is to be imported or
/// proven, and files are read last; a person's wish comes at once.
pub fn pass(facts: &Facts<'_>, trigger: Trigger, now: Timestamp) -> Option<RunKind> {
    let due = due(facts, now);
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    match trigger {
        Trigger::Person if due.import.is_some() => Some(RunKind::Import),
        Trigger::Person => Some(RunKind::Walk),
        Trigger::Schedule if is_due(due.changes) => Some(RunKind::Changes),
        Trigger::Schedule if is_due(due.import) => Some(RunKind::Import),
        Trigger::Schedule if is_due(due.walk) => Some(RunKind::Walk),
        Trigger::Schedule if is_due(due.probe) => Some(RunKind::Probe),
        Trigger::Schedule if is_due(due.files) => Some(RunKind::Files),
        Trigger::Schedule => None,
    }
}

/// The listings that a walk which began at `began` reads. A person's walk reads all of them.
pub fn walked(facts: &Facts<'_>, trigger: Trigger, began: Timestamp) -> Vec<Stream> {
    let along = |at: Timestamp, every: Duration| at > began || began.since(at) >= every * ALONG_PERCENT / 100;
    let doubted = |space: &FeedSpace| space.suspended_at.is_some() || space.doubted_at.is_some();
    let wanted = |space: &FeedSpace, kind: DocumentKind| match (trigger, space.walked.get(&kind)) {
        _ if space.imported_at.is_none() || !walks(space, kind) => false,
        (Trigger::Person, _) | (Trigger::Schedule, None) => true,
        (Trigger::Schedule, Some(_)) if doubted(space) => true,
        (Trigger::Schedule, Some(at)) => along(*at, walk_every(facts, space, kind)),
    };
    // Pages of all spaces first: they are what people search for.
    DocumentKind::ALL
        .into_iter()
        .flat_map(|kind| facts.spaces.iter().map(move |space| (space, kind)))
        .filter(|(space, kind)| wanted(space, *kind))
        .map(|(space, kind)| Stream {
            space: space.space.id.clone(),
            kind,
        })
        .collect()
}

/// A space that was never read, and can be.
pub fn needs_import(space: &FeedSpace) -> bool {
    space.imported_at.is_none() && space.suspended_at.is_none()
}

/// Atlassian's search, which tells of comments and attachments, does not know archived spaces (facts.md §6).
fn walks(space: &FeedSpace, kind: DocumentKind) -> bool {
    !(space.archived && kind.is_optional())
}

/// A walk as often as its price allows, at least daily; or as often as somebody wishes.
fn walk_every(facts: &Facts<'_>, space: &FeedSpace, kind: DocumentKind) -> Duration {
    if let Some(every) = facts.schedule.walk_every {
        return every;
    }
    if space.doubted_at.is_some() {
        return AGREE_AFTER;
    }
    let (points, per_hour) = match kind {
        DocumentKind::Page | DocumentKind::BlogPost => (facts.held.pages, PAGES_POINTS_PER_HOUR),
        // Comments have no price of their own, only the calls that list them.
        DocumentKind::Comment => (facts.held.comments / COMMENTS_PER_CALL, BELONGINGS_POINTS_PER_HOUR),
        DocumentKind::Attachment => (facts.held.attachments, BELONGINGS_POINTS_PER_HOUR),
    };
    let seconds = points.saturating_mul(3600) / per_hour;
    Duration::from_secs(seconds).clamp(WALK_MIN, WALK_MAX)
}

#[cfg(test)]
mod tests {
    use domain::{SpaceId, space::Space};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn space(id: &str, walked_at: Option<Timestamp>) -> FeedSpace {
        FeedSpace {
            space: Space {
                id: SpaceId::new(id),
                key: id.into(),
                name: id.into(),
                kind: "global".into(),
            },
            added_at: Timestamp(0),
            imported_at: walked_at,
            suspended_at: None,
            doubted_at: None,
            archived: false,
            walked: walked_at.map_or_else(Default::default, |at| DocumentKind::ALL.map(|kind| (kind, at)).into()),
            estimate: None,
            documents: 10,
        }
    }

    fn facts(spaces: &[FeedSpace], pages: u64) -> Facts<'_> {
        Facts {
            schedule: Schedule::default(),
            spaces,
            changes_began: Some(Timestamp(0)),
            walk_began: None,
            probe_began: None,
            whole_waits_until: None,
            can_probe: false,
            files: None,
            held: Held {
                pages,
                comments: 0,
                attachments: 0,
            },
        }
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp(0).plus(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn changes_come_before_imports_and_imports_before_walks() {
        let spaces = [space("1", Some(Timestamp(0))), space("2", None)];
        let facts = facts(&spaces, 10);
        assert_eq!(pass(&facts, Trigger::Schedule, at(2)), Some(RunKind::Import));
        assert_eq!(pass(&facts, Trigger::Schedule, at(3)), Some(RunKind::Changes));
        assert_eq!(pass(&facts, Trigger::Person, at(3)), Some(RunKind::Import));
        let imported = [space("1", Some(Timestamp(0)))];
        let mut facts = Facts {
            spaces: &imported,
            ..facts
        };
        assert_eq!(pass(&facts, Trigger::Person, at(1)), Some(RunKind::Walk));
        assert_eq!(pass(&facts, Trigger::Schedule, at(1)), None);
        facts.changes_began = Some(at(46));
        assert_eq!(pass(&facts, Trigger::Schedule, at(46)), Some(RunKind::Walk));
    }

    #[test]
    fn files_are_read_when_nothing_else_is_due_and_there_are_points() {
        let spaces = [space("1", Some(Timestamp(0)))];
        let mut facts = facts(&spaces, 10);
        facts.files = Some(Timestamp(0));
        assert_eq!(pass(&facts, Trigger::Schedule, at(1)), Some(RunKind::Files));
        assert_eq!(pass(&facts, Trigger::Schedule, at(3)), Some(RunKind::Changes));
        facts.changes_began = Some(at(46));
        assert_eq!(pass(&facts, Trigger::Schedule, at(46)), Some(RunKind::Walk));
        facts.whole_waits_until = Some(at(60));
        assert_eq!(pass(&facts, Trigger::Schedule, at(47)), None);
        let unread = [space("1", Some(Timestamp(0))), space("2", None)];
        facts.spaces = &unread;
        facts.whole_waits_until = None;
        assert_eq!(pass(&facts, Trigger::Schedule, at(47)), Some(RunKind::Import));
    }

    #[test]
    fn a_pass_without_points_waits_alone_and_a_persons_wish_does_not() {
        let spaces = [space("1", Some(Timestamp(0)))];
        let mut facts = facts(&spaces, 10);
        facts.changes_began = Some(at(50));
        facts.whole_waits_until = Some(at(60));
        facts.can_probe = true;
        let due = due(&facts, at(51));
        assert_eq!(
            (due.changes, due.walk, due.probe),
            (Some(at(53)), Some(at(60)), Some(at(60)))
        );
        assert_eq!(pass(&facts, Trigger::Schedule, at(51)), None);
        assert_eq!(pass(&facts, Trigger::Schedule, at(53)), Some(RunKind::Changes));
        assert_eq!(pass(&facts, Trigger::Person, at(51)), Some(RunKind::Walk));
        facts.changes_began = Some(at(60));
        assert_eq!(pass(&facts, Trigger::Schedule, at(60)), Some(RunKind::Walk));
    }

    #[test]
    fn a_walk_comes_as_often_as_its_price_allows_and_at_least_daily() {
        let spaces = [space("1", Some(Timestamp(0)))];
        let walk = |pages| due(&facts(&spaces, pages), at(1)).walk.unwrap().since(Timestamp(0));
        assert_eq!(walk(100), WALK_MIN);
        assert_eq!(
            walk(10_000),
            WALK_MIN,
            "comments and attachments come first where there are none"
        );
        let pages_only = |pages| {
            let facts = facts(&spaces, pages);
            walk_every(&facts, &spaces[0], DocumentKind::Page)
        };
        assert!(pages_only(10_000) > WALK_MIN && pages_only(10_000) < HOUR);
        assert_eq!(pages_only(10_000_000), WALK_MAX);
    }

    #[test]
    fn a_space_in_doubt_is_walked_again_within_minutes() {
        let mut spaces = [space("1", Some(Timestamp(0)))];
        spaces[0].doubted_at = Some(at(5));
        assert_eq!(due(&facts(&spaces, 10), at(6)).walk, Some(at(10).min(at(15))));
        spaces[0].suspended_at = Some(at(7));
        assert!(due(&facts(&spaces, 10), at(8)).walk.unwrap() <= at(17));
        // Once it was looked at it waits its turn again: walks do not follow one another without a pause.
        let walked = [FeedSpace {
            walked: DocumentKind::ALL.map(|kind| (kind, at(17))).into(),
            ..spaces[0].clone()
        }];
        let mut looked = facts(&walked, 10);
        looked.walk_began = Some(at(17));
        assert_eq!(due(&looked, at(18)).walk, Some(at(27)));
    }

    #[test]
    fn a_space_that_cannot_be_read_for_weeks_does_not_make_walks_follow_one_another() {
        let mut spaces = [space("1", Some(at(1_000))), space("2", Some(at(0)))];
        spaces[1].suspended_at = Some(at(10));
        let mut facts = facts(&spaces, 10);
        facts.walk_began = Some(at(1_000));
        assert_eq!(due(&facts, at(1_001)).walk, Some(at(1_010)));
        assert!(
            walked(&facts, Trigger::Schedule, at(1_010))
                .iter()
                .any(|stream| stream.space == SpaceId::new("2"))
        );
    }

    #[test]
    fn a_space_that_cannot_be_seen_makes_no_walk_due_before_its_second_look() {
        let mut spaces = [space("1", Some(Timestamp(0)))];
        spaces[0].suspended_at = Some(at(100));
        let facts = Facts {
            changes_began: Some(at(100)),
            ..facts(&spaces, 10)
        };
        assert_eq!(due(&facts, at(101)).walk, Some(at(110)));
        assert_eq!(pass(&facts, Trigger::Schedule, at(101)), None);
    }

    #[test]
    fn what_was_done_in_the_future_is_due_now_since_a_clock_was_set_back() {
        let spaces = [space("1", Some(at(1_000_000)))];
        let mut facts = facts(&spaces, 10);
        facts.changes_began = Some(at(1_000_000));
        let due = due(&facts, at(5));
        assert_eq!((due.changes, due.walk), (Some(at(5)), Some(at(5))));
    }

    #[test]
    fn comments_and_attachments_of_an_archived_space_are_not_walked_because_the_search_is_blind_there() {
        let mut spaces = [space("1", Some(Timestamp(0)))];
        spaces[0].archived = true;
        let kinds: Vec<DocumentKind> = walked(&facts(&spaces, 10), Trigger::Person, at(1))
            .into_iter()
            .map(|stream| stream.kind)
            .collect();
        assert_eq!(kinds, [DocumentKind::Page, DocumentKind::BlogPost]);
    }

    #[test]
    fn a_large_feed_walks_its_pages_more_often_than_its_attachments() {
        let spaces = [space("1", Some(Timestamp(0)))];
        let mut facts = facts(&spaces, 10_000);
        facts.held.attachments = 10_000;
        let kinds = |minutes| {
            let streams = walked(&facts, Trigger::Schedule, at(minutes));
            streams.into_iter().map(|stream| stream.kind).collect::<Vec<_>>()
        };
        let cheap = [DocumentKind::Page, DocumentKind::BlogPost, DocumentKind::Comment];
        assert_eq!(kinds(47), cheap);
        assert_eq!(kinds(160).len(), 4);
    }
}
