//! Given a OneNote section, gives the text of its pages.
//!
//! A section is a log of objects whose text properties are written as lengths and characters. The log is not replayed:
//! every run of text that has its length before it is taken, so the order is that of writing.

use std::collections::BTreeSet;

use crate::{Unread, encoding, pieces::Pieces};

/// The class id that a section begins with.
pub const SECTION_SIGNATURE: [u8; 16] = [
    0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3,
];
/// The class id that a notebook's table of contents begins with.
pub const TABLE_SIGNATURE: [u8; 16] = [
    0xa1, 0x2f, 0xff, 0x43, 0xd9, 0xef, 0x76, 0x4c, 0x9e, 0xe2, 0x10, 0xea, 0x57, 0x22, 0x76, 0x5f,
];

/// The longest text of one property, in bytes; a paragraph is one.
const TEXT_BYTES_MAX: usize = 1 << 16;
/// Shorter ones are as likely something else.
const TEXT_CHARS_MIN: usize = 4;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let mut seen = BTreeSet::new();
    let mut at = SECTION_SIGNATURE.len();
    while at + 4 < bytes.len() && !out.is_full() {
        match text_at(bytes, at) {
            Some((text, length)) => {
                at += 4 + length;
                if is_words(&text) && seen.insert(text.clone()) {
                    out.paragraph(&text);
                }
            }
            None => at += 1,
        }
    }
    Ok(())
}

/// The text whose length stands here, and that length in bytes.
fn text_at(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
    if !(TEXT_CHARS_MIN..=TEXT_BYTES_MAX).contains(&length) {
        return None;
    }
    let text = bytes.get(at + 4..at + 4 + length)?;
    if text
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return Some((String::from_utf8_lossy(text).into_owned(), length));
    }
    if length % 2 == 1 || length < 2 * TEXT_CHARS_MIN {
        return None;
    }
    // Most places are no text: a look at the beginning spares the rest.
    const UNITS_SEEN: usize = 16;
    let begins_badly = |unit: &[u8; 2]| matches!(unit, [0..=8 | 14..=31, 0] | [_, 0xd8..=0xff]);
    if text
        .as_chunks::<2>()
        .0
        .iter()
        .take(UNITS_SEEN.min(length / 2 - 1))
        .any(begins_badly)
    {
        return None;
    }
    let text = encoding::utf_16_le(text);
    let text = text.trim_end_matches('\0');
    let plausible = text
        .chars()
        .all(|c| c.is_alphanumeric() || c.is_ascii_graphic() || c.is_whitespace() || is_mark(c));
    (plausible && same_script(text)).then(|| (text.to_owned(), length))
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{b}' | '\u{a0}'..='\u{bf}' | '\u{2010}'..='\u{205f}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
}

/// Random bytes read as UTF-16 are characters of a dozen scripts; text is of one or two.
fn same_script(text: &str) -> bool {
    let blocks: BTreeSet<u32> = text
        .chars()
        .filter(|c| !c.is_ascii())
        .map(|c| block(c as u32))
        .collect();
    let ascii = text.chars().filter(char::is_ascii).count();
    blocks.len() <= 1 + text.chars().count() / 16 || ascii * 2 > text.chars().count()
}

/// Blocks of 256 characters; the ideographs are one, and so are the syllables of Korean.
fn block(code: u32) -> u32 {
    match code {
        0xac00..=0xd7af => 0xac,
        0x3000..=0x9fff | 0xff00..=0xffef => 0x30,
        other => other >> 8,
    }
}

/// Whether people wrote this, and not OneNote for itself: ids, fonts and rights.
fn is_words(text: &str) -> bool {
    let trimmed = text.trim();
    let letters = trimmed.chars().filter(|c| c.is_alphanumeric()).count();
    let is_id =
        trimmed.starts_with('{') && trimmed.ends_with('}') || trimmed.starts_with('<') && trimmed.ends_with('>');
    letters >= TEXT_CHARS_MIN && letters * 2 >= trimmed.chars().count() && !is_id
}
