//! What a search may see. No search runs without one.

use std::collections::BTreeSet;

use crate::{DocumentId, FeedId, IndexId, SpaceId};

/// The part of one index that the caller may search. Made by `app` from a caller, never by a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub index: IndexId,
    /// Spaces of feeds that are kept but must not be found now (suspended).
    pub hidden: BTreeSet<(FeedId, SpaceId)>,
    /// Documents that were taken away and that the engine may still hold.
    pub hidden_documents: BTreeSet<(FeedId, DocumentId)>,
}
