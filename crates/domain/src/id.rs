//! Ids are types: a feed's id cannot be handed where an index's is wanted.

use std::{fmt, str::FromStr};

use crate::Error;

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident $word:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                text.parse().map(Self).map_err(|_| Error::invalid(format!(concat!("not the id of ", $word, ": {:?}"), shortened(text))))
            }
        }
    )*};
}

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub String);

        impl $name {
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

numbered! {
    /// A searchable corpus that somebody made and named.
    IndexId "an index",
    /// A person's OAuth grant.
    ConnectionId "a connection",
    /// Site + spaces → index.
    FeedId "a feed",
    /// One pass of a feed.
    RunId "a run",
    /// A unit of background work.
    JobId "a job",
    /// An account of this Circuit.
    UserId "a user",
    /// A key for REST and MCP.
    ApiKeyId "an API key",
}

named! {
    /// A site of Atlassian Cloud: its `cloudId`.
    SiteId,
    /// A space's id within its site (the v2 API's; not its key, which may be renamed).
    SpaceId,
    /// The id of a page, blog post, comment (digits) or attachment (`att` + digits) within its site.
    ContentId,
    /// An Atlassian account, the only stable id of a person.
    AccountId,
}

/// One document, wherever it moves and whatever it is called: its site and its content id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId {
    pub site: SiteId,
    pub content: ContentId,
}

impl DocumentId {
    pub fn new(site: &SiteId, content: impl Into<String>) -> Self {
        Self {
            site: site.clone(),
            content: ContentId::new(content),
        }
    }
}

/// `site:content`, the form in URLs and answers.
impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.site, self.content)
    }
}

impl FromStr for DocumentId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.rsplit_once(':') {
            Some((site, content)) if !site.is_empty() && !content.is_empty() => Ok(Self {
                site: SiteId::new(site),
                content: ContentId::new(content),
            }),
            _ => Err(Error::invalid(format!(
                "not the id of a document: {:?} (expected site:content)",
                shortened(text)
            ))),
        }
    }
}

/// At most the first 80 characters, so that hostile input does not fill an error.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
