//! The one port of this crate: a request goes out, an answer comes back.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Result;

/// The largest answer that is read, in bytes. A listing of 250 pages with long bodies stays below it; a larger answer
/// is an error, and the caller asks for fewer rows.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Sends requests. The real one is a socket; in tests and the simulation it is the fake Atlassian, called in process.
///
/// Redirects are not followed. `Unavailable` when there was no complete answer (refused, cut, timed out), `Invalid`
/// when the answer is larger than [`ANSWER_BYTES_MAX`]. Any answer with a status is `Ok`.
#[async_trait]
pub trait Http: Send + Sync {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>>;
}
