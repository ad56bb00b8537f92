//! The binary's parts: command line, configuration and wiring. A library so that tests and benchmarks run the real
//! wiring; decides nothing itself.

pub mod backup;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod doctor;
pub mod document;
pub mod ending;
pub mod eval;
pub mod feed;
pub mod feeds;
pub mod indexes;
pub mod keys;
pub mod log;
pub mod login;
mod logins;
pub mod manual;
pub mod mcp;
pub mod reading;
pub mod remote;
pub mod restore;
pub mod searching;
pub mod semantic;
pub mod serve;
pub mod socket;
pub mod stop;
pub mod sums;
mod terminal;
pub mod verify;
pub mod watching;
pub mod why;
pub mod wiring;

/// Documents are read on one thread, written on another and indexed on a third. The system's allocator keeps what each of
/// them once needed for itself, which is several times what all of them need; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
