//! `cargo run --release -p search --example fuzz -- 10`: for ten minutes of work, questions that were torn and sewn together by
//! chance, against the promises that the tests hold; a number for the seed after it. What breaks one is written to
//! `tests/kept`, where the tests run it from then on.

use std::{fs, panic, path::Path, time::Duration};

#[path = "../tests/asking/chance.rs"]
mod chance;
#[path = "../../extract/tests/reading/effort.rs"]
mod effort;
#[path = "../tests/asking/promises.rs"]
mod promises;
#[path = "../tests/asking/torn.rs"]
mod torn;
#[path = "../tests/asking/world.rs"]
mod world;

/// So many findings end a run: more of them are the same ones.
const FINDINGS_MAX: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let minutes: u64 = arguments.next().and_then(|minutes| minutes.parse().ok()).unwrap_or(1);
    let seed: u64 = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let world = world::World::new();
    let mut chance = chance::Chance::of(seed);
    let until = world.worked() + Duration::from_secs(60 * minutes);
    let (mut asked, mut bytes, mut found) = (0_u64, 0, 0);
    let (mut longest, mut slowest) = (Duration::ZERO, String::new());
    panic::set_hook(Box::new(|_| {}));
    while world.worked() < until && found < FINDINGS_MAX {
        let text = torn::question(&mut chance);
        asked += 1;
        bytes += text.len();
        let before = world.worked();
        let outcome = promises::check(&world, &text);
        let took = world.worked() - before;
        if took > longest {
            (longest, slowest) = (took, text.chars().take(200).collect());
        }
        if let Err(what) = outcome {
            found += 1;
            println!("seed {seed}, question {asked}: {what}");
            keep(&text, &format!("found-{seed}-{found}.txt"));
        }
    }
    println!(
        "{asked} questions of {} bytes on average, {found} findings; all ways of asking one took at most {} ms: {slowest:?}",
        bytes as u64 / asked.max(1),
        longest.as_millis()
    );
    if found > 0 {
        std::process::exit(1);
    }
}

fn keep(text: &str, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept").join(name);
    if let Err(error) = fs::write(&path, text) {
        println!("{} could not be written: {error}", path.display());
    }
}
