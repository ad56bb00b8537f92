//! The figures of docs/dev/numbers.md, each by one command:
//!
//! - `cargo bench -p circuit --bench figures -- import` (10,000 pages without latency and with 80 ms a call, and searches
//!   of what came; `import 1000 0` for other sizes),
//! - `… table` (sites of 1,000, 10,000 and 100,000 pages: what every pass costs; `table 1000` for one size),
//! - `… peers` (the site on which other systems were measured),
//! - `… search` (100,000 pages in the search engine alone, beside raw tantivy, SQLite's FTS5 and, where `searchd` is installed,
//!   Sphinx; `search 10000` for fewer),
//! - `… fresh` (how old what is found may be, over a day of a virtual clock; `fresh 6` for six hours).
//!
//! The fake Atlassian runs in this process and Circuit in another, so that the memory measured is Circuit's alone.

mod fresh;
mod import;
mod meaning;
mod pass;
mod peers;
mod rivals;
mod search;
mod sphinx;
mod subject;
mod table;

#[path = "../../crates/circuit/tests/it/comparing.rs"]
#[allow(dead_code)]
mod comparing;
#[path = "../../crates/circuit/tests/it/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../../crates/circuit/tests/it/setting.rs"]
#[allow(dead_code)]
mod setting;
#[path = "../../crates/circuit/tests/it/working.rs"]
#[allow(dead_code)]
mod working;

#[tokio::main]
async fn main() {
    // cargo bench adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let (what, rest) = match arguments.split_first() {
        Some((what, rest)) => (what.as_str(), rest),
        None => ("import", arguments.as_slice()),
    };
    let numbers: Vec<u64> = rest.iter().filter_map(|argument| argument.parse().ok()).collect();
    match what {
        "import" => import::measure(&numbers).await,
        "table" => table::measure(&numbers).await,
        "peers" => peers::measure().await,
        "fresh" => fresh::measure(numbers.first().copied()).await,
        "search" => search::measure(&numbers).await,
        search::COMMAND => search::asked(rest).await,
        pass::COMMAND => pass::made(rest).await,
        other => panic!("{other} is not measured here; import, table, peers, search and fresh are"),
    }
}
