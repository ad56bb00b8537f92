//! What of a passage is searched, filtered, counted and shown.

use domain::{document::DocumentKind, passage::Passage};
use tantivy::{
    TantivyDocument, Term,
    schema::{FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions},
};

use super::{facets, row};
use crate::analysis::{EXACT, STEMMED};

/// Written beside each index. Another number means that it was written by another version: it begins anew.
pub const LAYOUT: &str = "1";

#[derive(Clone, Copy)]
pub struct Fields {
    /// The document: what replaces and removes it.
    pub document: Field,
    /// The same as a number: what groups its passages.
    pub document_hash: Field,
    pub title: Field,
    pub title_stem: Field,
    pub headings: Field,
    pub body: Field,
    pub body_stem: Field,
    /// Where it is and who wrote it: breadcrumb, space, people, labels.
    pub around: Field,
    pub space: Field,
    pub kind: Field,
    pub person: Field,
    pub label: Field,
    /// Feed and space: what can be hidden.
    pub place: Field,
    pub modified: Field,
    /// How facets are counted: value and name together.
    pub space_facet: Field,
    pub person_facet: Field,
    /// The passage as a hit shows it.
    pub shown: Field,
}

/// The names of fast fields, as columns are opened by name.
pub const DOCUMENT_HASH: &str = "document_hash";
pub const MODIFIED: &str = "modified";
pub const KIND: &str = "kind";
pub const SPACE_FACET: &str = "space_facet";
pub const PERSON_FACET: &str = "person_facet";

pub fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let text = |tokenizer: &str, record: IndexRecordOption| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(record);
        TextOptions::default().set_indexing_options(indexing)
    };
    let exact = || text(EXACT, IndexRecordOption::WithFreqsAndPositions);
    let stemmed = || text(STEMMED, IndexRecordOption::WithFreqs);
    let counted = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        document: schema.add_text_field("document", STRING),
        document_hash: schema.add_u64_field(DOCUMENT_HASH, FAST),
        title: schema.add_text_field("title", exact()),
        title_stem: schema.add_text_field("title_stem", stemmed()),
        headings: schema.add_text_field("headings", exact()),
        body: schema.add_text_field("body", exact()),
        body_stem: schema.add_text_field("body_stem", stemmed()),
        around: schema.add_text_field("around", exact()),
        space: schema.add_text_field("space", STRING),
        kind: schema.add_text_field(KIND, STRING | FAST),
        person: schema.add_text_field("person", STRING),
        label: schema.add_text_field("label", STRING),
        place: schema.add_text_field("place", STRING),
        modified: schema.add_i64_field(MODIFIED, INDEXED | FAST),
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

    pub fn tantivy(&self, passage: &Passage) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        let id = format!("{}|{}", passage.feed, passage.document);
        document.add_u64(self.document_hash, hash(&passage.document.to_string()));
        document.add_text(self.document, id);
        // A comment bears its page's title, and must not stand before the page for it.
        match passage.kind {
            DocumentKind::Comment => document.add_text(self.around, &passage.title),
            DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => {
                document.add_text(self.title, &passage.title);
                document.add_text(self.title_stem, &passage.title);
            }
        }
        let headings = passage.headings.join("\n");
        document.add_text(self.headings, &headings);
        document.add_text(self.body, &passage.text);
        document.add_text(self.body_stem, &passage.text);
        for words in passage
            .breadcrumb
            .iter()
            .chain([&passage.space_name, &passage.space_key])
            .chain(&passage.labels)
        {
            document.add_text(self.around, words);
        }
        let mut people: Vec<_> = passage.author.iter().chain(&passage.editor).collect();
        people.dedup_by_key(|person| &person.account);
        for person in people {
            document.add_text(self.around, &person.name);
            document.add_text(self.person, person.account.as_str());
            document.add_text(
                self.person_facet,
                facets::joined([person.account.as_str(), &person.name]),
            );
        }
        document.add_text(self.space, passage.space.as_str());
        document.add_text(self.kind, passage.kind.word());
        for label in &passage.labels {
            document.add_text(self.label, label.to_lowercase());
        }
        document.add_text(self.place, place(passage.feed, &passage.space));
        document.add_i64(self.modified, passage.modified_at.0);
        let space = [passage.space.as_str(), &passage.space_key, &passage.space_name];
        document.add_text(self.space_facet, facets::joined(space));
        document.add_bytes(self.shown, &row::written(passage));
        document
    }
}

pub fn place(feed: domain::FeedId, space: &domain::SpaceId) -> String {
    format!("{feed}|{space}")
}

/// FNV-1a of 64 bits: the same in every run and version, unlike the standard library's.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
