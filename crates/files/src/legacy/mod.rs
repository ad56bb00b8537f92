//! Given documents of Word and PowerPoint 97 to 2003, gives their pieces.

pub mod doc;
pub mod ppt;

use std::io::{Cursor, Read};

use cfb::CompoundFile;

use crate::{encoding, pieces::Pieces};

/// The largest stream that is read, in bytes.
const STREAM_BYTES_MAX: u64 = 64 << 20;

type File<'a> = CompoundFile<Cursor<&'a [u8]>>;

fn stream(file: &mut File<'_>, path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let stream = file.open_stream(path).ok()?;
    // A stream that breaks off has given what it has.
    let _ = stream.take(STREAM_BYTES_MAX).read_to_end(&mut bytes);
    Some(bytes)
}

fn number_16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn number_32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

// Numbers of properties (MS-OLEPS).
const CODE_PAGE: u32 = 1;
const TITLE: u32 = 2;
const SUBJECT: u32 = 3;
const AUTHOR: u32 = 4;
const KEYWORDS: u32 = 5;
const COMMENTS: u32 = 6;

/// Title, author and what the author said, from the summary that all Office documents of the time carry.
pub fn properties(file: &mut File<'_>, out: &mut Pieces) {
    let Some(bytes) = stream(file, "/\u{5}SummaryInformation") else {
        return;
    };
    // One section, whose place stands behind its id.
    let section = number_32(&bytes, 44)
        .and_then(|at| bytes.get(at as usize..))
        .unwrap_or_default();
    let count = number_32(section, 4).unwrap_or_default().min(100) as usize;
    let at = |wanted: u32| {
        let entry = (0..count)
            .map(|index| 8 + index * 8)
            .find(|entry| number_32(section, *entry) == Some(wanted))?;
        section.get(number_32(section, entry + 4)? as usize..)
    };
    let page = at(CODE_PAGE).and_then(|value| number_16(value, 4)).unwrap_or(1_252);
    let text = |wanted: u32| {
        const NARROW: u32 = 0x1e;
        const WIDE: u32 = 0x1f;
        let value = at(wanted)?;
        let length = number_32(value, 4)? as usize;
        let text = match number_32(value, 0)? {
            NARROW if page == 1_200 => encoding::utf_16_le(value.get(8..8_usize.checked_add(length)?)?),
            NARROW => {
                let bytes = value.get(8..8_usize.checked_add(length)?)?;
                encoding::code_page(page.into())
                    .decode_without_bom_handling(bytes)
                    .0
                    .into_owned()
            }
            WIDE => encoding::utf_16_le(value.get(8..8_usize.checked_add(length.checked_mul(2)?)?)?),
            _ => return None,
        };
        Some(text.trim_end_matches('\0').to_owned())
    };
    out.title(&text(TITLE).unwrap_or_default());
    out.author(&text(AUTHOR).unwrap_or_default());
    for wanted in [SUBJECT, KEYWORDS, COMMENTS] {
        out.paragraph(&text(wanted).unwrap_or_default());
    }
}
