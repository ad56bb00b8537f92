//! Given workbooks, gives their sheets row by row, with values as they are shown.

mod format;
mod record;
pub mod xls;
pub mod xlsb;
pub mod xlsx;

use crate::{Place, pieces::Pieces};

/// The most rows of one sheet; Excel has no more.
const ROWS_MAX: u32 = 1 << 20;
/// The most columns of a row that are read.
const COLUMNS_MAX: u32 = 1_000;

/// Writes rows, and finds out whether the first one heads the others: it is words only, and figures or more rows of the
/// same width follow.
#[derive(Default)]
pub struct Grid {
    first: Option<(Vec<(String, bool)>, bool)>,
    begun: bool,
}

impl Grid {
    /// The next row: each cell's text and whether it is a figure. Rows without text are no rows.
    pub fn row(&mut self, cells: Vec<(String, bool)>, marked: bool, out: &mut Pieces) {
        if cells.iter().all(|(text, _)| text.trim().is_empty()) {
            return;
        }
        match self.first.take() {
            Some((first, first_marked)) => {
                let heads = first_marked || heads(&first, &cells);
                out.row(heads, texts(first));
                out.row(marked, texts(cells));
                self.begun = true;
            }
            // A title above a table stands alone; what comes after it may head the table.
            None if !self.begun && filled(&cells) < 2 => out.row(marked, texts(cells)),
            None if !self.begun => self.first = Some((cells, marked)),
            None => out.row(marked, texts(cells)),
        }
    }

    pub fn finish(self, out: &mut Pieces) {
        if let Some((first, marked)) = self.first {
            out.row(marked, texts(first));
        }
    }
}

fn filled(cells: &[(String, bool)]) -> usize {
    cells.iter().filter(|(text, _)| !text.trim().is_empty()).count()
}

fn heads(first: &[(String, bool)], second: &[(String, bool)]) -> bool {
    let words_only = first.iter().all(|(_, is_figure)| !is_figure);
    words_only && filled(first) * 2 >= filled(second)
}

fn texts(cells: Vec<(String, bool)>) -> impl Iterator<Item = String> {
    cells.into_iter().map(|(text, _)| text)
}

/// What comes next is in this sheet. Its name is read like any text: an empty sheet is found by it.
pub fn begin_sheet(name: &str, out: &mut Pieces) {
    out.at(Some(Place::Sheet(name.to_owned())));
    out.heading(2, name);
}

/// Cells by column as they come, made into a row when it ends.
#[derive(Default)]
struct Cells(Vec<(String, bool)>);

impl Cells {
    fn put(&mut self, column: u32, text: String, is_figure: bool) {
        if column >= COLUMNS_MAX {
            return;
        }
        let column = column as usize;
        if self.0.len() <= column {
            self.0.resize(column + 1, (String::new(), false));
        }
        self.0[column] = (text, is_figure);
    }

    fn take(&mut self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.0)
    }
}

/// Errors of formulas by number, as sheets show them.
fn error_text(number: u8) -> &'static str {
    match number {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2a => "#N/A",
        _ => "#ERROR!",
    }
}

fn truth(value: bool) -> &'static str {
    match value {
        true => "TRUE",
        false => "FALSE",
    }
}
