//! A feed carries chosen spaces of one site into one index.

use crate::{ConnectionId, FeedId, IndexId, Timestamp, site::Site};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    pub id: FeedId,
    pub index: IndexId,
    pub connection: Option<ConnectionId>,
    pub site: Option<Site>,
    pub state: FeedState,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// The person was sent to Atlassian and has not come back. An admin's block never calls back, so this times out.
    Connecting { since: Timestamp },
    /// Connected; which of the granted sites?
    ChoosingSite,
    /// Which of the site's spaces?
    ChoosingSpaces,
    /// Running on its schedule. Whether it is importing or up to date is told by its spaces and runs.
    Active,
    /// A person stopped it.
    Paused,
    /// It cannot go on by itself now.
    Parked(Park),
    /// Taken away; its documents stay until somebody deletes them.
    Removed,
}

/// Why a feed waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Park {
    /// The points of this hour are spent; it goes on by itself.
    QuotaSpent { until: Timestamp },
    /// The grant is no longer accepted; `why` is for people.
    NeedsReconnect { why: String },
    /// The grant lacks these scopes.
    NeedsScopes { missing: Vec<String> },
}
