//! `simulation`: plays worlds from seeds or one from a script, and says which rule was broken where.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use clap::Parser;
use domain::{Error, Result};
use simulation::{
    driver::{Played, Playing, play},
    judge::Violation,
    planted::Plant,
    script::Script,
};

/// Plays worlds of which each seed gives one, and the same again.
#[derive(Parser)]
struct Arguments {
    /// How many worlds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this seed, with all that happened.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this script, with all that happened.
    #[arg(long)]
    script: Option<std::path::PathBuf>,
    /// Worlds at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Plays each planted bug until it is found.
    #[arg(long)]
    planted: bool,
    /// Plays each world twice and compares.
    #[arg(long)]
    twice: bool,
    /// Prints a failing script as it was drawn.
    #[arg(long)]
    whole: bool,
}

/// One world in so many uses the real search engine.
const REAL_ENGINE_ONE_IN: u64 = 50;
/// Failing seeds that are shortened and printed; of the others only the number.
const SHOWN_MAX: usize = 5;

fn main() -> ExitCode {
    match told(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn told(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.planted {
        return planted(arguments);
    }
    match (&arguments.script, arguments.seed) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Error::invalid(format!("{} cannot be read: {error}", path.display())))?;
            one(&Script::parsed(&text)?)
        }
        (None, Some(seed)) => one(&Script::drawn(seed)),
        (None, None) => many(arguments),
    }
}

fn playing(seed: u64) -> Playing {
    Playing {
        real_engine: seed % REAL_ENGINE_ONE_IN == REAL_ENGINE_ONE_IN - 1,
        ..Playing::default()
    }
}

fn one(script: &Script) -> Result<ExitCode> {
    let traced = Playing {
        traced: true,
        ..playing(script.seed)
    };
    let played = play(script, traced)?;
    for line in &played.trace {
        println!("{line}");
    }
    println!("{} steps, {} runs, {} calls", played.steps, played.runs, played.calls);
    match &played.violation {
        Some(violation) => {
            println!("{}", sentence(violation));
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn sentence(violation: &Violation) -> String {
    format!(
        "broken at step {}: {}: {}",
        violation.step,
        violation.rule.words(),
        violation.what
    )
}

fn many(arguments: &Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let results: Mutex<Vec<(u64, Result<Played>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < end) {
                    let played = played(seed, arguments);
                    results
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((seed, played));
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(seed, _)| *seed);
    let (mut steps, mut runs, mut calls, mut failed) = (0, 0, 0, Vec::new());
    for (seed, played) in results {
        let played = played?;
        (steps, runs, calls) = (steps + played.steps, runs + played.runs, calls + played.calls);
        failed.extend(played.violation.map(|violation| (seed, violation)));
    }
    for (place, (seed, violation)) in failed.iter().enumerate() {
        println!("seed {seed} {}", sentence(violation));
        if place < SHOWN_MAX {
            show(*seed, violation, arguments)?;
        }
    }
    println!(
        "{:.1} worlds a second on {} threads; {steps} steps, {runs} runs, {calls} calls",
        arguments.seeds as f64 / seconds,
        arguments.jobs
    );
    println!(
        "{} passed, {} failed",
        arguments.seeds - failed.len() as u64,
        failed.len()
    );
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn played(seed: u64, arguments: &Arguments) -> Result<Played> {
    let first = play(&Script::drawn(seed), playing(seed))?;
    if arguments.twice {
        let second = play(&Script::drawn(seed), playing(seed))?;
        if (first.digest, first.steps) != (second.digest, second.steps) {
            return Err(Error::internal(format!("seed {seed} gave two worlds")));
        }
    }
    Ok(first)
}

/// Prints the script of a failing seed, as short as it can be found.
fn show(seed: u64, violation: &Violation, arguments: &Arguments) -> Result<()> {
    let script = Script::drawn(seed);
    let script = match arguments.whole {
        true => script,
        false => shortened(script, violation, playing(seed)),
    };
    println!("cargo run --release -p simulation -- --seed {seed}   or, as --script FILE:");
    println!("{}", script.rendered());
    let played = play(&script, playing(seed))?;
    if let Some(violation) = played.violation {
        println!("# {}\n", sentence(&violation));
    }
    Ok(())
}

fn shortened(script: Script, violation: &Violation, playing: Playing) -> Script {
    script.shortened(|script| {
        let played = play(script, playing);
        played.is_ok_and(|played| played.violation.is_some_and(|found| found.rule == violation.rule))
    })
}

fn planted(arguments: &Arguments) -> Result<ExitCode> {
    let mut unfound = 0;
    println!("| planted bug | found after seeds | rule |\n|---|---|---|");
    for plant in Plant::ALL {
        let found = (arguments.from..arguments.from + arguments.seeds).find_map(|seed| {
            let playing = Playing {
                plant: Some(plant),
                ..playing(seed)
            };
            let violation = play(&Script::drawn(seed), playing).ok()?.violation?;
            Some((seed + 1 - arguments.from, violation))
        });
        match found {
            Some((seeds, violation)) => println!("| {} | {seeds} | {} |", plant.words(), violation.rule.words()),
            None => {
                unfound += 1;
                println!("| {} | not in {} | |", plant.words(), arguments.seeds);
            }
        }
    }
    println!("{} found, {unfound} not found", Plant::ALL.len() - unfound);
    Ok(if unfound == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
