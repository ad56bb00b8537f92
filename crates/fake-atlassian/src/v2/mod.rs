//! Confluence's v2 reads.

pub mod attachments;
pub mod comments;
pub mod labels;
pub mod pages;
pub mod spaces;
pub mod tree;
pub mod users;
pub mod wire;
