//! Given the text of a file in pieces with their places, gives its blocks: items nested, rows under their header as tables,
//! and each place once, before what stands there.

use domain::file_text::{Content, FileText, Piece, Place};

use crate::{
    block::{Block, Cell, Manner, Span, Table},
    flow::Flow,
};

/// How deep items are set into each other; what is deeper stands beside the deepest.
const DEPTH_MAX: u8 = 8;

/// The blocks of a file of this name. A title of its own stands first, since people search for it.
pub fn blocks(text: &FileText, name: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let title = text.title.as_deref().unwrap_or_default();
    if !says_the_same(title, name) {
        blocks.extend(paragraph(title));
    }
    let mut place = None;
    let mut pieces = text.pieces.as_slice();
    while let Some(first) = pieces.first() {
        if first.place != place {
            place = first.place.clone();
            blocks.push(Block::Place(place.as_ref().map(Place::to_string).unwrap_or_default()));
        }
        let together = pieces.iter().take_while(|piece| continues(first, piece)).count().max(1);
        let (group, rest) = pieces.split_at(together);
        pieces = rest;
        blocks.extend(block(group));
    }
    blocks
}

/// Whether the name, with or without its ending, says the title already.
fn says_the_same(title: &str, name: &str) -> bool {
    let (title, name) = (title.trim().to_lowercase(), name.trim().to_lowercase());
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    title.is_empty() || title == name || title == stem
}

/// Whether a piece belongs to the list or table that `first` begins.
fn continues(first: &Piece, piece: &Piece) -> bool {
    let same_place = first.place == piece.place;
    let same_kind = match (&first.content, &piece.content) {
        (Content::Item { .. }, Content::Item { .. }) => true,
        // A header begins a table.
        (Content::Row { .. }, Content::Row { header, .. }) => std::ptr::eq(first, piece) || !header,
        _ => false,
    };
    same_place && same_kind
}

fn block(group: &[Piece]) -> Option<Block> {
    match &group.first()?.content {
        Content::Heading { level, text } => Some(Block::Heading {
            level: (*level).clamp(1, 6),
            anchor: String::new(),
            spans: spans(text),
        }),
        Content::Paragraph(text) => paragraph(text),
        Content::Code { language, text } => Some(Block::Code {
            language: language.clone(),
            title: None,
            text: text.clone(),
        }),
        Content::Item { depth, .. } => {
            let items: Vec<(u8, &str)> = group.iter().filter_map(item).collect();
            Some(list(&items, (*depth).min(DEPTH_MAX)))
        }
        Content::Row { .. } => Some(Block::Table(Table {
            rows: group.iter().filter_map(row).collect(),
        })),
    }
}

fn item(piece: &Piece) -> Option<(u8, &str)> {
    match &piece.content {
        Content::Item { depth, text } => Some(((*depth).min(DEPTH_MAX), text.as_str())),
        Content::Heading { .. } | Content::Paragraph(_) | Content::Row { .. } | Content::Code { .. } => None,
    }
}

/// Items of this depth, each with the deeper ones behind it. One that is less deep than the first stands beside it.
fn list(items: &[(u8, &str)], depth: u8) -> Block {
    let mut listed: Vec<Vec<Block>> = Vec::new();
    let mut rest = items;
    while let Some(((_, text), behind)) = rest.split_first() {
        let deeper = behind.iter().take_while(|(below, _)| *below > depth).count();
        let (below, after) = behind.split_at(deeper);
        let mut blocks: Vec<Block> = paragraph(text).into_iter().collect();
        if let Some((first, _)) = below.first() {
            blocks.push(list(below, *first));
        }
        listed.push(blocks);
        rest = after;
    }
    Block::List {
        numbered_from: None,
        items: listed,
    }
}

fn row(piece: &Piece) -> Option<Vec<Cell>> {
    let Content::Row { header, cells } = &piece.content else {
        return None;
    };
    let cell = |text: &String| Cell {
        header: *header,
        columns: 1,
        rows: 1,
        blocks: paragraph(text).into_iter().collect(),
    };
    Some(cells.iter().map(cell).collect())
}

fn paragraph(text: &str) -> Option<Block> {
    Some(spans(text))
        .filter(|spans| !spans.is_empty())
        .map(Block::Paragraph)
}

/// Words with single blanks, and the lines of the file as lines.
fn spans(text: &str) -> Vec<Span> {
    let mut flow = Flow::default();
    for line in text.lines() {
        flow.words(line, &Manner::default());
        flow.line_break();
    }
    flow.take_spans()
}
