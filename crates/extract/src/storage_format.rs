//! Given a page in Confluence storage format, gives its blocks of text. Never fails: broken markup is text.
//!
//! One pass with an explicit stack, so that depth costs memory and no more. Rules by element, from the format's own
//! names: `ac:` for Confluence's constructs, `ri:` for what they refer to.

use std::collections::HashMap;

use crate::{
    block::Block,
    entities::{decoded, push_decoded},
    markup::{Token, attribute, tokens},
};

/// Blocks kept of one document: a page with more is cut, which no reader will miss.
const BLOCKS_MAX: usize = 100_000;

/// How far above a task's body or status its task is looked for.
const TASK_DEPTH_MAX: usize = 8;

pub fn blocks(markup: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for token in tokens(markup) {
        if reader.blocks.len() >= BLOCKS_MAX {
            break;
        }
        reader.read(token);
    }
    reader.flush();
    reader.blocks
}

/// An element that is open, as far as it matters for what is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Open {
    /// Nothing inside is for people.
    Hidden,
    Macro(String),
    /// A macro's parameter, by name; its text is collected and judged at the end.
    Parameter(String, String),
    /// A link and the text it falls back to when it has no body of its own.
    Link {
        fallback: String,
        start: usize,
    },
    Image {
        alt: String,
        start: usize,
    },
    Heading(u8),
    Item,
    Task {
        done: bool,
    },
    TaskStatus(String),
    Preformatted,
    Time,
    Cell,
    Row,
    Other,
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
    open: Vec<(String, Open)>,
    /// How many elements of each name are open: a stray closing tag is known without a look at the stack.
    open_names: HashMap<String, usize>,
    /// How many open elements hide what is in them.
    hidden: usize,
    /// How many table cells are open.
    cells: usize,
    /// Cells of the rows that are open, the innermost last.
    rows: Vec<Vec<String>>,
    item_sign: Option<&'static str>,
}

impl Reader {
    fn read(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.words(text, false),
            Token::CData(text) => self.verbatim(text),
            Token::Open {
                name,
                attributes,
                empty,
            } => {
                self.begin(name, attributes);
                if empty || is_void(name) {
                    self.end(name);
                }
            }
            Token::Close { name } => self.end(name),
        }
    }

    fn words(&mut self, text: &str, raw: bool) {
        if let Some((_, Open::Parameter(_, value) | Open::TaskStatus(value))) = self.open.last_mut() {
            if raw {
                value.push_str(text)
            } else {
                push_decoded(value, text)
            }
            return;
        }
        if self.hidden > 0 || matches!(self.open.last(), Some((_, Open::Time))) {
            return;
        }
        if raw {
            self.text.push_str(text)
        } else {
            push_decoded(&mut self.text, text)
        }
    }

    fn verbatim(&mut self, text: &str) {
        let in_plain_body = self.open.last().is_some_and(|(name, _)| name == "ac:plain-text-body");
        if self.hidden > 0 || !in_plain_body {
            return self.words(text, true);
        }
        self.flush();
        let code = text.trim_matches(['\n', '\r']).trim_end();
        if !code.is_empty() {
            self.emit(Block::Code(code.to_owned()));
        }
    }

    fn begin(&mut self, name: &str, attributes: &str) {
        let value = |key: &str| attribute(attributes, key).map(decoded);
        let open = match name {
            "script"
            | "style"
            | "ac:placeholder"
            | "ac:task-id"
            | "ac:task-uuid"
            | "ac:adf-attribute"
            | "ac:adf-fallback"
            | "ac:inline-comment-marker-ref" => Open::Hidden,
            "ac:structured-macro" | "ac:macro" => Open::Macro(value("ac:name").unwrap_or_default()),
            "ac:parameter" => Open::Parameter(value("ac:name").unwrap_or_default(), String::new()),
            "ac:link" => {
                let anchor = value("ac:anchor").unwrap_or_default();
                Open::Link {
                    fallback: anchor,
                    start: self.text.len(),
                }
            }
            "ac:image" => Open::Image {
                alt: value("ac:alt").or_else(|| value("ac:title")).unwrap_or_default(),
                start: self.text.len(),
            },
            "ri:page" | "ri:blog-post" => self.refer(value("ri:content-title")),
            "ri:attachment" => self.refer(value("ri:filename")),
            "ri:space" => self.refer(value("ri:space-key")),
            "ri:url" => self.refer(None),
            "ac:emoticon" => {
                let fallback = value("ac:emoji-fallback").filter(|sign| !sign.starts_with(':'));
                if let Some(sign) = fallback {
                    self.words(&sign, true);
                }
                Open::Other
            }
            "time" => {
                if let Some(date) = value("datetime") {
                    self.words(&date, true);
                }
                Open::Time
            }
            "br" => {
                self.line_break();
                Open::Other
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                Open::Heading(name.as_bytes()[1] - b'0')
            }
            "li" => {
                self.flush();
                self.item_sign = Some("- ");
                Open::Item
            }
            "ac:task" => {
                self.flush();
                Open::Task { done: false }
            }
            "ac:task-status" => Open::TaskStatus(String::new()),
            "ac:task-body" => {
                let done = self
                    .open
                    .iter()
                    .rev()
                    .take(TASK_DEPTH_MAX)
                    .find_map(|(_, open)| match open {
                        Open::Task { done } => Some(*done),
                        _ => None,
                    });
                self.item_sign = Some(if done == Some(true) { "[x] " } else { "[ ] " });
                Open::Item
            }
            "pre" => {
                self.flush();
                Open::Preformatted
            }
            "tr" => {
                self.flush();
                self.rows.push(Vec::new());
                Open::Row
            }
            "td" | "th" => {
                self.flush();
                Open::Cell
            }
            _ => {
                if is_block(name) {
                    self.flush();
                }
                Open::Other
            }
        };
        // Without a macro around it a parameter's text is hidden by where it is collected; the rest is counted.
        if open == Open::Hidden {
            self.hidden += 1;
        }
        if open == Open::Cell {
            self.cells += 1;
        }
        *self.open_names.entry(name.to_owned()).or_default() += 1;
        self.open.push((name.to_owned(), open));
    }

    fn end(&mut self, name: &str) {
        // A closing tag without its opening one is nothing; one that skips others closes them too. The count keeps a
        // hundred thousand stray tags from searching a hundred thousand open elements each.
        if self.open_names.get(name).is_none_or(|open| *open == 0) {
            return;
        }
        while let Some((closing, open)) = self.open.pop() {
            if let Some(count) = self.open_names.get_mut(&closing) {
                *count -= 1;
            }
            self.close(&closing, open);
            if closing == name {
                return;
            }
        }
    }

    fn close(&mut self, name: &str, open: Open) {
        match open {
            Open::Hidden => self.hidden -= 1,
            Open::Parameter(key, value) => self.parameter(&key, &value),
            Open::TaskStatus(status) => {
                let done = status.trim() == "complete";
                if let Some(Open::Task { done: slot }) = self
                    .open
                    .iter_mut()
                    .rev()
                    .take(TASK_DEPTH_MAX)
                    .map(|(_, open)| open)
                    .find(|open| matches!(open, Open::Task { .. }))
                {
                    *slot = done;
                }
            }
            Open::Link { fallback, start } => {
                if self.hidden == 0 && self.text.get(start..).is_none_or(|body| body.trim().is_empty()) {
                    self.text.push_str(&fallback);
                }
            }
            Open::Image { alt, start } => {
                if self.hidden == 0 && self.text.get(start..).is_none_or(|caption| caption.trim().is_empty()) {
                    self.text.push_str(&alt);
                }
            }
            Open::Heading(level) => {
                let text = squeezed(&std::mem::take(&mut self.text));
                if !text.is_empty() {
                    self.emit(Block::Heading { level, text });
                }
            }
            Open::Preformatted => {
                let text = std::mem::take(&mut self.text);
                let text = text.trim_matches(['\n', '\r']).trim_end();
                if !text.is_empty() {
                    self.emit(Block::Code(text.to_owned()));
                }
            }
            Open::Row => {
                self.flush();
                let cells = self.rows.pop().unwrap_or_default();
                let row = cells.join(" | ");
                if row.chars().any(|c| c != '|' && c != ' ') {
                    self.emit(Block::Row(row));
                }
            }
            Open::Cell => {
                self.cells -= 1;
                let text = squeezed(&std::mem::take(&mut self.text));
                match self.rows.last_mut() {
                    Some(cells) => cells.push(text),
                    None if text.is_empty() => {}
                    None => self.emit(Block::Paragraph(text)),
                }
            }
            Open::Item | Open::Task { .. } => {
                self.flush();
                self.item_sign = None;
            }
            Open::Macro(_) => {
                if !is_inline_macro(&open) {
                    self.flush();
                }
            }
            Open::Time => {}
            Open::Other => {
                if is_block(name) {
                    self.flush();
                }
            }
        }
    }

    /// Text that a link refers to, used if the link has no words of its own.
    fn refer(&mut self, words: Option<String>) -> Open {
        if let (Some((_, Open::Link { fallback, .. } | Open::Image { alt: fallback, .. })), Some(words)) =
            (self.open.last_mut(), words)
            && fallback.is_empty()
        {
            *fallback = words;
        }
        Open::Other
    }

    /// The few parameters that a reader sees.
    fn parameter(&mut self, key: &str, value: &str) {
        let Some((_, Open::Macro(name))) = self.open.last() else {
            return;
        };
        if self.hidden > 0 {
            return;
        }
        match (name.as_str(), key) {
            ("status", "title") => self.text.push_str(value.trim()),
            ("jira" | "jiraissues", "key") => self.text.push_str(value.trim()),
            ("code" | "panel" | "info" | "note" | "tip" | "warning" | "expand" | "ui-expand", "title") => {
                self.flush();
                self.text.push_str(value);
                self.flush();
            }
            _ => {}
        }
    }

    fn line_break(&mut self) {
        if self.hidden == 0 {
            self.text.push('\n');
        }
    }

    /// Ends the present piece of text.
    fn flush(&mut self) {
        if matches!(self.open.last(), Some((_, Open::Parameter(..) | Open::TaskStatus(_)))) {
            return;
        }
        // Inside a cell the pieces of text stay together, divided by a blank.
        if !self.rows.is_empty() && self.cells > 0 {
            if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
            return;
        }
        if matches!(self.open.last(), Some((_, Open::Preformatted))) {
            return;
        }
        let text = squeezed(&std::mem::take(&mut self.text));
        if text.is_empty() {
            return;
        }
        match self.item_sign.take() {
            Some(sign) => self.emit(Block::Item(format!("{sign}{text}"))),
            None => self.emit(Block::Paragraph(text)),
        }
    }

    fn emit(&mut self, block: Block) {
        // A block inside a cell is part of the row; only code keeps its lines.
        match (self.rows.last_mut(), block) {
            (Some(cells), block) if !matches!(block, Block::Row(_)) => cells.push(block.text().to_owned()),
            (_, block) => self.blocks.push(block),
        }
    }
}

/// White space runs become one blank; lines stay lines.
fn squeezed(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "col" | "input" | "meta" | "link")
}

fn is_inline_macro(open: &Open) -> bool {
    matches!(open, Open::Macro(name) if matches!(name.as_str(), "status" | "jira" | "anchor" | "mathinline" | "emoji"))
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "ul"
            | "ol"
            | "table"
            | "tbody"
            | "thead"
            | "tfoot"
            | "caption"
            | "blockquote"
            | "hr"
            | "dl"
            | "dt"
            | "dd"
            | "section"
            | "article"
            | "figure"
            | "figcaption"
            | "details"
            | "summary"
            | "ac:layout"
            | "ac:layout-section"
            | "ac:layout-cell"
            | "ac:rich-text-body"
            | "ac:plain-text-body"
            | "ac:task-list"
            | "ac:caption"
            | "ac:adf-extension"
            | "ac:adf-node"
            | "ac:adf-content"
    )
}
