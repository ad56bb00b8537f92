//! What a careful person would copy out of a page by hand.

mod corpus;
mod effort;
mod files;
mod hostile;
mod linear;
mod links;
mod pages;
mod passages;
mod promises;
mod samples;
