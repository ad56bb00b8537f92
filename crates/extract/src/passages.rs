//! Given a document, gives its passages: cut along its structure, each with its place.
//!
//! A heading begins a passage. A table, a list or a block of code is not cut while it fits; a longer one is cut between
//! its rows, items or lines, and what stands at its head is repeated. Only a paragraph that is cut in the middle repeats
//! its last sentence, for only there is a thought cut in two.

use std::{borrow::Cow, collections::BTreeSet};

use domain::{
    document::{DocumentKind, Held},
    link::Link,
    passage::Passage,
};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    Block, People, Span,
    address::encoded,
    blocks,
    links::links,
    text::{self, line, plain_text},
};

/// Passages are filled up to about this many characters: a few paragraphs, one thought.
const PASSAGE_CHARS_TARGET: usize = 1_000;
/// No passage has more characters.
pub const PASSAGE_CHARS_MAX: usize = 2_000;
/// What is kept of a heading, in characters: it stands with each passage below it.
const HEADING_CHARS_MAX: usize = 200;
/// No document has more passages: eight megabytes of text fill about this many.
pub const PASSAGES_MAX: usize = 5_000;
/// The longest head of a table, or title of code, that is repeated in each of its passages, in characters.
const HEAD_CHARS_MAX: usize = 400;
/// The longest end of a cut paragraph that its next passage repeats, in characters.
const OVERLAP_CHARS_MAX: usize = 200;
/// The longest heading whose anchor is put behind the address, in bytes: a part of one leads nowhere.
const ANCHOR_BYTES_MAX: usize = 500;

/// The passages of a document, at least one: what has no text is found by its title.
pub fn passages(held: &Held) -> Vec<Passage> {
    passages_naming(held, &People::new())
}

/// The passages of a document that mentions these people; author and editor are known anyway.
pub fn passages_naming(held: &Held, people: &People) -> Vec<Passage> {
    cut(held, people, &all_blocks(held))
}

/// The same, with what the document links to.
pub fn passages_and_links(held: &Held, people: &People) -> (Vec<Passage>, BTreeSet<Link>) {
    let blocks = all_blocks(held);
    (cut(held, people, &blocks), links(held, &blocks))
}

fn cut(held: &Held, people: &People, blocks: &[Block]) -> Vec<Passage> {
    let mut known = people.clone();
    for person in held.author.iter().chain(&held.editor) {
        known
            .entry(person.account.clone())
            .or_insert_with(|| person.name.clone());
    }
    let mut pieces = pieces(blocks, &known);
    if pieces.is_empty() {
        pieces.push(Piece::default());
    }
    pieces.truncate(PASSAGES_MAX);
    (0..)
        .zip(pieces)
        .map(|(ordinal, piece)| passage(held, ordinal, piece))
        .collect()
}

/// The body's blocks, after what a comment quotes and what is known of a file.
fn all_blocks(held: &Held) -> Vec<Block> {
    let document = &held.document;
    let mut all = Vec::new();
    let quoted = document.comment.as_ref().and_then(|comment| comment.quoted.as_deref());
    if let Some(quoted) = quoted.filter(|quoted| !quoted.trim().is_empty()) {
        all.push(Block::Paragraph(vec![Span::words(format!("“{quoted}”"))]));
    }
    if let Some(media_type) = document.file.as_ref().and_then(|file| file.media_type.as_ref()) {
        all.push(Block::Paragraph(vec![Span::words(media_type.clone())]));
    }
    all.extend(blocks(document));
    all
}

/// What a passage holds of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Piece {
    headings: Vec<String>,
    /// Of the nearest heading above it.
    anchor: String,
    text: String,
}

/// What is not cut without need.
enum Unit<'a> {
    Heading {
        level: u8,
        text: String,
        anchor: String,
    },
    /// Where in a file stands what follows.
    Place(String),
    /// Cut between sentences.
    Words(String),
    /// Cut between parts, each of which is whole where it fits.
    Parts {
        head: Cow<'a, str>,
        parts: Vec<Cow<'a, str>>,
    },
}

fn units<'a>(blocks: &'a [Block], people: &People, units: &mut Vec<Unit<'a>>) {
    for block in blocks {
        match block {
            Block::Heading { level, anchor, spans } => units.push(Unit::Heading {
                level: *level,
                text: line(spans, people),
                anchor: anchor.clone(),
            }),
            Block::List { numbered_from, items } => {
                let number =
                    |at: usize| numbered_from.map(|from| from.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)));
                let items = items.iter().enumerate();
                units.push(parts(items.map(|(at, item)| text::item(number(at), item, people))));
            }
            Block::Tasks(tasks) => units.push(parts(tasks.iter().map(|task| text::task(task, people)))),
            Block::Decisions(items) => units.push(parts(items.iter().map(|item| text::item(None, item, people)))),
            Block::Table(table) => {
                let (head, body) = match table.has_header() {
                    true => (text::row(&table.rows[0], people), &table.rows[1..]),
                    false => (String::new(), &table.rows[..]),
                };
                units.push(below(head, body.iter().map(|row| text::row(row, people))));
            }
            Block::Code { title, text, .. } => units.push(Unit::Parts {
                head: Cow::Borrowed(title.as_deref().unwrap_or_default()),
                parts: text.split('\n').map(Cow::Borrowed).collect(),
            }),
            Block::Panel { title, blocks, .. } | Block::Expand { title, blocks } => {
                units.push(Unit::Words(title.clone().unwrap_or_default()));
                self::units(blocks, people, units);
            }
            Block::Quote(blocks) => self::units(blocks, people, units),
            Block::Columns(columns) => columns.iter().for_each(|blocks| self::units(blocks, people, units)),
            Block::Paragraph(_) | Block::Math(_) | Block::Figure { .. } | Block::Include(_) => {
                units.push(Unit::Words(plain_text(std::slice::from_ref(block), people)));
            }
            Block::Place(place) => units.push(Unit::Place(place.clone())),
            Block::Listing(_) | Block::Rule => {}
        }
    }
}

/// Those of the parts that have words.
fn parts<'a>(parts: impl Iterator<Item = String>) -> Unit<'a> {
    below(String::new(), parts)
}

/// Those of the parts that have words, below what stands at the head of them.
fn below<'a>(head: String, parts: impl Iterator<Item = String>) -> Unit<'a> {
    Unit::Parts {
        head: Cow::Owned(head),
        parts: parts.filter(|part| !part.is_empty()).map(Cow::Owned).collect(),
    }
}

fn pieces(blocks: &[Block], people: &People) -> Vec<Piece> {
    let mut found = Vec::new();
    units(blocks, people, &mut found);
    let mut cutter = Cutter::default();
    for unit in found {
        if cutter.pieces.len() >= PASSAGES_MAX {
            return cutter.pieces;
        }
        match unit {
            Unit::Heading { level, text, anchor } => cutter.heading(level, &text, anchor),
            Unit::Place(place) => cutter.place(&place),
            Unit::Words(text) => cutter.words(&text),
            Unit::Parts { head, parts } => cutter.parts(&head, &parts),
        }
    }
    cutter.end_section();
    cutter.pieces
}

#[derive(Default)]
struct Cutter {
    pieces: Vec<Piece>,
    /// Level, text and anchor of the headings above.
    path: Vec<(u8, String, String)>,
    /// Where in a file that is: the end of the path, whatever heading it is under.
    place: Option<String>,
    /// A passage, or a heading further down, tells of the last heading.
    told: bool,
    text: String,
    chars: usize,
}

impl Cutter {
    fn heading(&mut self, level: u8, text: &str, anchor: String) {
        self.finish();
        let is_below = self.path.last().is_some_and(|(above, _, _)| *above < level);
        if !is_below {
            self.end_section();
        }
        self.path.retain(|(above, _, _)| *above < level);
        let text = text.chars().take(HEADING_CHARS_MAX).collect();
        self.path.push((level, text, anchor));
        self.told = false;
    }

    /// A passage is in one place.
    fn place(&mut self, place: &str) {
        self.finish();
        let place: String = place.chars().take(HEADING_CHARS_MAX).collect();
        self.place = Some(place).filter(|place| !place.is_empty());
    }

    /// A heading with nothing under it is still found, by a passage of its own.
    fn end_section(&mut self) {
        self.finish();
        if !self.told && !self.path.is_empty() {
            self.push(String::new());
        }
    }

    fn push(&mut self, text: String) {
        self.told = true;
        let headings = self.path.iter().map(|(_, text, _)| text.clone());
        self.pieces.push(Piece {
            headings: headings.chain(self.place.clone()).collect(),
            anchor: self
                .path
                .last()
                .map(|(_, _, anchor)| anchor.clone())
                .unwrap_or_default(),
            text,
        });
    }

    fn finish(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.push(text);
        }
        self.chars = 0;
    }

    fn words(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let chars = text.chars().count();
        if chars <= PASSAGE_CHARS_MAX {
            return self.whole(text, chars);
        }
        self.finish();
        for part in sentences(text, PASSAGE_CHARS_MAX - OVERLAP_CHARS_MAX, OVERLAP_CHARS_MAX) {
            self.finish();
            self.append(part, part.chars().count());
        }
    }

    /// What fits in a passage, in this one or the next.
    fn whole(&mut self, text: &str, chars: usize) {
        if self.chars > 0 && self.chars + chars > PASSAGE_CHARS_TARGET {
            self.finish();
        }
        self.append(text, chars);
    }

    fn append(&mut self, text: &str, chars: usize) {
        if self.chars > 0 {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.chars += chars + 1;
    }

    fn parts(&mut self, head: &str, parts: &[Cow<'_, str>]) {
        let head_chars = head.chars().count();
        let chars = head_chars + parts.iter().map(|part| part.chars().count() + 1).sum::<usize>();
        if chars <= PASSAGE_CHARS_MAX {
            let lines = Some(head).filter(|head| !head.is_empty()).into_iter();
            let lines: Vec<&str> = lines.chain(parts.iter().map(AsRef::as_ref)).collect();
            return match lines.is_empty() {
                true => {}
                false => self.whole(&lines.join("\n"), chars),
            };
        }
        self.finish();
        let repeated = if head_chars <= HEAD_CHARS_MAX { head } else { "" };
        if repeated.is_empty() {
            self.words(head);
        }
        for part in parts {
            self.part(repeated, part);
        }
        self.finish();
    }

    fn part(&mut self, head: &str, part: &str) {
        let chars = part.chars().count();
        if self.chars > 0 && self.chars + chars > PASSAGE_CHARS_TARGET {
            self.finish();
        }
        let room = PASSAGE_CHARS_MAX - HEAD_CHARS_MAX - 1;
        if chars <= room {
            self.begin(head);
            return self.append(part, chars);
        }
        for piece in sentences(part, room, 0) {
            self.finish();
            self.begin(head);
            self.append(piece, piece.chars().count());
        }
    }

    fn begin(&mut self, head: &str) {
        if self.chars == 0 && !head.is_empty() {
            self.append(head, head.chars().count());
        }
    }
}

/// A text in pieces of at most `chars_max` characters: by lines, sentences, words, and at last by characters. Each but
/// the first begins with the last sentence of the one before it, where that has at most `overlap` characters more.
fn sentences(text: &str, chars_max: usize, overlap: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut chars = 0;
    // Where the piece may end best: after the last sentence, and else after the last word.
    let mut last_end = None;
    let mut before_last_end = 0;
    // Where the piece begins that is written, which the one before it may have written too.
    let mut from = 0;
    for (at, word) in text.split_word_bound_indices() {
        let length = word.chars().count();
        if chars + length > chars_max {
            let end = last_end.filter(|end| *end > start).unwrap_or(at);
            if end > start {
                pieces.push(text[from..end].trim());
                let last_sentence = if Some(end) == last_end {
                    before_last_end.max(start)
                } else {
                    end
                };
                let repeats = last_sentence > start && text[last_sentence..end].chars().count() <= overlap;
                from = if repeats { last_sentence } else { end };
                chars = text[end..at].chars().count();
                start = end;
            }
            last_end = None;
        }
        chars += length;
        if word.contains('\n') || matches!(word, "." | "!" | "?" | "。" | "！" | "？" | ";") {
            before_last_end = last_end.unwrap_or(start);
            last_end = Some(at + word.len());
        }
        // One word longer than a passage: a hash, a line of base64.
        while chars > chars_max {
            let end = text[start..]
                .char_indices()
                .nth(chars_max)
                .map_or(text.len(), |(offset, _)| start + offset);
            pieces.push(&text[from..end]);
            start = end;
            from = end;
            chars -= chars_max;
        }
    }
    pieces.push(text[from..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn passage(held: &Held, ordinal: u32, piece: Piece) -> Passage {
    let document = &held.document;
    let title = match document.kind {
        DocumentKind::Comment if document.title.is_empty() => held.breadcrumb.last().cloned().unwrap_or_default(),
        DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Comment | DocumentKind::Attachment => {
            document.title.clone()
        }
    };
    Passage {
        feed: held.feed,
        document: document.id.clone(),
        ordinal,
        kind: document.kind,
        space: document.space.clone(),
        space_key: held.space_key.clone(),
        space_name: held.space_name.clone(),
        title,
        breadcrumb: held.breadcrumb.clone(),
        headings: piece.headings,
        text: piece.text,
        author: held.author.clone(),
        editor: held.editor.clone(),
        labels: document.labels.clone(),
        created_at: document.created_at,
        modified_at: document.modified_at,
        url: address(held, &piece.anchor),
    }
}

/// The document's address, at the heading that the passage stands under.
fn address(held: &Held, anchor: &str) -> String {
    let document = &held.document;
    let has_headings = match document.kind {
        DocumentKind::Page | DocumentKind::BlogPost => true,
        DocumentKind::Comment | DocumentKind::Attachment => false,
    };
    let leads_on = has_headings && !anchor.is_empty() && anchor.len() <= ANCHOR_BYTES_MAX;
    match leads_on && !document.url.is_empty() && !document.url.contains('#') {
        true => format!("{}#{}", document.url, encoded(anchor)),
        false => document.url.clone(),
    }
}
