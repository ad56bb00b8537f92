//! The API as its clients meet it.

mod description;
mod explain;
mod key_limits;
mod keys;
mod operation;
mod problems;
pub(crate) mod walk;
pub(crate) mod world;
