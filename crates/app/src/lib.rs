//! What Circuit does for a caller, and the background jobs. Knows who may do what; knows no HTTP, no SQL, no Atlassian.

pub mod app;
pub mod budget;
pub mod caller;
pub mod carried;
pub mod clock;
pub mod connections;
pub mod documents;
pub mod explain;
pub mod feeds;
pub mod given_answers;
pub mod grants;
pub mod indexes;
pub mod jobs;
pub mod meanings;
pub mod progress;
pub mod reading;
pub mod reconnections;
pub mod search;
pub mod search_several;
pub mod sync_runs;
pub mod token;
mod trouble;
pub mod users;
pub mod widened;

pub use app::{App, Parts, Scopes};
pub use caller::{Caller, Via};
