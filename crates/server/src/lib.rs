//! The doors: web pages, REST and MCP. Each reads a request into the app's words and the app's answer back into its own.
//!
//! Knows HTTP; knows no SQL, no Atlassian and no engine.

pub mod api;
mod cursor;
mod explained;
mod host;
mod listening;
mod mcp;
mod operation;
mod place;
mod router;
pub mod web;

pub use host::local_only;
pub use listening::listening;
pub use router::{Door, Options, router};
