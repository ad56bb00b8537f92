//! Given the bytes of a file, gives its text in pieces, each with its place. What cannot be read says why.
//!
//! The bytes decide what a file is, never its name. Everything in it is hostile: each reader works within [`Limits`],
//! and [`sandbox::Reader`] runs all of them in a child process that may take no more than its share of time and memory.

mod archive;
mod drawing;
mod encoding;
mod image;
mod iwork;
mod kind;
mod legacy;
mod mail;
mod markup;
pub mod ocr;
mod office;
mod onenote;
mod package;
mod pdf;
mod pieces;
mod plain;
mod rtf;
pub mod sandbox;
mod sheets;
mod xml;

use std::panic::{AssertUnwindSafe, catch_unwind};

use kind::Kind;
use pieces::Pieces;
use serde::{Deserialize, Serialize};

pub use domain::file_text::{Content, FileText, LeftOut, Piece, Place, Unread};

/// What the one who has the file says of it. Nobody believes it; it decides between kinds of text only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// The file's name, with its ending.
    pub name: String,
    pub media_type: Option<String>,
}

/// How much of a file is read, and how much may come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes_max: usize,
    /// The largest part of a packed file, in bytes once unpacked.
    pub part_bytes_max: usize,
    /// All unpacked parts of a file together, in bytes.
    pub unpacked_bytes_max: usize,
    /// The text that is kept, in bytes of the answer; what follows is left out and said to be.
    pub text_bytes_max: usize,
    /// The files in an archive that are read.
    pub archive_parts_max: usize,
}

impl Default for Limits {
    /// A hundred times an ordinary document, and a tenth of the memory a child process has.
    fn default() -> Self {
        Self {
            file_bytes_max: 50 << 20,
            part_bytes_max: 64 << 20,
            unpacked_bytes_max: 256 << 20,
            text_bytes_max: 8 << 20,
            archive_parts_max: 500,
        }
    }
}

/// The text of a file. Panics of a library are a damaged file; only memory, time and the stack need
/// [`sandbox::Reader`].
pub fn read(bytes: &[u8], hints: &Hints, limits: &Limits) -> Result<FileText, Unread> {
    if bytes.is_empty() {
        return Err(Unread::Empty);
    }
    if bytes.len() > limits.file_bytes_max {
        let megabytes = limits.file_bytes_max >> 20;
        return Err(Unread::TooLarge { megabytes });
    }
    let reading = || {
        let kind = Kind::of(bytes, hints);
        let mut pieces = Pieces::new(limits);
        let result = read_kind(&kind, bytes, hints, limits, &mut pieces);
        pieces.forgive(result)?;
        Ok(pieces.finish(kind.name()))
    };
    catch_unwind(AssertUnwindSafe(reading)).unwrap_or_else(|_| Err(Unread::broken("its structure makes no sense")))
}

/// Reads what is no archive: archives read their parts through this, so nothing goes deeper than one level.
fn read_kind(kind: &Kind, bytes: &[u8], hints: &Hints, limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    match kind {
        Kind::Archive(format) => archive::read(*format, bytes, limits, out),
        other => read_single(other, bytes, hints, limits, out),
    }
}

fn read_single(kind: &Kind, bytes: &[u8], hints: &Hints, limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    match kind {
        Kind::Pdf => pdf::read(bytes, out),
        Kind::Word => office::word::read(bytes, limits, out),
        Kind::Slides => office::slides::read(bytes, limits, out),
        Kind::Xlsx => sheets::xlsx::read(bytes, limits, out),
        Kind::Xlsb => sheets::xlsb::read(bytes, limits, out),
        Kind::Odf => office::odf::read(bytes, limits, out),
        Kind::FlatOdf => office::odf::read_flat(bytes, out),
        Kind::Visio => drawing::read_vsdx(bytes, limits, out),
        Kind::Epub => markup::epub::read(bytes, limits, out),
        Kind::Iwork => iwork::read(bytes, limits, out),
        Kind::Doc => legacy::doc::read(bytes, out),
        Kind::Ppt => legacy::ppt::read(bytes, out),
        Kind::Xls => sheets::xls::read(bytes, out),
        Kind::Msg => mail::msg::read(bytes, out),
        Kind::OneNote => onenote::read(bytes, out),
        Kind::Rtf => rtf::read(bytes, out),
        Kind::Html => markup::html::read(bytes, out),
        Kind::Eml => mail::eml::read(bytes, out),
        Kind::Svg => drawing::read_svg(bytes, out),
        Kind::Drawio => drawing::read_drawio(bytes, out),
        Kind::Image(image) => {
            image::read(image, bytes, out);
            Ok(())
        }
        Kind::Text(text) => {
            plain::read(text, bytes, hints, out);
            Ok(())
        }
        Kind::PasswordProtected => Err(Unread::PasswordProtected),
        Kind::Broken(what) => Err(Unread::broken(*what)),
        Kind::Archive(_) => Err(Unread::not_read("archive within an archive")),
        Kind::Other(media_type) => Err(Unread::not_read(media_type)),
    }
}
