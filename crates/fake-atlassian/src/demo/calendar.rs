//! Days without a clock. Given a seed, gives the same day each time, in the three years before [`TODAY`].

use time::{Date, Month};

/// The day on which this world stands still; nothing in it happens later.
pub(super) const TODAY: &str = "2026-11-20";

pub(super) const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// How far back the oldest page goes.
pub(super) const PAST_DAYS: i64 = 3 * 365;

/// FNV-1a: a number that a text always gives.
pub(super) fn seed_of(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    // The low bits of FNV follow the last letters too closely to be used with a remainder as they are.
    fnv ^ (fnv >> 29) ^ (fnv >> 47)
}

/// A number below `bound` that a text always gives.
pub(super) fn pick(text: &str, bound: usize) -> usize {
    usize::try_from(seed_of(text) % bound.max(1) as u64).unwrap_or(0)
}

/// Some minute of the working hours of an authored day such as `2026-03-14`.
///
/// # Panics
///
/// When the authored text has no such day.
pub(super) fn moment(day: &str, seed: &str) -> i64 {
    let mut parts = day.trim().splitn(3, '-').map(|part| part.parse::<i32>().ok());
    let mut next = || parts.next().flatten();
    let date = next().zip(next()).zip(next()).and_then(|((year, month), day)| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    });
    let Some(date) = date else {
        panic!("the demo's text has no day {day:?}")
    };
    date.midnight().assume_utc().unix_timestamp() * 1_000 + 7 * HOUR_MS + within(seed, 9 * HOUR_MS)
}

/// The end of the world's last day.
pub(super) fn now() -> i64 {
    moment(TODAY, "now") / DAY_MS * DAY_MS + 17 * HOUR_MS
}

/// Some moment between two, for ever the same.
pub(super) fn between(from: i64, to: i64, seed: &str) -> i64 {
    from + within(seed, (to - from).max(0))
}

/// A span below `span`, in milliseconds.
fn within(seed: &str, span: i64) -> i64 {
    i64::try_from(seed_of(seed) >> 2).unwrap_or(0) % span.max(1)
}
