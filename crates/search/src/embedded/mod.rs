//! The engine on tantivy: one index of its own for each of Circuit's, the watermark in its commits.

mod columns;
mod complete;
mod engine;
mod expand;
mod facets;
mod fields;
mod findable;
mod gate;
mod group;
mod handle;
mod likeness;
mod linked;
mod meaning;
mod merging;
mod needles;
mod query;
mod rank;
mod row;
mod snippet;
mod speech;
mod union;

pub use engine::EmbeddedEngine;
