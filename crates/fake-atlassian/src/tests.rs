//! The fake, asked as a client asks it.

mod acting;
mod events;
mod faults;
mod grants;
mod journeys;
mod mirroring;
mod recorded;
mod refusing;
mod simulating;
mod spec;
mod visibility;
mod world;
