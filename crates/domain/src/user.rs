//! An account of this Circuit, its sessions and API keys.

use std::{collections::BTreeSet, time::Duration};

use crate::{ApiKeyId, Error, IndexId, Result, Timestamp, UserId};

/// How long a session lives.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Admin,
    /// May search and read.
    Reader,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reader => "reader",
        }
    }
}

/// What a key lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRight {
    /// What a reader may: search and read.
    Read,
    /// What its owner may. Only an administrator makes such a key.
    Manage,
}

impl KeyRight {
    pub const ALL: [Self; 2] = [Self::Read, Self::Manage];

    /// The word in JSON, forms and the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }

    pub fn from_word(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|right| right.word() == word)
            .ok_or_else(|| Error::invalid("the right of an API key is read or manage"))
    }
}

/// How far a key reaches of what its owner does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    /// The only indexes that are there for it; none: all.
    pub indexes: Option<BTreeSet<IndexId>>,
    pub right: KeyRight,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl KeyLimits {
    /// A key of one right for all indexes, without an end.
    pub fn everywhere(right: KeyRight) -> Self {
        Self {
            indexes: None,
            right,
            expires_at: None,
        }
    }

    /// Whether the index is there for it.
    pub fn reach(&self, index: IndexId) -> bool {
        self.indexes.as_ref().is_none_or(|indexes| indexes.contains(&index))
    }

    /// Whether these go no further than the others.
    pub fn are_within(&self, others: &Self) -> bool {
        let right = self.right == KeyRight::Read || others.right == KeyRight::Manage;
        let ends = match (self.expires_at, others.expires_at) {
            (_, None) => true,
            (Some(own), Some(other)) => own <= other,
            (None, Some(_)) => false,
        };
        right && ends && self.indexes_are_within(others)
    }

    /// Whether every index of these is one of the others'.
    pub fn indexes_are_within(&self, others: &Self) -> bool {
        match (&self.indexes, &others.indexes) {
            (_, None) => true,
            (Some(own), Some(other)) => own.is_subset(other),
            (None, Some(_)) => false,
        }
    }

    /// Whether the key is refused at this instant.
    pub fn are_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// A key for REST and MCP; the key itself is shown once and kept only as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub user: UserId,
    pub name: String,
    /// The first characters, so that people can tell keys apart.
    pub prefix: String,
    pub limits: KeyLimits,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}
