//! Tables as GitHub's Markdown has them; what such a table cannot hold as labelled rows.

use super::{Page, Setting, Spacing, restyled};
use crate::{
    block::{Block, Cell, Inline, Manner, Span, Style, Table},
    text::line,
};

/// The most columns of a Markdown table. A wider one is labelled rows.
const COLUMNS_MAX: usize = 100;
/// The most places of a Markdown table, empty ones counted.
const PLACES_MAX: usize = 200_000;
/// How much of a column's name labels a cell, in characters.
const LABEL_CHARS_MAX: usize = 80;

impl Page<'_> {
    pub(super) fn table(&mut self, table: &Table) {
        let grid = grid(table);
        let width = grid
            .iter()
            .flatten()
            .map(|(at, cell)| at + columns(cell))
            .max()
            .unwrap_or(0);
        let small = width <= COLUMNS_MAX && width * grid.len() <= PLACES_MAX;
        let holds = small && table.rows.iter().flatten().all(|cell| fits_in_cell(&cell.blocks));
        match table.rows.as_slice() {
            // A table of one cell is a frame.
            [row] if row.len() == 1 && !holds => self.blocks(&row[0].blocks, Spacing::Loose),
            _ if holds => self.grid(table, &grid, width),
            _ => self.labelled(table, &grid),
        }
    }

    fn grid(&mut self, table: &Table, grid: &[Vec<(usize, &Cell)>], width: usize) {
        let (header, body) = match table.has_header() {
            true => (grid.first(), &grid[1..]),
            false => (None, grid),
        };
        // Markdown wants a header; a table without one gets an empty one.
        match header {
            Some(row) => {
                let words = row
                    .iter()
                    .map(|(at, cell)| (*at, self.cell(cell, Style::default())))
                    .collect();
                self.row(words, width);
            }
            None => self.row(Vec::new(), width),
        }
        self.line(&format!("|{}", " --- |".repeat(width)));
        for row in body {
            let words = row.iter().map(|(at, cell)| {
                let style = if cell.header { Style::STRONG } else { Style::default() };
                (*at, self.cell(cell, style))
            });
            let words = words.collect();
            self.row(words, width);
        }
    }

    fn row(&mut self, words: Vec<(usize, String)>, width: usize) {
        let mut row = String::from("|");
        let mut next = 0;
        for (at, words) in words {
            row.push_str(&" |".repeat(at.saturating_sub(next)));
            next = at + 1;
            if !words.is_empty() {
                row.push(' ');
                row.push_str(&words);
            }
            row.push_str(" |");
        }
        row.push_str(&" |".repeat(width.saturating_sub(next)));
        self.line(&row);
    }

    /// A cell in one line.
    fn cell(&self, cell: &Cell, style: Style) -> String {
        let mut lines = Vec::new();
        self.cell_lines(&cell.blocks, style, &mut lines);
        lines.retain(|line| !line.is_empty());
        lines.join("<br>")
    }

    fn cell_lines(&self, blocks: &[Block], style: Style, lines: &mut Vec<String>) {
        let words = |spans: &[Span], style: Style| self.words(&restyled(spans, style), Setting::Cell);
        let title = |title: &Option<String>| {
            title
                .as_deref()
                .map(|title| words(&[Span::words(super::squeezed(title))], Style::STRONG))
        };
        for block in blocks {
            match block {
                Block::Paragraph(spans) | Block::Include(spans) => lines.push(words(spans, style)),
                Block::Heading { spans, .. } => lines.push(words(spans, Style::STRONG)),
                Block::List { numbered_from, items } => {
                    for (at, item) in (0_u32..).zip(items) {
                        let sign =
                            numbered_from.map_or("- ".to_owned(), |from| format!("{}. ", from.saturating_add(at)));
                        self.cell_item(&sign, item, style, lines);
                    }
                }
                Block::Tasks(tasks) => {
                    for task in tasks {
                        self.cell_item(if task.done { "[x] " } else { "[ ] " }, &task.blocks, style, lines);
                    }
                }
                Block::Decisions(items) => items.iter().for_each(|item| self.cell_item("- ", item, style, lines)),
                Block::Code { title: name, text, .. } => {
                    lines.extend(title(name));
                    let code = Span {
                        inline: Inline::Words(text.trim().to_owned()),
                        manner: Manner::default().with(Style::CODE),
                    };
                    lines.push(words(&[code], Style::default()));
                }
                Block::Math(tex) => lines.push(words(&[sign(Inline::Math(tex.clone()))], Style::default())),
                Block::Panel {
                    title: name, blocks, ..
                }
                | Block::Expand { title: name, blocks } => {
                    lines.extend(title(name));
                    self.cell_lines(blocks, style, lines);
                }
                Block::Quote(blocks) => self.cell_lines(blocks, style, lines),
                Block::Columns(columns) => columns.iter().for_each(|blocks| self.cell_lines(blocks, style, lines)),
                Block::Figure { image, caption } => {
                    lines.push(words(&[sign(Inline::Image(image.clone()))], Style::default()));
                    lines.push(words(caption, Style::EMPHASIS));
                }
                Block::Listing(what) => lines.push(format!("*({what})*")),
                Block::Table(_) | Block::Place(_) | Block::Rule => {}
            }
        }
    }

    fn cell_item(&self, sign: &str, item: &[Block], style: Style, lines: &mut Vec<String>) {
        let mut words = Vec::new();
        self.cell_lines(item, style, &mut words);
        words.retain(|line| !line.is_empty());
        if !words.is_empty() {
            lines.push(format!("{sign}{}", words.join("<br>")));
        }
    }

    /// Each row an item, each cell in it named by its column.
    fn labelled(&mut self, table: &Table, grid: &[Vec<(usize, &Cell)>]) {
        let header = grid
            .first()
            .filter(|header| table.has_header() && self.labels_all(header, &grid[1..]));
        for row in grid.iter().skip(usize::from(header.is_some())) {
            if self.is_full() {
                return;
            }
            let blocks = self.labelled_cells(header, row);
            if !blocks.is_empty() {
                self.item("- ".to_owned(), &blocks, Spacing::Loose);
            }
        }
    }

    /// Whether the cells' labels would say all that is in the header.
    fn labels_all(&self, header: &[(usize, &Cell)], body: &[Vec<(usize, &Cell)>]) -> bool {
        let mut used = vec![false; header.len()];
        for (at, cell) in body.iter().flatten() {
            if let Some(named) = header.iter().rposition(|(column, _)| column <= at) {
                used[named] |= !cell.blocks.is_empty();
            }
        }
        header.iter().zip(used).all(|((_, cell), used)| {
            let is_short = self.label(cell).chars().count() < LABEL_CHARS_MAX;
            let is_words = cell
                .blocks
                .iter()
                .all(|block| matches!(block, Block::Paragraph(_) | Block::Heading { .. }));
            cell.blocks.is_empty() || used && is_short && is_words
        })
    }

    fn labelled_cells(&self, header: Option<&Vec<(usize, &Cell)>>, row: &[(usize, &Cell)]) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (at, cell) in row.iter().filter(|(_, cell)| !cell.blocks.is_empty()) {
            let named = header.and_then(|header| header.iter().rfind(|(column, _)| column <= at));
            let label = named
                .map(|(_, name)| self.label(name))
                .filter(|label| !label.is_empty());
            let Some(label) = label else {
                blocks.extend(cell.blocks.iter().cloned());
                continue;
            };
            let mut name = restyled(&[Span::words(format!("{label}:"))], Style::STRONG);
            match cell.blocks.as_slice() {
                [Block::Paragraph(spans)] => {
                    name.push(Span::words(" "));
                    name.extend(spans.iter().cloned());
                    blocks.push(Block::Paragraph(name));
                }
                several => {
                    blocks.push(Block::Paragraph(name));
                    blocks.extend(several.iter().cloned());
                }
            }
        }
        blocks
    }

    fn label(&self, cell: &Cell) -> String {
        let mut label = String::new();
        for block in &cell.blocks {
            if let Block::Paragraph(spans) | Block::Heading { spans, .. } = block {
                label.push(' ');
                label.push_str(&line(spans, self.surroundings.people));
            }
        }
        super::squeezed(&label).chars().take(LABEL_CHARS_MAX).collect()
    }
}

fn sign(inline: Inline) -> Span {
    Span {
        inline,
        manner: Manner::default(),
    }
}

fn columns(cell: &Cell) -> usize {
    (cell.columns as usize).clamp(1, COLUMNS_MAX)
}

/// The cells of each row with their columns: what a cell above or before covers is left free.
fn grid(table: &Table) -> Vec<Vec<(usize, &Cell)>> {
    let mut covered: Vec<u32> = Vec::new();
    let mut grid = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut places = Vec::with_capacity(row.len());
        let mut at = 0;
        for cell in row {
            while covered.get(at).is_some_and(|rows| *rows > 0) {
                at += 1;
            }
            places.push((at, cell));
            // Only as many columns are followed as a Markdown table may have.
            for column in at..(at + columns(cell)).min(COLUMNS_MAX) {
                if covered.len() <= column {
                    covered.resize(column + 1, 0);
                }
                covered[column] = covered[column].max(cell.rows);
            }
            at += columns(cell);
        }
        covered.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        grid.push(places);
    }
    grid
}

/// Whether the blocks can be written in one line.
fn fits_in_cell(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| match block {
        Block::Paragraph(_)
        | Block::Heading { .. }
        | Block::Math(_)
        | Block::Figure { .. }
        | Block::Include(_)
        | Block::Listing(_) => true,
        Block::List { items, .. } | Block::Decisions(items) => items.iter().all(|item| fits_in_item(item)),
        Block::Tasks(tasks) => tasks.iter().all(|task| fits_in_item(&task.blocks)),
        Block::Code { text, .. } => !text.trim().contains('\n'),
        Block::Panel { blocks, .. } | Block::Expand { blocks, .. } | Block::Quote(blocks) => fits_in_cell(blocks),
        Block::Columns(columns) => columns.iter().all(|blocks| fits_in_cell(blocks)),
        Block::Table(_) | Block::Place(_) | Block::Rule => false,
    })
}

fn fits_in_item(blocks: &[Block]) -> bool {
    blocks
        .iter()
        .all(|block| matches!(block, Block::Paragraph(_) | Block::Figure { .. } | Block::Include(_)))
}
