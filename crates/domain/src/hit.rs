//! What a query returns.

use crate::{AccountId, DocumentId, SpaceId, passage::Passage};

/// A document that matched, with its best passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub passage: Passage,
    pub score: f32,
    /// The passage's text around the matched words.
    pub snippet: Vec<Fragment>,
    /// The title, with the matched words marked.
    pub title: Vec<Fragment>,
    /// Some of the document's other passages that match, best first.
    pub more: Vec<More>,
    /// How many of its other passages are among the best of all.
    pub more_passages: u64,
    /// Some of the documents that hold nearly the same text, and are not hits of their own.
    pub alike: Vec<Alike>,
    pub alike_documents: u64,
    pub explanation: Explanation,
}

impl Hit {
    /// A hit of which nothing is known but its passage and score.
    pub fn of(passage: Passage, score: f32) -> Self {
        Self {
            passage,
            score,
            snippet: Vec::new(),
            title: Vec::new(),
            more: Vec::new(),
            more_passages: 0,
            alike: Vec::new(),
            alike_documents: 0,
            explanation: Explanation::default(),
        }
    }
}

/// Another passage of a hit's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    pub headings: Vec<String>,
    pub snippet: Vec<Fragment>,
    pub url: String,
}

/// Another document with nearly the text of a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    pub document: DocumentId,
    pub title: String,
    pub space_name: String,
    pub url: String,
}

/// Why a hit stands where it stands: what its words score, times a factor for each signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explanation {
    /// BM25 of the words asked for.
    pub words: f32,
    /// How much of the question the title is.
    pub title: f32,
    /// How many of the words stand together as typed.
    pub together: f32,
    /// How many of the words are there.
    pub coverage: f32,
    /// How new it is.
    pub recency: f32,
    /// How near it is to the top of its space.
    pub place: f32,
    /// How many documents link to it.
    pub links: f32,
    /// How it was placed by words and meaning, where meaning was asked; the score is then theirs.
    pub fusion: Option<Fusion>,
}

/// How words and meaning place a hit: two parts of its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// The cosine between question and passage; none while the passage's meaning is not known.
    pub similarity: Option<f32>,
    /// What words and signals give it, measured at the best by words.
    pub words: f32,
    /// What its meaning gives it.
    pub meaning: f32,
    /// Its place among the passages that were looked at, by words, from 1; none when it holds none of them.
    pub rank_by_words: Option<u32>,
    /// The same by meaning.
    pub rank_by_meaning: Option<u32>,
}

impl Default for Explanation {
    fn default() -> Self {
        Self {
            words: 0.0,
            title: 1.0,
            together: 1.0,
            coverage: 1.0,
            recency: 1.0,
            place: 1.0,
            links: 1.0,
            fusion: None,
        }
    }
}

impl Explanation {
    /// The product, or the sum of words' part and meaning's.
    pub fn score(&self) -> f32 {
        match &self.fusion {
            Some(fusion) => fusion.words + fusion.meaning,
            None => {
                let of_words = self.words * self.title * self.together * self.coverage;
                of_words * self.recency * self.place * self.links
            }
        }
    }
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
    /// Documents that match in all; facets count the same ones.
    pub total: u64,
    /// There are more than were counted.
    pub uncounted: bool,
    pub facets: Facets,
    /// What was searched in place of words that are nowhere, or hardly.
    pub also: Vec<Also>,
}

/// Words that were searched beside one that may be mistyped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Also {
    pub asked: String,
    pub searched: Vec<String>,
}

/// A way to go on with what is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The whole query with it.
    pub text: String,
    /// What it is, for people: a space's name, a title.
    pub name: String,
    pub kind: CompletionKind,
}

/// What a completion names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// `title:`, `space:` and so on.
    Field,
    Space,
    Kind,
    Person,
    Label,
    Title,
}

/// How many of the matching documents each value has, most first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    pub spaces: Vec<SpaceCount>,
    /// By kind's word.
    pub kinds: Vec<(String, u64)>,
    pub people: Vec<PersonCount>,
    /// In small letters.
    pub labels: Vec<(String, u64)>,
    /// By the day of the last modification, newest first; at most [`DAYS_MAX`] of them.
    pub days: Vec<DayCount>,
}

/// The most days that are counted each by itself: a leap year and the day that it began on.
pub const DAYS_MAX: usize = 367;

/// Documents last modified on a day of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// Whole days since 1970 began.
    pub day: i64,
    pub documents: u64,
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
