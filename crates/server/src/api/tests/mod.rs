//! The API as its clients meet it.

mod description;
mod explain;
mod key_limits;
mod keys;
mod once;
mod operation;
mod problems;
mod reading;
mod searching;
pub(crate) mod walk;
pub(crate) mod world;
