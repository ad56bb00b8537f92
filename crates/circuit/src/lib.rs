//! The binary's parts: command line, configuration and wiring. A library so that tests and benchmarks run the real
//! wiring; decides nothing itself.

pub mod backup;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod doctor;
pub mod feed;
pub mod log;
pub mod remote;
pub mod restore;
pub mod serve;
pub mod socket;
pub mod stop;
pub mod sums;
pub mod verify;
pub mod why;
pub mod wiring;
