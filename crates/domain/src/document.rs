//! One page, blog post, comment or attachment at a version.

use crate::{AccountId, ContentId, DocumentId, Error, FeedId, Result, RunId, SpaceId, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    Page,
    BlogPost,
    Comment,
    Attachment,
}

impl DocumentKind {
    pub const ALL: [Self; 4] = [Self::Page, Self::BlogPost, Self::Comment, Self::Attachment];

    /// Whether the rest is worth having without it: a grant may not reach it.
    pub fn is_optional(self) -> bool {
        match self {
            Self::Comment | Self::Attachment => true,
            Self::Page | Self::BlogPost => false,
        }
    }

    /// The word in URLs, JSON, the store and the search index.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::BlogPost => "blogpost",
            Self::Comment => "comment",
            Self::Attachment => "attachment",
        }
    }

    pub fn from_word(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            Error::invalid(format!(
                "no kind of document is called {:?}; there are page, blogpost, comment and attachment",
                word.chars().take(40).collect::<String>()
            ))
        })
    }
}

/// The markup a body is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Confluence storage format: XHTML with `ac:` and `ri:`.
    Storage(String),
    /// Atlassian Document Format, JSON text.
    Adf(String),
    /// What was read of an attachment: the JSON of a [`crate::file_text::FileText`].
    File(String),
    /// No body: an attachment that was not read, or a page that Atlassian answered without one.
    None,
}

impl Body {
    /// As it is kept.
    pub fn text(&self) -> &str {
        match self {
            Self::Storage(text) | Self::Adf(text) | Self::File(text) => text,
            Self::None => "",
        }
    }
}

/// What only a comment has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentPlace {
    /// Beside marked text (inline) or below the page (footer).
    pub inline: bool,
    /// The comment this one replies to.
    pub reply_to: Option<ContentId>,
    /// Atlassian's word for an inline comment: `open`, `resolved`, `dangling`, `reopened`. An open set.
    pub resolution: Option<String>,
    /// The text of the page that an inline comment is about.
    pub quoted: Option<String>,
}

/// What only an attachment has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// As Atlassian says, which may be wrong or missing.
    pub media_type: Option<String>,
    pub size_bytes: Option<u64>,
    /// The id that ADF bodies use for it.
    pub file_id: Option<String>,
}

/// A document as the site showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    /// A page's parent page; the page or blog post that a comment or attachment belongs to.
    pub parent: Option<ContentId>,
    /// An attachment's is its file name; a comment's is its page's.
    pub title: String,
    pub version: u32,
    pub created_at: Timestamp,
    /// When this version was made.
    pub modified_at: Timestamp,
    pub author: Option<AccountId>,
    /// Who made this version.
    pub editor: Option<AccountId>,
    pub labels: Vec<String>,
    /// Where a person opens it: `https://site/wiki/…`.
    pub url: String,
    pub body: Body,
    pub comment: Option<CommentPlace>,
    pub file: Option<FileFacts>,
}

/// A page or blog post as a listing without bodies shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub id: ContentId,
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub parent: Option<ContentId>,
    pub title: String,
    pub version: u32,
    /// When this version was made.
    pub modified_at: Timestamp,
    /// None when the grant cannot tell.
    pub labels: Option<Vec<String>>,
    pub url: String,
}

/// What is held of a document, as far as a plan needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub parent: Option<ContentId>,
    pub title: String,
    pub version: u32,
    pub modified_at: Timestamp,
    pub labels: Vec<String>,
    pub url: String,
    pub removed: Option<Removal>,
}

/// A person of Confluence, as far as Circuit needs to know them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    pub account: AccountId,
    pub name: String,
}

/// A document as Circuit holds it, with what a reader wants to see resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub feed: FeedId,
    pub document: Document,
    pub space_key: String,
    pub space_name: String,
    /// Titles from the top of the space down to the parent.
    pub breadcrumb: Vec<String>,
    pub author: Option<Person>,
    pub editor: Option<Person>,
    /// The index's change number at which it was last touched.
    pub sequence: i64,
    pub first_seen_at: Timestamp,
    /// The run that last saw it on the site.
    pub seen_run: Option<RunId>,
    /// Why the present version of an attached file has no text; none when it has, or was not read yet.
    pub unread: Option<String>,
    /// Set when it must no longer be found.
    pub removed: Option<Removal>,
    /// Since when.
    pub removed_at: Option<Timestamp>,
}

/// Why a document is no longer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A complete walk, or an answer that proves it, showed that it is gone for the connected person.
    GoneFromSite,
    /// A walk did not show it, with so much else that a second one must agree. Its text is kept.
    Suspended,
    /// A person of this Circuit deleted it from the index; syncing does not bring it back.
    DeletedHere,
}

impl Removal {
    pub fn word(self) -> &'static str {
        match self {
            Self::GoneFromSite => "gone",
            Self::Suspended => "suspended",
            Self::DeletedHere => "deleted",
        }
    }
}

/// The longest title that is kept, in characters. Confluence allows 255; comments and files may bring more.
pub const TITLE_CHARS_MAX: usize = 500;
/// The largest body that is kept, in bytes. A larger one is not read (the document stays, findable by title).
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// The most people whom one document mentions, as far as their names are asked for and followed.
pub const MENTIONS_MAX: usize = 200;
