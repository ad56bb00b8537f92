//! Given a workbook of binary sheets (BIFF12 in a zip), gives its sheets.

use super::{
    Cells, Grid, ROWS_MAX, begin_sheet, error_text,
    format::Formats,
    record::{Bytes, short_number},
    truth, xlsx,
};
use crate::{
    LeftOut, Limits, Unread, encoding,
    package::{Package, core_properties},
    pieces::Pieces,
};

// Numbers of records (MS-XLSB).
const ROW: u32 = 0;
const CELL_SHORT_NUMBER: u32 = 2;
const CELL_ERROR: u32 = 3;
const CELL_TRUTH: u32 = 4;
const CELL_NUMBER: u32 = 5;
const CELL_STRING: u32 = 6;
const CELL_SHARED_STRING: u32 = 7;
const FORMULA_STRING: u32 = 8;
const FORMULA_NUMBER: u32 = 9;
const FORMULA_TRUTH: u32 = 10;
const FORMULA_ERROR: u32 = 11;
const SHARED_STRING: u32 = 19;
const FORMAT: u32 = 44;
const STYLE: u32 = 47;
const CELL_RICH_STRING: u32 = 62;
const WORKBOOK: u32 = 153;
const SHEET: u32 = 156;
const STYLES_BEGIN: u32 = 617;
const STYLES_END: u32 = 618;

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    core_properties(&package, out);
    const MAIN: &str = "xl/workbook.bin";
    let workbook = package.part(MAIN)?;
    let relations = package.relations(MAIN);
    let part = |kind: &str| {
        let found = relations.iter().find(|relation| relation.kind == kind);
        found
            .and_then(|relation| package.part(&relation.target).ok())
            .unwrap_or_default()
    };
    let strings = strings(&part("sharedStrings"));
    let mut formats = formats(&part("styles"));
    let mut sheets = Vec::new();
    for (number, data) in Records(Bytes::new(&workbook)) {
        match number {
            WORKBOOK => formats.from_1904 = data.first().is_some_and(|flags| flags & 1 != 0),
            SHEET => sheets.extend(sheet(data)),
            _ => {}
        }
    }
    for (id, name) in sheets {
        let Some(relation) = relations.iter().find(|relation| relation.id == id) else {
            continue;
        };
        begin_sheet(&name, out);
        match package.part(&relation.target) {
            Ok(bytes) => read_sheet(&bytes, &strings, &formats, out),
            Err(_) => out.leave_out(LeftOut::Unreadable),
        }
        xlsx::beside(&package, &relation.target, out);
        for comments in package
            .relations(&relation.target)
            .iter()
            .filter(|relation| relation.kind == "comments")
        {
            read_comments(&package.part(&comments.target).unwrap_or_default(), out);
        }
        if out.is_full() {
            break;
        }
    }
    out.at(None);
    Ok(())
}

/// Records with their numbers, until one is cut off.
struct Records<'a>(Bytes<'a>);

impl<'a> Iterator for Records<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let first = u32::from(self.0.u8()?);
        let number = match first & 0x80 {
            0 => first,
            _ => first & 0x7f | u32::from(self.0.u8()? & 0x7f) << 7,
        };
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.0.u8()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some((number, self.0.take(length)?))
    }
}

fn wide_string(bytes: &mut Bytes<'_>) -> Option<String> {
    let count = usize::try_from(bytes.u32()?)
        .ok()
        .filter(|count| *count != u32::MAX as usize)?;
    Some(encoding::utf_16_le(bytes.take(count.checked_mul(2)?)?))
}

/// A sheet's relation and name, behind two numbers; betas of Excel 2007 wrote three.
fn sheet(data: &[u8]) -> Option<(String, String)> {
    [8, 12].into_iter().find_map(|skipped| {
        let mut bytes = Bytes::new(data.get(skipped..)?);
        let sheet = (wide_string(&mut bytes)?, wide_string(&mut bytes)?);
        bytes.rest().is_empty().then_some(sheet)
    })
}

fn rich_string(data: &[u8]) -> Option<String> {
    let mut bytes = Bytes::new(data);
    bytes.u8()?;
    wide_string(&mut bytes)
}

fn strings(part: &[u8]) -> Vec<String> {
    Records(Bytes::new(part))
        .filter(|(number, _)| *number == SHARED_STRING)
        .map(|(_, data)| rich_string(data).unwrap_or_default())
        .collect()
}

fn formats(part: &[u8]) -> Formats {
    let mut formats = Formats::default();
    let mut in_styles = false;
    for (number, data) in Records(Bytes::new(part)) {
        let mut bytes = Bytes::new(data);
        match number {
            STYLES_BEGIN => in_styles = true,
            STYLES_END => in_styles = false,
            STYLE if in_styles => {
                bytes.u16();
                formats.styles.push(bytes.u16().unwrap_or_default());
            }
            FORMAT => {
                if let (Some(number), Some(code)) = (bytes.u16(), wide_string(&mut bytes)) {
                    formats.own.insert(number, code);
                }
            }
            _ => {}
        }
    }
    formats
}

fn read_sheet(part: &[u8], strings: &[String], formats: &Formats, out: &mut Pieces) {
    let mut grid = Grid::default();
    let mut cells = Cells::default();
    let mut rows = 0;
    for (number, data) in Records(Bytes::new(part)) {
        if number == ROW {
            grid.row(cells.take(), false, out);
            rows += 1;
        }
        if rows > ROWS_MAX || out.is_full() {
            return;
        }
        if let Some((column, (text, is_figure))) = cell(number, data, strings, formats) {
            cells.put(column, text, is_figure);
        }
    }
    grid.row(cells.take(), false, out);
    grid.finish(out);
}

fn cell(number: u32, data: &[u8], strings: &[String], formats: &Formats) -> Option<(u32, (String, bool))> {
    if !matches!(number, CELL_SHORT_NUMBER..=FORMULA_ERROR | CELL_RICH_STRING) {
        return None;
    }
    let mut bytes = Bytes::new(data);
    let column = bytes.u32()?;
    // The style's number has 24 bits, flags the rest.
    let style = (bytes.u32()? & 0xff_ffff) as usize;
    let shown = match number {
        CELL_SHORT_NUMBER => (formats.shown(short_number(bytes.u32()?), style), true),
        CELL_NUMBER | FORMULA_NUMBER => (formats.shown(bytes.f64()?, style), true),
        CELL_ERROR | FORMULA_ERROR => (error_text(bytes.u8()?).to_owned(), false),
        CELL_TRUTH | FORMULA_TRUTH => (truth(bytes.u8()? == 1).to_owned(), true),
        CELL_STRING | FORMULA_STRING => (wide_string(&mut bytes)?, false),
        CELL_SHARED_STRING => (strings.get(bytes.u32()? as usize)?.clone(), false),
        CELL_RICH_STRING => (rich_string(bytes.rest())?, false),
        _ => return None,
    };
    Some((column, shown))
}

fn read_comments(part: &[u8], out: &mut Pieces) {
    const COMMENT_TEXT: u32 = 637;
    for (_, data) in Records(Bytes::new(part)).filter(|(number, _)| *number == COMMENT_TEXT) {
        out.paragraph(&rich_string(data).unwrap_or_default());
    }
}
