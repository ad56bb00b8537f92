use crate::{
    cores::keep_to_one_core,
    driver::{Played, Playing, Theatre},
    script::Script,
};

/// Enough to find what is wrong more often than not; `.ci/run` plays thousands.
const SEEDS: u64 = 30;
/// Of these each is played twice.
const SEEDS_TWICE: u64 = 12;

fn played(theatre: &Theatre, seed: u64) -> Played {
    let playing = Playing {
        real_engine: seed % 10 == 9,
        ..Playing::default()
    };
    theatre.play(&Script::drawn(seed), playing).unwrap()
}

#[test]
fn no_rule_is_broken_in_a_few_dozen_worlds() {
    keep_to_one_core(0);
    let theatre = Theatre::new().unwrap();
    for seed in 0..SEEDS {
        if let Some(violation) = played(&theatre, seed).violation {
            panic!(
                "seed {seed}, step {}: {} ({:?})",
                violation.step, violation.what, violation.rule
            );
        }
    }
}

/// Scripts that broke a rule once, each named for what was wrong.
const KEPT: [(&str, &str); 1] = [(
    "moved out of a lost space, unread",
    include_str!("kept/moved-out-of-a-lost-space-unread.txt"),
)];

#[test]
fn what_broke_a_rule_once_breaks_none_again() {
    let theatre = Theatre::new().unwrap();
    for (name, script) in KEPT {
        let played = theatre.play(&Script::parsed(script).unwrap(), Playing::default());
        if let Some(violation) = played.unwrap().violation {
            panic!("{name}: {} ({:?})", violation.what, violation.rule);
        }
    }
}

#[test]
fn one_seed_gives_the_same_world_whatever_was_played_before() {
    keep_to_one_core(1);
    let told = |played: Played| (played.digest, played.steps, played.runs, played.calls);
    let (one, other) = (Theatre::new().unwrap(), Theatre::new().unwrap());
    let forth: Vec<_> = (SEEDS..SEEDS + SEEDS_TWICE)
        .map(|seed| told(played(&one, seed)))
        .collect();
    let back = (SEEDS..SEEDS + SEEDS_TWICE)
        .rev()
        .map(|seed| told(played(&other, seed)));
    let mut back: Vec<_> = back.collect();
    back.reverse();
    assert_eq!(forth, back);
}
