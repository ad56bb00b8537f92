//! The product: the real binary and the real wiring, against the fake Atlassian on loopback.

mod bad_input;
mod budget;
mod changing;
mod comparing;
mod killed;
mod mirror;
mod process;
mod setting;
mod trouble;
mod working;
