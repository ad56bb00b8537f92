//! Given calls and their points, gives the hour's tally and, when the quota is enforced and spent, the 429 with the
//! headers that Atlassian documents.

use serde_json::json;

use crate::{
    answer::Answer,
    moment::{HOUR_MS, iso},
};

const WINDOW_S: i64 = 3_600;

/// One app's quota, per UTC hour.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `u64::MAX` is not enforced.
    pub quota: u64,
    hour: i64,
    spent: u64,
    pub spent_ever: u64,
    pub calls_ever: u64,
    pub refused_ever: u64,
}

impl Limits {
    pub fn new(quota: u64) -> Self {
        Self {
            quota,
            hour: 0,
            spent: 0,
            spent_ever: 0,
            calls_ever: 0,
            refused_ever: 0,
        }
    }

    fn enforced(&self) -> bool {
        self.quota != u64::MAX
    }

    fn turn(&mut self, now: i64) {
        let hour = now.div_euclid(HOUR_MS);
        if hour != self.hour {
            (self.hour, self.spent) = (hour, 0);
        }
    }

    pub fn remaining(&mut self, now: i64) -> u64 {
        self.turn(now);
        self.quota.saturating_sub(self.spent)
    }

    /// Points spent in the hour of `now`.
    pub fn spent_in_the_hour(&mut self, now: i64) -> u64 {
        self.turn(now);
        self.spent
    }

    /// The refusal, when nothing is left.
    pub fn refusal(&mut self, now: i64) -> Option<Answer> {
        if !self.enforced() || self.remaining(now) > 0 {
            return None;
        }
        self.refused_ever += 1;
        let body = json!({ "code": 429, "message": "Rate limit exceeded: the app's hourly quota is spent" });
        let wait_s = self.seconds_left(now);
        let refusal = Answer::json(429, &body)
            .with_header("retry-after", wait_s.to_string())
            .with_header("ratelimit-reason", "confluence-quota-global-based");
        Some(self.marked(refusal, now))
    }

    pub fn spend(&mut self, points: u64, now: i64) {
        self.turn(now);
        self.spent = self.spent.saturating_add(points);
        self.spent_ever = self.spent_ever.saturating_add(points);
        self.calls_ever += 1;
    }

    /// With the headers that every answer of an enforced quota carries.
    pub fn marked(&mut self, answer: Answer, now: i64) -> Answer {
        if !self.enforced() {
            return answer;
        }
        let (quota, remaining) = (self.quota, self.remaining(now));
        let seconds = self.seconds_left(now);
        let near = remaining.saturating_mul(5) < quota;
        let rate = match near {
            true => format!("\"global-app-quota\";r={remaining};t={seconds}"),
            false => format!("\"global-app-quota\";t={seconds}"),
        };
        answer
            .with_header("x-ratelimit-limit", quota.to_string())
            .with_header("x-ratelimit-remaining", remaining.to_string())
            .with_header("x-ratelimit-reset", iso((now.div_euclid(HOUR_MS) + 1) * HOUR_MS))
            .with_header("x-ratelimit-nearlimit", near.to_string())
            .with_header(
                "ratelimit-policy",
                format!("\"global-app-quota\";q={quota};w={WINDOW_S}"),
            )
            .with_header("ratelimit", rate)
    }

    fn seconds_left(&self, now: i64) -> i64 {
        // Rounded up, so that whoever waits that long finds the next hour begun.
        ((HOUR_MS - now.rem_euclid(HOUR_MS)) + 999) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_quota_refuses_until_the_next_utc_hour() {
        let now = 1_700_000_000_000;
        let mut limits = Limits::new(10);
        assert!(limits.refusal(now).is_none());
        limits.spend(12, now);
        let refusal = limits.refusal(now).expect("a refusal");
        assert_eq!(refusal.status, 429);
        let retry: i64 = refusal
            .headers
            .iter()
            .find(|(name, _)| *name == "retry-after")
            .map(|(_, value)| value.parse().expect("a number"))
            .expect("a header");
        assert!(limits.refusal(now + retry * 1000).is_none());
    }
}
