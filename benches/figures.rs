//! The figures of docs/dev/numbers.md: an import over loopback by the real binary, and searches of what it brought.
//!
//! `cargo bench -p circuit --bench figures` (10,000 pages, without latency and with 80 ms a call), or with other sizes:
//! `cargo bench -p circuit --bench figures -- 1000 0`. The fake Atlassian runs in this process, Circuit in its own, so
//! that the memory measured is Circuit's alone.

use std::time::{Duration, Instant};

use fake_atlassian::{FakeAtlassian, Options};
use serde_json::json;

use crate::{
    comparing::{asked, up_to_date},
    process::{Circuit, serve},
    setting::Setting,
};

#[path = "../crates/circuit/tests/it/comparing.rs"]
#[allow(dead_code)]
mod comparing;
#[path = "../crates/circuit/tests/it/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../crates/circuit/tests/it/setting.rs"]
#[allow(dead_code)]
mod setting;

/// Words of the generated site, common and rare, alone and together.
const QUERIES: [&str; 12] = [
    "pump",
    "restart the pump",
    "pressure valve maintenance",
    "release notes",
    "how do I reset the controller",
    "\"emergency stop\"",
    "calibration sensor",
    "budget",
    "incident review database",
    "onboarding",
    "zanzibar",
    "config yaml -draft",
];
const SEARCHES: usize = 3_000;

#[tokio::main]
async fn main() {
    // cargo bench adds `--bench`.
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let pages = numbers.first().copied().unwrap_or(10_000);
    let latencies = match numbers.get(1) {
        Some(latency) => vec![*latency],
        None => vec![0, 80],
    };
    println!("| figure | value |\n|---|---|");
    for latency in latencies {
        measure(pages, latency).await;
    }
}

async fn measure(pages: u64, latency: u64) {
    let setting = Setting::new(|options| {
        let latency = Duration::from_millis(latency);
        FakeAtlassian::generated(pages, Options { latency, ..options })
    })
    .await;
    let begun = setting.begun().await;
    // The budget is not what is measured: a large site would wait for the next hour.
    let mut settings = setting.settings().to_vec();
    settings.push(("CIRCUIT_ATLASSIAN_QUOTA_POINTS", "10000000"));
    let circuit = Circuit::start(serve(&setting.data_dir, &settings));
    let calls_before = asked(&setting.fake).await.len();
    let ids: Vec<&str> = begun.spaces.iter().map(|(_, id)| id.as_str()).collect();
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let (status, answer) = circuit.post(&begun.key, &path, &json!({ "ids": ids })).await;
    assert!(status.is_success(), "{answer}");
    let began = Instant::now();
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let seconds = began.elapsed().as_secs_f64();

    let (_, runs) = circuit
        .get(&begun.key, &format!("/api/v1/feeds/{}/runs", begun.feed))
        .await;
    let run = &runs["runs"][0];
    let requests = asked(&setting.fake).await.split_off(calls_before);
    let page_listings = requests.iter().filter(|path| path.contains("/pages?")).count();
    let thousands = pages as f64 / 1_000.0;
    let counts = &run["counts"];
    println!("| import of {pages} pages, {latency} ms a call: until all is searchable | {seconds:.1} s |");
    println!("| … documents | {} |", counts["seen"]);
    println!("| … pages/s | {:.0} |", pages as f64 / seconds);
    println!(
        "| … documents/s | {:.0} |",
        counts["seen"].as_f64().unwrap_or(0.0) / seconds
    );
    println!(
        "| … page-listing calls per 1,000 pages | {:.1} |",
        page_listings as f64 / thousands
    );
    println!(
        "| … calls per 1,000 pages, all kinds | {:.1} |",
        run["spent"]["calls"].as_f64().unwrap_or(0.0) / thousands
    );
    println!(
        "| … points per 1,000 pages | {:.0} |",
        run["spent"]["points"].as_f64().unwrap_or(0.0) / thousands
    );
    println!("| … peak memory of Circuit | {} MB |", circuit.peak_memory_kb() / 1_024);
    if latency == 0 {
        searches(&circuit, &begun, pages).await;
    }
    assert!(circuit.stop().success());
}

async fn searches(circuit: &Circuit, begun: &setting::Begun, pages: u64) {
    let client = reqwest::Client::new();
    let mut times = Vec::with_capacity(SEARCHES);
    for turn in 0..SEARCHES {
        let query = QUERIES[turn % QUERIES.len()];
        let url = format!("{}/api/v1/indexes/{}/search", circuit.base, begun.index);
        let mut url = url::Url::parse(&url).unwrap();
        url.query_pairs_mut().append_pair("q", query);
        let began = Instant::now();
        let answer = client.get(url.as_str()).bearer_auth(&begun.key).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
        times.push(began.elapsed());
    }
    times.sort();
    let at = |share: f64| times[((SEARCHES - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!(
        "| search over {pages} pages through REST, {SEARCHES} queries: p50 | {:.1} ms |",
        at(0.5)
    );
    println!("| … p99 | {:.1} ms |", at(0.99));
}
