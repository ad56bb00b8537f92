//! Other people's files, where they are at hand: `../shared/corpora/attachments` beside the repository.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use files::{
    FileText, Limits, Place, Unread,
    sandbox::{Bounds, Reader},
};
use serde::Deserialize;

use crate::made::named;

#[derive(Deserialize)]
struct Sample {
    file: String,
    ext: String,
    #[serde(default)]
    must_contain: Vec<String>,
}

fn corpus() -> Option<(PathBuf, Vec<Sample>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/attachments");
    let manifest = std::fs::read(root.join("manifest.json")).ok()?;
    Some((root, serde_json::from_slice(&manifest).unwrap()))
}

/// All that is told of a text, one blank between words.
fn told(text: &FileText) -> String {
    let mut all = vec![
        text.title.clone().unwrap_or_default(),
        text.author.clone().unwrap_or_default(),
    ];
    for piece in &text.pieces {
        all.push(piece.text().into_owned());
        if let Some(Place::Part { path, .. }) = &piece.place {
            all.push(path.clone());
        }
    }
    all.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn other_peoples_files_are_read_without_a_crash_and_say_what_their_owners_say() {
    let Some((root, samples)) = corpus() else {
        eprintln!("SKIPPED: ../shared/corpora/attachments is not beside this repository");
        return;
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_read-file"));
    let reader = Reader::new(program, Vec::new(), Limits::default(), Bounds::default());
    let (mut wanted, mut missing, mut failed) = (0, Vec::new(), Vec::new());
    let mut unread: BTreeMap<String, usize> = BTreeMap::new();
    for sample in &samples {
        let bytes = std::fs::read(root.join(&sample.file)).unwrap();
        let name = sample.file.rsplit('/').next().unwrap();
        let outcome = reader.read(&bytes, &named(name)).await.unwrap();
        wanted += sample.must_contain.len();
        match outcome {
            Ok(text) => {
                let told = told(&text);
                let normal = |string: &String| string.split_whitespace().collect::<Vec<_>>().join(" ");
                let lost = sample
                    .must_contain
                    .iter()
                    .filter(|string| !told.contains(&normal(string)));
                missing.extend(lost.map(|string| format!("{name}: {string}")));
            }
            Err(why) => {
                if matches!(
                    why,
                    Unread::Crashed | Unread::OutOfTime { .. } | Unread::OutOfMemory { .. }
                ) {
                    failed.push(format!("{name}: {why}"));
                }
                missing.extend(
                    sample
                        .must_contain
                        .iter()
                        .map(|string| format!("{name}: {string} ({why})")),
                );
                *unread.entry(format!("{}: {why}", sample.ext)).or_default() += 1;
            }
        }
    }
    println!(
        "{} files, {} of {wanted} strings; not read: {unread:#?}",
        samples.len(),
        wanted - missing.len()
    );
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(missing.len() * 100 <= wanted * 3, "{missing:#?}");
}
