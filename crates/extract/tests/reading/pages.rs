//! Our own pages, `tests/data/*.xhtml` and `*.adf.json`, against the `*.txt` and `*.md` that a person has read. A page in
//! both forms has one text. `just bless` writes what the code says now.

use std::{env, fs, path::Path};

use extract::{markdown, plain_text, read};

use crate::{
    promises::{people, surroundings},
    samples::own,
};

#[test]
fn every_page_reads_as_its_author_meant_it() {
    let people = people();
    let bless = env::var_os("BLESS").is_some() || env::var_os("UPDATE_EXPECT").is_some();
    let mut differing = Vec::new();
    for sample in own() {
        let blocks = read(&sample.body);
        let text = plain_text(&blocks, &people);
        let markdown = markdown(&blocks, &surroundings(&people));
        for (ending, found) in [("txt", text), ("md", markdown)] {
            let path = sample.path.with_file_name(format!("{}.{ending}", sample.stem));
            if let Some(difference) = difference(&path, &found, bless) {
                differing.push(format!("{} → {ending}\n{difference}", sample.path.display()));
            }
        }
    }
    assert!(
        differing.is_empty(),
        "{} of the texts are others; read them, then `just bless`\n\n{}",
        differing.len(),
        differing.join("\n\n")
    );
}

fn difference(path: &Path, found: &str, bless: bool) -> Option<String> {
    let found = if found.is_empty() {
        String::new()
    } else {
        format!("{found}\n")
    };
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found && path.exists() {
        return None;
    }
    if bless {
        fs::write(path, &found).unwrap();
        return None;
    }
    Some(format!("--- expected\n{expected}--- found\n{found}"))
}
