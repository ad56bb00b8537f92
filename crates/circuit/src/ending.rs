//! How a command that asks a running Circuit ends, for scripts.

use domain::{Error, ErrorKind};

/// The exit code; `circuit search --help` tells people what each means.
pub fn exit_code(error: &Error) -> u8 {
    match error.kind {
        ErrorKind::Invalid => 2,
        ErrorKind::NotFound => 3,
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => 4,
        ErrorKind::Unavailable | ErrorKind::RateLimited { .. } => 5,
        ErrorKind::Ended { .. }
        | ErrorKind::Misconfigured
        | ErrorKind::Conflict
        | ErrorKind::Gone
        | ErrorKind::MissingScope { .. }
        | ErrorKind::Internal => 1,
    }
}
