//! The machine's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{Clock, Timestamp, time::Slept};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep(&self, duration: Duration) -> Slept {
        Box::pin(tokio::time::sleep(duration))
    }
}
