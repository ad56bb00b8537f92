//! A space of a site.

use std::collections::BTreeMap;

use crate::{SpaceId, Timestamp, document::DocumentKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    pub id: SpaceId,
    /// What people know it by, such as `ENG`. May be renamed.
    pub key: String,
    pub name: String,
    /// Atlassian's word: `global`, `personal`, `collaboration`, `knowledge_base`, … An open set.
    pub kind: String,
}

/// A chosen space as the site shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceSeen {
    pub space: Space,
    /// Closed for writing. Its pages can be read; Atlassian's search does not know it any more (facts.md §6).
    pub archived: bool,
}

/// How much a space holds, asked before an import. Atlassian calls these figures estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    pub pages: u64,
    pub blog_posts: u64,
    pub comments: u64,
    pub attachments: u64,
    /// Pages and blog posts that bear labels, each as often as it is listed for them; none when nobody knows.
    pub labelled: Option<u64>,
}

/// A space that a feed carries, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSpace {
    pub space: Space,
    pub added_at: Timestamp,
    /// When its first import was complete.
    pub imported_at: Option<Timestamp>,
    /// Since when the connected person can no longer see it: its documents are kept, and not found.
    pub suspended_at: Option<Timestamp>,
    /// Since when so much of it is missing that a second walk must agree before it is believed.
    pub doubted_at: Option<Timestamp>,
    /// Archived when it was last seen.
    pub archived: bool,
    /// When each kind was last read from beginning to end, by an import or a walk.
    pub walked: BTreeMap<DocumentKind, Timestamp>,
    /// What was expected when it was chosen.
    pub estimate: Option<Estimate>,
    /// Documents held of it now.
    pub documents: u64,
}
