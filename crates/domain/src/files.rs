//! The ports to the bytes of attachments and to what stands in them.

use async_trait::async_trait;

use crate::{
    ContentId, Result,
    file_text::{FileText, Unread},
    source::Reach,
    sync_run::Spent,
};

/// One version of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The page, blog post or comment that it is attached to.
    pub holder: ContentId,
    pub attachment: ContentId,
    pub version: u32,
    /// What is larger is not read.
    pub bytes_max: u64,
}

/// The bytes, and what they cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    pub bytes: Vec<u8>,
    /// Calls and points of what is answered here; calls that failed on the way are on the reach's meter.
    pub spent: Spent,
}

/// Where the bytes of attachments come from.
#[async_trait]
pub trait FileSource: Send + Sync {
    /// The bytes of this version. `NotFound` when it is not there for the connected person, `Invalid` (with a sentence for
    /// people) when it is too large or leads where Circuit does not follow, `MissingScope` when the grant may not read
    /// files, `Unavailable` when trying again later may help.
    async fn download(&self, reach: &Reach, wanted: &Wanted) -> Result<Downloaded>;
}

/// Reads bytes of anybody's making.
#[async_trait]
pub trait FileReader: Send + Sync {
    /// The text in these bytes, or why there is none. What the file is, the bytes say; name and media type, as somebody
    /// else gave them, tell kinds of text apart. The outer error is ours, and the file is not to blame.
    async fn read(
        &self,
        bytes: &[u8],
        name: &str,
        media_type: Option<&str>,
    ) -> Result<std::result::Result<FileText, Unread>>;
}
