//! Reads files: as the child of a reader that asks over its input, or by hand: `read-file PATH…` tells for each file, in a
//! line of JSON, its text or why there is none, and how long that took.

use std::{path::Path, process::ExitCode, time::Instant};

use files::{FileText, Hints, Limits, Unread, sandbox};
use serde::Serialize;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        return sandbox::child();
    }
    let told = paths.iter().map(|path| tell(Path::new(path)));
    match told.collect::<std::io::Result<Vec<()>>>() {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a file cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    path: &'a Path,
    microseconds: u128,
    text: Result<FileText, Unread>,
    /// The sentence for people, where there is no text.
    why: Option<String>,
}

fn tell(path: &Path) -> std::io::Result<()> {
    let bytes = std::fs::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let begun = Instant::now();
    let text = files::read(&bytes, &Hints { name, media_type: None }, &Limits::default());
    let microseconds = begun.elapsed().as_micros();
    let why = text.as_ref().err().map(Unread::to_string);
    println!(
        "{}",
        serde_json::to_string(&Told {
            path,
            microseconds,
            text,
            why
        })?
    );
    Ok(())
}
