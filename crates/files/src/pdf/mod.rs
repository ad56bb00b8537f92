//! Given a PDF, gives its text in reading order, page by page: headings by the size of their letters, tables by their
//! columns, items by their bullets.

mod content;
mod encodings;
mod fonts;
mod layout;

use hayro_syntax::{
    LoadPdfError, Pdf,
    object::{Array, Dict, Name},
};

use crate::{LeftOut, Unread, encoding, pieces::Pieces};

/// The most pages that are read.
const PAGES_MAX: usize = 5_000;
/// The most annotations of a page.
const ANNOTATIONS_MAX: usize = 2_000;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Unread::PasswordProtected,
        LoadPdfError::Invalid => Unread::broken("its pages cannot be found"),
    })?;
    let metadata = pdf.metadata();
    out.title(&metadata.title.as_deref().map(text_string).unwrap_or_default());
    out.author(&metadata.author.as_deref().map(text_string).unwrap_or_default());
    let pages = pdf.pages();
    let mut reader = content::Reader::default();
    let mut laid_out = Vec::new();
    for page in pages.iter().take(PAGES_MAX) {
        let glyphs = reader.page(page);
        laid_out.push((layout::page(glyphs), annotations(page.raw())));
        if reader.is_exhausted() {
            break;
        }
    }
    if laid_out.len() < pages.len() {
        out.leave_out(LeftOut::Pages {
            read: laid_out.len(),
            of: pages.len(),
        });
    }
    layout::write(&laid_out, out);
    Ok(())
}

/// A string that is text: UTF-16 or UTF-8 with a mark, or PDF's own encoding.
pub fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => encoding::utf_16_be(rest),
        [0xff, 0xfe, rest @ ..] => encoding::utf_16_le(rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        other => other.iter().map(|byte| encodings::pdf_document(*byte)).collect(),
    }
}

/// What readers wrote upon a page and what was filled into its fields.
fn annotations(page: &Dict<'_>) -> Vec<String> {
    let Some(annotations) = page.get::<Array<'_>>("Annots") else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for annotation in annotations.iter::<Dict<'_>>().take(ANNOTATIONS_MAX) {
        let kind = annotation.get::<Name<'_>>("Subtype");
        let kind = kind.as_ref().map(|kind| kind.as_str()).unwrap_or_default();
        let key = match kind {
            "Widget" => "V",
            "Link" | "Popup" => continue,
            _ => "Contents",
        };
        if let Some(text) = annotation.get::<hayro_syntax::object::String<'_>>(key) {
            texts.push(text_string(text.as_bytes()));
        }
    }
    texts
}
