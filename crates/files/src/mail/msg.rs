//! Given a message as Outlook keeps it (a compound file of MAPI properties), gives its pieces.

use std::io::{Cursor, Read};

use cfb::CompoundFile;

use super::{Letter, attachment, body_html, body_plain};
use crate::{Unread, encoding, pieces::Pieces, rtf};

/// The largest property, in bytes.
const PROPERTY_BYTES_MAX: u64 = 32 << 20;
/// The most people and attachments that are looked at.
const PARTS_MAX: usize = 1_000;

// Numbers of MAPI's properties.
const SUBJECT: &str = "0037";
const SENDER_NAME: &str = "0C1A";
const SENDER_ADDRESS: &str = "0C1F";
const SENDER_SMTP: &str = "5D01";
const DISPLAY_TO: &str = "0E04";
const DISPLAY_CC: &str = "0E03";
const BODY: &str = "1000";
const BODY_RTF: &str = "1009";
const BODY_HTML: &str = "1013";
const NAME: &str = "3001";
const ATTACHMENT_NAME: &str = "3704";
const ATTACHMENT_LONG_NAME: &str = "3707";
const MESSAGE_CODE_PAGE: u32 = 0x3ffd;
const INTERNET_CODE_PAGE: u32 = 0x3fde;

type File<'a> = CompoundFile<Cursor<&'a [u8]>>;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let mut file =
        CompoundFile::open(Cursor::new(bytes)).map_err(|_| Unread::broken("it is not a whole compound file"))?;
    let code_pages = code_pages(&mut file);
    let mut text = |name: &str| property(&mut file, "/", name, &code_pages);
    let address = [SENDER_SMTP, SENDER_ADDRESS]
        .into_iter()
        .map(&mut text)
        .find(|address| address.contains('@'));
    let name = text(SENDER_NAME);
    let from = match address {
        Some(address) if address != name && !name.is_empty() => format!("{name} <{address}>"),
        Some(address) => address,
        None => name,
    };
    let letter = Letter {
        subject: text(SUBJECT),
        from,
        to: text(DISPLAY_TO),
        cc: text(DISPLAY_CC),
        date: String::new(),
    };
    letter.write(out);
    body(&mut file, &code_pages, out);
    let mut parts: Vec<String> = file.read_root_storage().map(|entry| entry.name().to_owned()).collect();
    parts.sort();
    for part in parts
        .iter()
        .filter(|name| name.starts_with("__attach_version1.0"))
        .take(PARTS_MAX)
    {
        let folder = format!("/{part}/");
        let name = [ATTACHMENT_LONG_NAME, ATTACHMENT_NAME, NAME]
            .into_iter()
            .map(|name| property(&mut file, &folder, name, &code_pages))
            .find(|name| !name.trim_matches('\0').is_empty());
        attachment(&name.unwrap_or_default(), out);
    }
    Ok(())
}

/// HTML where there is some, else plain text, else RTF.
fn body(file: &mut File<'_>, code_pages: &CodePages, out: &mut Pieces) {
    let html = stream(file, &format!("/__substg1.0_{BODY_HTML}0102"))
        .map(|bytes| code_pages.internet.decode(&bytes).0.into_owned())
        .or_else(|| stream(file, &format!("/__substg1.0_{BODY_HTML}001F")).map(|bytes| encoding::utf_16_le(&bytes)));
    let count = out.count();
    if let Some(html) = html {
        body_html(&html, out);
    }
    if !out.has_more_than(count) {
        body_plain(&property(file, "/", BODY, code_pages), out);
    }
    if !out.has_more_than(count)
        && let Some(packed) = stream(file, &format!("/__substg1.0_{BODY_RTF}0102"))
        && let Some(unpacked) = rtf::unpack_outlook(&packed)
    {
        // A body that cannot be read leaves the letter without it.
        let _ = rtf::read(&unpacked, out);
    }
}

struct CodePages {
    message: &'static encoding_rs::Encoding,
    internet: &'static encoding_rs::Encoding,
}

/// The code pages of texts without Unicode, from the fixed properties.
fn code_pages(file: &mut File<'_>) -> CodePages {
    let properties = stream(file, "/__properties_version1.0").unwrap_or_default();
    // The header of a message's properties has 32 bytes, each property 16.
    let number = |id: u32| {
        let records = properties.get(32..).unwrap_or_default().as_chunks::<16>().0.iter();
        let tag = id << 16 | 3;
        records
            .filter(|record| record[..4] == tag.to_le_bytes())
            .map(|record| u32::from_le_bytes([record[8], record[9], record[10], record[11]]))
            .next()
    };
    CodePages {
        message: encoding::code_page(number(MESSAGE_CODE_PAGE).unwrap_or(1_252)),
        internet: encoding::code_page(number(INTERNET_CODE_PAGE).unwrap_or(65_001)),
    }
}

/// A text property, in Unicode or in the message's code page; empty where it is not there.
fn property(file: &mut File<'_>, folder: &str, name: &str, code_pages: &CodePages) -> String {
    if let Some(bytes) = stream(file, &format!("{folder}__substg1.0_{name}001F")) {
        return encoding::utf_16_le(&bytes).trim_end_matches('\0').to_owned();
    }
    let bytes = stream(file, &format!("{folder}__substg1.0_{name}001E")).unwrap_or_default();
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => code_pages.message.decode(&bytes).0.into_owned(),
    };
    text.trim_end_matches('\0').to_owned()
}

fn stream(file: &mut File<'_>, path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let stream = file.open_stream(path).ok()?;
    // A stream that breaks off has given what it has.
    let _ = stream.take(PROPERTY_BYTES_MAX).read_to_end(&mut bytes);
    Some(bytes)
}
