//! A piece of a document that belongs together.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Levels 1 to 6.
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(String),
    /// Items of lists and tasks, with the sign that stands before them.
    Item(String),
    /// A row of a table, its cells divided by ` | `.
    Row(String),
    /// Kept verbatim, lines and all.
    Code(String),
}

impl Block {
    pub fn text(&self) -> &str {
        match self {
            Self::Heading { text, .. }
            | Self::Paragraph(text)
            | Self::Item(text)
            | Self::Row(text)
            | Self::Code(text) => text,
        }
    }
}

/// The blocks as plain text, a blank line between those that are not rows or items of one list.
pub fn plain_text(blocks: &[Block]) -> String {
    let mut text = String::new();
    let mut last: Option<&Block> = None;
    for block in blocks {
        match (last, block) {
            (None, _) => {}
            (Some(Block::Item(_)), Block::Item(_)) | (Some(Block::Row(_)), Block::Row(_)) => text.push('\n'),
            _ => text.push_str("\n\n"),
        }
        text.push_str(block.text());
        last = Some(block);
    }
    text
}
