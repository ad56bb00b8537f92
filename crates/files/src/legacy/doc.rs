//! Given a Word document of 97 to 2003, or 6 and 95, gives its pieces.
//!
//! The text stands in parts all over the file; the piece table says in which order (MS-DOC). What a paragraph is,
//! heading or row, is in formatting that is not read, but for the marks that end cells and rows.

use std::io::Cursor;

use super::{number_16, number_32, stream};
use crate::{Unread, encoding, pieces::Pieces};

/// Says that the bytes are Word's.
const MAGIC: u16 = 0xa5ec;
const MAGIC_95: u16 = 0xa5dc;

/// The longest text that is read, in characters.
const CHARS_MAX: usize = 32 << 20;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let mut file =
        cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| Unread::broken("it is not a whole compound file"))?;
    super::properties(&mut file, out);
    let document = stream(&mut file, "/WordDocument").ok_or_else(|| Unread::broken("its text is missing"))?;
    let magic = number_16(&document, 0).unwrap_or_default();
    let flags = number_16(&document, 10).unwrap_or_default();
    if !matches!(magic, MAGIC | MAGIC_95) {
        return Err(Unread::broken("it does not begin as Word's"));
    }
    const ENCRYPTED: u16 = 0x100;
    if flags & ENCRYPTED != 0 {
        return Err(Unread::PasswordProtected);
    }
    let text = match magic {
        MAGIC => {
            const SECOND_TABLE: u16 = 0x200;
            let name = if flags & SECOND_TABLE != 0 {
                "/1Table"
            } else {
                "/0Table"
            };
            let table = stream(&mut file, name).unwrap_or_default();
            pieced_text(&document, &table).or_else(|| plain_text(&document))
        }
        _ => plain_text(&document),
    };
    write(&text.ok_or_else(|| Unread::broken("its text cannot be found"))?, out);
    Ok(())
}

/// The text by the piece table: places of characters, and for each piece where its bytes are.
fn pieced_text(document: &[u8], table: &[u8]) -> Option<String> {
    // Where the table's place stands: behind the counted parts of the header.
    const FIRST_COUNT: usize = 32;
    let words = usize::from(number_16(document, FIRST_COUNT)?);
    let longs_at = FIRST_COUNT + 2 + words * 2;
    let longs = usize::from(number_16(document, longs_at)?);
    let pairs_at = longs_at + 2 + longs * 4 + 2;
    const PIECE_TABLE_PAIR: usize = 33;
    let pair = pairs_at + PIECE_TABLE_PAIR * 8;
    let begin = number_32(document, pair)? as usize;
    let length = number_32(document, pair + 4)? as usize;
    let pieces = piece_table(table.get(begin..begin.checked_add(length)?)?)?;
    let count = pieces.len().checked_sub(4)? / 12;
    let mut text = String::new();
    for index in 0..count {
        let first = number_32(pieces, index * 4)?;
        let end = number_32(pieces, index * 4 + 4)?;
        let chars = end.checked_sub(first)? as usize;
        let place = number_32(pieces, (count + 1) * 4 + index * 8 + 2)?;
        const NARROW: u32 = 0x4000_0000;
        let at = (place & !NARROW) as usize;
        let wide = place & NARROW == 0;
        let bytes = match wide {
            true => document.get(at..at.checked_add(chars.checked_mul(2)?)?),
            false => document.get(at / 2..(at / 2).checked_add(chars)?),
        };
        let Some(bytes) = bytes else { break };
        match wide {
            true => text.push_str(&encoding::utf_16_le(bytes)),
            false => text.extend(bytes.iter().map(|byte| encoding::windows_1252(*byte))),
        }
        if text.len() > CHARS_MAX {
            break;
        }
    }
    Some(text)
}

/// The pieces among what else is kept with them: entries of type 1 are formatting, type 2 is the table.
fn piece_table(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            1 => at += 3 + usize::from(number_16(bytes, at + 1)?),
            2 => {
                let length = number_32(bytes, at + 1)? as usize;
                return bytes.get(at + 5..(at + 5).checked_add(length)?);
            }
            _ => return None,
        }
    }
}

/// The text of a document that has no piece table: one run of bytes.
fn plain_text(document: &[u8]) -> Option<String> {
    let begin = number_32(document, 24)? as usize;
    let end = number_32(document, 28)? as usize;
    let bytes = document.get(begin..end.min(document.len()))?;
    let zeros = bytes.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
    Some(match zeros * 4 > bytes.len() {
        true => encoding::utf_16_le(bytes),
        false => bytes.iter().map(|byte| encoding::windows_1252(*byte)).collect(),
    })
}

/// Pieces along the marks in the text: 7 ends a cell and, where nothing stands before it, a row; 13 a paragraph; 19 to 21
/// wrap a field's instruction and its result.
fn write(text: &str, out: &mut Pieces) {
    let mut paragraph = String::new();
    let mut cells: Vec<String> = Vec::new();
    // One entry for each open field: whether its instruction, which nobody sees, is still going on.
    let mut fields: Vec<bool> = Vec::new();
    for c in text.chars() {
        match c {
            '\u{13}' => fields.push(true),
            '\u{14}' => {
                if let Some(instruction) = fields.last_mut() {
                    *instruction = false;
                }
            }
            '\u{15}' => {
                fields.pop();
            }
            '\u{7}' if paragraph.is_empty() && !cells.is_empty() => {
                out.row(false, std::mem::take(&mut cells));
            }
            '\u{7}' => cells.push(std::mem::take(&mut paragraph)),
            '\r' | '\u{c}' if cells.is_empty() => {
                out.paragraph(&paragraph);
                paragraph.clear();
                fields.clear();
            }
            '\r' => paragraph.push('\n'),
            '\u{b}' => paragraph.push('\n'),
            '\u{1e}' => paragraph.push('-'),
            c if fields.contains(&true) || c < '\t' => {}
            c => paragraph.push(c),
        }
        if out.is_full() {
            return;
        }
    }
    out.row(false, cells);
    out.paragraph(&paragraph);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn marks_in_the_text_make_paragraphs_rows_and_fields() {
        let mut pieces = Pieces::new(&Limits::default());
        write(
            "One\r\u{13} HYPERLINK x\u{14}two\u{15}\rA\u{7}B\u{7}\u{7}1\u{7}2\u{7}\u{7}end\r",
            &mut pieces,
        );
        assert_eq!(pieces.finish("Word").plain(), "One\ntwo\nA | B\n1 | 2\nend");
    }
}
