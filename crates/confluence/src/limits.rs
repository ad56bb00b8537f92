//! What an answer that is not a success means, and how long to wait.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Response, header};
use bytes::Bytes;
use domain::{Error, ErrorKind, Result, Secret, Timestamp, connection::Ending};

/// The wait when Atlassian asks for patience and names no time.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(30);
/// A `Retry-After: 0` made others retry in a storm (facts.md §4).
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The quota is renewed every hour; no honest wait is longer.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// How long the answer asks to wait.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    Some(Duration::from_secs(seconds.min(WAIT_MAX.as_secs_f64()).ceil() as u64).clamp(WAIT_MIN, WAIT_MAX))
}

/// As [`retry_after`], else the time of `X-RateLimit-Reset`, else a default.
fn wait(headers: &HeaderMap, now: Timestamp) -> Duration {
    let reset = || {
        let text = headers.get("x-ratelimit-reset")?.to_str().ok()?;
        Some(Timestamp::parse(text).ok()?.since(now).clamp(WAIT_MIN, WAIT_MAX))
    };
    retry_after(headers).or_else(reset).unwrap_or(WAIT_DEFAULT)
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
        429 => Error::new(
            ErrorKind::RateLimited {
                retry_after: wait(answer.headers(), now),
            },
            "Atlassian's quota for this app is spent",
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

    fn waits(text: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_of_zero_is_a_second_and_no_wait_is_longer_than_the_quota_window() {
        assert_eq!(waits("0"), Some(1));
        assert_eq!(waits("17"), Some(17));
        assert_eq!(waits("999999999"), Some(3_600));
        assert_eq!(waits("soon"), None);
        assert_eq!(waits("-5"), None);
        assert_eq!(waits("NaN"), None);
    }
}
