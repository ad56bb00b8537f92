//! What Circuit remembers, on SQLite: what the site showed, how far each feed has read, who may sign in.
//!
//! Every trait of `domain::store` is implemented by [`SqlStore`]; the file of each has the noun's name.

mod around;
pub mod backup;
mod cipher;
mod connections;
mod dialect;
mod documents;
#[cfg(test)]
mod faults_tests;
mod feeds;
mod files;
mod given_answers;
mod indexes;
mod jobs;
mod lines;
mod people;
mod points;
mod record;
mod rows;
mod settings;
mod sync_runs;
#[cfg(test)]
mod tests;
mod unseen;
mod users;
mod verifying;

pub use cipher::{SealingKey, SealingKeys};
pub use dialect::SqlStore;
