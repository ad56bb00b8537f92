//! What an address that a person pasted names: where somebody reads, not yet whether it is held.

use crate::{ContentId, document::DocumentKind};

/// The longest address that is read, in bytes: browsers and proxies allow about 8,000.
pub const ADDRESS_BYTES_MAX: usize = 8_192;

/// A place in the web of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The site's host in lower case, with its port where it is not the usual one; none when only an id was given.
    pub host: Option<String>,
    pub place: Place,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A document that is named by its id.
    Content(Named),
    /// A file, by the page or blog post that it hangs on and its name.
    File { on: ContentId, name: String },
    /// A page or blog post by its title alone, as old addresses name it.
    Titled { key: String, title: String },
    /// A space as a whole.
    Space { key: String },
    /// A kind of content that is not carried, in a word for people such as `whiteboard`.
    NotCarried { what: &'static str },
    /// Something else of the site, or of any other.
    Elsewhere,
}

/// A document as an address names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: ContentId,
    /// None where the address does not tell.
    pub kind: Option<DocumentKind>,
    /// Key of the space, where the address tells; it may be an old one.
    pub key: Option<String>,
    /// The page or blog post that a comment or a file hangs on.
    pub on: Option<ContentId>,
}
