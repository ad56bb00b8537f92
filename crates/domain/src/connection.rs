//! A person's OAuth grant to an Atlassian account.

use std::collections::BTreeSet;

use crate::{AccountId, ConnectionId, Secret, Timestamp};

/// What Atlassian gave: two tokens and the scopes they carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub access_token: Secret,
    pub expires_at: Timestamp,
    /// Rotates with every refresh: the one sent is dead once the answer is made (facts.md §3).
    pub refresh_token: Option<Secret>,
    pub scopes: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    /// The Atlassian account that consented, once known.
    pub account: Option<AccountId>,
    pub account_name: Option<String>,
    pub state: ConnectionState,
    pub scopes: BTreeSet<String>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    Active,
    /// Atlassian no longer accepts the grant; `why` is for people.
    NeedsReconnect {
        why: String,
    },
    /// Its tokens were deleted.
    Removed,
}
