//! Given a file of anybody's making, reads it in a child process that may take its share of memory and time and nothing
//! else: no files, no network, no programs. What goes wrong there costs one document.

mod child;
mod confine;
mod parent;

use serde::{Deserialize, Serialize};

pub use child::child;
pub use confine::Confinement;
pub use parent::{Bounds, Reader};

use crate::{FileText, Hints, Limits, Unread};

/// What the parent asks: a line of JSON, and behind it the file's bytes to the end of the input.
#[derive(Serialize, Deserialize)]
struct Question {
    hints: Hints,
    limits: Limits,
    /// The process that asks: a child of another has lost its parent.
    parent: u32,
    memory_bytes_max: u64,
    seconds_max: u64,
}

/// What the child answers, in JSON.
#[derive(Serialize, Deserialize)]
struct Answer {
    confinement: Confinement,
    text: Result<FileText, Unread>,
}
