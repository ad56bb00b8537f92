//! The promises of the port, kept by a model in this process and by an endpoint.

mod hub;
mod reference;
mod remote;
mod scripted;
mod tiny;
