//! Worlds in which everything happens that may happen, thousands of them, each from one seed: people write, admins take
//! away, networks and disks fail, processes die at any moment, clocks jump. Two processes of the real Circuit mirror the
//! fake Atlassian through it all, and a judge watches every operation.
//!
//! Given a seed, gives which rule was broken, if any; the same seed gives the same again.

pub mod board;
pub mod chance;
pub mod cores;
pub mod driver;
pub mod event;
pub mod judge;
pub mod planted;
pub mod ports;
pub mod script;
pub mod shape;
pub mod truth;
pub mod world;

mod process;
#[cfg(test)]
mod tests;
