//! The engine on tantivy: one index of its own for each of Circuit's, the watermark in its commits.

mod engine;
mod facets;
mod fields;
mod group;
mod handle;
mod query;
mod row;
mod snippet;

pub use engine::EmbeddedEngine;
