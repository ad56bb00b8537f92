//! Given the repository, gives what breaks the rules that the compiler does not know.

mod arrows;
mod code;
mod docs;
mod files;

use std::{fmt, fs, io, path::Path};

/// A broken rule: where, and what to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub place: String,
    pub what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

/// How many files were looked at, and the findings in order.
pub fn findings(root: &Path) -> io::Result<(usize, Vec<Finding>)> {
    let files = files::listed(root)?;
    let mut findings = arrows::findings(root)?;
    for file in &files {
        let bytes = fs::read(root.join(file))?;
        findings.extend(files::findings(file, &bytes));
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        if file.ends_with(".rs") {
            findings.extend(code::findings(file, text));
        }
        if file.ends_with(".md") {
            findings.extend(docs::broken_links(root, file, text));
        }
    }
    findings.extend(docs::unnamed_crates(root)?);
    findings.sort();
    Ok((files.len(), findings))
}
