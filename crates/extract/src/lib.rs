//! Given a document as Circuit holds it, gives its text: as a tree of blocks, as plain text, as Markdown, in passages.
//! Never fails: broken markup is text.

mod address;
mod adf;
mod anchors;
mod block;
mod emoji;
mod entities;
mod file;
mod flow;
mod links;
mod macros;
mod markdown;
mod markup;
mod passages;
mod storage_format;
mod surroundings;
mod text;

pub use block::{
    Block, Cell, Image, Inline, Manner, OutlineEntry, PanelKind, People, Span, Style, Table, Target, Task, mentioned,
    spans,
};
pub use markdown::{MARKDOWN_BYTES_MAX, markdown};
pub use passages::{PASSAGE_CHARS_MAX, PASSAGES_MAX, passages, passages_and_links, passages_naming};
pub use surroundings::Surroundings;
pub use text::{outline, plain_text};

use domain::{
    document::{Body, Document},
    file_text::FileText,
};

/// The blocks of a document's body, in reading order.
pub fn blocks(document: &Document) -> Vec<Block> {
    match &document.body {
        Body::File(json) => file_blocks(json, &document.title),
        Body::Storage(_) | Body::Adf(_) | Body::None => read(&document.body),
    }
}

/// The blocks of a body, in reading order.
pub fn read(body: &Body) -> Vec<Block> {
    match body {
        Body::Storage(markup) => storage_format::blocks(markup),
        Body::Adf(json) => adf::blocks(json),
        Body::File(json) => file_blocks(json, ""),
        Body::None => Vec::new(),
    }
}

/// A body that is damaged has no text, and the file is found by its name.
fn file_blocks(json: &str, name: &str) -> Vec<Block> {
    FileText::of_body(json).map_or_else(Vec::new, |text| file::blocks(&text, name))
}

/// The day of an instant such as `2026-03-01T08:00:00Z`; what is none stays as it is.
fn day(instant: &str) -> String {
    let instant = instant.trim();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match instant.get(..10).filter(|day| digits(day)) {
        Some(day) => day.to_owned(),
        None => instant.to_owned(),
    }
}
