//! One error for all floors: a kind that decides, a message for people, and perhaps a cause for the log.

use std::{error::Error as StdError, fmt, time::Duration};

use crate::connection::Ending;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about it. Nobody branches on anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked makes no sense; asking again will not help.
    Invalid,
    /// Nobody is signed in, or Atlassian does not accept the token.
    Unauthenticated,
    /// The connection came to its end, in this way.
    Ended { ending: Ending },
    /// Atlassian refuses Circuit itself, its client id or secret: an operator's to mend, and no person's.
    Misconfigured,
    /// Known, and not allowed.
    Forbidden,
    /// Not there, or not there for this reader.
    NotFound,
    /// Something changed meanwhile: read again.
    Conflict,
    /// The endpoint was withdrawn (410). Never retried.
    Gone,
    /// The grant lacks scopes: these.
    MissingScope { scopes: Vec<String> },
    /// Too much was asked; wait this long.
    RateLimited { retry_after: Duration },
    /// Not answering now; try again later.
    Unavailable,
    /// A defect of Circuit or its surroundings.
    Internal,
}

pub struct Error {
    pub kind: ErrorKind,
    /// What happened, lower case, no full stop, naming the thing and the reason; free of secrets.
    pub message: String,
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
        }
    }
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unauthenticated, message)
    }
    pub fn ended(ending: Ending, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Ended { ending }, message)
    }
    pub fn misconfigured(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misconfigured, message)
    }
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }
    /// Keeps what lies beneath for the log.
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

/// The message alone: what people read.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Kind, message and the chain of causes: what the log keeps.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)?;
        let mut cause = self.cause.as_deref().map(|c| c as &dyn StdError);
        while let Some(c) = cause {
            write!(f, ": {c}")?;
            cause = c.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn StdError + 'static))
    }
}
