//! What a query returns.

use crate::{AccountId, SpaceId, passage::Passage};

/// A document that matched, with its best passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub passage: Passage,
    pub score: f32,
    /// The passage's text around the matched words.
    pub snippet: Vec<Fragment>,
    /// The title, with the matched words marked.
    pub title: Vec<Fragment>,
}

/// A run of text, marked when it is a matched word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub text: String,
    pub marked: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// One per document, best first.
    pub hits: Vec<Hit>,
    /// Documents that match in all.
    pub total: u64,
    pub facets: Facets,
}

/// How many of the matching documents each value has, most first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    pub spaces: Vec<SpaceCount>,
    /// By kind's word.
    pub kinds: Vec<(String, u64)>,
    pub people: Vec<PersonCount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceCount {
    pub space: SpaceId,
    pub key: String,
    pub name: String,
    pub documents: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonCount {
    pub account: AccountId,
    pub name: String,
    pub documents: u64,
}
