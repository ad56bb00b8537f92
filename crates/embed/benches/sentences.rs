//! How many sentences and passages a core reads with a model in this process.
//!
//! ```
//! cargo bench -p embed -- /path/to/all-MiniLM-L6-v2
//! ```
//!
//! In processor time, so that what else the machine does says little.

use std::{path::Path, time::Instant};

use domain::embedder::{EMBEDDED_AT_ONCE, Embedder, Purpose};
use embed::local::LocalEmbedder;

const ROUNDS: usize = 10;
const SENTENCE: &str = "The pump in the cellar stops when the float switch is stuck.";

#[tokio::main]
async fn main() {
    // cargo bench adds `--bench`.
    let Some(directory) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("no directory of a model was named; nothing was measured");
        return;
    };
    let began = Instant::now();
    let embedder = LocalEmbedder::load(Path::new(&directory), "all-MiniLM-L6-v2", 1).expect("the model is whole");
    println!("loaded in {:?}", began.elapsed());
    for (what, text) in [
        ("question of 4 words", "how do pumps stop".to_owned()),
        ("sentence of 12 words", SENTENCE.to_owned()),
        ("passage of 256 tokens", SENTENCE.repeat(30)),
    ] {
        let texts = vec![text; EMBEDDED_AT_ONCE];
        let (began, used) = (Instant::now(), processor_seconds());
        for _ in 0..ROUNDS {
            embedder
                .embed(Purpose::Passage, &texts)
                .await
                .expect("the model answers");
        }
        let (count, used) = ((ROUNDS * texts.len()) as f64, processor_seconds() - used);
        println!(
            "{what}: {:.0} a second of one core ({:.0} by the clock)",
            count / used,
            count / began.elapsed().as_secs_f64()
        );
    }
}

/// What this process has used so far, by proc(5).
fn processor_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("proc is there");
    let after = stat.rsplit(") ").next().expect("the name stands in parentheses");
    let ticks = after
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS_A_SECOND
}
