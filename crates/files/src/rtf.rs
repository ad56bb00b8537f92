//! Given RTF, gives its pieces: paragraphs, list items, rows of tables and headings, without what is hidden.

use encoding_rs::Encoding;

use crate::{Unread, encoding, pieces::Pieces};

/// Groups within one another beyond this are read as one.
const GROUPS_MAX: usize = 500;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(Unread::broken("it does not begin as RTF"));
    }
    let mut reader = Reader::new(bytes);
    reader.read(out);
    Ok(())
}

/// What a group is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    /// Not shown.
    Skipped,
    FontTable,
    Title,
    Author,
    /// Text of a note or a comment, which stands where it is anchored.
    Note,
}

#[derive(Clone)]
struct Group {
    destination: Destination,
    hidden: bool,
    encoding: &'static Encoding,
    /// How many bytes stand for a Unicode character for readers that know none.
    fallback: usize,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    groups: Vec<Group>,
    group: Group,
    /// Bytes of a code page that are not yet characters: one may need two.
    pending: Vec<u8>,
    skip: usize,
    text: String,
    fonts: Vec<(i32, &'static Encoding)>,
    font: i32,
    default_encoding: &'static Encoding,
    high_surrogate: Option<u16>,
    level: Option<u8>,
    item: Option<u8>,
    in_table: bool,
    row_header: bool,
    cells: Vec<String>,
    property: String,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let encoding = encoding::code_page(1_252);
        Self {
            bytes,
            at: 0,
            groups: Vec::new(),
            group: Group {
                destination: Destination::Text,
                hidden: false,
                encoding,
                fallback: 1,
            },
            pending: Vec::new(),
            skip: 0,
            text: String::new(),
            fonts: Vec::new(),
            font: 0,
            default_encoding: encoding,
            high_surrogate: None,
            level: None,
            item: None,
            in_table: false,
            row_header: false,
            cells: Vec::new(),
            property: String::new(),
        }
    }

    fn read(&mut self, out: &mut Pieces) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'{' => self.open(),
                b'}' => self.close(out),
                b'\\' => self.control(out),
                b'\r' | b'\n' | 0 => {}
                byte => self.byte(byte),
            }
            if out.is_full() {
                return;
            }
        }
        self.paragraph(out);
        self.end_row(out);
    }

    fn open(&mut self) {
        self.characters();
        self.skip = 0;
        if self.groups.len() < GROUPS_MAX {
            self.groups.push(self.group.clone());
        }
    }

    fn close(&mut self, out: &mut Pieces) {
        self.characters();
        self.skip = 0;
        let Some(outer) = self.groups.pop() else { return };
        let inner = std::mem::replace(&mut self.group, outer);
        if inner.destination == self.group.destination {
            return;
        }
        match inner.destination {
            Destination::Title => out.title(&std::mem::take(&mut self.property)),
            Destination::Author => out.author(&std::mem::take(&mut self.property)),
            Destination::Note => self.text.push(' '),
            Destination::Text | Destination::Skipped | Destination::FontTable => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.pending.push(byte);
    }

    /// Turns pending bytes into characters of the group's code page.
    fn characters(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.pending);
        let text = match bytes.is_ascii() {
            true => String::from_utf8_lossy(&bytes).into_owned(),
            false => self.group.encoding.decode_without_bom_handling(&bytes).0.into_owned(),
        };
        self.push(&text);
    }

    fn push(&mut self, text: &str) {
        match self.group.destination {
            Destination::Text | Destination::Note if !self.group.hidden => self.text.push_str(text),
            Destination::Title | Destination::Author => self.property.push_str(text),
            Destination::Text | Destination::Note | Destination::Skipped | Destination::FontTable => {}
        }
    }

    fn control(&mut self, out: &mut Pieces) {
        let Some(byte) = self.bytes.get(self.at).copied() else {
            return;
        };
        if byte == b'\'' {
            let hex = self
                .bytes
                .get(self.at + 1..self.at + 3)
                .and_then(|hex| std::str::from_utf8(hex).ok());
            self.at += 3;
            if let Some(value) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                self.byte(value);
            }
            return;
        }
        if !byte.is_ascii_alphabetic() {
            self.at += 1;
            self.symbol(byte);
            return;
        }
        let (word, number) = self.word();
        self.characters();
        self.apply(word, number, out);
    }

    fn symbol(&mut self, byte: u8) {
        match byte {
            b'{' | b'}' | b'\\' => self.byte(byte),
            b'~' => self.byte(b' '),
            b'_' => self.byte(b'-'),
            b'\n' | b'\r' => self.push("\n"),
            // A destination that may be unknown: known ones follow as words and undo this.
            b'*' if !self.knows_next() => self.group.destination = Destination::Skipped,
            _ => {}
        }
    }

    /// Whether the destination after `\*` is one that is read.
    fn knows_next(&self) -> bool {
        let rest = &self.bytes[self.at..];
        let rest = match rest {
            [b'\r' | b'\n' | b' ', rest @ ..] => rest,
            rest => rest,
        };
        [
            &b"\\shppict"[..],
            b"\\annotation",
            b"\\atnauthor",
            b"\\shpinst",
            b"\\shptxt",
            b"\\fldinst",
            b"\\atnid",
        ]
        .iter()
        .any(|known| rest.starts_with(known))
    }

    fn word(&mut self) -> (&'a [u8], Option<i32>) {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        let digits = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let number = std::str::from_utf8(&self.bytes[digits..self.at])
            .ok()
            .and_then(|digits| digits.parse().ok());
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        (word, number)
    }

    fn apply(&mut self, word: &[u8], number: Option<i32>, out: &mut Pieces) {
        let on = number != Some(0);
        match word {
            b"par" | b"sect" | b"page" => self.paragraph_or_line(out),
            b"line" | b"lbr" => self.push("\n"),
            b"tab" => self.push(" "),
            b"pard" => {
                (self.item, self.level, self.in_table) = (None, None, false);
            }
            b"intbl" => self.in_table = true,
            b"trowd" => self.row_header = false,
            b"trhdr" => self.row_header = true,
            b"cell" | b"nestcell" => self.cells.push(std::mem::take(&mut self.text)),
            b"row" | b"nestrow" => self.end_row(out),
            b"outlinelevel" => {
                self.level = number
                    .and_then(|level| u8::try_from(level).ok())
                    .filter(|level| *level < 9)
            }
            b"ls" => self.item = Some(self.item.unwrap_or_default()),
            b"ilvl" => {
                let depth = number.and_then(|depth| u8::try_from(depth).ok()).unwrap_or_default();
                self.item = self.item.map(|_| depth).or((depth > 0).then_some(depth));
            }
            b"v" => self.group.hidden = on,
            b"deleted" => self.group.hidden = on,
            b"plain" => self.group.hidden = false,
            b"uc" => self.group.fallback = number.and_then(|count| usize::try_from(count).ok()).unwrap_or(1).min(8),
            b"u" => self.unicode(number.unwrap_or_default()),
            b"ansicpg" => {
                self.default_encoding = encoding::code_page(number.unwrap_or(1_252).unsigned_abs());
                self.group.encoding = self.default_encoding;
            }
            b"mac" => self.group.encoding = encoding::code_page(10_000),
            b"f" => self.use_font(number.unwrap_or_default()),
            b"fcharset" => self.name_font(number.unwrap_or_default()),
            b"bin" => {
                self.at = self
                    .at
                    .saturating_add(number.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
            }
            b"emdash" => self.push("—"),
            b"endash" => self.push("–"),
            b"bullet" => self.push("•"),
            b"lquote" => self.push("‘"),
            b"rquote" => self.push("’"),
            b"ldblquote" => self.push("“"),
            b"rdblquote" => self.push("”"),
            b"emspace" | b"enspace" | b"qmspace" => self.push(" "),
            other => self.begin(other),
        }
    }

    /// Words that begin a destination.
    fn begin(&mut self, word: &[u8]) {
        let destination = match word {
            b"fonttbl" => Destination::FontTable,
            b"title" => Destination::Title,
            b"author" => Destination::Author,
            b"footnote" | b"annotation" | b"atnauthor" | b"atnid" => Destination::Note,
            b"fldrslt" | b"shptxt" if self.group.destination == Destination::Skipped => Destination::Text,
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"fldinst" | b"listtext" | b"pntext" | b"listtable"
            | b"listoverridetable" | b"themedata" | b"datastore" | b"objdata" | b"nonshppict" | b"filetbl"
            | b"revtbl" | b"rsidtbl" | b"generator" | b"xmlnstbl" | b"bkmkstart" | b"bkmkend" | b"sp" | b"atnref"
            | b"atrfstart" | b"atrfend" | b"pgptbl" | b"mmathPr" | b"latentstyles" | b"background"
            | b"nonesttables" | b"pnseclvl" | b"operator" | b"company" | b"doccomm" | b"keywords" | b"subject"
            | b"creatim" | b"revtim" => Destination::Skipped,
            _ => return,
        };
        // Within what is skipped everything is, but a document's properties.
        let is_property = matches!(destination, Destination::Title | Destination::Author);
        if self.group.destination != Destination::Skipped || is_property || destination == Destination::Text {
            if destination == Destination::Note {
                self.text.push(' ');
            }
            self.group.destination = destination;
        }
    }

    fn unicode(&mut self, number: i32) {
        let unit = number.rem_euclid(0x1_0000) as u16;
        self.skip = self.group.fallback;
        match (self.high_surrogate.take(), unit) {
            (_, 0xd800..=0xdbff) => self.high_surrogate = Some(unit),
            (Some(high), 0xdc00..=0xdfff) => {
                let c = char::decode_utf16([high, unit]).next().and_then(Result::ok);
                self.push(&c.unwrap_or('\u{fffd}').to_string());
            }
            // Symbol fonts keep their signs in this private area.
            (_, 0xf000..=0xf0ff) => self.push("•"),
            (_, unit) => {
                let c = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
                self.push(&c.to_string());
            }
        }
    }

    fn use_font(&mut self, font: i32) {
        self.font = font;
        if self.group.destination != Destination::FontTable {
            let known = self.fonts.iter().find(|(number, _)| *number == font);
            self.group.encoding = known.map_or(self.default_encoding, |(_, encoding)| encoding);
        }
    }

    fn name_font(&mut self, charset: i32) {
        /// More fonts than any document names.
        const FONTS_MAX: usize = 5_000;
        let page = match charset {
            77 => 10_000,
            128 => 932,
            129 => 949,
            130 => 1_361,
            134 => 936,
            136 => 950,
            161 => 1_253,
            162 => 1_254,
            163 => 1_258,
            177 => 1_255,
            178 => 1_256,
            186 => 1_257,
            204 => 1_251,
            222 => 874,
            238 => 1_250,
            _ => return,
        };
        if self.fonts.len() < FONTS_MAX {
            self.fonts.push((self.font, encoding::code_page(page)));
        }
    }

    fn paragraph_or_line(&mut self, out: &mut Pieces) {
        match self.group.destination {
            Destination::Text if self.in_table => self.text.push('\n'),
            Destination::Text => self.paragraph(out),
            Destination::Note => self.text.push(' '),
            Destination::Title | Destination::Author | Destination::Skipped | Destination::FontTable => {}
        }
    }

    fn paragraph(&mut self, out: &mut Pieces) {
        self.characters();
        let text = std::mem::take(&mut self.text);
        match (self.level, self.item) {
            (Some(level), _) => out.heading(level + 1, &text),
            (None, Some(depth)) => out.item(depth, &text),
            (None, None) => out.paragraph(&text),
        }
    }

    fn end_row(&mut self, out: &mut Pieces) {
        out.row(self.row_header, std::mem::take(&mut self.cells));
        self.row_header = false;
    }
}

/// The window that packed RTF begins with, which every packer knows.
const OUTLOOK_WINDOW: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The largest body of a message, in bytes.
const OUTLOOK_BYTES_MAX: usize = 32 << 20;

/// RTF as Outlook packs it (MS-OXRTFCP).
pub fn unpack_outlook(packed: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(packed.get(4..8)?.try_into().ok()?) as usize;
    let content = packed.get(16..)?;
    match packed.get(8..12)? {
        b"MELA" => return Some(content.to_vec()),
        b"LZFu" => {}
        _ => return None,
    }
    let mut out = OUTLOOK_WINDOW.to_vec();
    let end = OUTLOOK_WINDOW.len() + size.min(OUTLOOK_BYTES_MAX);
    let mut bytes = content.iter();
    'runs: while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            if out.len() >= end {
                break 'runs;
            }
            if flags >> bit & 1 == 0 {
                let Some(byte) = bytes.next() else { break 'runs };
                out.push(*byte);
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                break 'runs;
            };
            let reference = usize::from(*high) << 8 | usize::from(*low);
            let (offset, length) = (reference >> 4, (reference & 15) + 2);
            // Offsets are places in a ring of 4,096 bytes; the same place further back is meant.
            let back = (out.len() + 4_096 - offset) % 4_096;
            if back == 0 || back > out.len() {
                break 'runs;
            }
            for _ in 0..length {
                out.push(out[out.len() - back]);
            }
        }
    }
    Some(out.split_off(OUTLOOK_WINDOW.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, FileText, Limits};

    fn text(rtf: &[u8]) -> FileText {
        let mut pieces = Pieces::new(&Limits::default());
        read(rtf, &mut pieces).unwrap();
        pieces.finish("RTF")
    }

    #[test]
    fn paragraphs_characters_and_what_is_hidden() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Cyr;}}{\\info{\\title Plan}}\
            \\f0 Caf\\'e9 \\u8364?5{\\v secret}\\par\\f1\\'cf\\'f0\\par}";
        let read = text(rtf);
        assert_eq!(read.plain(), "Café €5\nПр");
        assert_eq!(read.title.as_deref(), Some("Plan"));
    }

    #[test]
    fn tables_are_rows_and_outlines_are_headings() {
        let rtf = b"{\\rtf1\\pard\\outlinelevel0 Top\\par\\pard\\trowd\\trhdr\\intbl A\\cell B\\cell\\row\
            \\trowd\\intbl 1\\cell 2\\cell\\row\\pard after\\par}";
        let contents: Vec<Content> = text(rtf).pieces.into_iter().map(|piece| piece.content).collect();
        let row = |header, a: &str, b: &str| Content::Row {
            header,
            cells: vec![a.to_owned(), b.to_owned()],
        };
        let heading = Content::Heading {
            level: 1,
            text: "Top".to_owned(),
        };
        assert_eq!(
            contents,
            [
                heading,
                row(true, "A", "B"),
                row(false, "1", "2"),
                Content::Paragraph("after".to_owned())
            ]
        );
    }

    #[test]
    fn outlooks_packing_is_undone() {
        // The example of MS-OXRTFCP: "hello world" in a document.
        let packed = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00,
            0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
            0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let unpacked = unpack_outlook(&packed).unwrap();
        assert_eq!(unpacked, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }
}
