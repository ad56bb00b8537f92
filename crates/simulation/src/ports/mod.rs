//! The ports, each with the gate before it and the judge behind it.

mod engine;
mod http;
mod memory;
mod source;
mod store;

pub use engine::GatedEngine;
pub use http::{Direct, GatedHttp};
pub use memory::MemoryEngine;
pub use source::JudgedSource;
pub use store::GatedStore;
