//! How long this thread has worked: the machine has other things to do, and what they take is not ours.

use std::{
    fs,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Time on the processor where the system tells it (Linux), else the time that has passed.
pub fn effort() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    match nanos {
        Some(nanos) => Duration::from_nanos(nanos),
        None => START.get_or_init(Instant::now).elapsed(),
    }
}
