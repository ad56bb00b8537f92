//! The Atlassian Cloud that the demo, the tests and the benchmarks talk to: OAuth 2.0 (3LO), the gateway with
//! Confluence's v2 and v1 reads, signed media, quotas and faults, over a world that can be changed while it is watched.

pub mod demo;
pub mod seed;
