//! Given an archive, gives the text of the files in it, one level deep, each piece with its file's path.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::{
    Hints, LeftOut, Limits, Unread,
    kind::{Archive, Kind},
    package::Package,
    pieces::Pieces,
    read_single,
};

pub fn read(format: Archive, bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    match format {
        Archive::Zip => read_zip(bytes, limits, out),
        Archive::Tar => read_tar(bytes, limits, out),
        Archive::Gzip => read_gzip(bytes, limits, out),
    }
}

fn read_zip(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    let names: Vec<(usize, String)> = package
        .names()
        .map(str::to_owned)
        .enumerate()
        .filter(|(_, name)| !name.ends_with('/') && !is_litter(name))
        .collect();
    let mut locked = 0;
    for (index, name) in names.iter().take(limits.archive_parts_max) {
        match package.part_at(*index) {
            Ok(part) => read_part(name, &part, limits, out),
            Err(Unread::PasswordProtected) => {
                locked += 1;
                mention(name, &Unread::PasswordProtected, out);
            }
            Err(unread) => mention(name, &unread, out),
        }
        if out.is_full() {
            break;
        }
    }
    out.in_part(None);
    if names.len() > limits.archive_parts_max {
        out.leave_out(LeftOut::Files {
            read: limits.archive_parts_max,
        });
    }
    match locked == names.len() && locked > 0 {
        true => Err(Unread::PasswordProtected),
        false => Ok(()),
    }
}

/// What systems leave beside the files they pack.
fn is_litter(name: &str) -> bool {
    name.contains("__MACOSX/") || name.ends_with(".DS_Store") || name.ends_with("Thumbs.db")
}

/// One file of an archive. What it lacks is said in its place, and the others are read.
fn read_part(path: &str, bytes: &[u8], limits: &Limits, out: &mut Pieces) {
    if bytes.is_empty() {
        return;
    }
    let hints = Hints {
        name: path.to_owned(),
        media_type: None,
    };
    let kind = Kind::of(bytes, &hints);
    out.in_part(Some(path));
    let count = out.count();
    if let Err(unread) = read_single(&kind, bytes, &hints, limits, out)
        && !out.has_more_than(count)
    {
        mention(path, &unread, out);
    }
    out.in_part(None);
}

fn mention(path: &str, unread: &Unread, out: &mut Pieces) {
    out.in_part(Some(path));
    out.paragraph(&format!("{path} ({unread})"));
    out.in_part(None);
}

/// The size of tar's blocks, in bytes.
const BLOCK_BYTES: usize = 512;

fn read_tar(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let mut at = 0;
    let mut long_name = None;
    let mut parts = 0;
    while let Some(header) = bytes.get(at..at + BLOCK_BYTES) {
        // Empty blocks end a tar.
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let size = number(&header[124..136]);
        at += BLOCK_BYTES;
        let Some(end) = at.checked_add(size).filter(|end| *end <= bytes.len()) else {
            out.leave_out(LeftOut::Unreadable);
            break;
        };
        let content = &bytes[at..end];
        at = end.next_multiple_of(BLOCK_BYTES);
        match header[156] {
            b'L' => long_name = Some(string(content)),
            b'x' => long_name = pax_path(content).or(long_name),
            0 | b'0' if header[0] != 0 => {
                let name = long_name.take().unwrap_or_else(|| short_name(header));
                // An old tar marks a folder by its name only.
                if name.ends_with('/') || is_litter(&name) {
                    continue;
                }
                parts += 1;
                if parts > limits.archive_parts_max {
                    out.leave_out(LeftOut::Files {
                        read: limits.archive_parts_max,
                    });
                    break;
                }
                if out.is_full() {
                    break;
                }
                read_part(&name, content, limits, out);
            }
            _ => long_name = None,
        }
    }
    Ok(())
}

fn short_name(header: &[u8]) -> String {
    let name = string(&header[..100]);
    let prefix = match header[257..].starts_with(b"ustar\0") {
        true => string(&header[345..500]),
        false => String::new(),
    };
    match prefix.is_empty() {
        true => name,
        false => format!("{prefix}/{name}"),
    }
}

/// A number of tar: octal digits, or binary where the first bit is set.
fn number(field: &[u8]) -> usize {
    if field[0] & 0x80 != 0 {
        return field[1..]
            .iter()
            .fold(0_usize, |number, byte| number.saturating_mul(256) | usize::from(*byte));
    }
    let digits = String::from_utf8_lossy(field);
    usize::from_str_radix(digits.trim_matches(|c: char| c == '\0' || c == ' '), 8).unwrap_or(usize::MAX)
}

fn string(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// The path among records such as `27 path=a/long/name\n`.
fn pax_path(content: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    text.lines()
        .find_map(|line| line.split_once(" path=").map(|(_, path)| path.to_owned()))
}

fn read_gzip(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let mut content = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes).take(limits.part_bytes_max as u64 + 1);
    let whole = decoder.read_to_end(&mut content).is_ok();
    if content.len() > limits.part_bytes_max {
        return Err(Unread::broken("it unpacks to more than any document has"));
    }
    if content.is_empty() {
        return Err(Unread::broken("it cannot be unpacked"));
    }
    if !whole {
        out.leave_out(LeftOut::Unreadable);
    }
    let hints = Hints {
        name: packed_name(bytes).unwrap_or_default(),
        media_type: None,
    };
    match Kind::of(&content, &hints) {
        // A packed tar is one archive to people, though there are two wrappings.
        Kind::Archive(Archive::Tar) => read_tar(&content, limits, out),
        _ if content.starts_with(b"WARC/") => crate::markup::html::read(&content, out),
        kind => read_single(&kind, &content, &hints, limits, out),
    }
}

/// The name that gzip keeps of what it packed.
fn packed_name(bytes: &[u8]) -> Option<String> {
    let flags = *bytes.get(3)?;
    let (has_extra, has_name) = (flags & 4 != 0, flags & 8 != 0);
    (has_name && !has_extra)
        .then(|| string(bytes.get(10..)?.split(|byte| *byte == 0).next()?).into())
        .flatten()
}
