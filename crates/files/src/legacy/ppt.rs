//! Given a PowerPoint presentation of 97 to 2003, gives its slides.
//!
//! The stream is a tree of records (MS-PPT). The text of titles and outlines stands in the list of slides, slide by
//! slide; what was put into boxes stands in the drawing of its slide.

use std::io::Cursor;

use super::{number_16, number_32, stream};
use crate::{Place, Unread, encoding, pieces::Pieces};

// Numbers of records.
const DOCUMENT: u16 = 1_000;
const SLIDE: u16 = 1_006;
const NOTES: u16 = 1_008;
const SLIDE_PLACE: u16 = 1_011;
const MAIN_MASTER: u16 = 1_016;
const TEXT_HEADER: u16 = 3_999;
const TEXT_WIDE: u16 = 4_000;
const TEXT_NARROW: u16 = 4_008;
const SLIDE_LIST: u16 = 4_080;
const CRYPT: u16 = 12_052;

/// Records within one another beyond this are not followed.
const DEPTH_MAX: u8 = 60;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let mut file =
        cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| Unread::broken("it is not a whole compound file"))?;
    let document = stream(&mut file, "/PowerPoint Document").ok_or_else(|| Unread::broken("its slides are missing"))?;
    const ENCRYPTED: u32 = 0xf3d1_c4df;
    let user = stream(&mut file, "/Current User").unwrap_or_default();
    let encrypted = number_32(&user, 12) == Some(ENCRYPTED) || records(&document).any(|record| record.number == CRYPT);
    if encrypted {
        return Err(Unread::PasswordProtected);
    }
    super::properties(&mut file, out);
    let outlines = outlines(&document);
    let drawings: Vec<&[u8]> = records(&document)
        .filter(|record| record.number == SLIDE)
        .map(|record| record.data)
        .collect();
    for index in 0..outlines.len().max(drawings.len()) {
        out.at(u32::try_from(index + 1).ok().map(Place::Slide));
        outlines
            .get(index)
            .into_iter()
            .flatten()
            .for_each(|text| text.write(out));
        if let Some(drawing) = drawings.get(index) {
            let mut texts = Vec::new();
            add_texts(drawing, 0, &mut texts);
            texts.iter().for_each(|text| text.write(out));
        }
        if out.is_full() {
            break;
        }
    }
    out.at(None);
    for record in records(&document).filter(|record| matches!(record.number, NOTES)) {
        let mut texts = Vec::new();
        add_texts(record.data, 0, &mut texts);
        texts
            .iter()
            .filter(|text| !text.is_placeholder())
            .for_each(|text| text.write(out));
    }
    Ok(())
}

struct Record<'a> {
    number: u16,
    is_container: bool,
    instance: u16,
    data: &'a [u8],
}

/// Records one after the other, until one is cut off.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let version = number_16(bytes, 0)?;
        let number = number_16(bytes, 2)?;
        let length = number_32(bytes, 4)? as usize;
        let rest = &bytes[8..];
        let (data, rest) = rest.split_at(length.min(rest.len()));
        bytes = rest;
        Some(Record {
            number,
            is_container: version & 0xf == 0xf,
            instance: version >> 4,
            data,
        })
    })
}

/// A text with its kind: 0 and 6 are titles, 1 a body, 2 notes, 4 what stands elsewhere.
struct Text {
    kind: u32,
    text: String,
}

impl Text {
    fn write(&self, out: &mut Pieces) {
        for line in self.text.split('\r') {
            match self.kind {
                0 | 6 => out.heading(2, line),
                1 | 5 | 7 | 8 => out.item(0, line),
                _ => out.paragraph(line),
            }
        }
    }

    /// A lone asterisk stands for a number or a date that is filled in.
    fn is_placeholder(&self) -> bool {
        self.text.trim() == "*"
    }
}

/// The texts of the list of slides, for each slide its own.
fn outlines(document: &[u8]) -> Vec<Vec<Text>> {
    let mut slides: Vec<Vec<Text>> = Vec::new();
    // Saved again and again, the file keeps old documents; the last is the one that counts.
    let Some(last) = records(document).filter(|record| record.number == DOCUMENT).last() else {
        return slides;
    };
    // Instance 0 lists slides, 1 masters, 2 notes.
    let lists = records(last.data).filter(|record| record.number == SLIDE_LIST && record.instance == 0);
    for list in lists {
        let mut kind = 4;
        for record in records(list.data) {
            match record.number {
                SLIDE_PLACE => slides.push(Vec::new()),
                TEXT_HEADER => kind = number_32(record.data, 0).unwrap_or(4),
                _ => {
                    if let (Some(text), Some(slide)) = (text(&record), slides.last_mut()) {
                        slide.push(Text { kind, text });
                    }
                }
            }
        }
    }
    slides
}

fn text(record: &Record<'_>) -> Option<String> {
    match record.number {
        TEXT_WIDE => Some(encoding::utf_16_le(record.data)),
        TEXT_NARROW => Some(record.data.iter().map(|byte| char::from(*byte)).collect()),
        _ => None,
    }
}

fn add_texts(bytes: &[u8], depth: u8, texts: &mut Vec<Text>) {
    let mut kind = 4;
    for record in records(bytes) {
        if record.number == TEXT_HEADER {
            kind = number_32(record.data, 0).unwrap_or(4);
        }
        if let Some(text) = text(&record) {
            texts.push(Text { kind, text });
        }
        if record.is_container && depth < DEPTH_MAX && record.number != MAIN_MASTER {
            add_texts(record.data, depth + 1, texts);
        }
    }
}
