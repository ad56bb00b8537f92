//! Pages to read: our own beside the tests, other people's beside the project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::document::Body;

pub struct Sample {
    /// The file's name without its endings.
    pub stem: String,
    pub path: PathBuf,
    pub body: Body,
}

/// Our own pages, by name.
pub fn own() -> Vec<Sample> {
    let found = samples(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")));
    assert!(found.len() >= 150, "there are {} pages", found.len());
    found
}

/// What the fuzzer found, once.
pub fn kept() -> Vec<Sample> {
    samples(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kept")))
}

/// Other people's pages; none, with a word about it, where the folder is not beside the project.
pub fn corpus(folder: &str) -> Vec<Sample> {
    let path = corpora().join(folder);
    if !path.is_dir() {
        println!("SKIPPED: {} is not there", path.display());
        return Vec::new();
    }
    samples(&path)
}

/// `shared/corpora` beside the project, or beside the folder that the project's worktrees are in.
fn corpora() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["../shared/corpora", "../../shared/corpora"].map(|place| root.join(place));
    let found = places.iter().find(|place| place.is_dir());
    found.unwrap_or(&places[0]).clone()
}

fn samples(folder: &Path) -> Vec<Sample> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.iter().filter_map(|path| sample(path)).collect()
}

fn sample(path: &Path) -> Option<Sample> {
    let name = path.file_name()?.to_str()?;
    let (stem, ending) = name.split_once('.').filter(|(stem, _)| *stem != "manifest")?;
    let text = || fs::read_to_string(path).unwrap();
    let body = match ending {
        "xhtml" | "xml" => Body::Storage(text()),
        "adf.json" | "json" => Body::Adf(text()),
        _ => return None,
    };
    Some(Sample {
        stem: stem.to_owned(),
        path: path.to_owned(),
        body,
    })
}
