//! Given a workbook of Excel 2 to 2003 (BIFF), gives its sheets.

use std::io::{Cursor, Read};

use encoding_rs::Encoding;

use super::{
    Cells, Grid, begin_sheet, error_text,
    format::Formats,
    record::{Bytes, short_number},
    truth,
};
use crate::{Unread, encoding, pieces::Pieces};

// Numbers of records (MS-XLS). Early versions have their own for what changed.
const FORMULA: u16 = 0x06;
const END: u16 = 0x0a;
const DATE_MODE: u16 = 0x22;
const FILE_PASS: u16 = 0x2f;
const CONTINUE: u16 = 0x3c;
const CODE_PAGE: u16 = 0x42;
const SHEET: u16 = 0x85;
const SHORT_NUMBERS: u16 = 0xbd;
const RICH_LABEL: u16 = 0xd6;
const STYLE: u16 = 0xe0;
const SHARED_STRINGS: u16 = 0xfc;
const SHARED_LABEL: u16 = 0xfd;
const TEXT_BOX: u16 = 0x1b6;
const NUMBER: u16 = 0x203;
const LABEL: u16 = 0x204;
const TRUTH_OR_ERROR: u16 = 0x205;
const STRING: u16 = 0x207;
const SHORT_NUMBER: u16 = 0x27e;
const FORMAT: u16 = 0x41e;
const BEGIN: u16 = 0x809;
const CHART_TEXT: u16 = 0x100d;

/// The largest workbook's stream, in bytes.
const STREAM_BYTES_MAX: u64 = 64 << 20;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    if !bytes.starts_with(b"\xd0\xcf") {
        return Book::read(bytes, out);
    }
    let mut file =
        cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| Unread::broken("it is not a whole compound file"))?;
    crate::legacy::properties(&mut file, out);
    let names: Vec<String> = file.read_root_storage().map(|entry| entry.name().to_owned()).collect();
    let name = ["workbook", "book"]
        .into_iter()
        .find_map(|name| names.iter().find(|known| known.eq_ignore_ascii_case(name)));
    let name = name.ok_or_else(|| Unread::broken("its sheets are missing"))?;
    let stream = file
        .open_stream(format!("/{name}"))
        .map_err(|_| Unread::broken("its sheets are missing"))?;
    let mut workbook = Vec::new();
    // A stream that breaks off has given what it has.
    let _ = stream.take(STREAM_BYTES_MAX).read_to_end(&mut workbook);
    Book::read(&workbook, out)
}

/// Records with their numbers, until one is cut off.
struct Records<'a>(Bytes<'a>);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.0.u16()?;
        let length = usize::from(self.0.u16()?);
        let data = self.0.take(length.min(self.0.rest().len()))?;
        Some((number, data))
    }
}

struct Book {
    /// 2 to 8: BIFF's version.
    version: u8,
    encoding: &'static Encoding,
    formats: Formats,
    strings: Vec<String>,
    /// Names of the sheets with where they begin in the stream.
    sheets: Vec<(usize, String)>,
}

impl Book {
    fn read(stream: &[u8], out: &mut Pieces) -> Result<(), Unread> {
        let mut book = Self {
            version: version(stream).ok_or_else(|| Unread::broken("its sheets cannot be made out"))?,
            encoding: encoding::code_page(1_252),
            formats: Formats::default(),
            strings: Vec::new(),
            sheets: Vec::new(),
        };
        book.read_globals(stream)?;
        // Before Excel 5 a file was one sheet.
        if book.version < 5 {
            book.read_sheet(stream, out);
            return Ok(());
        }
        for (begin, name) in book.sheets.clone() {
            begin_sheet(&name, out);
            book.read_sheet(stream.get(begin..).unwrap_or_default(), out);
            if out.is_full() {
                break;
            }
        }
        out.at(None);
        Ok(())
    }

    fn read_globals(&mut self, stream: &[u8]) -> Result<(), Unread> {
        let mut records = Records(Bytes::new(stream)).peekable();
        while let Some((number, data)) = records.next() {
            let mut bytes = Bytes::new(data);
            match number {
                FILE_PASS => return Err(Unread::PasswordProtected),
                DATE_MODE => self.formats.from_1904 = bytes.u16() == Some(1),
                CODE_PAGE => {
                    let page = bytes.u16().unwrap_or(1_252);
                    self.encoding = encoding::code_page(if page == 32_768 { 10_000 } else { u32::from(page) });
                }
                FORMAT => self.add_format(&mut bytes),
                STYLE => {
                    bytes.u16();
                    self.formats.styles.push(bytes.u16().unwrap_or_default());
                }
                SHEET => self.sheets.extend(self.sheet(&mut bytes)),
                SHARED_STRINGS => {
                    let mut segments = vec![data];
                    while let Some((_, more)) = records.next_if(|(number, _)| *number == CONTINUE) {
                        segments.push(more);
                    }
                    self.strings = shared_strings(segments);
                }
                END if self.version >= 5 => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_format(&mut self, bytes: &mut Bytes<'_>) {
        let Some(number) = bytes.u16() else { return };
        let code = match self.version {
            8 => bytes.u16().and_then(|count| unicode(bytes, count.into())),
            _ => bytes.u8().and_then(|count| self.narrow(bytes, count.into())),
        };
        if let Some(code) = code {
            self.formats.own.insert(number, code);
        }
    }

    fn sheet(&self, bytes: &mut Bytes<'_>) -> Option<(usize, String)> {
        let begin = bytes.u32()? as usize;
        bytes.u16()?;
        let count = bytes.u8()?.into();
        let name = match self.version {
            8 => unicode(bytes, count),
            _ => self.narrow(bytes, count),
        };
        Some((begin, name?))
    }

    fn narrow(&self, bytes: &mut Bytes<'_>, count: usize) -> Option<String> {
        let text = bytes.take(count.min(bytes.rest().len()))?;
        Some(self.encoding.decode_without_bom_handling(text).0.into_owned())
    }

    /// A string with its length of two bytes before it.
    fn long_string(&self, bytes: &mut Bytes<'_>) -> Option<String> {
        let count = bytes.u16()?.into();
        match self.version {
            8 => unicode(bytes, count),
            _ => self.narrow(bytes, count),
        }
    }

    fn read_sheet(&self, stream: &[u8], out: &mut Pieces) {
        let mut grid = Grid::default();
        let mut row = Row::default();
        let mut boxes = Vec::new();
        let mut depth = 0_usize;
        let mut records = Records(Bytes::new(stream)).peekable();
        while let Some((number, data)) = records.next() {
            match number {
                // Charts within a sheet begin and end like sheets.
                BEGIN => depth += 1,
                END => depth = depth.saturating_sub(1),
                TEXT_BOX => {
                    if let Some((_, text)) = records.next_if(|(number, _)| *number == CONTINUE) {
                        boxes.extend(text_box(data, text));
                    }
                }
                CHART_TEXT => boxes.extend(self.chart_text(data)),
                _ => self.read_cell(number, data, &mut row, &mut grid, out),
            }
            if out.is_full() || (number == END && depth == 0 && self.version >= 5) {
                break;
            }
        }
        grid.row(row.cells.take(), false, out);
        grid.finish(out);
        boxes.iter().for_each(|text| out.paragraph(text));
    }

    fn chart_text(&self, data: &[u8]) -> Option<String> {
        let mut bytes = Bytes::new(data);
        bytes.u16()?;
        let count = bytes.u8()?.into();
        match self.version {
            8 => unicode(&mut bytes, count),
            _ => self.narrow(&mut bytes, count),
        }
    }

    fn read_cell(&self, number: u16, data: &[u8], row: &mut Row, grid: &mut Grid, out: &mut Pieces) {
        let mut bytes = Bytes::new(data);
        // The result of a formula that is a string comes in a record of its own.
        if matches!(number, STRING | 0x07) {
            let text = match self.version {
                2 => bytes.u8().and_then(|count| self.narrow(&mut bytes, count.into())),
                _ => self.long_string(&mut bytes),
            };
            row.cells.put(row.column, text.unwrap_or_default(), false);
            return;
        }
        let is_cell = matches!(
            number,
            FORMULA
                | 0x206
                | 0x406
                | SHORT_NUMBERS
                | RICH_LABEL
                | SHARED_LABEL
                | NUMBER
                | LABEL
                | TRUTH_OR_ERROR
                | SHORT_NUMBER
                | 0x02..=0x05
        );
        let (true, Some(number_of_row), Some(column)) = (is_cell, bytes.u16(), bytes.u16()) else {
            return;
        };
        if row.number != Some(number_of_row) {
            grid.row(row.cells.take(), false, out);
            row.number = Some(number_of_row);
        }
        row.column = column.into();
        if number == SHORT_NUMBERS {
            self.read_short_numbers(&mut bytes, row);
            return;
        }
        if let Some((text, is_figure)) = self.value(number, &mut bytes) {
            row.cells.put(row.column, text, is_figure);
        }
    }

    fn read_short_numbers(&self, bytes: &mut Bytes<'_>, row: &mut Row) {
        // Behind the last number stands the last column.
        while bytes.rest().len() >= 6 {
            let (Some(style), Some(bits)) = (bytes.u16(), bytes.u32()) else {
                return;
            };
            row.cells
                .put(row.column, self.formats.shown(short_number(bits), style.into()), true);
            row.column += 1;
        }
    }

    fn value(&self, number: u16, bytes: &mut Bytes<'_>) -> Option<(String, bool)> {
        let style = match self.version {
            // Excel 2 has three bytes of attributes instead of a style.
            2 => {
                bytes.take(3)?;
                0
            }
            _ => bytes.u16()?.into(),
        };
        let figure = |value| Some((self.formats.shown(value, style), true));
        match number {
            NUMBER | 0x03 => figure(bytes.f64()?),
            0x02 => figure(bytes.u16()?.into()),
            SHORT_NUMBER => figure(short_number(bytes.u32()?)),
            LABEL | RICH_LABEL => Some((self.long_string(bytes)?, false)),
            0x04 => {
                let count = bytes.u8()?.into();
                Some((self.narrow(bytes, count)?, false))
            }
            SHARED_LABEL => Some((self.strings.get(bytes.u32()? as usize)?.clone(), false)),
            TRUTH_OR_ERROR | 0x05 => {
                let value = bytes.u8()?;
                match bytes.u8()? {
                    0 => Some((truth(value == 1).to_owned(), true)),
                    _ => Some((error_text(value).to_owned(), false)),
                }
            }
            _ => {
                let result = bytes.take(8)?;
                match result {
                    [1, _, value, .., 0xff, 0xff] => Some((truth(*value == 1).to_owned(), true)),
                    [2, _, value, .., 0xff, 0xff] => Some((error_text(*value).to_owned(), false)),
                    [.., 0xff, 0xff] => None,
                    number => figure(f64::from_le_bytes(number.try_into().ok()?)),
                }
            }
        }
    }
}

#[derive(Default)]
struct Row {
    number: Option<u16>,
    column: u32,
    cells: Cells,
}

/// The version by the first record.
fn version(stream: &[u8]) -> Option<u8> {
    let (number, data) = Records(Bytes::new(stream)).next()?;
    match number {
        0x09 => Some(2),
        0x209 => Some(3),
        0x409 => Some(4),
        BEGIN => match Bytes::new(data).u16()? {
            0x600 => Some(8),
            _ => Some(5),
        },
        _ => None,
    }
}

/// Characters with their flags before them: of one byte each, or of two.
fn unicode(bytes: &mut Bytes<'_>, count: usize) -> Option<String> {
    let wide = bytes.u8()? & 1 != 0;
    match wide {
        true => Some(encoding::utf_16_le(bytes.take((count * 2).min(bytes.rest().len()))?)),
        false => Some(
            bytes
                .take(count.min(bytes.rest().len()))?
                .iter()
                .map(|byte| char::from(*byte))
                .collect(),
        ),
    }
}

fn text_box(header: &[u8], text: &[u8]) -> Option<String> {
    let mut bytes = Bytes::new(header);
    bytes.take(10)?;
    let count = bytes.u16()?.into();
    unicode(&mut Bytes::new(text), count)
}

/// The table of strings, which goes on over several records. A string that does, says anew how wide it is.
fn shared_strings(segments: Vec<&[u8]>) -> Vec<String> {
    let mut reader = Segments {
        segments: segments.into_iter(),
        bytes: Bytes::new(&[]),
    };
    let mut strings = Vec::new();
    if reader.advance().is_none() || reader.bytes.take(8).is_none() {
        return strings;
    }
    while let Some(string) = reader.string() {
        strings.push(string);
    }
    strings
}

struct Segments<'a> {
    segments: std::vec::IntoIter<&'a [u8]>,
    bytes: Bytes<'a>,
}

impl Segments<'_> {
    fn advance(&mut self) -> Option<()> {
        self.bytes = Bytes::new(self.segments.next()?);
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        if self.bytes.rest().is_empty() {
            self.advance()?;
        }
        let count = usize::from(self.bytes.u16()?);
        let flags = self.bytes.u8()?;
        let (is_rich, is_phonetic) = (flags & 8 != 0, flags & 4 != 0);
        let runs = if is_rich { usize::from(self.bytes.u16()?) } else { 0 };
        let phonetic = if is_phonetic { self.bytes.u32()? as usize } else { 0 };
        let text = self.characters(count, flags & 1 != 0)?;
        self.skip(runs * 4 + phonetic)?;
        Some(text)
    }

    fn characters(&mut self, count: usize, wide: bool) -> Option<String> {
        let mut units: Vec<u16> = Vec::new();
        let mut wide = wide;
        while units.len() < count {
            if self.bytes.rest().is_empty() {
                if self.advance().is_none() {
                    break;
                }
                wide = self.bytes.u8()? & 1 != 0;
            }
            let left = count - units.len();
            let available = self.bytes.rest().len();
            if wide {
                let pairs = left.min(available / 2);
                if pairs == 0 {
                    self.bytes.take(available)?;
                    continue;
                }
                let taken = self.bytes.take(pairs * 2)?;
                units.extend(taken.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)));
            } else {
                units.extend(
                    self.bytes
                        .take(left.min(available))?
                        .iter()
                        .map(|byte| u16::from(*byte)),
                );
            }
        }
        Some(String::from_utf16_lossy(&units))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        let mut left = count;
        while left > 0 {
            let available = self.bytes.rest().len();
            if available == 0 {
                self.advance()?;
                continue;
            }
            self.bytes.take(left.min(available))?;
            left -= left.min(available);
        }
        Some(())
    }
}
