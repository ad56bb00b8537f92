//! The product: the real binary and the real wiring, against the fake Atlassian on loopback.

mod backups;
mod bad_input;
mod believing;
mod budget;
mod changing;
mod clocks;
mod commanding;
mod comparing;
mod disk;
mod explaining;
mod faults;
mod files;
mod judged;
mod killed;
mod killed_often;
mod linking;
mod meaning;
mod mirror;
mod naming;
mod odd_answers;
mod passes;
mod process;
mod restricting;
mod setting;
mod trouble;
mod working;
