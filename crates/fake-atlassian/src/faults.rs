//! Given what should go wrong and a seed, gives what goes wrong now.

use bytes::Bytes;
use serde::Deserialize;

use crate::{
    answer::{Answer, gateway_error},
    chance::Chance,
    lag::LAG_MS_MAX,
};

/// What can be switched; whatever is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub latency_ms: Option<u64>,
    /// Between 0 and 1: the share of calls answered with a 5xx.
    pub fail_rate: Option<f64>,
    /// The status of those; 503 unless given.
    pub fail_status: Option<u16>,
    /// The share of answers cut short.
    pub cut_rate: Option<f64>,
    /// The share of listings in which a row comes twice.
    pub duplicate_rate: Option<f64>,
    /// The share of listings in which a row is missing, without a sign: no single walk can survive that.
    pub vanish_rate: Option<f64>,
    /// The share of listings whose `next` is left out though more follows: it shows only by what is missing.
    pub drop_next_rate: Option<f64>,
    /// The share of further pages of a listing whose `next` leads to the page itself.
    pub loop_cursor_rate: Option<f64>,
    /// The share of answers whose JSON ends in the middle, though the answer is whole.
    pub malformed_rate: Option<f64>,
    /// The share of calls to the gateway answered with 429.
    pub throttle_rate: Option<f64>,
    /// The `Retry-After` of those, as it is sent; `absent` sends none. 1 unless given.
    pub throttle_retry_after: Option<String>,
    /// Listings with bodies answer 504 when more rows than this are asked for; 0 is no bound.
    pub timeout_above: Option<usize>,
    /// CQL shows content as it was so long ago.
    pub search_lag_ms: Option<i64>,
    /// CQL gives no more rows than this at once, whatever is asked for; 0 is no bound.
    pub search_rows_max: Option<usize>,
    /// What CQL says the total is, instead of its estimate; 0 is none.
    pub search_total: Option<usize>,
    /// Refuses every cursor.
    pub expire_cursors: Option<bool>,
    /// How a dead refresh token is refused: `unauthorized_client` or `invalid_grant`.
    pub refresh_error: Option<String>,
    /// Starts chance again from here.
    pub seed: Option<u64>,
    pub next_n: Option<NextN>,
    /// Everything back to well, before the rest applies.
    pub clear: Option<bool>,
}

/// The next `n` calls whose path and query contain `path`, after `skip` more of them, are answered with this.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextN {
    #[serde(default)]
    pub path: String,
    #[serde(default = "once")]
    pub n: u32,
    /// So many such calls are answered as they should be first.
    #[serde(default)]
    pub skip: u32,
    /// The true answer is made, with all that follows from it, and the line breaks while it is sent.
    #[serde(default)]
    pub cut: bool,
    /// Needed unless the answer is cut.
    #[serde(default)]
    pub status: u16,
    /// Sent as it is, well-formed or not.
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
}

fn once() -> u32 {
    1
}

/// What goes wrong at present.
#[derive(Debug)]
pub struct Faults {
    chance: Chance,
    pub latency_ms: u64,
    fail_rate: f64,
    fail_status: u16,
    cut_rate: f64,
    duplicate_rate: f64,
    vanish_rate: f64,
    drop_next_rate: f64,
    loop_cursor_rate: f64,
    malformed_rate: f64,
    throttle_rate: f64,
    throttle_retry_after: String,
    timeout_above: usize,
    pub search_lag_ms: i64,
    search_rows_max: usize,
    search_total: usize,
    pub expire_cursors: bool,
    pub refresh_error: String,
    next: Vec<NextN>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scripted {
    Answered,
    Cut,
}

/// The most scripted answers that wait at a time.
const SCRIPTED_MAX: usize = 1_000;

impl Faults {
    pub fn new(seed: u64, latency_ms: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            latency_ms,
            fail_rate: 0.0,
            fail_status: 503,
            cut_rate: 0.0,
            duplicate_rate: 0.0,
            vanish_rate: 0.0,
            drop_next_rate: 0.0,
            loop_cursor_rate: 0.0,
            malformed_rate: 0.0,
            throttle_rate: 0.0,
            throttle_retry_after: "1".into(),
            timeout_above: 0,
            search_lag_ms: 0,
            search_rows_max: 0,
            search_total: 0,
            expire_cursors: false,
            refresh_error: "unauthorized_client".into(),
            next: Vec::new(),
        }
    }

    pub fn change(&mut self, change: Change) -> Result<(), String> {
        if change.clear == Some(true) {
            *self = Self::new(self.chance.draw(), 0);
        }
        if let Some(seed) = change.seed {
            self.chance = Chance::new(seed);
        }
        for (name, rate, at) in [
            ("fail_rate", change.fail_rate, &mut self.fail_rate),
            ("cut_rate", change.cut_rate, &mut self.cut_rate),
            ("duplicate_rate", change.duplicate_rate, &mut self.duplicate_rate),
            ("vanish_rate", change.vanish_rate, &mut self.vanish_rate),
            ("drop_next_rate", change.drop_next_rate, &mut self.drop_next_rate),
            ("loop_cursor_rate", change.loop_cursor_rate, &mut self.loop_cursor_rate),
            ("malformed_rate", change.malformed_rate, &mut self.malformed_rate),
            ("throttle_rate", change.throttle_rate, &mut self.throttle_rate),
        ] {
            match rate {
                Some(rate) if (0.0..=1.0).contains(&rate) => *at = rate,
                Some(_) => return Err(format!("{name} must lie between 0 and 1")),
                None => {}
            }
        }
        if let Some(error) = change.refresh_error {
            if !["unauthorized_client", "invalid_grant"].contains(&error.as_str()) {
                return Err("refresh_error must be unauthorized_client or invalid_grant".into());
            }
            self.refresh_error = error;
        }
        if let Some(lag_ms) = change.search_lag_ms {
            if !(0..=LAG_MS_MAX).contains(&lag_ms) {
                return Err(format!("search_lag_ms must lie between 0 and {LAG_MS_MAX}"));
            }
            self.search_lag_ms = lag_ms;
        }
        if let Some(retry_after) = change.throttle_retry_after {
            self.throttle_retry_after = retry_after;
        }
        self.timeout_above = change.timeout_above.unwrap_or(self.timeout_above);
        self.search_rows_max = change.search_rows_max.unwrap_or(self.search_rows_max);
        self.search_total = change.search_total.unwrap_or(self.search_total);
        self.latency_ms = change.latency_ms.unwrap_or(self.latency_ms);
        self.fail_status = change.fail_status.unwrap_or(self.fail_status);
        self.expire_cursors = change.expire_cursors.unwrap_or(self.expire_cursors);
        if let Some(next) = change.next_n {
            if !next.cut && !(100..=599).contains(&next.status) {
                return Err("the status must lie between 100 and 599".into());
            }
            if self.next.len() >= SCRIPTED_MAX {
                return Err("too many scripted answers are waiting".into());
            }
            self.next.push(next);
        }
        Ok(())
    }

    /// An answer that comes instead of the true one.
    pub fn instead(&mut self, path_and_query: &str) -> Option<Answer> {
        if let Some(next) = self.scripted(path_and_query, Scripted::Answered) {
            let mut answer = Answer::bytes(next.status, "application/json", next.body.clone());
            for (name, value) in &next.headers {
                answer = answer.with_header(known_header(name), value.clone());
            }
            return Some(answer);
        }
        self.chance.strikes(self.fail_rate).then(|| {
            Answer::bytes(
                self.fail_status,
                "text/html",
                "<html><body>upstream connect error or disconnect</body></html>",
            )
        })
    }

    /// A 429 that comes instead of the gateway's answer.
    pub fn throttles(&mut self) -> Option<Answer> {
        if !self.chance.strikes(self.throttle_rate) {
            return None;
        }
        let refusal = gateway_error(429, "Rate limit exceeded");
        Some(match self.throttle_retry_after.as_str() {
            "absent" => refusal,
            wait => refusal.with_header("retry-after", wait),
        })
    }

    pub fn times_out(&self, limit: usize) -> bool {
        self.timeout_above > 0 && limit > self.timeout_above
    }

    /// How many rows the search gives at once.
    pub fn search_rows(&self, limit: usize) -> usize {
        match self.search_rows_max {
            0 => limit,
            most => limit.min(most),
        }
    }

    /// What the search says the total is.
    pub fn search_total(&self, total: usize) -> usize {
        match self.search_total {
            0 => total,
            other => other,
        }
    }

    /// The body as it is sent: now and then only its first half.
    pub fn spoil(&mut self, body: &mut Bytes) {
        if self.chance.strikes(self.malformed_rate) {
            body.truncate(body.len() / 2);
        }
    }

    /// The cursor that a listing gives: now and then none, or the one that was asked with.
    pub fn mislead(&mut self, next: Option<String>, asked: Option<&str>) -> Option<String> {
        let next = next?;
        if self.chance.strikes(self.drop_next_rate) {
            return None;
        }
        match asked {
            Some(asked) if self.chance.strikes(self.loop_cursor_rate) => Some(asked.to_owned()),
            _ => Some(next),
        }
    }

    pub fn cuts(&mut self, path_and_query: &str) -> bool {
        self.scripted(path_and_query, Scripted::Cut).is_some() || self.chance.strikes(self.cut_rate)
    }

    /// What the script has for this call; each call is counted by the first line of its kind that fits.
    fn scripted(&mut self, path_and_query: &str, what: Scripted) -> Option<NextN> {
        let fits = |next: &NextN| next.cut == (what == Scripted::Cut) && path_and_query.contains(&next.path);
        let place = self.next.iter().position(|next| next.n > 0 && fits(next))?;
        let next = &mut self.next[place];
        if next.skip > 0 {
            next.skip -= 1;
            return None;
        }
        next.n -= 1;
        let found = next.clone();
        self.next.retain(|next| next.n > 0);
        Some(found)
    }

    /// Rows as a listing under change might show them.
    pub fn disturb(&mut self, rows: &mut Vec<u32>) {
        if !rows.is_empty() && self.chance.strikes(self.duplicate_rate) {
            let place = self.chance.below(rows.len() as u64) as usize;
            rows.insert(place, rows[place]);
        }
        if !rows.is_empty() && self.chance.strikes(self.vanish_rate) {
            let place = self.chance.below(rows.len() as u64) as usize;
            rows.remove(place);
        }
    }
}

/// Header names are static here; a scripted answer may carry these.
fn known_header(name: &str) -> &'static str {
    const KNOWN: [&str; 10] = [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-nearlimit",
        "ratelimit-reason",
        "ratelimit",
        "x-failure-category",
        "location",
        "warning",
    ];
    let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.copied().unwrap_or("x-scripted")
}
