//! One pass of a feed.

use crate::{ContentId, DocumentId, FeedId, RunId, SpaceId, Timestamp, document::DocumentKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    pub id: RunId,
    pub feed: FeedId,
    pub kind: RunKind,
    pub trigger: Trigger,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    pub counts: Counts,
    pub spent: Spent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKind {
    /// A space's first pass: everything with its body.
    Import,
    /// What was written since the last pass, newest first.
    Changes,
    /// Everything that is there, without the bodies that are held already: the proof of what is gone, moved or renamed.
    Walk,
    /// Which of the held documents can no longer be seen: a suspicion for little, to be proven.
    Probe,
    /// A person's comparison of site and index, which changes neither.
    Verify,
    /// The text of attachments, once everything else is read.
    Files,
}

impl RunKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Changes => "changes",
            Self::Walk => "walk",
            Self::Probe => "probe",
            Self::Verify => "verify",
            Self::Files => "files",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Person,
    Schedule,
}

impl Trigger {
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Schedule => "schedule",
        }
    }
}

/// Why a run ended; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete,
    /// Waits and goes on from its checkpoint.
    Parked {
        why: String,
    },
    Failed {
        why: String,
    },
    /// The feed was paused or removed, or Circuit stopped; it goes on from its checkpoint.
    Stopped {
        why: String,
    },
}

/// What a run did, in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub seen: u64,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Documents in which site, index and search differ; of a verify only.
    pub differing: u64,
}

impl Counts {
    pub fn plus(self, other: Self) -> Self {
        Self {
            seen: self.seen + other.seen,
            added: self.added + other.added,
            changed: self.changed + other.changed,
            unchanged: self.unchanged + other.unchanged,
            removed: self.removed + other.removed,
            skipped: self.skipped + other.skipped,
            failed: self.failed + other.failed,
            differing: self.differing + other.differing,
        }
    }
}

/// What a run cost at Atlassian (facts.md §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub calls: u64,
    pub points: u64,
}

impl Spent {
    pub fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            points: self.points + other.points,
        }
    }
    /// What is more than `other`, never below nothing.
    pub fn minus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            points: self.points.saturating_sub(other.points),
        }
    }
}

/// What a run did to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Added,
    Updated,
    Removed,
    /// Kept out of search until a second pass agrees that it is gone.
    Suspended,
}

impl Effect {
    pub const ALL: [Self; 4] = [Self::Added, Self::Updated, Self::Removed, Self::Suspended];

    /// The word in the store, in JSON and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Removed => "removed",
            Self::Suspended => "suspended",
        }
    }
}

/// A document that a run could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub run: RunId,
    /// None when not even its id could be read.
    pub document: Option<DocumentId>,
    /// None when it was not known what it is.
    pub kind: Option<DocumentKind>,
    pub title: String,
    pub why: String,
    pub at: Timestamp,
}

/// In what a document differs: on the site from the one that is held, or where search finds it from the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// The site shows it, and it cannot be found in the index.
    NotInIndex,
    /// It can be found in the index, and the site does not show it.
    NotOnSite,
    OtherVersion,
    /// Another parent or another space.
    OtherPlace,
    OtherTitle,
    OtherLabels,
    OtherAddress,
    /// It is held and may be found, and the search engine does not find it.
    NotInSearch,
    /// The search engine finds it, though it is not held or was removed.
    LeftInSearch,
    /// The search engine finds it in part, or as it was.
    OtherInSearch,
}

impl Differs {
    pub const ALL: [Self; 10] = [
        Self::NotInIndex,
        Self::NotOnSite,
        Self::OtherVersion,
        Self::OtherPlace,
        Self::OtherTitle,
        Self::OtherLabels,
        Self::OtherAddress,
        Self::NotInSearch,
        Self::LeftInSearch,
        Self::OtherInSearch,
    ];

    /// Whether the search engine differs from what is held, and not what is held from the site.
    pub fn is_of_search(self) -> bool {
        match self {
            Self::NotInSearch | Self::LeftInSearch | Self::OtherInSearch => true,
            Self::NotInIndex
            | Self::NotOnSite
            | Self::OtherVersion
            | Self::OtherPlace
            | Self::OtherTitle
            | Self::OtherLabels
            | Self::OtherAddress => false,
        }
    }

    /// The word in the store, in JSON and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotInIndex => "not_in_index",
            Self::NotOnSite => "not_on_site",
            Self::OtherVersion => "other_version",
            Self::OtherPlace => "other_place",
            Self::OtherTitle => "other_title",
            Self::OtherLabels => "other_labels",
            Self::OtherAddress => "other_address",
            Self::NotInSearch => "not_in_search",
            Self::LeftInSearch => "left_in_search",
            Self::OtherInSearch => "other_in_search",
        }
    }
}

/// A document in which site and index differ, or what is held and what search finds: the first thing that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub id: ContentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub differs: Differs,
    /// As the site shows it, or as it is held when the site does not.
    pub title: String,
    pub url: String,
    /// What is held, in a few words; empty when nothing is.
    pub held: String,
    /// What the other side shows, in a few words; empty when it shows nothing. The other side is the site, or search where
    /// [`Differs::is_of_search`].
    pub other: String,
}

/// The most differences that are kept of one run; it says when there are more. Where so much differs, a re-sync is of more
/// use than a longer list.
pub const DIFFERENCES_MAX: usize = 10_000;
