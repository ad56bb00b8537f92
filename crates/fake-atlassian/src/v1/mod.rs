//! What is left of Confluence's v1 reads: search, users, restrictions.

pub mod content;
pub mod matching;
pub mod restrictions;
pub mod search;
pub mod users;

use crate::answer::{Answer, v1_error};

/// What the gateway says of an endpoint that was withdrawn.
pub fn gone() -> Answer {
    v1_error(
        410,
        "pagesmodes.GoneException",
        "This deprecated endpoint has been removed.",
    )
}
