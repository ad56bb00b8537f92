//! `cargo run --release -p extract --example fuzz -- 10 storage`: for ten minutes of work, pages that were torn and sewn together
//! by chance, against the promises that the tests hold. `adf` for the other format, and a number for the seed after it.
//! What breaks one is written to `tests/kept`, where the tests run it from then on.

use std::{
    fs, panic,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::document::Body;

#[path = "../tests/reading/effort.rs"]
mod effort;
#[path = "../tests/reading/promises.rs"]
mod promises;

/// No page grows beyond it, in bytes: small ones find as much and more of them are tried.
const PAGE_BYTES_MAX: usize = 6_000;

/// The longest piece that is cut out, in bytes.
const CUT_BYTES_MAX: usize = 200;

/// What a page may take, in milliseconds on the processor: a thousand times what it takes.
const PAGE_MS_MAX: u128 = 1_000;

/// Pieces that mean something to a reader.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<br/>",
    "<h1>",
    "</h1>",
    "<ul>",
    "</ul>",
    "<ol start=\"7\">",
    "<li>",
    "</li>",
    "<table>",
    "</table>",
    "<tr>",
    "</tr>",
    "<td colspan=\"3\">",
    "<td rowspan=\"2\">",
    "<td>",
    "</td>",
    "<th>",
    "</th>",
    "<tbody>",
    "<pre>",
    "</pre>",
    "<code>",
    "</code>",
    "<strong>",
    "</strong>",
    "<em>",
    "</em>",
    "<s>",
    "</s>",
    "<a href=\"javascript:x\">",
    "<a href=\"https://x.example/)\">",
    "</a>",
    "<hr/>",
    "<blockquote>",
    "</blockquote>",
    "<details>",
    "<summary>",
    "<ac:structured-macro ac:name=\"code\">",
    "<ac:structured-macro ac:name=\"panel\">",
    "<ac:structured-macro ac:name=\"status\">",
    "<ac:structured-macro ac:name=\"html\">",
    "<ac:structured-macro ac:name=\"mathinline\">",
    "</ac:structured-macro>",
    "<ac:parameter ac:name=\"title\">",
    "<ac:parameter ac:name=\"body\">",
    "</ac:parameter>",
    "<ac:plain-text-body><![CDATA[",
    "]]></ac:plain-text-body>",
    "<ac:rich-text-body>",
    "</ac:rich-text-body>",
    "<ac:link>",
    "</ac:link>",
    "<ri:page ri:content-title=\"a|b\"/>",
    "<ac:link-body>",
    "</ac:link-body>",
    "<ac:image ac:alt=\"a](b\">",
    "</ac:image>",
    "<ac:caption>",
    "</ac:caption>",
    "<ri:user ri:account-id=\"712020:ann\"/>",
    "<ac:task-list>",
    "<ac:task>",
    "<ac:task-status>complete</ac:task-status>",
    "<ac:task-body>",
    "</ac:task-body>",
    "</ac:task>",
    "</ac:task-list>",
    "<time datetime=\"2026-03-01\"/>",
    "<ac:layout-section>",
    "<ac:layout-cell>",
    "<ac:adf-extension>",
    "<ac:adf-node type=\"decision-list\">",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "]]]]><![CDATA[>",
    "&amp;",
    "&lt;",
    "&#",
    "&",
    "<",
    ">",
    "*",
    "**",
    "_",
    "`",
    "```",
    "~~~",
    "|",
    "\\",
    "[",
    "](",
    "![",
    "#",
    "- ",
    "1. ",
    "---",
    "===",
    "\n",
    "\n\n",
    "    ",
    "\u{a0}",
    "\u{200b}",
    "$",
    "!",
    "a",
    "é",
    "日本",
    "🚀",
    "\"type\":",
    "\"text\":\"",
    "{\"type\":\"table\",\"content\":[",
    "]}",
    "\"attrs\":{",
    "\"marks\":[",
    ",",
    "{\"type\":\"hardBreak\"}",
    "{\"type\":\"rule\"}",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let minutes: u64 = arguments.next().and_then(|minutes| minutes.parse().ok()).unwrap_or(1);
    let ending = match arguments.next().as_deref() {
        Some("adf") => "adf.json",
        _ => "xhtml",
    };
    let seed: u64 = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let pages = pages(ending);
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let until = effort::effort() + Duration::from_secs(60 * minutes);
    let (mut tried, mut bytes, mut found) = (0_u64, 0, 0);
    panic::set_hook(Box::new(|_| {}));
    while effort::effort() < until {
        let page = torn(&pages, &mut chance);
        tried += 1;
        bytes += page.len();
        if let Err(what) = tried_page(&page, ending) {
            found += 1;
            println!("seed {seed}, page {tried}: {what}");
            keep(&page, ending, found);
        }
    }
    println!(
        "{tried} pages of {} bytes on average, {found} findings",
        bytes as u64 / tried.max(1)
    );
    if found > 0 {
        std::process::exit(1);
    }
}

fn tried_page(page: &str, ending: &str) -> Result<(), String> {
    let body = match ending {
        "xhtml" => Body::Storage(page.to_owned()),
        _ => Body::Adf(page.to_owned()),
    };
    let start = effort::effort();
    let outcome = panic::catch_unwind(|| promises::check(&body));
    let took = (effort::effort() - start).as_millis();
    outcome.map_err(|panic| match panic.downcast::<String>() {
        Ok(what) => *what,
        Err(panic) => panic
            .downcast::<&str>()
            .map_or("a panic".to_owned(), |what| (*what).to_owned()),
    })?;
    match took {
        0..=PAGE_MS_MAX => Ok(()),
        _ => Err(format!("took {took} ms")),
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn pages(ending: &str) -> Vec<String> {
    let mut paths: Vec<_> = ["data", "kept"]
        .into_iter()
        .filter_map(|name| fs::read_dir(folder(name)).ok())
        .flatten()
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

fn keep(page: &str, ending: &str, number: usize) {
    let path = folder("kept").join(format!("found-{number}.{ending}"));
    if let Err(error) = fs::write(&path, page) {
        println!("{} could not be written: {error}", path.display());
    }
}

/// A page made of pages: pieces cut out, put in, doubled and sewn to those of another.
fn torn(pages: &[String], chance: &mut Chance) -> String {
    let mut page = chance.one_of(pages).clone();
    for _ in 0..=chance.below(12) {
        let at = place(&page, chance);
        match chance.below(6) {
            0 => {
                let end = boundary(&page, at + chance.below(CUT_BYTES_MAX));
                page.replace_range(at..end, "");
            }
            1 => {
                let other = chance.one_of(pages);
                let (from, to) = (place(other, chance), place(other, chance));
                page.insert_str(at, &other[from.min(to)..from.max(to)]);
            }
            2 => {
                let end = place(&page, chance);
                let piece = page[at.min(end)..at.max(end)].to_owned();
                page.insert_str(at, &piece);
            }
            _ => {
                for _ in 0..=chance.below(4) {
                    page.insert_str(at, PIECES[chance.below(PIECES.len())]);
                }
            }
        }
        page.truncate(boundary(&page, PAGE_BYTES_MAX));
    }
    page
}

fn place(text: &str, chance: &mut Chance) -> usize {
    boundary(text, chance.below(text.len() + 1))
}

fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Numbers that look like chance and repeat with their seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn one_of<'a>(&mut self, pages: &'a [String]) -> &'a String {
        &pages[self.below(pages.len())]
    }
}
