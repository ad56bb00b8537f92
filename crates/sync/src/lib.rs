//! The order of things: what a feed asks of its site, what goes to the store, what goes on to the search index.
//!
//! Knows no vendor, no database and no wall clock; everything comes through the ports of `domain`.

pub mod run;

pub mod alive;
pub mod parking;
pub mod plan;
pub mod schedule;

mod changes;
pub mod probe;
mod pull;
mod visible;
mod walk;

pub mod indexer;
