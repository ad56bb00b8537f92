//! Bookmarks. A [`Cursor`] is theirs and opaque; a [`Mark`] is ours and durable; a [`Watermark`] is the engine's.

use crate::{SpaceId, document::DocumentKind};

/// Where a listing goes on: Atlassian's, opaque, valid for the same listing only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One listing that a feed reads: the documents of a kind in a space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    pub space: SpaceId,
    pub kind: DocumentKind,
}

/// How far a stream has been read in the present pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Go on after this.
    At(Cursor),
    /// The listing came to its end.
    Done,
}

/// How far a feed has read its site: the marks of its streams. A stream without one has not been begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint(pub std::collections::BTreeMap<Stream, Mark>);

/// How far the search index has read the store: the change number up to which everything is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark(pub i64);
