//! Given a zip, gives its parts by name, none larger than the limits and all together within them.

use std::{
    cell::Cell,
    io::{Cursor, Read},
};

use zip::{ZipArchive, result::ZipError};

use crate::{Limits, Unread, xml};

/// The most parts of a packed file; an office document has hundreds.
const PARTS_MAX: usize = 20_000;

/// A zip with names in order, and what may still be unpacked of it.
pub struct Package<'a> {
    zip: std::cell::RefCell<ZipArchive<Cursor<&'a [u8]>>>,
    names: Vec<String>,
    part_bytes_max: usize,
    room_bytes: Cell<usize>,
}

impl<'a> Package<'a> {
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Unread> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unread(&error))?;
        if zip.len() > PARTS_MAX {
            return Err(Unread::broken(format!("it holds more than {PARTS_MAX} parts")));
        }
        let names = (0..zip.len())
            .map(|index| {
                zip.name_for_index(index)
                    .and_then(Result::ok)
                    .unwrap_or_default()
                    .into_owned()
            })
            .collect();
        Ok(Self {
            zip: std::cell::RefCell::new(zip),
            names,
            part_bytes_max: limits.part_bytes_max,
            room_bytes: Cell::new(limits.unpacked_bytes_max),
        })
    }

    /// The names of all parts, in the zip's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.index(name).is_some()
    }

    /// Names are matched as Office does: without a slash before them, and without regard to case.
    fn index(&self, name: &str) -> Option<usize> {
        let name = name.trim_start_matches('/');
        let exact = self.names.iter().position(|known| known == name);
        exact.or_else(|| {
            let same = |known: &String| {
                known
                    .replace('\\', "/")
                    .trim_start_matches('/')
                    .eq_ignore_ascii_case(name)
            };
            self.names.iter().position(same)
        })
    }

    /// A part's bytes. One that is larger than it may be, or pretends to be smaller, is an error.
    pub fn part(&self, name: &str) -> Result<Vec<u8>, Unread> {
        let index = self
            .index(name)
            .ok_or_else(|| Unread::broken(format!("{name} is missing")))?;
        self.part_at(index)
    }

    pub fn part_at(&self, index: usize) -> Result<Vec<u8>, Unread> {
        let mut zip = self.zip.borrow_mut();
        let part = zip.by_index(index).map_err(|error| unread(&error))?;
        let room = self.part_bytes_max.min(self.room_bytes.get());
        let mut bytes = Vec::new();
        let read = part.take(room as u64 + 1).read_to_end(&mut bytes);
        if bytes.len() > room {
            return Err(Unread::broken("it unpacks to more than any document has"));
        }
        self.room_bytes.set(self.room_bytes.get() - bytes.len());
        match read {
            Ok(_) => Ok(bytes),
            // A stream that breaks off has given what it has.
            Err(_) if !bytes.is_empty() => Ok(bytes),
            Err(_) => Err(Unread::broken("a part of it cannot be unpacked")),
        }
    }

    /// A part as a tree; one that is not there is an empty tree.
    pub fn tree(&self, name: &str) -> xml::Element {
        self.part(name).map(|bytes| xml::tree(&bytes)).unwrap_or_default()
    }

    /// What a part refers to, by id: the type's last word and the target's name within the package.
    pub fn relations(&self, part: &str) -> Vec<Relation> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = match folder {
            "" => format!("_rels/{file}.rels"),
            _ => format!("{folder}/_rels/{file}.rels"),
        };
        let root = self.tree(&name);
        let mut found = Vec::new();
        root.find_all("Relationship", &mut found);
        found
            .into_iter()
            .filter(|element| element.attribute("TargetMode") != Some("External"))
            .filter_map(|element| {
                let kind = element.attribute("Type")?;
                Some(Relation {
                    id: element.attribute("Id")?.to_owned(),
                    kind: kind.rsplit('/').next().unwrap_or(kind).to_owned(),
                    target: joined(folder, element.attribute("Target")?),
                })
            })
            .collect()
    }
}

pub struct Relation {
    pub id: String,
    pub kind: String,
    pub target: String,
}

/// The name of a part that `target` names from within `folder`.
pub fn joined(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let from_root = target.starts_with('/');
    let mut path: Vec<&str> = match from_root {
        true => Vec::new(),
        false => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path.join("/")
}

/// Title, author and what the author said of an Office document in its properties.
pub fn core_properties(package: &Package<'_>, out: &mut crate::pieces::Pieces) {
    let root = package.tree("docProps/core.xml");
    if let Some(title) = root.find("title") {
        out.title(&title.text());
    }
    if let Some(creator) = root.find("creator") {
        out.author(&creator.text());
    }
    for name in ["subject", "keywords", "description"] {
        if let Some(property) = root.find(name) {
            out.paragraph(&property.text());
        }
    }
}

fn unread(error: &ZipError) -> Unread {
    match error {
        ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED => Unread::PasswordProtected,
        ZipError::InvalidPassword => Unread::PasswordProtected,
        ZipError::UnsupportedArchive(_) => Unread::not_read("zip packed in an unusual way"),
        ZipError::FileNotFound => Unread::broken("a part of it is missing"),
        _ => Unread::broken("it is not a whole zip"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_from_their_folder() {
        assert_eq!(joined("ppt/slides", "../notesSlides/n.xml"), "ppt/notesSlides/n.xml");
        assert_eq!(joined("word", "/docProps/core.xml"), "docProps/core.xml");
        assert_eq!(joined("", "../../x.xml"), "x.xml");
    }
}
