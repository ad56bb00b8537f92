//! What an answer that is not a success means, and how long to wait.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use domain::{
    Error, ErrorKind, Result, Secret, Timestamp,
    budget::{Hour, QuotaSeen, Told},
    connection::Ending,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// The wait when Atlassian asks for patience and names no time.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(30);
/// What Atlassian may ask to wait without the run being parked.
pub const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A `Retry-After: 0` made others retry in a storm (facts.md §4).
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The quota is renewed every hour; no honest wait is longer.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// What no quota of an hour is below, by far; smaller limits are those of bursts.
const HOURLY_LIMIT_MIN: u64 = 1_000;
/// The longest header that is read.
const HEADER_BYTES_MAX: usize = 1_024;

/// How long the answer asks to wait: seconds, or a date.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = header(headers, "retry-after")?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let sane = seconds.is_finite() && seconds >= 0.0;
        return sane
            .then(|| Duration::from_secs(seconds.min(WAIT_MAX.as_secs_f64()).ceil() as u64).clamp(WAIT_MIN, WAIT_MAX));
    }
    Some(read_date(text)?.since(now).clamp(WAIT_MIN, WAIT_MAX))
}

/// The time that the answer tells (RFC 9110, `Date`).
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    read_date(header(headers, "date")?)
}

fn read_date(text: &str) -> Option<Timestamp> {
    let instant = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Timestamp(instant.unix_timestamp().saturating_mul(1_000)))
}

/// As [`retry_after`], else the time of `X-RateLimit-Reset`.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset = || {
        let at = Timestamp::parse(limit_header(headers, "x-ratelimit-reset")?).ok()?;
        Some(at.since(now).clamp(WAIT_MIN, WAIT_MAX))
    };
    retry_after(headers, now).or_else(reset)
}

/// What an answer tells about the hour's quota.
pub fn told(answer: &Response<Bytes>, now: Timestamp) -> Told {
    let spent = answer.status() == StatusCode::TOO_MANY_REQUESTS && quota_is_spent(answer.headers());
    Told {
        quota: quota(answer.headers()),
        closed_until: spent.then(|| now.plus(quota_wait(answer.headers(), now))),
    }
}

/// Until a spent quota is renewed: at the next hour, if Atlassian does not say.
fn quota_wait(headers: &HeaderMap, now: Timestamp) -> Duration {
    let turn = || Hour::of(now).ends_at().since(now).clamp(WAIT_MIN, WAIT_MAX);
    wait(headers, now).unwrap_or_else(turn)
}

/// A 429 is about the hour's quota or about a burst of calls, which passes in seconds.
fn quota_is_spent(headers: &HeaderMap) -> bool {
    match limit_header(headers, "ratelimit-reason") {
        Some(reason) => reason.to_ascii_lowercase().contains("quota"),
        None => quota(headers).is_some_and(|seen| seen.remaining == 0),
    }
}

/// The quota of an hour. Headers tell of bursts in the same words: those are not it.
fn quota(headers: &HeaderMap) -> Option<QuotaSeen> {
    let number = |name: &str| limit_header(headers, name)?.trim().parse::<u64>().ok();
    let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
    let policies = limit_header(headers, "ratelimit-policy");
    let seen = match policies {
        Some(policies) => {
            let hourly = items(policies).find(|item| item.number("w") == Some(WAIT_MAX.as_secs()))?;
            let quota = hourly.number("q")?;
            let rates = limit_header(headers, "ratelimit").unwrap_or_default();
            let rate = items(rates).find(|item| item.name == hourly.name);
            let plain = remaining.filter(|_| limit.is_none_or(|limit| limit == quota));
            QuotaSeen {
                limit: quota,
                remaining: rate.and_then(|rate| rate.number("r")).or(plain)?,
            }
        }
        None => QuotaSeen {
            limit: limit.filter(|limit| *limit >= HOURLY_LIMIT_MIN)?,
            remaining: remaining?,
        },
    };
    (seen.remaining <= seen.limit).then_some(seen)
}

/// One of `"name";q=65000;w=3600, "other";…`.
struct Item<'a> {
    name: &'a str,
    parameters: &'a str,
}

fn items(text: &str) -> impl Iterator<Item = Item<'_>> {
    text.split(',').map(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        Item {
            name: name.trim(),
            parameters,
        }
    })
}

impl Item<'_> {
    fn number(&self, key: &str) -> Option<u64> {
        let mut pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
        value.trim().parse().ok()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= HEADER_BYTES_MAX).then_some(text)
}

/// Before Atlassian enforces a limit for an app it tells of it with `Beta-` before the names (facts.md §4).
fn limit_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    header(headers, name).or_else(|| header(headers, &format!("beta-{name}")))
}

/// The error of an answer whose scopes and token are not in doubt. `what` was asked for.
pub fn failure(answer: &Response<Bytes>, now: Timestamp, what: &str) -> Error {
    let status = answer.status();
    match status.as_u16() {
        400 => Error::invalid(format!("Atlassian found {what} badly asked for (400)")),
        403 if shut_out(answer.body()) => Error::ended(
            Ending::NoConfluence,
            "the connected person may no longer use Confluence on this site",
        ),
        403 => Error::forbidden(format!("the connected person may not read {what}")),
        404 => Error::not_found(format!("{what} is gone, or the connected person may no longer see it")),
        410 => Error::new(
            ErrorKind::Gone,
            format!("Atlassian has withdrawn the way to {what} for apps (410)"),
        ),
        429 if quota_is_spent(answer.headers()) => Error::new(
            ErrorKind::RateLimited {
                retry_after: quota_wait(answer.headers(), now),
            },
            "Atlassian's quota for this app is spent",
        ),
        429 => Error::new(
            ErrorKind::RateLimited {
                retry_after: wait(answer.headers(), now).unwrap_or(WAIT_DEFAULT),
            },
            "Atlassian was asked for too much at once and wants a pause",
        ),
        // A short wait is made at once; one that is long is nothing to wait for in the midst of a run.
        503 if retry_after(answer.headers(), now).is_some_and(|wait| wait > PAUSE_MAX) => Error::new(
            ErrorKind::RateLimited {
                retry_after: retry_after(answer.headers(), now).unwrap_or(WAIT_DEFAULT),
            },
            format!("Atlassian cannot give {what} now and wants a pause (503)"),
        ),
        500..=599 => Error::unavailable(format!("Atlassian could not give {what} ({})", status.as_u16())),
        _ => Error::unavailable(format!("Atlassian answered {} for {what}", status.as_u16())),
    }
}

/// Whether an error is of an answer that lets the person in nowhere.
pub fn is_shut_out(error: &Error) -> bool {
    match error.kind {
        ErrorKind::Ended { ending } => ending == Ending::NoConfluence,
        _ => false,
    }
}

/// The body of a 403 that is about the person and not about the thing (facts.md §3).
fn shut_out(body: &Bytes) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(4_096)]).to_lowercase();
    text.contains("not permitted to use confluence") || text.contains("cannot access confluence")
}

/// Whether a 401 is about scopes: the gateway says so in a header and in its message.
pub fn lacks_scope(answer: &Response<Bytes>) -> bool {
    let header = answer.headers().get("x-failure-category");
    let text = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(4_096)]).to_lowercase();
    header.is_some_and(|category| category.as_bytes() == b"FAILURE_CLIENT_SCOPE_CHECK")
        || text.contains("scope does not match")
}

/// The header of a token; marked so that nobody prints it.
pub fn bearer(token: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| Error::unauthenticated("the access token cannot be sent; reconnect to get another"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-24T08:10:00Z").unwrap()
    }

    fn answer(status: u16, pairs: &[(&str, &str)]) -> Response<Bytes> {
        let answer = Response::builder().status(status);
        let answer = pairs
            .iter()
            .fold(answer, |answer, (name, value)| answer.header(*name, *value));
        answer.body(Bytes::new()).unwrap()
    }

    #[test]
    fn the_time_at_atlassian_is_read_from_the_answer() {
        let told = |text: &str| date(answer(200, &[("Date", text)]).headers());
        let at = told("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(at.to_string(), "1994-11-06T08:49:37.000Z");
        assert_eq!(told("yesterday"), None);
    }

    fn waits(text: &str) -> Option<u64> {
        let answer = answer(429, &[("Retry-After", text)]);
        retry_after(answer.headers(), now()).map(|wait| wait.as_secs())
    }

    fn failed(status: u16, pairs: &[(&str, &str)]) -> ErrorKind {
        failure(&answer(status, pairs), now(), "x").kind
    }

    fn limited(seconds: u64) -> ErrorKind {
        let retry_after = Duration::from_secs(seconds);
        ErrorKind::RateLimited { retry_after }
    }

    #[test]
    fn a_wait_of_zero_is_a_second_and_no_wait_is_longer_than_the_quota_window() {
        assert_eq!(waits("0"), Some(1));
        assert_eq!(waits("17"), Some(17));
        assert_eq!(waits("1.2"), Some(2));
        assert_eq!(waits("999999999"), Some(3_600));
        assert_eq!(waits("soon"), None);
        assert_eq!(waits("-5"), None);
        assert_eq!(waits("NaN"), None);
    }

    #[test]
    fn a_wait_may_be_a_date() {
        assert_eq!(waits("Tue, 24 Nov 2026 08:10:42 GMT"), Some(42));
        assert_eq!(waits("Tue, 24 Nov 2026 07:00:00 GMT"), Some(1), "past");
        assert_eq!(waits("Sun, 24 Nov 2030 08:10:42 GMT"), Some(3_600));
    }

    #[test]
    fn a_spent_quota_closes_the_window_and_a_burst_does_not() {
        let quota = [
            ("RateLimit-Reason", "confluence-quota-global-based"),
            ("Retry-After", "1800"),
        ];
        assert_eq!(
            told(&answer(429, &quota), now()).closed_until,
            Some(now().plus(Duration::from_secs(1_800)))
        );
        assert_eq!(failed(429, &quota), limited(1_800));
        let nothing_said = [("ratelimit-reason", "confluence-quota-tenant-based")];
        assert_eq!(failed(429, &nothing_said), limited(3_000), "until the hour turns");
        let burst = [("RateLimit-Reason", "confluence-burst-based"), ("Retry-After", "2")];
        assert_eq!(told(&answer(429, &burst), now()).closed_until, None);
        assert_eq!(failed(429, &burst), limited(2));
        assert_eq!(failed(429, &[]), limited(30));
        let reset = [("X-RateLimit-Reset", "2026-11-24T08:10:05Z")];
        assert_eq!(failed(429, &reset), limited(5));
    }

    #[test]
    fn a_site_that_wants_a_long_pause_parks_and_a_short_one_is_waited_for() {
        assert_eq!(failed(503, &[("retry-after", "120")]), limited(120));
        assert_eq!(failed(503, &[("retry-after", "3")]), ErrorKind::Unavailable);
        assert_eq!(failed(503, &[]), ErrorKind::Unavailable);
    }

    #[test]
    fn what_is_left_of_the_quota_is_read_from_any_of_the_headers_that_tell_it() {
        let seen = |pairs: &[(&str, &str)]| {
            told(&answer(200, pairs), now())
                .quota
                .map(|seen| (seen.limit, seen.remaining))
        };
        let plain = [("X-RateLimit-Limit", "65000"), ("X-RateLimit-Remaining", "64000")];
        assert_eq!(seen(&plain), Some((65_000, 64_000)));
        let beta = [("Beta-X-RateLimit-Limit", "65000"), ("beta-x-ratelimit-remaining", "7")];
        assert_eq!(seen(&beta), Some((65_000, 7)));
        let structured = [
            (
                "RateLimit-Policy",
                "\"burst\";q=100;w=1, \"global-app-quota\";q=65000;w=3600",
            ),
            ("RateLimit", "\"burst\";r=9;t=1, \"global-app-quota\";r=12000;t=3000"),
            ("X-RateLimit-Limit", "100"),
            ("X-RateLimit-Remaining", "9"),
        ];
        assert_eq!(seen(&structured), Some((65_000, 12_000)));
    }

    #[test]
    fn the_limits_of_bursts_and_nonsense_are_not_the_quota() {
        let seen = |pairs: &[(&str, &str)]| told(&answer(200, pairs), now()).quota;
        assert_eq!(
            seen(&[("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "3")]),
            None
        );
        assert_eq!(
            seen(&[("X-RateLimit-Limit", "65000"), ("X-RateLimit-Remaining", "-3")]),
            None
        );
        assert_eq!(
            seen(&[("X-RateLimit-Limit", "65000"), ("X-RateLimit-Remaining", "70000")]),
            None
        );
        let long = "9".repeat(5_000);
        assert_eq!(
            seen(&[("X-RateLimit-Limit", &long), ("X-RateLimit-Remaining", "3")]),
            None
        );
    }
}
