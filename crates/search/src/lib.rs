//! The search engine: passages in, documents out. Derived data throughout; the store can rebuild all of it.

mod analysis;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_of_meaning;
mod embedded;

pub use embedded::EmbeddedEngine;
