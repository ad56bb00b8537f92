//! Given texts, gives their vectors: by a BERT encoder in this process, or by an endpoint that speaks as OpenAI's does.
//!
//! Files of a model and answers of an endpoint come from outside: each has its bound, and what is wrong with one is said
//! with the file's or the endpoint's name and what to do.

mod family;
pub mod http;
pub mod hub;
pub mod local;
pub mod remote;
mod unit;
