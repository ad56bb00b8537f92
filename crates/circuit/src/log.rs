//! Where the log goes: standard error, for people or as JSON lines.

use domain::{Error, Result};
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Begins logging. A second call changes nothing.
pub fn begin(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        Error::invalid(format!(
            "the log filter {:?} is not understood; it looks like info or info,sync=debug",
            log.filter
        ))
        .because(error)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // An error means that a log was begun before, which is what is wanted.
    let _ = match log.json {
        true => builder.json().try_init(),
        false => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
    Ok(())
}
