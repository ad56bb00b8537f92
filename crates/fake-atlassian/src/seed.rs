//! What a world is made of before anybody looks at it. Pure data: whoever writes content knows nothing of the API.

/// A site with its people and spaces.
#[derive(Clone, Debug, Default)]
pub struct SeedSite {
    /// A UUID.
    pub cloud_id: String,
    /// Such as `acme`; its address is `https://acme.atlassian.net`.
    pub name: String,
    pub people: Vec<SeedPerson>,
    pub groups: Vec<SeedGroup>,
    pub spaces: Vec<SeedSpace>,
}

#[derive(Clone, Debug, Default)]
pub struct SeedPerson {
    /// Such as `712020:6f2c…`, `557058:…` or 24 hexadecimal digits. The same person has the same id on every site.
    pub account_id: String,
    pub name: String,
    pub email: String,
    /// A deactivated person's name ends in `(Deactivated)` and they cannot sign in.
    pub active: bool,
}

#[derive(Clone, Debug, Default)]
pub struct SeedGroup {
    pub name: String,
    /// Account ids.
    pub members: Vec<String>,
}

/// Who may read.
#[derive(Clone, Debug, Default)]
pub enum Readers {
    /// Everybody on the site.
    #[default]
    Everyone,
    Only {
        accounts: Vec<String>,
        groups: Vec<String>,
    },
}

#[derive(Clone, Debug, Default)]
pub struct SeedSpace {
    pub key: String,
    pub name: String,
    /// `global`, `personal`, `collaboration`, `knowledge_base`, …
    pub kind: String,
    pub description: Option<String>,
    pub readers: Readers,
    pub pages: Vec<SeedPage>,
    pub blog_posts: Vec<SeedPage>,
}

/// A page, or a blog post (which has no parent).
#[derive(Clone, Debug, Default)]
pub struct SeedPage {
    pub title: String,
    /// Its place in the space's `pages`, always before this one.
    pub parent: Option<usize>,
    /// `current`, `archived`, `trashed` or `draft`.
    pub status: String,
    /// Storage format.
    pub body: String,
    /// Account id.
    pub author: String,
    /// Account id of whoever made the present version.
    pub editor: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub modified_at: i64,
    pub version: u32,
    pub labels: Vec<String>,
    /// A read restriction of its own; those of its ancestors hold as well.
    pub restricted_to: Option<Readers>,
    /// A live doc: a page that is never published.
    pub live: bool,
    pub comments: Vec<SeedComment>,
    pub attachments: Vec<SeedAttachment>,
}

#[derive(Clone, Debug, Default)]
pub struct SeedComment {
    pub inline: bool,
    /// Storage format.
    pub body: String,
    pub author: String,
    pub created_at: i64,
    /// Of an inline comment: `open`, `resolved`, `dangling`, `reopened`.
    pub resolution: Option<String>,
    /// The text that an inline comment is about.
    pub quoted: Option<String>,
    pub replies: Vec<SeedComment>,
}

#[derive(Clone, Debug, Default)]
pub struct SeedAttachment {
    pub file_name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub author: String,
    pub created_at: i64,
    pub version: u32,
    pub comment: Option<String>,
}

impl SeedPage {
    /// Current, of version 1, with an empty body; of everything else nothing.
    pub fn written(title: &str, author: &str, at: i64) -> Self {
        Self {
            title: title.to_owned(),
            status: "current".to_owned(),
            author: author.to_owned(),
            editor: author.to_owned(),
            created_at: at,
            modified_at: at,
            version: 1,
            ..Self::default()
        }
    }
}

impl SeedComment {
    /// A footer comment without replies.
    pub fn written(body: &str, author: &str, at: i64) -> Self {
        Self {
            body: body.to_owned(),
            author: author.to_owned(),
            created_at: at,
            ..Self::default()
        }
    }
}

impl SeedAttachment {
    /// A text file of version 1.
    pub fn text(file_name: &str, text: &str, author: &str, at: i64) -> Self {
        Self {
            file_name: file_name.to_owned(),
            media_type: "text/plain".to_owned(),
            bytes: text.as_bytes().to_vec(),
            author: author.to_owned(),
            created_at: at,
            version: 1,
            comment: None,
        }
    }
}
