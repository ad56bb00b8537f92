//! What reading a page costs, on one core: `cargo bench -p extract --bench reading`. The pages are those of the tests,
//! put together to pages of about 4 kB, each another; and, where they are beside the project, pages of people.

use std::{fs, hint::black_box, path::Path, time::Duration};

use domain::document::Body;
use extract::{People, Surroundings, markdown, passages, plain_text, read};

#[path = "../tests/reading/effort.rs"]
mod effort;
#[path = "../tests/reading/promises.rs"]
mod promises;
#[allow(dead_code)] // Only other people's pages are wanted here.
#[path = "../tests/reading/samples.rs"]
mod samples;

/// An average page of Confluence, in bytes.
const PAGE_BYTES: usize = 4_000;
const PAGES: usize = 500;
/// How long each figure is measured, in time on the processor.
const SPAN: Duration = Duration::from_secs(2);

fn main() {
    println!("| what | pages of 4 kB a second | MB/s |\n|---|---|---|");
    storage_format("ours", &pages("xhtml"));
    let theirs: Vec<String> = samples::corpus("storage").into_iter().filter_map(text).collect();
    if !theirs.is_empty() {
        storage_format("people's", &theirs);
    }
    let adf = pages("adf.json");
    let people = People::new();
    let bodies: Vec<Body> = adf.iter().cloned().map(Body::Adf).collect();
    figure("ADF → text", &adf, |at| {
        black_box(plain_text(&read(&bodies[at]), &people));
    });
    bodies.iter().take(1).for_each(promises::check);
}

fn text(sample: samples::Sample) -> Option<String> {
    match sample.body {
        Body::Storage(text) => Some(text),
        Body::Adf(_) | Body::File(_) | Body::None => None,
    }
}

/// What can be made of these pages in storage format.
fn storage_format(whose: &str, storage: &[String]) {
    println!(
        "| {} pages of {} bytes, {whose} | | |",
        storage.len(),
        bytes(storage) / storage.len()
    );
    let bodies: Vec<Body> = storage.iter().cloned().map(Body::Storage).collect();
    let people = People::new();
    figure("storage format → blocks", storage, |at| {
        black_box(read(&bodies[at]));
    });
    figure("storage format → text", storage, |at| {
        black_box(plain_text(&read(&bodies[at]), &people));
    });
    figure("storage format → Markdown", storage, |at| {
        black_box(markdown(&read(&bodies[at]), &Surroundings::none()));
    });
    let held: Vec<_> = bodies.iter().cloned().map(promises::held).collect();
    figure("storage format → passages", storage, |at| {
        black_box(passages(&held[at]));
    });
}

fn figure(what: &str, pages: &[String], mut work: impl FnMut(usize)) {
    let start = effort::effort();
    let mut rounds = 0;
    while effort::effort() - start < SPAN {
        (0..pages.len()).for_each(&mut work);
        rounds += 1;
    }
    let seconds = (effort::effort() - start).as_secs_f64();
    let bytes_a_second = (bytes(pages) * rounds) as f64 / seconds;
    println!(
        "| {what} | {:.0} | {:.0} |",
        bytes_a_second / PAGE_BYTES as f64,
        bytes_a_second / 1e6
    );
}

fn bytes(pages: &[String]) -> usize {
    pages.iter().map(String::len).sum()
}

/// Pages of tests put together; those that hold what is never closed stay out.
fn pages(ending: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .filter(|path| {
            !["broken", "without-end", "hostile", "adf-"]
                .iter()
                .any(|odd| path.to_string_lossy().contains(odd))
        })
        .collect();
    paths.sort();
    let pieces: Vec<String> = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    (0..PAGES).map(|number| page(&pieces, number, ending)).collect()
}

fn page(pieces: &[String], number: usize, ending: &str) -> String {
    const OPEN: &str = r#"{"type":"doc","content":["#;
    let mut page = String::new();
    let mut at = number * 7;
    while page.len() < PAGE_BYTES {
        let piece = pieces[at % pieces.len()].as_str();
        at += 1 + number % 5;
        match ending {
            "xhtml" => page.push_str(piece),
            _ => {
                page.push_str(if page.is_empty() { OPEN } else { "," });
                // Written with its blanks by the tests, as Atlassian does not.
                let value: serde_json::Value = serde_json::from_str(piece).unwrap_or_default();
                page.push_str(&value.to_string());
            }
        }
    }
    if ending != "xhtml" {
        page.push_str("]}");
    }
    page
}
