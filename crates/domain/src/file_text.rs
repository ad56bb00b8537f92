//! What a file gives: its text in pieces, or the reason why there is none. The one noun that has a form of its own in
//! JSON: a child process tells it, and the store keeps it as the body of an attachment, as it keeps Atlassian's formats.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    document::{BODY_BYTES_MAX, Body},
};

/// The text of one file, in reading order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileText {
    /// What the file turned out to be, for people: `PDF`, `Word document`.
    pub kind: String,
    /// As the file's own properties name it.
    pub title: Option<String>,
    /// As the file's own properties name them.
    pub author: Option<String>,
    /// What is not among the pieces; the first of it, when it is more than one thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    pub pieces: Vec<Piece>,
}

impl FileText {
    /// All text, pieces on lines of their own.
    pub fn plain(&self) -> String {
        let lines: Vec<Cow<'_, str>> = self.pieces.iter().map(Piece::text).collect();
        lines.join("\n")
    }

    /// As the body of an attachment. Pieces from the end on are left out of one that is larger than any body may be.
    pub fn into_body(mut self) -> Result<Body> {
        loop {
            let json = serde_json::to_string(&self)
                .map_err(|error| Error::internal("the text of a file could not be kept").because(error))?;
            if json.len() <= BODY_BYTES_MAX || self.pieces.is_empty() {
                return Ok(Body::File(json));
            }
            self.pieces.truncate(self.pieces.len() / 2);
            self.left_out = Some(LeftOut::Text { bytes: BODY_BYTES_MAX });
        }
    }

    /// What such a body tells; none when it is damaged.
    pub fn of_body(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// What such a body leaves out; none when it is damaged.
    pub fn left_out_of_body(json: &str) -> Option<LeftOut> {
        #[derive(Deserialize)]
        struct OnlyThis {
            #[serde(default)]
            left_out: Option<LeftOut>,
        }
        serde_json::from_str::<OnlyThis>(json).ok()?.left_out
    }
}

/// What of a file was not read, or not kept. Its sentence stands above the file's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// The text behind its first so many bytes.
    Text { bytes: usize },
    /// The pages of a document behind its first `read`.
    Pages { read: usize, of: usize },
    /// The columns of a sheet behind its first `read`.
    Columns { read: usize },
    /// The files of an archive behind its first `read`.
    Files { read: usize },
    /// A part that is damaged, or larger than the limits allow.
    Unreadable,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { bytes } if *bytes < 1 << 20 => {
                write!(out, "Only the first {} KB of its text were read.", grouped(bytes >> 10))
            }
            Self::Text { bytes } => write!(out, "Only the first {} MB of its text were read.", grouped(bytes >> 20)),
            Self::Pages { read, of } => {
                write!(
                    out,
                    "Only the first {} of its {} pages were read.",
                    grouped(*read),
                    grouped(*of)
                )
            }
            Self::Columns { read } => {
                write!(
                    out,
                    "Only the first {} columns of its sheets were read.",
                    grouped(*read)
                )
            }
            Self::Files { read } => write!(out, "Only the first {} files in it were read.", grouped(*read)),
            Self::Unreadable => write!(out, "A part of it is damaged or too large, and was not read."),
        }
    }
}

/// With a comma at each thousand.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// What belongs together, and where in the file it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    pub content: Content,
}

impl Piece {
    /// Its text; the cells of a row divided by ` | `.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.content {
            Content::Heading { text, .. }
            | Content::Paragraph(text)
            | Content::Item { text, .. }
            | Content::Code { text, .. } => Cow::Borrowed(text),
            Content::Row { cells, .. } => Cow::Owned(cells.join(" | ")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Levels 1 to 6.
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(String),
    /// An item of a list; the outermost has depth 0.
    Item {
        depth: u8,
        text: String,
    },
    /// A row of a table. `header` says that it names the columns of the rows below it.
    Row {
        header: bool,
        cells: Vec<String>,
    },
    /// Kept verbatim, lines and all.
    Code {
        language: Option<String>,
        text: String,
    },
}

/// Where in a file a piece stands, as people would point to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Counted from 1, as viewers count and not as the document numbers them.
    Page(u32),
    Slide(u32),
    Sheet(String),
    Chapter(String),
    /// A file in an archive, and the place in that file.
    Part {
        path: String,
        within: Option<Box<Place>>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(number) => write!(out, "page {number}"),
            Self::Slide(number) => write!(out, "slide {number}"),
            Self::Sheet(name) => write!(out, "sheet “{name}”"),
            Self::Chapter(name) => write!(out, "chapter “{name}”"),
            Self::Part { path, within: None } => write!(out, "{path}"),
            Self::Part {
                path,
                within: Some(place),
            } => write!(out, "{path}, {place}"),
        }
    }
}

/// Why a file has no text in Circuit. Its sentence stands beside the document's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// No reader for this type.
    NotRead {
        what: String,
    },
    PasswordProtected,
    TooLarge {
        megabytes: usize,
    },
    /// Not what its type should be, and nothing in it can be read.
    Broken {
        what: String,
    },
    Empty,
    OutOfTime {
        seconds: u64,
    },
    OutOfMemory {
        megabytes: u64,
    },
    /// The reader itself came to grief. The file is at fault, and so is Circuit.
    Crashed,
}

impl Unread {
    /// Damaged in this way.
    pub fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }

    /// Of this type, which is not read.
    pub fn not_read(what: impl Into<String>) -> Self {
        Self::NotRead { what: what.into() }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead { what } => write!(out, "type not read: {what}"),
            Self::PasswordProtected => write!(out, "password-protected"),
            Self::TooLarge { megabytes } => write!(out, "larger than {megabytes} MB"),
            Self::Broken { what } => write!(out, "damaged: {what}"),
            Self::Empty => write!(out, "empty file"),
            Self::OutOfTime { seconds } => write!(out, "not read within {seconds} seconds"),
            Self::OutOfMemory { megabytes } => write!(out, "needs more than {megabytes} MB of memory to be read"),
            Self::Crashed => write!(out, "the reader stopped unexpectedly at this file"),
        }
    }
}

impl std::error::Error for Unread {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said_in_a_sentence() {
        let said = |left_out: LeftOut| left_out.to_string();
        assert_eq!(
            said(LeftOut::Text { bytes: 8 << 20 }),
            "Only the first 8 MB of its text were read."
        );
        assert_eq!(
            said(LeftOut::Pages {
                read: 5_000,
                of: 1_234_567
            }),
            "Only the first 5,000 of its 1,234,567 pages were read."
        );
    }

    #[test]
    fn a_body_that_had_to_be_cut_says_so() {
        let piece = |text: String| Piece {
            place: None,
            content: Content::Paragraph(text),
        };
        let whole = FileText {
            pieces: vec![piece("short".into())],
            ..FileText::default()
        };
        let cut = FileText {
            pieces: (0..10).map(|_| piece("a".repeat(BODY_BYTES_MAX / 8))).collect(),
            ..FileText::default()
        };
        let left_out = |text: FileText| FileText::left_out_of_body(text.into_body().unwrap().text());
        assert_eq!(left_out(whole), None);
        assert_eq!(left_out(cut), Some(LeftOut::Text { bytes: BODY_BYTES_MAX }));
        assert_eq!(FileText::left_out_of_body("{"), None);
    }
}
