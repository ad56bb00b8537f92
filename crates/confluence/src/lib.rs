//! Confluence Cloud as a source of documents: OAuth 2.0 (3LO), the gateway's v2 and v1 reads, their limits and errors.
//!
//! Given a token that works, gives what a site shows. Knows no store, no engine and no schedule.

pub mod source;

mod changes;
mod comments_attachments;
mod files;
mod labels;
mod listing;
mod live;
mod pages;
mod spaces;
mod users;

mod client;
mod limits;
mod pace;
mod wire;

pub mod address;
mod by_id;
pub mod capabilities;
pub mod http;
pub mod oauth;

mod endpoints;
pub use endpoints::Endpoints;

#[cfg(test)]
mod tests;
