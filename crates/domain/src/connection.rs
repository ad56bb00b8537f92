//! A person's OAuth grant to an Atlassian account.

use std::{collections::BTreeSet, time::Duration};

use crate::{AccountId, ConnectionId, Error, Result, Secret, Timestamp, document::Person, site::Site, space::Space};

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
    /// When the person consented.
    pub created_at: Timestamp,
    /// When the tokens were last rotated; at first, when the person consented.
    pub refreshed_at: Timestamp,
}

/// An unused refresh token dies after this (facts.md §3).
pub const GRANT_IDLE_MAX: Duration = Duration::from_secs(90 * 24 * 3600);
/// However much it is used, a grant was said to end a year after the consent. Newer documents are silent, so it is
/// planned for and not asserted (facts.md §3).
pub const GRANT_AGE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// From this age on a person is told that the grant may end soon.
pub const GRANT_AGE_WARNED: Duration = Duration::from_secs(350 * 24 * 3600);

impl Connection {
    /// What a refresh token that Atlassian no longer knows tells at `now`: its age explains it, or somebody ended it.
    pub fn ending(&self, now: Timestamp) -> Ending {
        let idle = now.since(self.refreshed_at) >= GRANT_IDLE_MAX;
        let old = now.since(self.created_at) >= GRANT_AGE_MAX;
        match idle || old {
            true => Ending::Expired,
            false => Ending::Revoked,
        }
    }

    /// When the grant may end by its age, from the time on that a person should know.
    pub fn ends_soon(&self, now: Timestamp) -> Option<Timestamp> {
        let warned = self.state == ConnectionState::Active && now.since(self.created_at) >= GRANT_AGE_WARNED;
        warned.then(|| self.created_at.plus(GRANT_AGE_MAX))
    }
}

/// How a connection came to its end, as far as Atlassian's answers tell (facts.md §3). Each has its own remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person took the consent back at Atlassian, or changed their password: the two look alike.
    Revoked,
    /// Not used for ninety days, or a year old.
    Expired,
    /// The grant no longer reaches the site: its admin removed the app, or the person left the site out.
    SiteRemoved,
    /// The person may no longer use Confluence on the site; the grant itself lives.
    NoConfluence,
    /// The site answers as to a passer-by.
    Anonymous,
    /// The site answers to another account than the one that connected.
    OtherAccount,
    /// The site shows the chosen spaces and hides what is in them: its admin's app access rule.
    HiddenFromApp,
}

impl Ending {
    pub const ALL: [Self; 7] = [
        Self::Revoked,
        Self::Expired,
        Self::SiteRemoved,
        Self::NoConfluence,
        Self::Anonymous,
        Self::OtherAccount,
        Self::HiddenFromApp,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::SiteRemoved => "site_removed",
            Self::NoConfluence => "no_confluence",
            Self::Anonymous => "anonymous",
            Self::OtherAccount => "other_account",
            Self::HiddenFromApp => "hidden_from_app",
        }
    }

    pub fn from_word(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|ending| ending.word() == word);
        found.ok_or_else(|| Error::internal(format!("no connection ends in the way {word:?}")))
    }

    /// Whether it may be over without a new consent: then a person may just try again.
    pub fn may_mend(self) -> bool {
        match self {
            Self::SiteRemoved | Self::NoConfluence | Self::Anonymous | Self::HiddenFromApp => true,
            Self::Revoked | Self::Expired | Self::OtherAccount => false,
        }
    }
}

/// A grant that waits for a person's answer: may it take the place of the feed's connection? Until then nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnection {
    /// The new grant's, whose tokens are kept meanwhile.
    pub connection: ConnectionId,
    /// Who consented this time.
    pub person: Person,
    /// The feed's site as the new grant reaches it.
    pub site: Site,
    /// Those of the feed's spaces that this person does not see.
    pub hidden: Vec<Space>,
    pub asked_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    Active,
    /// Atlassian no longer accepts the grant; `why` is for people.
    NeedsReconnect {
        ending: Ending,
        why: String,
    },
    /// Its tokens were deleted.
    Removed,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn connection(created: u32, refreshed: u32) -> Connection {
        Connection {
            id: ConnectionId(1),
            account: None,
            account_name: None,
            state: ConnectionState::Active,
            scopes: BTreeSet::new(),
            created_at: Timestamp(0).plus(DAY * created),
            refreshed_at: Timestamp(0).plus(DAY * refreshed),
        }
    }

    #[test]
    fn a_dead_refresh_token_is_explained_by_its_age_or_by_a_person() {
        let at = |day: u32| Timestamp(0).plus(DAY * day);
        assert_eq!(connection(0, 10).ending(at(20)), Ending::Revoked);
        assert_eq!(connection(0, 10).ending(at(100)), Ending::Expired, "ninety days idle");
        assert_eq!(connection(0, 364).ending(at(365)), Ending::Expired, "a year old");
        assert_eq!(
            connection(30, 30).ending(at(0)),
            Ending::Revoked,
            "a clock that was set back explains nothing"
        );
    }

    #[test]
    fn a_person_is_told_two_weeks_before_a_grant_is_a_year_old() {
        let at = |day: u32| Timestamp(0).plus(DAY * day);
        assert_eq!(connection(0, 349).ends_soon(at(349)), None);
        assert_eq!(connection(0, 349).ends_soon(at(350)), Some(at(365)));
    }

    #[test]
    fn every_ending_is_found_by_its_word() {
        for ending in Ending::ALL {
            assert_eq!(Ending::from_word(ending.word()).unwrap(), ending);
        }
    }
}
