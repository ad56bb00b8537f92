//! The piece of a document that is indexed and shown.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{
    AccountId, DocumentId, FeedId, SpaceId, Timestamp,
    document::{DocumentKind, Person},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Passage {
    pub feed: FeedId,
    pub document: DocumentId,
    /// Its place in the document, from 0.
    pub ordinal: u32,
    pub kind: DocumentKind,
    pub space: SpaceId,
    pub space_key: String,
    pub space_name: String,
    pub title: String,
    /// Titles from the top of the space down to the document's parent.
    pub breadcrumb: Vec<String>,
    /// Headings from the top of the document down to this passage.
    pub headings: Vec<String>,
    pub text: String,
    pub author: Option<Person>,
    pub editor: Option<Person>,
    pub labels: Vec<String>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub url: String,
}

impl Passage {
    /// Everybody who wrote it.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.author.iter().chain(&self.editor).map(|person| &person.account)
    }

    /// Another whenever anything of the passage is. To be compared within one process only.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}
