//! Given a document of Pages, Numbers or Keynote, gives its words.
//!
//! Up to 2012 it was XML. Since then it is objects of Protocol Buffers in Snappy blocks (`.iwa`), whose meaning Apple
//! keeps to itself: what is known of them is that texts are in the third field of objects of a few types.

use std::{collections::BTreeSet, io::Read};

use flate2::read::GzDecoder;

use crate::{
    LeftOut, Limits, Unread,
    package::Package,
    pieces::Pieces,
    xml::{self, Element, Node},
};

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    for name in ["index.xml", "index.apxl", "index.xml.gz", "index.apxl.gz"] {
        if let Ok(part) = package.part(name) {
            read_xml(&unpacked(part, limits), out);
            return Ok(());
        }
    }
    // Some are folders put into a zip: the index is a zip in it.
    if let Some(index) = package.names().find(|name| name.to_lowercase().ends_with("/index.zip")) {
        let inner = package.part(index)?;
        return read_objects(&Package::open(&inner, limits)?, out);
    }
    if package.names().any(|name| name == ".iwpv2" || name.ends_with(".iwph")) {
        return Err(Unread::PasswordProtected);
    }
    read_objects(&package, out)
}

fn unpacked(part: Vec<u8>, limits: &Limits) -> Vec<u8> {
    if !part.starts_with(b"\x1f\x8b") {
        return part;
    }
    let mut unpacked = Vec::new();
    // What breaks off has given what it has.
    let _ = GzDecoder::new(&part[..])
        .take(limits.part_bytes_max as u64)
        .read_to_end(&mut unpacked);
    unpacked
}

fn read_xml(bytes: &[u8], out: &mut Pieces) {
    let root = xml::tree(bytes);
    if let Some(metadata) = root.find("metadata") {
        for (name, property) in [("title", true), ("authors", false)] {
            let text = metadata
                .find(name)
                .and_then(|element| element.find("string"))
                .and_then(|text| text.attribute("string"));
            match (text, property) {
                (Some(text), true) => out.title(text),
                (Some(text), false) => out.author(text),
                (None, _) => {}
            }
        }
    }
    let mut told = BTreeSet::new();
    xml_words(&root, &mut told, out);
}

/// Paragraphs, cells of tables and strings. Tables of styles and the like are not shown.
fn xml_words(parent: &Element, told: &mut BTreeSet<String>, out: &mut Pieces) {
    for element in parent.elements() {
        match &*element.name {
            "stylesheet" | "metadata" | "annotation-author" | "build-chunks" => {}
            "p" => out.paragraph(&paragraph(element)),
            // Numbers keeps text in cells, and in a table of strings that cells point to.
            "t" | "ct" => {
                let text = element
                    .find("ct")
                    .or(Some(element))
                    .and_then(|content| content.attribute("s"));
                out.paragraph(text.unwrap_or_default());
                xml_words(element, told, out);
            }
            "n" => out.paragraph(element.attribute("v").unwrap_or_default()),
            "workspace" | "tabular-model" => {
                let name = element
                    .attribute("workspace-name")
                    .or_else(|| element.attribute("name"));
                if let Some(name) = name.filter(|name| told.insert((*name).to_owned())) {
                    out.heading(2, name);
                }
                xml_words(element, told, out);
            }
            _ => xml_words(element, told, out),
        }
        if out.is_full() {
            return;
        }
    }
}

fn paragraph(element: &Element) -> String {
    let mut text = String::new();
    for child in &element.children {
        match child {
            Node::Text(own) => text.push_str(&own.replace(['\n', '\r', '\t'], " ")),
            Node::Element(inner) => match &*inner.name {
                "br" | "lnbr" | "crbr" => text.push('\n'),
                "tab" => text.push(' '),
                "attachment-ref" | "attachment" => {}
                _ => text.push_str(&paragraph(inner)),
            },
        }
    }
    text
}

fn read_objects(package: &Package<'_>, out: &mut Pieces) -> Result<(), Unread> {
    let mut names: Vec<&str> = package.names().filter(|name| name.ends_with(".iwa")).collect();
    if names.is_empty() {
        return Err(Unread::broken("its text is missing"));
    }
    // The document first, then slides in the order of their numbers.
    names.sort_by_key(|name| (!name.contains("Document"), name.len(), *name));
    for name in names {
        // Themes hold texts that nobody wrote.
        if name.contains("Stylesheet") || name.contains("MasterSlide") || name.contains("TemplateSlide") {
            continue;
        }
        let Ok(part) = package.part(name) else {
            out.leave_out(LeftOut::Unreadable);
            continue;
        };
        let objects = unsnapped(&part);
        for text in texts(&objects) {
            text.split(['\n', '\u{2029}']).for_each(|line| out.paragraph(line));
        }
        if out.is_full() {
            break;
        }
    }
    Ok(())
}

/// The largest part once unpacked, in bytes.
const OBJECTS_BYTES_MAX: usize = 64 << 20;

/// Blocks: a zero, three bytes of length, and Snappy without its usual frame.
fn unsnapped(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = part;
    while let [0, a, b, c, after @ ..] = rest {
        let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        let (block, next) = after.split_at(length.min(after.len()));
        if unsnap(block, &mut out).is_none() || out.len() > OBJECTS_BYTES_MAX {
            break;
        }
        rest = next;
    }
    out
}

/// One Snappy block: literals, and copies of what was unpacked before.
fn unsnap(block: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let begin = out.len();
    let (_, mut rest) = varint(block)?;
    while let [tag, after @ ..] = rest {
        rest = after;
        let tag = usize::from(*tag);
        let bytes = |rest: &mut &[u8], count: usize| {
            let (taken, after) = rest.split_at_checked(count)?;
            *rest = after;
            Some(
                taken
                    .iter()
                    .rev()
                    .fold(0_usize, |number, byte| number << 8 | usize::from(*byte)),
            )
        };
        let (length, offset) = match tag & 3 {
            0 => {
                let short = tag >> 2;
                let length = if short < 60 {
                    short
                } else {
                    bytes(&mut rest, short - 59)?
                } + 1;
                let (literal, after) = rest.split_at_checked(length)?;
                out.extend_from_slice(literal);
                rest = after;
                continue;
            }
            1 => ((tag >> 2 & 7) + 4, (tag >> 5) << 8 | bytes(&mut rest, 1)?),
            2 => ((tag >> 2) + 1, bytes(&mut rest, 2)?),
            _ => ((tag >> 2) + 1, bytes(&mut rest, 4)?),
        };
        let from = out
            .len()
            .checked_sub(offset)
            .filter(|from| *from >= begin && offset > 0)?;
        for at in from..from + length {
            out.push(out[at]);
        }
        if out.len() > OBJECTS_BYTES_MAX {
            return None;
        }
    }
    Some(())
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

/// Types of objects that hold text: storages of text of all kinds.
const TEXT_STORAGES: [u64; 2] = [2_001, 2_005];
/// Lists of strings and values that tables point to.
const TABLE_LISTS: [u64; 2] = [6_005, 6_201];

/// The texts of a part: objects, each with a header that gives types and lengths.
fn texts(objects: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = objects;
    while let Some((length, after)) = varint(rest) {
        let Some((header, after)) = after.split_at_checked(usize::try_from(length).unwrap_or(usize::MAX)) else {
            break;
        };
        rest = after;
        for message in fields(header)
            .filter(|(field, _)| *field == 2)
            .filter_map(|(_, value)| value.bytes())
        {
            let number = |wanted: u64| {
                fields(message)
                    .find(|(field, _)| *field == wanted)
                    .and_then(|(_, value)| value.number())
            };
            let size = number(3)
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or_default();
            let (object, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            match number(1) {
                Some(kind) if TEXT_STORAGES.contains(&kind) => texts.extend(field_texts(object, 3)),
                Some(kind) if TABLE_LISTS.contains(&kind) => {
                    let entries = fields(object)
                        .filter(|(field, _)| *field == 3)
                        .filter_map(|(_, value)| value.bytes());
                    texts.extend(entries.flat_map(|entry| field_texts(entry, 3)));
                }
                _ => {}
            }
        }
    }
    texts
}

fn field_texts(object: &[u8], wanted: u64) -> Vec<String> {
    fields(object)
        .filter(|(field, _)| *field == wanted)
        .filter_map(|(_, value)| String::from_utf8(value.bytes()?.to_vec()).ok())
        .collect()
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Bytes(_) => None,
        }
    }

    fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }
}

/// The fields of a Protocol Buffers message, until one makes no sense.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let (key, rest) = varint(bytes)?;
        let (value, rest) = match key & 7 {
            0 => varint(rest).map(|(number, rest)| (Value::Number(number), rest))?,
            1 => rest
                .split_at_checked(8)
                .map(|(bytes, rest)| (Value::Bytes(bytes), rest))?,
            2 => {
                let (length, rest) = varint(rest)?;
                rest.split_at_checked(usize::try_from(length).ok()?)
                    .map(|(bytes, rest)| (Value::Bytes(bytes), rest))?
            }
            5 => rest
                .split_at_checked(4)
                .map(|(bytes, rest)| (Value::Bytes(bytes), rest))?,
            _ => return None,
        };
        bytes = rest;
        Some((key >> 3, value))
    })
}
