//! Given blocks, gives plain text: every word once and in order, as a careful person would copy it out by hand.

use std::fmt::Write;

use crate::block::{Block, Cell, Inline, OutlineEntry, People, Span, Table, Task};

/// How far a line is set in at most, in levels of lists.
const INDENT_LEVELS_MAX: usize = 8;

/// Who is mentioned and has no name that we know.
const SOMEBODY: &str = "someone";

/// The blocks as plain text, a blank line between those that are not rows or items.
pub fn plain_text(blocks: &[Block], people: &People) -> String {
    let mut text = Text::new(people);
    text.blocks(blocks, Gap::Blank);
    text.out
}

/// An item of a list, as `plain_text` writes it: of this number, or of a list without numbers.
pub fn item(number: Option<u32>, blocks: &[Block], people: &People) -> String {
    let mut text = Text::new(people);
    text.item(Sign::of(number), blocks);
    text.out
}

/// A task, as `plain_text` writes it.
pub fn task(task: &Task, people: &People) -> String {
    let mut text = Text::new(people);
    text.item(Sign::of_task(task), &task.blocks);
    text.out
}

/// A row of a table, as `plain_text` writes it.
pub fn row(row: &[Cell], people: &People) -> String {
    let mut text = Text::new(people);
    text.row(row);
    text.out
}

/// The headings of a document, in order.
pub fn outline(blocks: &[Block], people: &People) -> Vec<OutlineEntry> {
    let headings = crate::block::all(blocks).filter_map(|block| match block {
        Block::Heading { level, anchor, spans } => Some(OutlineEntry {
            level: *level,
            text: line(spans, people),
            anchor: anchor.clone(),
        }),
        _ => None,
    });
    headings.filter(|heading| !heading.text.is_empty()).collect()
}

/// The spans in one line.
pub fn line(spans: &[Span], people: &People) -> String {
    let mut line = String::new();
    for span in spans {
        match &span.inline {
            Inline::Break => line.push(' '),
            other => push_words(&mut line, other, people),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// What is read of something in a line.
pub fn push_words(into: &mut String, inline: &Inline, people: &People) {
    match inline {
        Inline::Words(words) | Inline::Date(words) | Inline::Status(words) | Inline::Math(words) => {
            into.push_str(words)
        }
        Inline::Break => into.push('\n'),
        Inline::Mention { account, name } => {
            let known = account.as_ref().and_then(|account| people.get(account));
            into.push('@');
            into.push_str(known.or(name.as_ref()).map_or(SOMEBODY, String::as_str));
        }
        Inline::Image(image) => into.push_str(image.alt.as_deref().map_or("", str::trim)),
    }
}

fn blanks_at_end(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b' ').count()
}

/// What stands between two pieces of text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Line,
    Blank,
}

/// What an item begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    Word(&'static str),
    Number(u32),
}

impl Sign {
    fn of(number: Option<u32>) -> Self {
        number.map_or(Self::Word("- "), Self::Number)
    }

    fn of_task(task: &Task) -> Self {
        Self::Word(if task.done { "[x] " } else { "[ ] " })
    }
}

struct Text<'a> {
    out: String,
    people: &'a People,
    /// What comes before the next words.
    gap: Gap,
    indent: usize,
    /// The sign of an item whose first words are not written yet.
    sign: Sign,
    /// In a cell of a table everything is in one line.
    in_cell: bool,
    cell_start: usize,
}

impl<'a> Text<'a> {
    fn new(people: &'a People) -> Self {
        Self {
            out: String::new(),
            people,
            gap: Gap::None,
            indent: 0,
            sign: Sign::None,
            in_cell: false,
            cell_start: 0,
        }
    }

    fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn put(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        self.begin();
        self.out.push_str(words);
    }

    /// Writes what comes before the next words.
    fn begin(&mut self) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if self.in_cell {
            if gap != Gap::None && self.out.len() > self.cell_start && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
        } else if gap != Gap::None || self.out.is_empty() {
            let lines = match (gap, self.out.is_empty()) {
                (_, true) | (Gap::None, _) => "",
                (Gap::Line, false) => "\n",
                (Gap::Blank, false) => "\n\n",
            };
            self.out.push_str(lines);
            self.indent_line();
        }
        match std::mem::replace(&mut self.sign, Sign::None) {
            Sign::None => {}
            Sign::Word(word) => self.out.push_str(word),
            // Writing to a string does not fail.
            Sign::Number(number) => write!(self.out, "{number}. ").unwrap_or_default(),
        }
    }

    fn indent_line(&mut self) {
        let levels = self.indent - usize::from(self.sign != Sign::None);
        for _ in 0..levels.min(INDENT_LEVELS_MAX) {
            self.out.push_str("  ");
        }
    }

    fn spans(&mut self, spans: &[Span]) {
        for span in spans {
            match &span.inline {
                Inline::Break => self.gap(Gap::Line),
                Inline::Words(words) => match self.gap {
                    Gap::None => self.put(words),
                    Gap::Line | Gap::Blank => self.put(words.trim_start()),
                },
                other => {
                    let mut words = String::new();
                    push_words(&mut words, other, self.people);
                    self.put(&words);
                }
            }
        }
        let end = self.out.len() - blanks_at_end(&self.out);
        if !self.in_cell || end >= self.cell_start {
            self.out.truncate(end);
        }
    }

    fn lines(&mut self, text: &str) {
        for line in text.split('\n') {
            match line.trim().is_empty() {
                // An empty line of code is one line more before the next.
                true => self.empty_line(),
                false => self.put(line),
            }
            self.gap(Gap::Line);
        }
    }

    fn empty_line(&mut self) {
        if !self.in_cell && !self.out.is_empty() {
            self.begin();
            self.out.truncate(self.out.len() - blanks_at_end(&self.out));
        }
    }

    fn blocks(&mut self, blocks: &[Block], gap: Gap) {
        for block in blocks {
            self.gap(gap);
            self.block(block, gap);
        }
        self.gap(gap);
    }

    fn block(&mut self, block: &Block, gap: Gap) {
        match block {
            Block::Heading { spans, .. } | Block::Paragraph(spans) | Block::Include(spans) => self.spans(spans),
            Block::List { numbered_from, items } => {
                let mut number = *numbered_from;
                for item in items {
                    self.item(Sign::of(number), item);
                    number = number.map(|number| number.saturating_add(1));
                }
            }
            Block::Tasks(tasks) => {
                for task in tasks {
                    self.item(Sign::of_task(task), &task.blocks);
                }
            }
            Block::Decisions(items) => items.iter().for_each(|item| self.item(Sign::of(None), item)),
            Block::Table(table) => self.table(table),
            Block::Code { title, text, .. } => {
                self.put(title.as_deref().unwrap_or_default());
                self.gap(Gap::Line);
                self.lines(text);
            }
            Block::Math(tex) => self.lines(tex),
            Block::Panel { title, blocks, .. } | Block::Expand { title, blocks } => {
                self.put(title.as_deref().unwrap_or_default());
                self.blocks(blocks, gap);
            }
            Block::Quote(blocks) => self.blocks(blocks, gap),
            Block::Columns(columns) => columns.iter().for_each(|column| self.blocks(column, gap)),
            Block::Figure { image, caption } => {
                self.put(image.alt.as_deref().map_or("", str::trim));
                self.gap(Gap::Line);
                self.spans(caption);
            }
            Block::Place(place) => self.put(place),
            Block::Listing(_) | Block::Rule => {}
        }
    }

    fn item(&mut self, sign: Sign, blocks: &[Block]) {
        self.gap(Gap::Line);
        // A list that an item begins with has signs of its own.
        self.sign = sign;
        self.indent += 1;
        self.blocks(blocks, Gap::Line);
        self.indent -= 1;
        self.sign = Sign::None;
        self.gap(Gap::Line);
    }

    fn table(&mut self, table: &Table) {
        for row in &table.rows {
            self.gap(Gap::Line);
            self.row(row);
        }
    }

    fn row(&mut self, row: &[Cell]) {
        let (was_in_cell, outer_start, outer_gap) = (self.in_cell, self.cell_start, self.gap);
        let before = self.out.len();
        let sign = self.sign;
        self.begin();
        let row_start = self.out.len();
        let mut has_words = false;
        self.in_cell = true;
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                self.out.push_str(" | ");
            }
            self.cell_start = self.out.len();
            self.gap = Gap::None;
            self.blocks(&cell.blocks, Gap::Line);
            has_words |= self.out.len() > self.cell_start;
        }
        self.in_cell = was_in_cell;
        self.cell_start = outer_start;
        self.gap = Gap::Line;
        if has_words {
            let end = self.out[row_start..].trim_end_matches([' ', '|']).len();
            // A row that begins with empty cells keeps its place in the columns.
            self.out.truncate(row_start + end);
        } else {
            self.out.truncate(before);
            self.sign = sign;
            self.gap = outer_gap;
        }
    }
}
