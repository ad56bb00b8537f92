use crate::{
    driver::{Playing, Theatre},
    script::Script,
};

/// Enough to find what is wrong more often than not; `.ci/run` plays thousands.
const SEEDS: u64 = 30;

#[test]
fn no_rule_is_broken_in_a_few_dozen_worlds() {
    let theatre = Theatre::new().unwrap();
    for seed in 0..SEEDS {
        let playing = Playing {
            real_engine: seed % 10 == 9,
            ..Playing::default()
        };
        let played = theatre.play(&Script::drawn(seed), playing).unwrap();
        if let Some(violation) = played.violation {
            panic!(
                "seed {seed}, step {}: {} ({:?})",
                violation.step, violation.what, violation.rule
            );
        }
    }
}

#[test]
fn one_seed_gives_the_same_world_twice() {
    let theatre = Theatre::new().unwrap();
    for seed in 0..3 {
        let played = || theatre.play(&Script::drawn(seed), Playing::default()).unwrap();
        let (first, second) = (played(), played());
        assert_eq!(
            (first.digest, first.steps, first.calls),
            (second.digest, second.steps, second.calls)
        );
    }
}
