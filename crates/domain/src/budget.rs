//! One budget of points for each Atlassian app and UTC hour: who may still spend how much of it. The rules are pure;
//! the port prices every call before it is made, and settles it after.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Error, ErrorKind, Result, Timestamp, source::Urgency, sync_run::Spent};

/// What Atlassian grants an app in an hour, over all its customers (facts.md §4, tier 1).
pub const QUOTA_POINTS: u64 = 65_000;
/// The share of it that is ours unless somebody decides otherwise, in percent.
pub const BUDGET_PERCENT: u64 = 50;
/// The smallest budget: the dearest call asks for 250 pages, and must fit beside what is kept for others.
pub const BUDGET_POINTS_MIN: u64 = 500;
/// The largest quota that is believed; the highest that Atlassian grants is 500,000 (facts.md §4).
pub const QUOTA_POINTS_MAX: u64 = 10_000_000;
/// Of what the schedule reads whole, this part of the budget is kept for changes and people: a fifth.
const KEPT_FOR_CHANGES: u64 = 5;
/// And this part is kept for people who wait: a twentieth.
const KEPT_FOR_PEOPLE: u64 = 20;
/// Clocks differ: this long after the hour has turned here it has turned at Atlassian too.
const TURN: Duration = Duration::from_secs(1);
/// No window is longer, so no word about a longer one is believed: a clock that was wrong must not close for ever.
const CLOSED_MAX: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;

/// What an operator allows Circuit to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    quota: u64,
    percent: u64,
}

impl Allowance {
    /// `Invalid` unless the percentage is one and leaves a budget that the dearest call fits into.
    pub fn new(quota: u64, percent: u64) -> Result<Self> {
        if !(1..=100).contains(&percent) {
            return Err(Error::invalid(format!(
                "the budget is 1 to 100 percent of the quota, not {percent}"
            )));
        }
        if quota > QUOTA_POINTS_MAX {
            return Err(Error::invalid(format!(
                "a quota of {quota} points an hour is more than Atlassian grants anybody; the default is {QUOTA_POINTS}"
            )));
        }
        let allowance = Self { quota, percent };
        match allowance.points() {
            points if points < BUDGET_POINTS_MIN => Err(Error::invalid(format!(
                "{percent} percent of {quota} points an hour is a budget of {points}; one call may take half of that, so at \
                 least {BUDGET_POINTS_MIN} are needed"
            ))),
            _ => Ok(allowance),
        }
    }

    /// Points an hour.
    pub fn points(self) -> u64 {
        self.quota * self.percent / 100
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            quota: QUOTA_POINTS,
            percent: BUDGET_PERCENT,
        }
    }
}

/// A UTC hour, counted from 1970. Atlassian renews the quota when it turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(pub i64);

impl Hour {
    pub fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(HOUR_MS))
    }
    /// The hour in which the UTC day of `at` began.
    pub fn of_midnight(at: Timestamp) -> Self {
        Self(Self::of(at).0.div_euclid(24) * 24)
    }
    /// When the next one begins.
    pub fn ends_at(self) -> Timestamp {
        Timestamp(self.0.saturating_add(1).saturating_mul(HOUR_MS))
    }
}

/// What Atlassian said of the app's quota beside an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaSeen {
    pub limit: u64,
    pub remaining: u64,
}

/// What an answer told about the quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub quota: Option<QuotaSeen>,
    /// The quota is spent, for everybody who uses this app, until then.
    pub closed_until: Option<Timestamp>,
}

/// The points of one app in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourPoints {
    pub hour: Hour,
    /// Calls and points that are settled.
    pub spent: Spent,
    /// Points of calls that are on their way, at their highest price. What a crash leaves here stays spent until the hour
    /// ends: the call may have been made.
    pub reserved: u64,
    /// The app's whole quota, by Atlassian's last word on it.
    pub quota: Option<u64>,
    /// What others have spent of it.
    pub others: u64,
    pub closed_until: Option<Timestamp>,
}

impl HourPoints {
    /// Nothing spent yet.
    pub fn of(hour: Hour) -> Self {
        Self {
            hour,
            ..Self::default()
        }
    }

    /// What Circuit may spend in this hour: the allowance, or what others have left of the quota when that is less.
    pub fn budget(&self, allowance: Allowance) -> u64 {
        let left_by_others = self.quota.map_or(u64::MAX, |quota| quota.saturating_sub(self.others));
        allowance.points().min(left_by_others)
    }

    /// Spent, or promised to calls on their way.
    pub fn committed(&self) -> u64 {
        self.spent.points.saturating_add(self.reserved)
    }

    /// What calls of this urgency may still spend.
    pub fn left(&self, allowance: Allowance, urgency: Urgency) -> u64 {
        let budget = self.budget(allowance);
        let kept = match urgency {
            Urgency::Person => 0,
            Urgency::Changes => budget / KEPT_FOR_PEOPLE,
            Urgency::Whole => budget / KEPT_FOR_CHANGES,
        };
        budget.saturating_sub(kept).saturating_sub(self.committed())
    }

    /// Until when nobody may call; none when the window is open.
    pub fn closed(&self, now: Timestamp) -> Option<Timestamp> {
        self.closed_until
            .filter(|until| *until > now && until.since(now) <= CLOSED_MAX)
    }

    /// Promises the price to a call, or says how long it must wait as `RateLimited`.
    pub fn reserve(&mut self, allowance: Allowance, price: u64, urgency: Urgency, now: Timestamp) -> Result<()> {
        if let Some(until) = self.closed(now) {
            return Err(wait(until.since(now), "Atlassian's quota for this app is spent"));
        }
        // A call that is dearer than all there is would wait for ever: as the first of its hour it is made.
        let first = self.committed() == 0 && self.budget(allowance) > 0;
        if price > self.left(allowance, urgency) && !first {
            let why = match urgency {
                Urgency::Person => "this hour's budget of points at Atlassian is spent",
                Urgency::Changes => "this hour's budget of points is spent, but for what is kept for people who wait",
                Urgency::Whole => "this hour's budget of points is spent, but for what is kept for changes and people",
            };
            return Err(wait(self.hour.ends_at().since(now) + TURN, why));
        }
        self.reserved = self.reserved.saturating_add(price);
        Ok(())
    }

    /// The call was made and cost `points`; what was promised beyond that is free again.
    pub fn settle(&mut self, price: u64, points: u64, told: Told) {
        self.reserved = self.reserved.saturating_sub(price);
        self.spent = self.spent.plus(Spent { calls: 1, points });
        if let Some(seen) = told.quota {
            let spent = seen.limit.saturating_sub(seen.remaining);
            // Calls of ours that are on their way may be among it already.
            self.others = spent.saturating_sub(self.committed());
            self.quota = Some(seen.limit);
        }
        self.closed_until = told.closed_until.or(self.closed_until);
    }
}

fn wait(retry_after: Duration, why: &str) -> Error {
    Error::new(ErrorKind::RateLimited { retry_after }, why)
}

/// Points promised to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The client id of the Atlassian app.
    pub app: String,
    pub hour: Hour,
    pub price: u64,
}

/// The budget, for people and gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetPicture {
    /// Points of this hour.
    pub budget: u64,
    /// Spent in this hour, or promised to calls on their way.
    pub spent: u64,
    /// What the schedule may still spend on reading everything, on changes, and people on what they wait for.
    pub left_for_whole: u64,
    pub left_for_changes: u64,
    pub left_for_people: u64,
    /// When the next hour begins, or Atlassian opens again.
    pub renewed_at: Timestamp,
    /// Atlassian refuses everything until then.
    pub closed: bool,
    /// Points of an hour in which nobody else spends.
    pub hourly: u64,
    /// Calls and points of this process since it began.
    pub since_start: Spent,
}

impl BudgetPicture {
    /// Whether a person who wants something read again now would get somewhere.
    pub fn serves_people(&self) -> bool {
        self.left_for_people >= BUDGET_POINTS_MIN
    }

    pub fn of(points: &HourPoints, allowance: Allowance, now: Timestamp, since_start: Spent) -> Self {
        let closed = points.closed(now);
        let left = |urgency| match closed {
            Some(_) => 0,
            None => points.left(allowance, urgency),
        };
        Self {
            budget: points.budget(allowance),
            spent: points.committed(),
            left_for_whole: left(Urgency::Whole),
            left_for_changes: left(Urgency::Changes),
            left_for_people: left(Urgency::Person),
            renewed_at: closed.unwrap_or(points.hour.ends_at()),
            closed: closed.is_some(),
            hourly: allowance.points(),
            since_start,
        }
    }
}

/// The budget of the Atlassian app that Circuit is registered as. Shared by everybody who calls Atlassian.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Promises points to a call that costs at most `price`. `RateLimited` until it fits, when it does not fit now.
    async fn reserve(&self, price: u64, urgency: Urgency) -> Result<Reservation>;
    /// The call was made, whatever came of it, and cost `points`.
    async fn settle(&self, reservation: Reservation, points: u64, told: Told) -> Result<()>;
    async fn picture(&self) -> Result<BudgetPicture>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(12 * HOUR_MS);

    fn noon() -> HourPoints {
        HourPoints::of(Hour::of(NOON))
    }

    fn spent(points: u64) -> HourPoints {
        let mut hour = noon();
        hour.settle(0, points, Told::default());
        hour
    }

    fn seen(limit: u64, remaining: u64) -> Told {
        Told {
            quota: Some(QuotaSeen { limit, remaining }),
            closed_until: None,
        }
    }

    fn fits(hour: &mut HourPoints, price: u64, urgency: Urgency) -> bool {
        hour.reserve(Allowance::default(), price, urgency, NOON).is_ok()
    }

    #[test]
    fn half_of_the_quota_is_ours_unless_somebody_decides_otherwise() {
        assert_eq!(Allowance::default().points(), 32_500);
        assert_eq!(Allowance::new(100_000, 80).unwrap().points(), 80_000);
        for (quota, percent) in [(65_000, 0), (65_000, 101), (900, 50), (20_000_000, 50)] {
            assert!(Allowance::new(quota, percent).is_err(), "{quota} {percent}");
        }
    }

    #[test]
    fn a_scheduled_walk_leaves_a_fifth_for_changes_and_changes_leave_a_twentieth_for_people() {
        let mut hour = spent(26_000);
        assert!(!fits(&mut hour, 1, Urgency::Whole));
        assert!(fits(&mut hour, 4_875, Urgency::Changes));
        assert!(!fits(&mut hour, 1, Urgency::Changes));
        assert!(fits(&mut hour, 1_625, Urgency::Person));
        assert!(!fits(&mut hour, 1, Urgency::Person));
    }

    #[test]
    fn what_does_not_fit_waits_until_the_hour_has_turned() {
        let mut hour = spent(32_500);
        let at = NOON.plus(Duration::from_secs(600));
        let refused = hour.reserve(Allowance::default(), 2, Urgency::Person, at).unwrap_err();
        let retry_after = Duration::from_secs(3_001);
        assert_eq!(refused.kind, ErrorKind::RateLimited { retry_after });
        assert_eq!(Hour::of(at.plus(retry_after)), Hour(13));
    }

    #[test]
    fn points_on_their_way_count_as_spent_until_the_call_is_settled() {
        let mut hour = spent(32_000);
        assert!(fits(&mut hour, 400, Urgency::Person));
        assert!(!fits(&mut hour, 101, Urgency::Person));
        hour.settle(400, 20, Told::default());
        assert!(fits(&mut hour, 101, Urgency::Person));
        assert_eq!(
            hour.spent,
            Spent {
                calls: 2,
                points: 32_020
            }
        );
    }

    #[test]
    fn the_budget_shrinks_when_others_spend_the_same_apps_quota() {
        let mut hour = spent(1_000);
        hour.settle(0, 0, seen(65_000, 60_000));
        assert_eq!(hour.others, 4_000);
        assert_eq!(hour.budget(Allowance::default()), 32_500, "their half is theirs");
        hour.settle(0, 0, seen(65_000, 10_000));
        assert_eq!(hour.budget(Allowance::default()), 11_000);
        assert_eq!(hour.left(Allowance::default(), Urgency::Person), 10_000);
        hour.settle(0, 0, seen(65_000, 64_000));
        assert_eq!(hour.budget(Allowance::default()), 32_500, "Atlassian's hour turned");
    }

    #[test]
    fn a_spent_quota_closes_the_window_for_everybody_until_its_reset() {
        let mut hour = spent(10);
        hour.settle(
            0,
            1,
            Told {
                quota: None,
                closed_until: Some(NOON.plus(Duration::from_secs(60))),
            },
        );
        let refused = hour
            .reserve(Allowance::default(), 1, Urgency::Person, NOON)
            .unwrap_err();
        let retry_after = Duration::from_secs(60);
        assert_eq!(refused.kind, ErrorKind::RateLimited { retry_after });
        let later = NOON.plus(retry_after);
        assert!(hour.reserve(Allowance::default(), 1, Urgency::Person, later).is_ok());
    }

    #[test]
    fn a_clock_that_was_wrong_does_not_close_the_window_for_ever() {
        let mut hour = spent(10);
        hour.closed_until = Some(NOON.plus(Duration::from_secs(400 * 24 * 3_600)));
        assert!(fits(&mut hour, 1, Urgency::Whole));
        let mut before_1970 = HourPoints::of(Hour::of(Timestamp(-1)));
        assert!(
            before_1970
                .reserve(Allowance::default(), 1, Urgency::Whole, Timestamp(-1))
                .is_ok()
        );
        assert_eq!(before_1970.hour.ends_at(), Timestamp(0));
    }

    #[test]
    fn a_call_dearer_than_the_whole_budget_is_made_as_the_first_of_its_hour() {
        let small = Allowance::new(1_000, 50).unwrap();
        let mut hour = noon();
        assert!(hour.reserve(small, 600, Urgency::Whole, NOON).is_ok());
        assert!(hour.reserve(small, 600, Urgency::Person, NOON).is_err());
        let mut spent_by_others = noon();
        spent_by_others.settle(0, 0, seen(65_000, 0));
        assert!(spent_by_others.reserve(small, 1, Urgency::Person, NOON).is_err());
    }

    #[test]
    fn the_day_begins_at_midnight_utc() {
        let at = Timestamp::parse("2026-11-24T17:30:00Z").unwrap();
        assert_eq!(Hour::of_midnight(at).ends_at().to_string(), "2026-11-24T01:00:00.000Z");
    }
}
