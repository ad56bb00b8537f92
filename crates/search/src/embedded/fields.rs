//! What of a passage is searched, filtered, counted and shown.

use std::collections::BTreeSet;

use domain::{DocumentId, SiteId, document::DocumentKind, link::Link, passage::Passage};
use tantivy::{
    TantivyDocument, Term,
    schema::{FAST, Field, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
};

use super::{facets, likeness::Likeness, meaning, row};
use crate::analysis::{STEMS, Speech, WORDS, folded, spoken};

/// Written beside each index. Another number means that it was written by another version: it begins anew.
pub const LAYOUT: &str = "4";

/// How often a word counts by where it stands, beside the text where it counts once. It is written so often: one field
/// with the words of all places needs no weighing of places against each other when asked.
const TITLE_TIMES: usize = 3;
const HEADINGS_TIMES: usize = 1;
/// A shorter text says too little to be taken for another's copy, in characters.
const ALIKE_CHARS_MIN: usize = 200;

#[derive(Clone, Copy)]
pub struct Fields {
    /// The document: what replaces and removes it.
    pub document: Field,
    /// The same as a number: what groups its passages.
    pub document_hash: Field,
    /// The words of all places, as written.
    pub words: Field,
    /// The same by their stems.
    pub stems: Field,
    pub title: Field,
    pub title_stems: Field,
    /// Names of author and editor.
    pub people: Field,
    pub space: Field,
    /// Its key, and its name, folded.
    pub space_words: Field,
    pub kind: Field,
    pub person: Field,
    pub label: Field,
    /// Feed and space: what can be hidden.
    pub place: Field,
    pub speech: Field,
    pub modified: Field,
    /// How many pages are above it.
    pub depth: Field,
    /// How many passages of its document stand before it in its segment: the first one has what is the whole document's.
    pub before: Field,
    /// What the document links to, as keys.
    pub links_to: Field,
    /// By what links name it that do not name its id; zero for what has no title of its own.
    pub title_key: Field,
    /// Equal for passages of equal text; zero for short ones.
    pub text_hash: Field,
    /// What the document's text is like, in pieces of 64 bits; none of a short text.
    pub likeness: Field,
    /// By what its vector is known.
    pub meaning_key: Field,
    /// How facets are counted: value and name together.
    pub space_facet: Field,
    pub person_facet: Field,
    /// The passage as a hit shows it.
    pub shown: Field,
}

/// What a passage is told of its document.
pub struct Whole<'a> {
    pub speech: Speech,
    pub likeness: Likeness,
    pub links: Option<&'a BTreeSet<Link>>,
}

/// The names of fast fields, as columns are opened by name.
pub const DOCUMENT_HASH: &str = "document_hash";
pub const MODIFIED: &str = "modified";
pub const DEPTH: &str = "depth";
/// The depth of comments and files: they have no place of their own.
pub const DEPTH_OF_BELONGING: u64 = 1 << 20;
pub const BEFORE: &str = "before";
pub const LINKS_TO: &str = "links_to";
pub const TITLE_KEY: &str = "title_key";
pub const TEXT_HASH: &str = "text_hash";
pub const LIKENESS: &str = "likeness";
pub const MEANING_KEY: &str = "meaning_key";
pub const KIND: &str = "kind";
pub const LABEL: &str = "label";
pub const SPACE_FACET: &str = "space_facet";
pub const PERSON_FACET: &str = "person_facet";

pub fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let text = |tokenizer: &str, record: IndexRecordOption, lengths: bool| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(record)
            .set_fieldnorms(lengths);
        TextOptions::default().set_indexing_options(indexing)
    };
    let written = || text(WORDS, IndexRecordOption::WithFreqsAndPositions, true);
    // What weighs nothing by itself needs no lengths.
    let unweighed = |tokenizer: &str, record: IndexRecordOption| text(tokenizer, record, false);
    let counted = || TextOptions::default().set_fast("raw");
    let named = || unweighed("raw", IndexRecordOption::Basic);
    let fields = Fields {
        document: schema.add_text_field("document", named()),
        document_hash: schema.add_u64_field(DOCUMENT_HASH, FAST),
        words: schema.add_text_field("words", written()),
        stems: schema.add_text_field("stems", text(STEMS, IndexRecordOption::WithFreqs, true)),
        title: schema.add_text_field("title", written()),
        title_stems: schema.add_text_field("title_stems", unweighed(STEMS, IndexRecordOption::Basic)),
        people: schema.add_text_field("people", unweighed(WORDS, IndexRecordOption::WithFreqsAndPositions)),
        space: schema.add_text_field("space", named()),
        space_words: schema.add_text_field("space_words", named()),
        kind: schema.add_text_field(KIND, named() | FAST),
        person: schema.add_text_field("person", named()),
        label: schema.add_text_field(LABEL, named() | FAST),
        place: schema.add_text_field("place", named()),
        speech: schema.add_text_field("speech", named()),
        modified: schema.add_i64_field(MODIFIED, INDEXED | FAST),
        depth: schema.add_u64_field(DEPTH, FAST),
        before: schema.add_u64_field(BEFORE, FAST),
        links_to: schema.add_u64_field(LINKS_TO, FAST),
        title_key: schema.add_u64_field(TITLE_KEY, FAST),
        text_hash: schema.add_u64_field(TEXT_HASH, FAST),
        likeness: schema.add_u64_field(LIKENESS, FAST),
        meaning_key: schema.add_u64_field(MEANING_KEY, FAST),
        space_facet: schema.add_text_field(SPACE_FACET, counted()),
        person_facet: schema.add_text_field(PERSON_FACET, counted()),
        shown: schema.add_bytes_field("shown", STORED),
    };
    (schema.build(), fields)
}

impl Fields {
    pub fn document_term(&self, feed: domain::FeedId, document: &domain::DocumentId) -> Term {
        Term::from_field_text(self.document, &format!("{feed}|{document}"))
    }

    /// A passage as it is indexed behind so many others of its document.
    pub fn tantivy(&self, passage: &Passage, before: usize, whole: &Whole<'_>) -> TantivyDocument {
        let speech = whole.speech;
        let mut document = TantivyDocument::new();
        let id = format!("{}|{}", passage.feed, passage.document);
        document.add_u64(self.document_hash, document_key(&passage.document));
        document.add_text(self.document, id);
        let mut add = |text: &str, times: usize| {
            if text.is_empty() {
                return;
            }
            let spoken = spoken(text, speech);
            for _ in 0..times {
                document.add_text(self.words, text);
                document.add_text(self.stems, &spoken);
            }
        };
        // A comment bears its page's title, and must not stand before the page for it.
        let own_title = match passage.kind {
            DocumentKind::Comment => false,
            DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => true,
        };
        add(&passage.title, if own_title { TITLE_TIMES } else { 1 });
        for heading in &passage.headings {
            add(heading, HEADINGS_TIMES);
        }
        add(&passage.text, 1);
        let around = passage.breadcrumb.iter();
        let around = around
            .chain([&passage.space_name, &passage.space_key])
            .chain(&passage.labels);
        around.for_each(|words| add(words, 1));
        let mut people: Vec<_> = passage.author.iter().chain(&passage.editor).collect();
        people.dedup_by_key(|person| &person.account);
        people.iter().for_each(|person| add(&person.name, 1));
        if own_title {
            document.add_text(self.title, &passage.title);
            document.add_text(self.title_stems, spoken(&passage.title, speech));
        }
        for person in people {
            document.add_text(self.people, &person.name);
            document.add_text(self.person, person.account.as_str());
            document.add_text(
                self.person_facet,
                facets::joined([person.account.as_str(), &person.name]),
            );
        }
        document.add_text(self.space, passage.space.as_str());
        document.add_text(self.space_words, folded(&passage.space_key));
        document.add_text(self.space_words, folded(&passage.space_name));
        document.add_text(self.kind, passage.kind.word());
        for label in &passage.labels {
            document.add_text(self.label, label.to_lowercase());
        }
        document.add_text(self.place, place(passage.feed, &passage.space));
        document.add_text(self.speech, speech.letter().to_string());
        document.add_i64(self.modified, passage.modified_at.0);
        let depth = match passage.kind {
            DocumentKind::Page | DocumentKind::BlogPost => passage.breadcrumb.len() as u64,
            DocumentKind::Comment | DocumentKind::Attachment => DEPTH_OF_BELONGING,
        };
        document.add_u64(self.depth, depth);
        document.add_u64(self.before, before as u64);
        if before == 0 {
            self.add_whole(&mut document, passage, whole);
        }
        document.add_u64(self.text_hash, text_hash(&passage.text));
        document.add_u64(self.meaning_key, meaning::key::key(&meaning::key::text(passage)));
        let space = [passage.space.as_str(), &passage.space_key, &passage.space_name];
        document.add_text(self.space_facet, facets::joined(space));
        document.add_bytes(self.shown, &row::written(passage));
        document
    }

    /// What is the whole document's, and stands with its first passage.
    fn add_whole(&self, document: &mut TantivyDocument, passage: &Passage, whole: &Whole<'_>) {
        for link in whole.links.into_iter().flatten() {
            document.add_u64(self.links_to, link_key(&passage.document.site, link));
        }
        if matches!(passage.kind, DocumentKind::Page | DocumentKind::BlogPost) {
            let key = title_key(&passage.document.site, &passage.space_key, &passage.title);
            document.add_u64(self.title_key, key);
        }
        for bits in whole.likeness.bits() {
            document.add_u64(self.likeness, *bits);
        }
    }
}

pub fn place(feed: domain::FeedId, space: &domain::SpaceId) -> String {
    format!("{feed}|{space}")
}

fn document_key(document: &DocumentId) -> u64 {
    hash(&document.to_string())
}

fn title_key(site: &SiteId, space_key: &str, title: &str) -> u64 {
    let (space_key, title) = (space_key.to_lowercase(), title.trim().to_lowercase());
    hash(&format!("{site}|{space_key}|{title}")).max(1)
}

/// The document's or the title's key of what a link of this site names.
fn link_key(site: &SiteId, link: &Link) -> u64 {
    match link {
        Link::Document(content) => document_key(&DocumentId {
            site: site.clone(),
            content: content.clone(),
        }),
        Link::Titled { space_key, title } => title_key(site, space_key, title),
    }
}

/// Of the text's letters and digits: blanks, punctuation and case make no other text of it.
fn text_hash(text: &str) -> u64 {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    match letters.chars().count() {
        short if short < ALIKE_CHARS_MIN => 0,
        _ => hash(&letters.to_lowercase()).max(1),
    }
}

/// FNV-1a of 64 bits: the same in every run and version, unlike the standard library's.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
