//! The nouns of Circuit, their rules, and the ports through which the floors above reach the world.
//!
//! Nothing here does I/O and nothing here knows a framework, a vendor or a database.

pub mod access;
pub mod address;
pub mod authority;
pub mod budget;
pub mod connection;
pub mod cursor;
pub mod document;
pub mod embedder;
pub mod engine;
pub mod error;
pub mod feed;
pub mod file_text;
pub mod files;
pub mod given_answer;
pub mod hit;
pub mod id;
pub mod index;
pub mod job;
pub mod link;
pub mod passage;
pub mod price;
pub mod query;
pub mod secret;
pub mod site;
pub mod source;
pub mod space;
pub mod store;
pub mod sync_run;
pub mod syntax;
pub mod time;
pub mod user;

pub use error::{Error, ErrorKind, Result};
pub use id::*;
pub use secret::Secret;
pub use time::{Clock, Timestamp};
