//! Given an instant, gives it for machines and for people.

use std::time::Duration;

use domain::{Error, Result, Timestamp};
use time::{Date, Month, OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What `<time>` shows.
pub struct Moment {
    /// RFC 3339, for the `datetime` attribute.
    pub machine: String,
    /// `24 Nov 2026`.
    pub day: String,
    /// `24 Nov 2026, 08:00 UTC`.
    pub minute: String,
}

impl Moment {
    pub fn new(at: Timestamp) -> Self {
        let machine = at.to_string();
        let Ok(instant) = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)) else {
            return Self {
                day: machine.clone(),
                minute: machine.clone(),
                machine,
            };
        };
        let day = format!("{} {} {}", instant.day(), short(instant.month()), instant.year());
        let minute = format!("{day}, {:02}:{:02} UTC", instant.hour(), instant.minute());
        Self { machine, day, minute }
    }
}

fn short(month: Month) -> &'static str {
    match month {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    }
}

/// The beginning, in UTC, of a day as a date field gives it (`2026-11-24`); none when the field is empty.
pub fn day(text: &str) -> Result<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = Date::parse(text, DAY).map_err(|_| {
        let text: String = text.chars().take(20).collect();
        Error::invalid(format!("{text:?} is not a day such as 2026-11-24"))
    })?;
    Ok(Some(Timestamp(date.midnight().assume_utc().unix_timestamp() * 1_000)))
}

/// `just now`, `3 days ago`, `2 months ago`; what is yet to come is now.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.0.saturating_sub(at.0).max(0) / 1_000;
    let (number, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..1_209_600 => (seconds / 86_400, "day"),
        1_209_600..5_184_000 => (seconds / 604_800, "week"),
        5_184_000..63_072_000 => (seconds / 2_629_746, "month"),
        _ => (seconds / 31_556_952, "year"),
    };
    let counted = super::page::counted(number.unsigned_abs(), unit, &format!("{unit}s"));
    format!("{counted} ago")
}

/// `40 seconds`, `3 minutes`, `2 hours`.
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let (number, unit) = match seconds {
        0..90 => (seconds.max(1), "second"),
        90..5_400 => ((seconds + 30) / 60, "minute"),
        5_400..172_800 => ((seconds + 1_800) / 3_600, "hour"),
        _ => ((seconds + 43_200) / 86_400, "day"),
    };
    super::page::counted(number, unit, &format!("{unit}s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_told_in_one_word_and_rounded_down() {
        let now = Timestamp::parse("2026-11-24T10:00:00Z").unwrap();
        for (at, told) in [
            ("2026-11-24T10:00:05Z", "just now"),
            ("2026-11-24T09:58:30Z", "1 minute ago"),
            ("2026-11-24T06:00:01Z", "3 hours ago"),
            ("2026-11-21T09:00:00Z", "3 days ago"),
            ("2026-11-10T10:00:00Z", "2 weeks ago"),
            ("2026-08-24T10:00:00Z", "3 months ago"),
            ("2020-01-01T00:00:00Z", "6 years ago"),
        ] {
            assert_eq!(ago(Timestamp::parse(at).unwrap(), now), told, "{at}");
        }
    }
}
