//! Given how a pass failed, gives what that means for its run, its feed and its job. Pure.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Error, ErrorKind, SpaceId, Timestamp,
    connection::Ending,
    feed::Park,
    source::Urgency,
    space::{FeedSpace, SpaceSeen},
    sync_run::Outcome,
};

use crate::run::Ended;

/// How often to see whether the operator has mended Circuit's client id or secret.
const MISCONFIGURED_FOR: Duration = Duration::from_secs(5 * 60);

/// What a failure means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parking {
    pub outcome: Outcome,
    pub waits: Waits,
    pub ended: Ended,
}

/// What of a feed waits from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    Nothing,
    /// Imports, walks and probes of the schedule, for points; what is written lately is looked for as before.
    Whole {
        until: Timestamp,
    },
    Feed(Park),
}

/// What this failure of a pass of this urgency means at `now`.
pub fn parking(error: &Error, urgency: Urgency, now: Timestamp) -> Parking {
    let why = error.to_string();
    match &error.kind {
        ErrorKind::RateLimited { retry_after } => {
            let until = now.plus(*retry_after);
            let waits = match urgency {
                // Points are kept for changes that it may not have. Are there none at all, the changes pass will say so.
                Urgency::Whole => Waits::Whole { until },
                Urgency::Changes | Urgency::Person => Waits::Feed(Park::QuotaSpent { until }),
            };
            Parking {
                outcome: Outcome::Parked { why },
                waits,
                ended: Ended::Again { at: until },
            }
        }
        ErrorKind::Misconfigured => {
            let until = now.plus(MISCONFIGURED_FOR);
            let park = Park::Misconfigured {
                why: why.clone(),
                until,
            };
            waiting(why, park, Ended::Again { at: until })
        }
        ErrorKind::Ended { ending } => {
            let park = Park::ended(*ending, why.clone());
            waiting(why, park, Ended::Waits)
        }
        ErrorKind::Unauthenticated => {
            let park = Park::ended(Ending::Revoked, why.clone());
            waiting(why, park, Ended::Waits)
        }
        ErrorKind::MissingScope { scopes } => {
            let missing = scopes.clone();
            waiting(why, Park::NeedsScopes { missing }, Ended::Waits)
        }
        ErrorKind::Gone => {
            let park = Park::Withdrawn { why: why.clone() };
            waiting(why, park, Ended::Waits)
        }
        ErrorKind::Unavailable | ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Forbidden => Parking {
            outcome: Outcome::Failed { why: why.clone() },
            waits: Waits::Nothing,
            ended: Ended::Retry { why },
        },
        ErrorKind::Invalid | ErrorKind::Internal => Parking {
            outcome: Outcome::Failed { why: why.clone() },
            waits: Waits::Nothing,
            ended: Ended::Fails { why },
        },
    }
}

fn waiting(why: String, park: Park, ended: Ended) -> Parking {
    Parking {
        outcome: Outcome::Parked { why },
        waits: Waits::Feed(park),
        ended,
    }
}

/// Spaces that can be seen while nothing in them may be read are hidden from apps by an admin's rule (facts.md §6): when
/// it is all of a feed's spaces, the feed waits for that admin. `lost` are those of which nothing could be read, `seen`
/// those that the site shows.
pub fn hidden_from_app(spaces: &[FeedSpace], lost: &BTreeSet<SpaceId>, seen: &[SpaceSeen]) -> Option<Error> {
    let hidden = |space: &FeedSpace| {
        let id = &space.space.id;
        lost.contains(id) && seen.iter().any(|seen| seen.space.id == *id)
    };
    if spaces.is_empty() || !spaces.iter().all(hidden) {
        return None;
    }
    let keys: Vec<&str> = spaces.iter().map(|space| space.space.key.as_str()).collect();
    Some(Error::ended(
        Ending::HiddenFromApp,
        format!("the site shows {} to Circuit and hides what is in it", keys.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use domain::space::Space;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn parked(kind: ErrorKind) -> Parking {
        parking(&Error::new(kind, "why"), Urgency::Changes, NOW)
    }

    #[test]
    fn each_ending_parks_the_feed_under_its_own_name() {
        for ending in Ending::ALL {
            let Parking { waits, ended, .. } = parked(ErrorKind::Ended { ending });
            let named = match waits {
                Waits::Feed(Park::NeedsReconnect { ending, .. } | Park::AccessLost { ending, .. }) => ending,
                other => panic!("{ending:?} became {other:?}"),
            };
            assert_eq!((named, ended), (ending, Ended::Waits));
        }
    }

    #[test]
    fn a_wrong_secret_asks_no_person_to_reconnect_and_is_looked_at_again_by_itself() {
        let Parking { waits, ended, .. } = parked(ErrorKind::Misconfigured);
        let until = NOW.plus(MISCONFIGURED_FOR);
        let why = "why".to_owned();
        assert_eq!(waits, Waits::Feed(Park::Misconfigured { why, until }));
        assert_eq!(ended, Ended::Again { at: until });
    }

    #[test]
    fn a_walk_without_points_waits_alone_and_a_pass_of_changes_or_of_a_person_parks_the_feed() {
        let retry_after = std::time::Duration::from_secs(60);
        let spent = Error::new(ErrorKind::RateLimited { retry_after }, "why");
        let until = NOW.plus(retry_after);
        assert_eq!(parking(&spent, Urgency::Whole, NOW).waits, Waits::Whole { until });
        for urgency in [Urgency::Changes, Urgency::Person] {
            let parked = Waits::Feed(Park::QuotaSpent { until });
            assert_eq!(parking(&spent, urgency, NOW).waits, parked);
        }
    }

    #[test]
    fn a_withdrawn_address_is_named_and_not_asked_again() {
        let Parking { waits, ended, .. } = parked(ErrorKind::Gone);
        assert_eq!(waits, Waits::Feed(Park::Withdrawn { why: "why".into() }));
        assert_eq!(ended, Ended::Waits);
    }

    #[test]
    fn only_what_trying_again_does_not_mend_counts_towards_a_dead_job() {
        let why = || "why".to_owned();
        for kind in [ErrorKind::Unavailable, ErrorKind::Conflict, ErrorKind::NotFound] {
            assert_eq!(parked(kind).ended, Ended::Retry { why: why() });
        }
        for kind in [ErrorKind::Invalid, ErrorKind::Internal] {
            assert_eq!(parked(kind).ended, Ended::Fails { why: why() });
        }
    }

    #[test]
    fn spaces_that_are_shown_and_cannot_be_read_are_hidden_from_apps() {
        let space = |id: &str| Space {
            id: SpaceId::new(id),
            key: id.to_uppercase(),
            name: id.into(),
            kind: "global".into(),
        };
        let held = |id: &str| FeedSpace {
            space: space(id),
            added_at: NOW,
            imported_at: None,
            suspended_at: None,
            doubted_at: None,
            archived: false,
            walked: Default::default(),
            estimate: None,
            documents: 0,
        };
        let seen = |id: &str| SpaceSeen {
            space: space(id),
            archived: false,
        };
        let lost: BTreeSet<SpaceId> = ["a", "b"].map(SpaceId::new).into();
        let spaces = [held("a"), held("b")];
        let error = hidden_from_app(&spaces, &lost, &[seen("a"), seen("b")]).unwrap();
        assert!(error.message.contains("A, B"), "{error}");
        assert!(
            hidden_from_app(&spaces, &lost, &[seen("a")]).is_none(),
            "b is not shown: it is lost"
        );
        let one: BTreeSet<SpaceId> = [SpaceId::new("a")].into();
        assert!(
            hidden_from_app(&spaces, &one, &[seen("a"), seen("b")]).is_none(),
            "b can be read"
        );
    }
}
