//! The API as its clients meet it.

mod description;
mod explain;
mod keys;
mod operation;
mod problems;
mod reading;
mod walk;
mod world;
