//! Given a document, gives its passages: cut along its headings, each with its place.

use domain::{
    document::{DocumentKind, Held},
    passage::Passage,
};
use unicode_segmentation::UnicodeSegmentation;

use crate::{Block, blocks};

/// Passages are filled up to about this many characters: a few paragraphs, one thought.
const PASSAGE_CHARS_TARGET: usize = 1_000;
/// No passage has more characters.
pub const PASSAGE_CHARS_MAX: usize = 2_000;
/// What is kept of a heading, in characters: it stands with each passage below it.
const HEADING_CHARS_MAX: usize = 200;
/// No document has more passages: eight megabytes of text fill about this many.
pub const PASSAGES_MAX: usize = 5_000;

/// The passages of a document, at least one: what has no text is found by its title.
pub fn passages(held: &Held) -> Vec<Passage> {
    let mut pieces = pieces(&all_blocks(held));
    if pieces.is_empty() {
        pieces.push((Vec::new(), String::new()));
    }
    pieces.truncate(PASSAGES_MAX);
    (0..)
        .zip(pieces)
        .map(|(ordinal, (headings, text))| passage(held, ordinal, headings, text))
        .collect()
}

/// The body's blocks, after what a comment quotes and what is known of a file.
fn all_blocks(held: &Held) -> Vec<Block> {
    let document = &held.document;
    let mut all = Vec::new();
    let quoted = document.comment.as_ref().and_then(|comment| comment.quoted.as_deref());
    if let Some(quoted) = quoted.filter(|quoted| !quoted.trim().is_empty()) {
        all.push(Block::Paragraph(format!("“{quoted}”")));
    }
    if let Some(media_type) = document.file.as_ref().and_then(|file| file.media_type.as_ref()) {
        all.push(Block::Paragraph(media_type.clone()));
    }
    all.extend(blocks(document));
    all
}

/// Heading path and text of each piece.
fn pieces(blocks: &[Block]) -> Vec<(Vec<String>, String)> {
    let mut pieces = Vec::new();
    let mut path: Vec<(u8, String)> = Vec::new();
    let mut text = String::new();
    let mut chars = 0;
    let headings = |path: &[(u8, String)]| path.iter().map(|(_, heading)| heading.clone()).collect::<Vec<_>>();
    for block in blocks {
        if pieces.len() >= PASSAGES_MAX {
            return pieces;
        }
        if let Block::Heading { level, text: heading } = block {
            finish(&mut pieces, headings(&path), &mut text, &mut chars);
            path.retain(|(above, _)| above < level);
            path.push((*level, heading.chars().take(HEADING_CHARS_MAX).collect()));
            continue;
        }
        for part in parts(block.text()) {
            let part_chars = part.chars().count();
            if chars > 0 && chars + part_chars > PASSAGE_CHARS_TARGET {
                finish(&mut pieces, headings(&path), &mut text, &mut chars);
            }
            if chars > 0 {
                text.push('\n');
            }
            text.push_str(part);
            chars += part_chars + 1;
        }
    }
    finish(&mut pieces, headings(&path), &mut text, &mut chars);
    // A heading without text of its own is still found: by the passages below it, or by this one.
    if pieces.is_empty() && !path.is_empty() {
        pieces.push((headings(&path), String::new()));
    }
    pieces
}

fn finish(pieces: &mut Vec<(Vec<String>, String)>, headings: Vec<String>, text: &mut String, chars: &mut usize) {
    if !text.is_empty() {
        pieces.push((headings, std::mem::take(text)));
    }
    *chars = 0;
}

/// A block in parts of at most [`PASSAGE_CHARS_MAX`]: by lines, sentences, words, and at last by characters.
fn parts(text: &str) -> Vec<&str> {
    if text.len() <= PASSAGE_CHARS_MAX {
        return vec![text];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    let mut chars = 0;
    // Where the part may end best: the last break seen, by kind.
    let mut last_break = None;
    for (at, word) in text.split_word_bound_indices() {
        let length = word.chars().count();
        if chars + length > PASSAGE_CHARS_MAX {
            let end = last_break.filter(|end| *end > start).unwrap_or(at);
            if end > start {
                parts.push(text[start..end].trim());
                chars = text[end..at].chars().count();
                start = end;
            }
            last_break = None;
        }
        chars += length;
        if word.contains('\n') || matches!(word, "." | "!" | "?" | "。" | ";") {
            last_break = Some(at + word.len());
        }
        // One word longer than a passage: a hash, a line of base64.
        while chars > PASSAGE_CHARS_MAX {
            let end = text[start..]
                .char_indices()
                .nth(PASSAGE_CHARS_MAX)
                .map_or(text.len(), |(offset, _)| start + offset);
            parts.push(&text[start..end]);
            start = end;
            chars -= PASSAGE_CHARS_MAX;
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn passage(held: &Held, ordinal: u32, headings: Vec<String>, text: String) -> Passage {
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
        headings,
        text,
        author: held.author.clone(),
        editor: held.editor.clone(),
        labels: document.labels.clone(),
        created_at: document.created_at,
        modified_at: document.modified_at,
        url: document.url.clone(),
    }
}
