//! The fake, asked as a client asks it.

mod acting;
mod journeys;
mod mirroring;
mod recorded;
mod refusing;
mod simulating;
mod spec;
mod visibility;
mod world;
