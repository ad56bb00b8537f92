//! An import over loopback by the real binary, and searches of what it brought.

use std::time::{Duration, Instant};

use fake_atlassian::{FakeAtlassian, Options};

use crate::{process::Circuit, setting::Begun, subject::Subject};

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

/// Pages, and milliseconds of latency.
pub async fn measure(numbers: &[u64]) {
    let pages = numbers.first().copied().unwrap_or(10_000);
    let latencies = match numbers.get(1) {
        Some(latency) => vec![*latency],
        None => vec![0, 80],
    };
    println!("| figure | value |\n|---|---|");
    for latency in latencies {
        of(pages, latency).await;
    }
}

async fn of(pages: u64, latency: u64) {
    let make = |options| {
        let latency = Duration::from_millis(latency);
        FakeAtlassian::generated(pages, Options { latency, ..options })
    };
    let subject = Subject::new(make).await;
    let circuit = subject.serving();
    let import = subject.import(&circuit).await;
    let (seconds, counts, spent) = (import.seconds, &import.run["counts"], &import.run["spent"]);
    let thousands = pages as f64 / 1_000.0;
    let of_pages = import.of("pages").0;
    println!("| import of {pages} pages, {latency} ms a call: until all is searchable | {seconds:.1} s |");
    println!("| … documents | {} |", counts["seen"]);
    println!("| … pages/s | {:.0} |", pages as f64 / seconds);
    println!(
        "| … documents/s | {:.0} |",
        counts["seen"].as_f64().unwrap_or(0.0) / seconds
    );
    println!(
        "| … page-listing calls per 1,000 pages | {:.1} |",
        of_pages as f64 / thousands
    );
    println!(
        "| … calls per 1,000 pages, all kinds | {:.1} |",
        spent["calls"].as_f64().unwrap_or(0.0) / thousands
    );
    println!(
        "| … points per 1,000 pages | {:.0} |",
        spent["points"].as_f64().unwrap_or(0.0) / thousands
    );
    println!("| … peak memory of Circuit | {} MB |", circuit.peak_memory_kb() / 1_024);
    if latency == 0 {
        let [median, slowest] = searches(&circuit, &subject.begun).await;
        println!("| search over {pages} pages through REST, {SEARCHES} queries: p50 | {median:.1} ms |");
        println!("| … p99 | {slowest:.1} ms |");
    }
    assert!(circuit.stop().success());
}

/// The median and the 99th percentile of searches through REST, in milliseconds.
pub async fn searches(circuit: &Circuit, begun: &Begun) -> [f64; 2] {
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
    [at(0.5), at(0.99)]
}
