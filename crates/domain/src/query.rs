//! What a caller looks for.

use crate::{AccountId, SpaceId, Timestamp, document::DocumentKind, embedder::Meaning};

/// The longest text of a query, in bytes; a longer one is refused.
pub const TEXT_BYTES_MAX: usize = 2_048;
/// The most words of a query that are searched, and the most that are excluded; the rest is dropped.
pub const WORDS_MAX: usize = 64;
/// The most hits in one answer.
pub const LIMIT_MAX: usize = 100;
/// The most completions in one answer.
pub const COMPLETIONS_MAX: usize = 10;
/// How deep an answer may begin.
pub const OFFSET_MAX: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub text: String,
    /// What the text means, where a model is set; without it the search is by words alone.
    pub meaning: Option<Meaning>,
    pub filter: Filter,
    pub sort: Sort,
    pub offset: usize,
    pub limit: usize,
}

/// Within a list any may match; all lists must. An empty list does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub spaces: Vec<SpaceId>,
    pub kinds: Vec<DocumentKind>,
    /// Author or last editor.
    pub people: Vec<AccountId>,
    pub labels: Vec<String>,
    pub modified_from: Option<Timestamp>,
    /// Exclusive.
    pub modified_before: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Relevance,
    /// Newest first.
    Modified,
}
