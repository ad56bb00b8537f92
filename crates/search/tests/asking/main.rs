//! Questions of any bytes, as they once broke a promise, and as chance makes them.

mod chance;
#[path = "../../../extract/tests/reading/effort.rs"]
mod effort;
mod promises;
mod torn;
mod world;

use std::{fs, path::Path};

use world::World;

/// As many are asked in little time; the fuzzer asks more.
const QUESTIONS: usize = 40;

#[test]
fn questions_that_once_broke_a_promise_keep_it() {
    let world = World::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept");
    let mut kept: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    kept.sort();
    assert!(!kept.is_empty());
    for path in kept {
        let text = fs::read_to_string(&path).unwrap();
        promises::check(&world, &text).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
    }
}

#[test]
fn any_text_is_a_question() {
    let world = World::new();
    let mut chance = chance::Chance::of(1);
    for number in 0..QUESTIONS {
        let text = torn::question(&mut chance);
        promises::check(&world, &text).unwrap_or_else(|what| panic!("question {number}, {text:?}: {what}"));
    }
}
