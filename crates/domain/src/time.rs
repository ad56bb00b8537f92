//! Instants. Only the [`Clock`] knows what time it is.

use std::{fmt, pin::Pin, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::Error;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 instant such as `2026-11-24T08:00:00.123Z`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let instant = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            Error::invalid(format!(
                "not an RFC 3339 instant: {:?}",
                text.chars().take(40).collect::<String>()
            ))
        })?;
        Ok(Self((instant.unix_timestamp_nanos() / 1_000_000) as i64))
    }

    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Whether this is less than `span` after `earlier`. What lies ahead was noted by a clock that was set back since, and
    /// says nothing: it is not within.
    pub fn is_within(self, span: Duration, earlier: Self) -> bool {
        self >= earlier && self.since(earlier) < span
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(instant) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) else {
            return f.write_str("(out of range)");
        };
        let (date, clock) = (instant.date(), instant.time());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second(),
            clock.millisecond()
        )
    }
}

/// Says what time it is, and waits. The real one reads the system's clock; tests and the simulation turn their own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Ends when so much time has passed.
    fn sleep(&self, duration: Duration) -> Slept;
}

/// A wait that somebody must await.
pub type Slept = Pin<Box<dyn Future<Output = ()> + Send>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_being_written_and_read() {
        let instant = Timestamp::parse("2026-02-28T23:59:59.987+01:00").unwrap();
        assert_eq!(instant.to_string(), "2026-02-28T22:59:59.987Z");
        assert_eq!(Timestamp::parse(&instant.to_string()).unwrap(), instant);
    }

    #[test]
    fn what_was_noted_before_the_clock_was_set_back_says_nothing() {
        let second = Duration::from_secs(1);
        assert!(Timestamp(1_999).is_within(second, Timestamp(1_000)));
        assert!(!Timestamp(2_000).is_within(second, Timestamp(1_000)));
        assert!(!Timestamp(999).is_within(second, Timestamp(1_000)));
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
