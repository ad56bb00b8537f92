//! How a text names another document of its site.

use crate::ContentId;

/// The most documents that one is remembered to link to: a page of more links is a list of everything.
pub const LINKS_MAX: usize = 200;

/// A document that is linked to. Whether there is one is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    Document(ContentId),
    /// A page or blog post of a space.
    Titled {
        space_key: String,
        title: String,
    },
}
