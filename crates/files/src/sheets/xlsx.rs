//! Given a workbook (SpreadsheetML), gives its sheets.

use super::{Cells, Grid, ROWS_MAX, begin_sheet, format::Formats, truth};
use crate::{
    LeftOut, Limits, Unread,
    office::{drawn_words, linked_chart},
    package::{Package, core_properties},
    pieces::Pieces,
    xml::{self, Element, Step},
};

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    core_properties(&package, out);
    let root = package.relations("");
    let main = root
        .iter()
        .find(|relation| relation.kind == "officeDocument")
        .map_or("xl/workbook.xml", |relation| relation.target.as_str());
    let workbook = xml::tree(&package.part(main)?);
    let relations = package.relations(main);
    let part = |kind: &str| {
        relations
            .iter()
            .find(|relation| relation.kind == kind)
            .map(|relation| &relation.target)
    };
    let strings = part("sharedStrings")
        .map(|part| strings(&package.part(part).unwrap_or_default()))
        .unwrap_or_default();
    let mut formats = part("styles")
        .map(|part| formats(&package.tree(part)))
        .unwrap_or_default();
    let properties = workbook.find("workbookPr");
    formats.from_1904 =
        properties.is_some_and(|properties| matches!(properties.attribute("date1904"), Some("1" | "true")));
    let mut sheets = Vec::new();
    workbook.find_all("sheet", &mut sheets);
    for sheet in sheets {
        let name = sheet.attribute("name").unwrap_or_default();
        let Some(relation) = relations.iter().find(|relation| sheet.has_value(&relation.id)) else {
            continue;
        };
        begin_sheet(name, out);
        match package.part(&relation.target) {
            Ok(bytes) => read_sheet(&bytes, &strings, &formats, out),
            Err(_) => out.leave_out(LeftOut::Unreadable),
        }
        beside(&package, &relation.target, out);
        if out.is_full() {
            break;
        }
    }
    out.at(None);
    Ok(())
}

/// The strings that cells share, by number. Readings of Japanese words are not part of them.
/// They are walked through and not made a tree: there may be a million.
fn strings(part: &[u8]) -> Vec<String> {
    let mut strings: Vec<String> = Vec::new();
    let (mut in_text, mut in_reading) = (false, false);
    xml::walk(part, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "si" => strings.push(String::new()),
                "rPh" => in_reading = true,
                "t" => in_text = !in_reading,
                _ => {}
            },
            Step::Text(text) if in_text => {
                if let Some(string) = strings.last_mut() {
                    string.push_str(&text);
                }
            }
            Step::Text(_) => {}
            Step::Close(name) => match name.as_str() {
                "rPh" => in_reading = false,
                "t" => in_text = false,
                _ => {}
            },
        }
        true
    });
    strings
}

fn string(element: &Element) -> String {
    let mut text = String::new();
    for child in element.elements() {
        match &*child.name {
            "t" => text.push_str(&child.text()),
            "rPh" | "phoneticPr" => {}
            _ => text.push_str(&string(child)),
        }
    }
    text
}

fn formats(root: &Element) -> Formats {
    let mut formats = Formats::default();
    let mut own = Vec::new();
    root.find_all("numFmt", &mut own);
    for format in own {
        let number = format.attribute("numFmtId").and_then(|number| number.parse().ok());
        if let (Some(number), Some(code)) = (number, format.attribute("formatCode")) {
            formats.own.insert(number, code.to_owned());
        }
    }
    let styles = root.find("cellXfs").into_iter().flat_map(Element::elements);
    formats.styles = styles
        .filter(|style| &*style.name == "xf")
        .map(|style| {
            style
                .attribute("numFmtId")
                .and_then(|number| number.parse().ok())
                .unwrap_or_default()
        })
        .collect();
    formats
}

/// The cell that is being read.
#[derive(Default)]
struct Cell {
    /// Counted from 0.
    column: u32,
    style: usize,
    kind: String,
    value: String,
}

fn read_sheet(bytes: &[u8], strings: &[String], formats: &Formats, out: &mut Pieces) {
    let mut grid = Grid::default();
    let mut cells = Cells::default();
    let mut cell = Cell::default();
    let mut next_column = 0;
    let mut in_value = false;
    let mut rows = 0;
    xml::walk(bytes, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "c" => {
                    // A cell that does not say where it stands follows the one before.
                    let column = tag.attribute("r").and_then(column).unwrap_or(next_column);
                    next_column = column.saturating_add(1);
                    cell = Cell {
                        column,
                        style: tag
                            .attribute("s")
                            .and_then(|style| style.parse().ok())
                            .unwrap_or_default(),
                        kind: tag.attribute("t").unwrap_or("n").to_owned(),
                        value: String::new(),
                    };
                }
                "row" => next_column = 0,
                "v" | "t" => in_value = true,
                "rPh" => in_value = false,
                _ => {}
            },
            Step::Text(text) if in_value => cell.value.push_str(&text),
            Step::Text(_) => {}
            Step::Close(name) => match name.as_str() {
                "v" | "t" => in_value = false,
                "c" if !cell.value.is_empty() => {
                    let (text, is_figure) = shown(&cell, strings, formats);
                    cells.put(cell.column, text, is_figure);
                }
                "row" => {
                    grid.row(cells.take(), false, out);
                    rows += 1;
                }
                _ => {}
            },
        }
        rows < ROWS_MAX && !out.is_full()
    });
    grid.row(cells.take(), false, out);
    grid.finish(out);
}

/// The column of a reference such as `AB12`, counted from 0.
fn column(reference: &str) -> Option<u32> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.fold(0_u32, |number, letter| {
        number
            .saturating_mul(26)
            .saturating_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    });
    number.checked_sub(1)
}

fn shown(cell: &Cell, strings: &[String], formats: &Formats) -> (String, bool) {
    match cell.kind.as_str() {
        "s" => {
            let number: Option<usize> = cell.value.trim().parse().ok();
            (
                number
                    .and_then(|number| strings.get(number))
                    .cloned()
                    .unwrap_or_default(),
                false,
            )
        }
        "b" => (truth(cell.value.trim() == "1").to_owned(), true),
        "str" | "inlineStr" | "e" | "d" => (cell.value.clone(), false),
        _ => match cell.value.trim().parse() {
            Ok(value) => (formats.shown(value, cell.style), true),
            Err(_) => (cell.value.clone(), false),
        },
    }
}

/// Comments, text boxes and charts of a sheet.
pub(super) fn beside(package: &Package<'_>, sheet: &str, out: &mut Pieces) {
    for relation in package.relations(sheet) {
        match relation.kind.as_str() {
            "comments" => {
                let root = package.tree(&relation.target);
                let mut comments = Vec::new();
                root.find_all("comment", &mut comments);
                comments.into_iter().for_each(|comment| out.paragraph(&string(comment)));
            }
            "threadedComment" => {
                let root = package.tree(&relation.target);
                let mut comments = Vec::new();
                root.find_all("text", &mut comments);
                comments.into_iter().for_each(|comment| out.paragraph(&comment.text()));
            }
            "drawing" => {
                drawn_words(&package.tree(&relation.target), out);
                for chart in package.relations(&relation.target) {
                    linked_chart(package, &chart, out);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbered_by_letters() {
        assert_eq!(column("A1"), Some(0));
        assert_eq!(column("Z9"), Some(25));
        assert_eq!(column("AB12"), Some(27));
        assert_eq!(column("12"), None);
    }
}
