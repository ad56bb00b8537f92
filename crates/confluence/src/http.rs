//! The one port of this crate: a request goes out, an answer comes back.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Error;

/// The largest answer that is read, in bytes. A listing of 250 pages with long bodies stays below it; a larger answer
/// is an error, and the caller asks for fewer rows.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Why a request has no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nobody was there to take it: it has done nothing and cost nothing.
    NeverSent(Error),
    /// It may have arrived, been done and been paid for; its answer was cut, too late or too large.
    Lost(Error),
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NeverSent(error) | Unanswered::Lost(error) => error,
        }
    }
}

/// Sends requests. The real one is a socket; in tests and the simulation it is the fake Atlassian, called in process.
///
/// Redirects are not followed. `Unavailable` when there was no complete answer (refused, cut, timed out), `Invalid`
/// when the answer is larger than [`ANSWER_BYTES_MAX`]. Any answer with a status is `Ok`.
#[async_trait]
pub trait Http: Send + Sync {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered>;
}
