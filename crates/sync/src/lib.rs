//! The order of things: what a feed asks of its site, what goes to the store, what goes on to the search index.
//!
//! Knows no vendor, no database and no wall clock; everything comes through the ports of `domain`.

pub mod run;

pub mod alive;
pub mod files;
pub mod parking;
pub mod plan;
pub mod schedule;

mod changes;
mod mentions;
mod people;
mod probe;
mod pull;
mod verify;
mod visible;
mod walk;
mod wanted;

pub mod indexer;
