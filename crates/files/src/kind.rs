//! Given a file's bytes, gives what it is. Its name only tells kinds of text apart.

use std::io::Cursor;

use crate::{Hints, encoding, image::Image, plain::TextKind};

/// How many bytes tell what a text is.
const TEXT_BYTES_SEEN: usize = 4_096;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Pdf,
    /// WordprocessingML in a zip.
    Word,
    /// PresentationML in a zip.
    Slides,
    /// SpreadsheetML in a zip.
    Xlsx,
    /// Binary sheets in a zip.
    Xlsb,
    /// OpenDocument of any kind in a zip.
    Odf,
    FlatOdf,
    Visio,
    Epub,
    /// Pages, Numbers or Keynote.
    Iwork,
    Doc,
    Ppt,
    Xls,
    Msg,
    OneNote,
    Rtf,
    Html,
    Eml,
    Svg,
    Drawio,
    Image(Image),
    Text(TextKind),
    Archive(Archive),
    /// Encrypted as a whole: nothing in it says what it is.
    PasswordProtected,
    /// It begins as what it is not.
    Broken(&'static str),
    /// Known by its media type or name for people, and not read.
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    Zip,
    Tar,
    Gzip,
}

impl Kind {
    pub fn of(bytes: &[u8], hints: &Hints) -> Self {
        by_signature(bytes).unwrap_or_else(|| by_text(bytes, hints))
    }

    /// For people.
    pub fn name(&self) -> &str {
        match self {
            Self::Pdf => "PDF",
            Self::Word | Self::Doc => "Word document",
            Self::Slides | Self::Ppt => "PowerPoint presentation",
            Self::Xlsx | Self::Xlsb | Self::Xls => "Excel workbook",
            Self::Odf | Self::FlatOdf => "OpenDocument",
            Self::Visio => "Visio drawing",
            Self::Epub => "EPUB",
            Self::Iwork => "iWork document",
            Self::Msg => "Outlook message",
            Self::OneNote => "OneNote section",
            Self::Rtf => "RTF",
            Self::Html => "HTML",
            Self::Eml => "e-mail",
            Self::Svg => "SVG drawing",
            Self::Drawio => "draw.io diagram",
            Self::Image(image) => image.name(),
            Self::Text(text) => text.name(),
            Self::Archive(Archive::Zip) => "ZIP archive",
            Self::Archive(Archive::Tar) => "TAR archive",
            Self::Archive(Archive::Gzip) => "GZIP",
            Self::PasswordProtected => "encrypted file",
            Self::Broken(_) => "damaged file",
            Self::Other(media_type) => media_type,
        }
    }
}

/// Signatures of what is not read, and what it is.
const OTHERS: [(&[u8], &str); 26] = [
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"BZh", "application/x-bzip2"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"\0asm", "application/wasm"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\0\x01\0\0Standard", "application/x-msaccess"),
    (b"!BDN", "application/vnd.ms-outlook-pst"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"OTTO", "font/otf"),
    (b"\0\x01\0\0\0", "font/ttf"),
    (b"AC10", "image/vnd.dwg"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"%!PS", "application/postscript"),
];

/// How far into a file its PDF header may stand.
const PDF_HEADER_BYTES_SEEN: usize = 1_024;

fn by_signature(bytes: &[u8]) -> Option<Kind> {
    let head = &bytes[..bytes.len().min(PDF_HEADER_BYTES_SEEN)];
    if let Some(image) = Image::of(bytes) {
        return Some(Kind::Image(image));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") || bytes.starts_with(b"PK00PK\x03\x04") {
        return Some(in_zip(bytes));
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some(in_compound_file(bytes));
    }
    if bytes.starts_with(b"{\\rtf") {
        return Some(Kind::Rtf);
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Some(Kind::Archive(Archive::Gzip));
    }
    if bytes.starts_with(&crate::onenote::SECTION_SIGNATURE) {
        return Some(Kind::OneNote);
    }
    if bytes.starts_with(&crate::onenote::TABLE_SIGNATURE) {
        return Some(Kind::Other("application/onenote; format=onetoc2".to_owned()));
    }
    // Sheets of Excel 2 to 4 stand alone, without the compound file around them.
    if let [0x09, 0x00 | 0x02 | 0x04 | 0x08, ..] = bytes
        && bytes
            .get(2..4)
            .is_some_and(|length| matches!(length, [4 | 6 | 8 | 16, 0]))
    {
        return Some(Kind::Xls);
    }
    if is_tar(bytes) {
        return Some(Kind::Archive(Archive::Tar));
    }
    if let Some(brand) = bytes.get(4..12).and_then(|ftyp| ftyp.strip_prefix(b"ftyp")) {
        let media_type = match brand {
            b"M4A " => "audio/mp4",
            b"qt  " => "video/quicktime",
            _ => "video/mp4",
        };
        return Some(Kind::Other(media_type.to_owned()));
    }
    if bytes.starts_with(b"RIFF") {
        let media_type = match bytes.get(8..12) {
            Some(b"WAVE") => "audio/wav",
            _ => "video/x-msvideo",
        };
        return Some(Kind::Other(media_type.to_owned()));
    }
    if head.windows(5).any(|window| window == b"%PDF-") {
        return Some(Kind::Pdf);
    }
    let other = OTHERS.iter().find(|(signature, _)| bytes.starts_with(signature));
    other
        // Two letters at a text's beginning are not yet a program.
        .filter(|(signature, _)| signature.len() > 2 || bytes.contains(&0))
        .map(|(_, media_type)| Kind::Other((*media_type).to_owned()))
}

/// A header of tar: `ustar` at its place, or at least a sum over the header that is right.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else {
        return false;
    };
    if header[257..].starts_with(b"ustar") {
        return true;
    }
    let digits = String::from_utf8_lossy(&header[148..156]);
    let Ok(claimed) = u32::from_str_radix(digits.trim_matches(|c: char| c == '\0' || c == ' '), 8) else {
        return false;
    };
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    header[0] != 0 && sum == claimed
}

fn in_zip(bytes: &[u8]) -> Kind {
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Kind::Broken("it is not a whole zip");
    };
    let mimetype = small_part(&mut zip, "mimetype");
    if mimetype.starts_with("application/epub") {
        return Kind::Epub;
    }
    if mimetype.starts_with("application/vnd.oasis.opendocument") || mimetype.starts_with("application/vnd.sun.xml") {
        return Kind::Odf;
    }
    let names: Vec<String> = zip
        .file_names()
        .flatten()
        .map(|name| name.replace('\\', "/").to_lowercase())
        .collect();
    let has = |beginning: &str| {
        names
            .iter()
            .any(|name| name.trim_start_matches('/').starts_with(beginning))
    };
    let types = small_part(&mut zip, "[Content_Types].xml");
    if has("[content_types].xml") {
        // The type of the main part decides; its folder is a custom only.
        if types.contains("wordprocessingml") || types.contains("ms-word.document") {
            return Kind::Word;
        }
        if types.contains("presentationml") || types.contains("ms-powerpoint") {
            return Kind::Slides;
        }
        if has("xl/workbook.bin") {
            return Kind::Xlsb;
        }
        if types.contains("spreadsheetml") || types.contains("ms-excel") {
            return Kind::Xlsx;
        }
        if types.contains("visio") {
            return Kind::Visio;
        }
    }
    match () {
        () if has("word/document") => Kind::Word,
        () if has("ppt/presentation") => Kind::Slides,
        () if has("xl/workbook.bin") => Kind::Xlsb,
        () if has("xl/workbook") => Kind::Xlsx,
        () if has("visio/") => Kind::Visio,
        () if has("meta-inf/container.xml") && names.iter().any(|name| name.ends_with(".opf")) => Kind::Epub,
        () if is_iwork(&names) => Kind::Iwork,
        () if has("content.xml") && has("meta-inf/manifest.xml") => Kind::Odf,
        () => Kind::Archive(Archive::Zip),
    }
}

fn is_iwork(names: &[String]) -> bool {
    let main = |name: &String| {
        matches!(name.as_str(), "index.xml" | "index.apxl" | "index/document.iwa")
            || name.ends_with(".iwa")
            || (name.ends_with("/index.zip") && !name.contains("__macosx"))
    };
    names.iter().any(main)
}

/// The beginning of a part, to recognize its package by.
fn small_part(zip: &mut zip::ZipArchive<Cursor<&[u8]>>, name: &str) -> String {
    use std::io::Read;
    /// Lists of content types grow with the slides of a presentation.
    const PART_BYTES_SEEN: u64 = 1 << 20;
    let mut bytes = Vec::new();
    if let Ok(part) = zip.by_name(name) {
        // What breaks off has told enough or nothing.
        let _ = part.take(PART_BYTES_SEEN).read_to_end(&mut bytes);
    }
    encoding::decode_xml(&bytes).trim().to_owned()
}

fn in_compound_file(bytes: &[u8]) -> Kind {
    let Ok(file) = cfb::CompoundFile::open(Cursor::new(bytes)) else {
        return Kind::Broken("it is not a whole compound file");
    };
    let names: Vec<String> = file
        .read_root_storage()
        .map(|entry| entry.name().to_lowercase())
        .collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    match () {
        () if has("encryptedpackage") || has("encryptioninfo") => Kind::PasswordProtected,
        () if has("worddocument") => Kind::Doc,
        () if has("powerpoint document") => Kind::Ppt,
        () if has("workbook") || has("book") => Kind::Xls,
        () if names.iter().any(|name| name.starts_with("__properties_version1.0")) => Kind::Msg,
        () if names.iter().any(|name| name.starts_with("__substg1.0_")) => Kind::Msg,
        () if has("visiodocument") => Kind::Other("application/vnd.visio".to_owned()),
        () if has("quill") => Kind::Other("application/x-mspublisher".to_owned()),
        () => Kind::Other("application/x-ole-storage".to_owned()),
    }
}

fn by_text(bytes: &[u8], hints: &Hints) -> Kind {
    let head = encoding::decode(&bytes[..bytes.len().min(TEXT_BYTES_SEEN)]);
    if is_binary(&head, bytes) {
        let media_type = hints.media_type.as_deref().filter(|named| named.contains('/'));
        return Kind::Other(media_type.unwrap_or("application/octet-stream").to_owned());
    }
    let start = head.trim_start().to_ascii_lowercase();
    if let Some(kind) = marked_up(&start) {
        return kind;
    }
    if start.starts_with("begin:vcalendar") {
        return Kind::Text(TextKind::Calendar);
    }
    if start.starts_with("webvtt") {
        return Kind::Text(TextKind::Captions);
    }
    let ending = ending(&hints.name);
    if matches!(ending.as_str(), "mhtml" | "mht") || is_mail(&head, &ending) {
        return Kind::Eml;
    }
    Kind::Text(TextKind::named(&ending, &start))
}

/// Whether these cannot be a text's characters.
fn is_binary(head: &str, bytes: &[u8]) -> bool {
    let marked = encoding_rs::Encoding::for_bom(bytes).is_some();
    let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{b}' | '\u{1b}' | '\u{8}');
    let controls = head.chars().filter(|c| strange(*c)).count();
    controls * if marked { 10 } else { 50 } > head.chars().count()
}

fn marked_up(start: &str) -> Option<Kind> {
    if !start.starts_with('<') {
        return None;
    }
    let mut rest = start;
    // Past declarations and comments stands the first element.
    let element = loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if rest.starts_with("<!doctype html") {
            return Some(Kind::Html);
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            rest = rest.split_once('>').map_or("", |(_, after)| after);
        } else {
            break rest.strip_prefix('<').unwrap_or_default();
        }
    };
    let name = element
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .next()
        .unwrap_or_default();
    let local = name.rsplit(':').next().unwrap_or_default();
    match local {
        "html" | "head" | "body" | "div" | "p" | "table" | "title" | "meta" | "h1" | "h2" | "ul" | "span"
        | "center" | "font" | "script" | "style" | "link" => Some(Kind::Html),
        "svg" => Some(Kind::Svg),
        "mxfile" | "mxgraphmodel" => Some(Kind::Drawio),
        "document" if name.starts_with("office:") => Some(Kind::FlatOdf),
        _ => None,
    }
}

/// Headers that letters begin with.
const MAIL_HEADERS: [&str; 14] = [
    "from",
    "to",
    "subject",
    "date",
    "received",
    "return-path",
    "mime-version",
    "message-id",
    "delivered-to",
    "x-",
    "content-type",
    "dkim-signature",
    "reply-to",
    "cc",
];

fn is_mail(head: &str, ending: &str) -> bool {
    let mut headers = 0;
    let first_line_is_mbox = head.starts_with("From ") && ending != "txt";
    for line in head.lines().skip(usize::from(first_line_is_mbox)) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else {
            return false;
        };
        let name = name.to_ascii_lowercase();
        let is_header = name.chars().all(|c| c.is_ascii_graphic());
        if !is_header {
            return false;
        }
        headers += usize::from(
            MAIL_HEADERS
                .iter()
                .any(|known| name == *known || name.starts_with("x-") && *known == "x-"),
        );
    }
    headers >= if ending == "eml" { 1 } else { 3 }
}

/// A file's name behind its last dot, in lower case.
pub fn ending(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.')
        .map_or(String::new(), |(_, ending)| ending.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8], name: &str) -> Kind {
        let hints = Hints {
            name: name.to_owned(),
            media_type: None,
        };
        Kind::of(bytes, &hints)
    }

    #[test]
    fn content_decides_and_not_the_name() {
        assert_eq!(kind(b"%PDF-1.7\n...", "notes.txt"), Kind::Pdf);
        assert_eq!(kind(b"just words", "report.pdf"), Kind::Text(TextKind::Plain));
        assert_eq!(kind(b"{\\rtf1 hello}", "a.doc"), Kind::Rtf);
        assert_eq!(
            kind(b"<?xml version='1.0'?><!-- c --><svg xmlns='x'/>", "a.png"),
            Kind::Svg
        );
        assert_eq!(kind(b"<!DOCTYPE html><p>", "a.xls"), Kind::Html);
        assert_eq!(
            kind(b"\0\0\0\x18ftypmp42....", "a.docx"),
            Kind::Other("video/mp4".to_owned())
        );
        assert_eq!(
            kind(b"\x00\x01\x02\x03\x04\x05", "a.txt"),
            Kind::Other("application/octet-stream".to_owned())
        );
    }

    #[test]
    fn a_letter_is_told_from_a_text_with_colons() {
        assert_eq!(kind(b"From: a@example.org\nTo: b\nSubject: c\n\nhello", "x"), Kind::Eml);
        assert_eq!(
            kind(b"Note: buy milk\nTo: the shop\n", "x.txt"),
            Kind::Text(TextKind::Plain)
        );
    }

    #[test]
    fn a_name_tells_texts_apart() {
        assert_eq!(
            kind(b"a,b\n1,2\n", "t.csv"),
            Kind::Text(TextKind::Table { tabs: false })
        );
        assert_eq!(kind(b"# Title", "t.md"), Kind::Text(TextKind::Markdown));
        assert_eq!(kind(b"fn main() {}", "main.rs"), Kind::Text(TextKind::Code("rust")));
    }
}
