//! `simulation`: plays worlds from seeds or one from a script, and says which rule was broken where.

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;
use domain::{Error, Result};
use simulation::{
    cores::keep_to_one_core,
    driver::{Played, Playing, Theatre},
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
    keep_to_one_core(0);
    let traced = Playing {
        traced: true,
        ..playing(script.seed)
    };
    let played = Theatre::new()?.play(script, traced)?;
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
    let seeds = arguments.from..arguments.from + arguments.seeds;
    let results = shared(arguments.jobs, seeds, |theatre, seed| played(theatre, seed, arguments))?;
    let seconds = began.elapsed().as_secs_f64();
    let (mut steps, mut runs, mut calls, mut failed) = (0, 0, 0, Vec::new());
    for (seed, played) in results {
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

/// Does all of them, in so many jobs at once, each with its theatre and its core; what came of each, in order.
fn shared<T: Send>(
    jobs: usize,
    numbers: Range<u64>,
    work: impl Fn(&Theatre, u64) -> Result<T> + Sync,
) -> Result<Vec<(u64, T)>> {
    let next = AtomicU64::new(numbers.start);
    let job = |job: usize| {
        keep_to_one_core(job);
        let (theatre, mut results) = (Theatre::new()?, Vec::new());
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < numbers.end) {
            results.push((number, work(&theatre, number)?));
        }
        Ok(results)
    };
    let broke_down = || Err(Error::internal("the simulation itself broke down"));
    let done: Vec<Result<Vec<(u64, T)>>> = std::thread::scope(|scope| {
        let job = &job;
        let jobs: Vec<_> = (0..jobs.max(1))
            .map(|number| scope.spawn(move || job(number)))
            .collect();
        jobs.into_iter()
            .map(|job| job.join().unwrap_or_else(|_| broke_down()))
            .collect()
    });
    let mut results: Vec<(u64, T)> = done
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    results.sort_by_key(|(number, _)| *number);
    Ok(results)
}

fn played(theatre: &Theatre, seed: u64, arguments: &Arguments) -> Result<Played> {
    let first = theatre.play(&Script::drawn(seed), playing(seed))?;
    if arguments.twice {
        let second = theatre.play(&Script::drawn(seed), playing(seed))?;
        if (first.digest, first.steps) != (second.digest, second.steps) {
            return Err(Error::internal(format!("seed {seed} gave two worlds")));
        }
    }
    Ok(first)
}

/// Prints the script of a failing seed, as short as it can be found.
fn show(seed: u64, violation: &Violation, arguments: &Arguments) -> Result<()> {
    keep_to_one_core(0);
    let (script, theatre) = (Script::drawn(seed), Theatre::new()?);
    let script = match arguments.whole {
        true => script,
        false => shortened(&theatre, script, violation, playing(seed)),
    };
    println!("cargo run --release -p simulation -- --seed {seed}   or, as --script FILE:");
    println!("{}", script.rendered());
    let played = theatre.play(&script, playing(seed))?;
    if let Some(violation) = played.violation {
        println!("# {}\n", sentence(&violation));
    }
    Ok(())
}

fn shortened(theatre: &Theatre, script: Script, violation: &Violation, playing: Playing) -> Script {
    script.shortened(|script| {
        let played = theatre.play(script, playing);
        played.is_ok_and(|played| played.violation.is_some_and(|found| found.rule == violation.rule))
    })
}

fn planted(arguments: &Arguments) -> Result<ExitCode> {
    let seeds = arguments.from..arguments.from + arguments.seeds;
    let found = shared(arguments.jobs, 0..Plant::ALL.len() as u64, |theatre, number| {
        let plant = Some(Plant::ALL[number as usize]);
        Ok(seeds.clone().find_map(|seed| {
            let playing = Playing { plant, ..playing(seed) };
            let violation = theatre.play(&Script::drawn(seed), playing).ok()?.violation?;
            Some((seed + 1 - arguments.from, violation))
        }))
    })?;
    println!("| planted bug | found after seeds | rule |\n|---|---|---|");
    for (plant, (_, found)) in Plant::ALL.iter().zip(&found) {
        match found {
            Some((seeds, violation)) => println!("| {} | {seeds} | {} |", plant.words(), violation.rule.words()),
            None => println!("| {} | not in {} | |", plant.words(), arguments.seeds),
        }
    }
    let unfound = found.iter().filter(|(_, found)| found.is_none()).count();
    println!("{} found, {unfound} not found", Plant::ALL.len() - unfound);
    Ok(if unfound == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
