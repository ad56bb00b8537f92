//! A feed carries chosen spaces of one site into one index.

use std::{ops::RangeInclusive, time::Duration};

use crate::{ConnectionId, Error, FeedId, IndexId, Result, Timestamp, connection::Ending, site::Site};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    pub id: FeedId,
    pub index: IndexId,
    pub connection: Option<ConnectionId>,
    pub site: Option<Site>,
    pub state: FeedState,
    pub schedule: Schedule,
    /// Imports, walks and probes that nobody asked for have no points until then; changes go on.
    pub whole_waits_until: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Feed {
    /// Until when imports, walks and probes wait for points; none when they do not, or when a clock that was wrong said so.
    pub fn whole_waits(&self, now: Timestamp) -> Option<Timestamp> {
        self.whole_waits_until
            .filter(|until| *until > now && until.since(now) <= PARKED_MAX)
    }
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
    /// Atlassian refuses Circuit's own client id or secret: for the operator, and tried again by itself at this time.
    Misconfigured { why: String, until: Timestamp },
    /// The connection came to this end; `why` is for people.
    NeedsReconnect { ending: Ending, why: String },
    /// The grant lacks these scopes.
    NeedsScopes { missing: Vec<String> },
    /// The grant lives, and an admin of the site keeps the person or the app from reading; `why` is for people.
    AccessLost { ending: Ending, why: String },
    /// Atlassian withdrew an address that is needed (410); `why` names what for.
    Withdrawn { why: String },
}

/// No wait that ends by itself lasts longer: the quota is renewed every hour.
const PARKED_MAX: Duration = Duration::from_secs(2 * 3600);

impl Park {
    /// What a feed waits for whose connection came to this end.
    pub fn ended(ending: Ending, why: String) -> Self {
        match ending {
            Ending::NoConfluence | Ending::HiddenFromApp => Self::AccessLost { ending, why },
            Ending::Revoked | Ending::Expired | Ending::SiteRemoved | Ending::Anonymous | Ending::OtherAccount => {
                Self::NeedsReconnect { ending, why }
            }
        }
    }

    /// When it ends by itself; none when a person must act.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::QuotaSpent { until } | Self::Misconfigured { until, .. } => Some(*until),
            Self::NeedsReconnect { .. }
            | Self::AccessLost { .. }
            | Self::NeedsScopes { .. }
            | Self::Withdrawn { .. } => None,
        }
    }

    /// Whether it has ended by itself at `now`. An end that lies further ahead than any was set by a clock that was
    /// wrong then, or is now.
    pub fn over(&self, now: Timestamp) -> bool {
        self.until()
            .is_some_and(|until| until <= now || until.since(now) > PARKED_MAX)
    }

    /// Whether a person may try again without a new consent.
    pub fn may_mend(&self) -> bool {
        match self {
            Self::QuotaSpent { .. } | Self::Misconfigured { .. } | Self::Withdrawn { .. } => true,
            Self::NeedsReconnect { ending, .. } | Self::AccessLost { ending, .. } => ending.may_mend(),
            Self::NeedsScopes { .. } => false,
        }
    }
}

/// How often each pass of a feed begins by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What was written lately is looked for.
    pub changes_every: Duration,
    /// Everything is enumerated: the proof of what is gone. None: as often as its price allows.
    pub walk_every: Option<Duration>,
    /// What is no longer visible is suspected. None: as often as its price allows, where the grant allows it at all.
    pub probe_every: Option<Duration>,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Schedule {
    /// A quiet look at changes costs a handful of points (sync.md): every three minutes is within any quota.
    pub const CHANGES_EVERY_DEFAULT: Duration = Duration::from_secs(3 * 60);
    /// More often finds nothing more: Atlassian's search index takes about a minute itself.
    pub const CHANGES_EVERY: RangeInclusive<Duration> = MINUTE..=DAY;
    /// A walk costs a point for each page.
    pub const WALK_EVERY: RangeInclusive<Duration> = Duration::from_secs(15 * 60)..=DAY;
    /// A probe costs a call for some hundred documents.
    pub const PROBE_EVERY: RangeInclusive<Duration> = Duration::from_secs(5 * 60)..=DAY;

    /// The same, if every interval is within its bounds; `Invalid`, naming the interval and the bounds, if not.
    pub fn checked(self) -> Result<Self> {
        within("changes", Some(self.changes_every), &Self::CHANGES_EVERY)?;
        within("the walk", self.walk_every, &Self::WALK_EVERY)?;
        within("the probe", self.probe_every, &Self::PROBE_EVERY)?;
        Ok(self)
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            changes_every: Self::CHANGES_EVERY_DEFAULT,
            walk_every: None,
            probe_every: None,
        }
    }
}

fn within(what: &str, every: Option<Duration>, bounds: &RangeInclusive<Duration>) -> Result<()> {
    match every {
        Some(every) if !bounds.contains(&every) => Err(Error::invalid(format!(
            "the interval of {what} must be from {} min to {} min",
            bounds.start().as_secs() / 60,
            bounds.end().as_secs() / 60
        ))),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_kept_within_its_bounds_and_the_refusal_names_them() {
        let schedule = Schedule::default();
        assert_eq!(schedule.checked().unwrap(), schedule);
        let hasty = Schedule {
            changes_every: Duration::from_secs(59),
            ..schedule
        };
        assert!(hasty.checked().unwrap_err().message.contains("changes"));
        let hasty = Schedule {
            walk_every: Some(Duration::from_secs(60)),
            ..schedule
        };
        assert!(hasty.checked().unwrap_err().message.contains("from 15 min to 1440 min"));
        let lazy = Schedule {
            probe_every: Some(DAY + MINUTE),
            ..schedule
        };
        assert!(lazy.checked().unwrap_err().message.contains("the probe"));
    }
}
