//! The search engine: passages in, documents out. Derived data throughout; the store can rebuild all of it.

mod analysis;
#[cfg(test)]
mod contract;
mod embedded;
mod syntax;

pub use embedded::EmbeddedEngine;
