//! Given milliseconds since 1970, gives the spellings that Atlassian uses, and back again.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-03-19T14:26:46.332Z`
pub fn iso(ms: i64) -> String {
    let at = moment(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// `Mar 19, 2026`
pub fn friendly(ms: i64) -> String {
    let at = moment(ms);
    let month: String = at.month().to_string().chars().take(3).collect();
    format!("{month} {}, {}", at.day(), at.year())
}

/// `Thu, 19 Mar 2026 14:26:46 GMT`, as HTTP tells times (RFC 9110).
pub fn http(ms: i64) -> String {
    let at = moment(ms);
    let short = |word: String| -> String { word.chars().take(3).collect() };
    let (day, month) = (short(at.weekday().to_string()), short(at.month().to_string()));
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        at.day(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `2026/03/19`, as in the address of a blog post.
pub fn slashed(ms: i64) -> String {
    let at = moment(ms);
    format!("{:04}/{:02}/{:02}", at.year(), u8::from(at.month()), at.day())
}

/// `2026-03-19`, `2026/03/19` and both with ` 14:26`; in UTC.
pub fn parsed(text: &str) -> Option<i64> {
    let text = text.trim().replace('/', "-");
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (date, clock.trim_end_matches('Z')),
        None => (text.as_str(), "00:00"),
    };
    let mut parts = date.splitn(3, '-');
    let year: i32 = parts.next()?.parse().ok()?;
    let month = Month::try_from(parts.next()?.parse::<u8>().ok()?).ok()?;
    let day: u8 = parts.next()?.parse().ok()?;
    let mut parts = clock.splitn(3, ':');
    let hour: u8 = parts.next()?.parse().ok()?;
    let minute: u8 = parts.next()?.parse().ok()?;
    let date = Date::from_calendar_date(year, month, day).ok()?;
    let time = Time::from_hms(hour, minute, 0).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() * 1000)
}
