//! What was answered to a request that made something, kept for whoever sends the same request again.

use std::time::Duration;

use crate::{Secret, UserId};

/// How long an answer is given again.
pub const GIVEN_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// A request that has no answer after so long was cut off: the same may be tried again.
pub const CUT_OFF_AFTER: Duration = Duration::from_secs(120);
/// The most answers that are kept of one user; the oldest go first.
pub const KEPT_MAX: usize = 1_000;

/// A request that makes something: who sends it, under which name, and what it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceOnly {
    pub user: UserId,
    /// Digest of the name that the client gave it.
    pub name_digest: String,
    /// Digest of all that it asks.
    pub request_digest: String,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing so far: it is this request's now.
    New,
    /// Another request.
    Other,
    /// This request, which has no answer yet.
    UnderWay,
    /// This request, and its answer.
    Answered(GivenAnswer),
}

/// An answer, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAnswer {
    pub status: u16,
    pub location: Option<String>,
    /// None of one that is not given twice. Sealed at rest.
    pub body: Option<Secret>,
}
