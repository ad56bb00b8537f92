//! A script: the world's seed, how turns are drawn, and what happens when. One seed gives one script, and a script is
//! text that can be shortened and played again.

use domain::{Error, Result};

use crate::{
    chance::Chance,
    event::{Event, JUMP_TO_CHANGES, Kind, LAG_LONGEST},
    shape::{Profile, Shape, Size},
};

/// Who goes next when several wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    Drawn,
    /// Whoever came first.
    InOrder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub seed: u64,
    pub schedule: Schedule,
    /// By step.
    pub events: Vec<Event>,
}

/// Of a hundred worlds so many begin with everything imported: what happens then meets changes, walks and probes.
const SETTLES_PERCENT: usize = 65;
/// What was settled is woken before this step.
const WAKES_MAX: usize = 3;
/// Between two events lie fewer steps than this.
const GAP_MAX: usize = 8;
/// One world in so many comes to rest in its midst, too.
const REST_ONE_IN: usize = 12;
/// No script has more lines.
const EVENTS_MAX: usize = 10_000;

impl Script {
    pub fn drawn(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x5C71_9A3E_0000_0001);
        let shape = Shape::of(seed);
        let steps = steps(shape.size, &mut chance);
        let settles = chance.strikes(SETTLES_PERCENT);
        let mut rests = (chance.below(REST_ONE_IN) == 0).then(|| chance.below(steps));
        let (mut at, mut events) = (WAKES_MAX + chance.below(GAP_MAX), Vec::new());
        if settles && shape.profile == Profile::Writing {
            events.extend(written_late(&mut chance));
        }
        let mut happens = |at: usize, kind: Kind, chance: &mut Chance| {
            events.push(Event {
                at: at as u64,
                kind,
                a: chance.below(1_000),
                b: chance.below(1_000),
            });
        };
        if settles && shape.profile != Profile::Writing {
            happens(0, Kind::Settle, &mut chance);
            // Otherwise nothing is due for a while.
            let wakes = if chance.strikes(70) { Kind::Resync } else { Kind::Jump };
            happens(chance.below(WAKES_MAX), wakes, &mut chance);
        }
        while at < steps {
            let rest = rests.take_if(|rest| at >= *rest).is_some();
            let kind = match rest {
                true => Kind::Quiet,
                false => Kind::drawn(&mut chance, shape.profile),
            };
            happens(at, kind, &mut chance);
            at += chance.below(GAP_MAX);
        }
        Self {
            seed,
            schedule: Schedule::Drawn,
            events,
        }
    }

    /// The text that [`Script::parsed`] reads.
    pub fn rendered(&self) -> String {
        let turns = match self.schedule {
            Schedule::Drawn => "drawn",
            Schedule::InOrder => "in-order",
        };
        let lines = self.events.iter().map(|event| {
            let Event { at, kind, a, b } = event;
            format!("{at} {} {a} {b}\n", kind.word())
        });
        format!("world {}\nturns {turns}\n{}", self.seed, lines.collect::<String>())
    }

    pub fn parsed(text: &str) -> Result<Self> {
        let mut script = Self {
            seed: 0,
            schedule: Schedule::Drawn,
            events: Vec::new(),
        };
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        for line in lines.filter(|line| !line.trim().is_empty()).take(EVENTS_MAX) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let wrong = || Error::invalid(format!("not a line of a script: {line:?}"));
            match words.as_slice() {
                ["world", seed] => script.seed = seed.parse().map_err(|_| wrong())?,
                ["turns", "drawn"] => script.schedule = Schedule::Drawn,
                ["turns", "in-order"] => script.schedule = Schedule::InOrder,
                [at, kind, a, b] => script.events.push(Event {
                    at: at.parse().map_err(|_| wrong())?,
                    kind: Kind::from_word(kind).ok_or_else(wrong)?,
                    a: a.parse().map_err(|_| wrong())?,
                    b: b.parse().map_err(|_| wrong())?,
                }),
                _ => return Err(wrong()),
            }
        }
        Ok(script)
    }

    /// The shortest script that is found in which `fails` still holds: pieces are left out, ever smaller ones.
    pub fn shortened(self, mut fails: impl FnMut(&Self) -> bool) -> Self {
        let mut best = self;
        let in_order = Self {
            schedule: Schedule::InOrder,
            ..best.clone()
        };
        if fails(&in_order) {
            best = in_order;
        }
        let mut piece = best.events.len().div_ceil(2);
        while piece > 0 {
            let mut from = 0;
            while from < best.events.len() {
                let mut shorter = best.clone();
                let to = (from + piece).min(shorter.events.len());
                shorter.events.drain(from..to);
                match fails(&shorter) {
                    true => best = shorter,
                    false => from = to,
                }
            }
            piece /= 2;
        }
        best
    }
}

/// All is imported, and then something is written just before a pass of changes, which Atlassian's search knows only after
/// it, and before the next one: that must bring it.
fn written_late(chance: &mut Chance) -> Vec<Event> {
    let written = if chance.strikes(50) {
        Kind::Comment
    } else {
        Kind::Attach
    };
    let (a, b) = (chance.below(1_000), chance.below(1_000));
    let at_once = [
        (Kind::Settle, 0),
        (Kind::Lag, LAG_LONGEST),
        (written, a),
        (Kind::Jump, JUMP_TO_CHANGES),
        (Kind::Settle, 0),
        (Kind::Jump, JUMP_TO_CHANGES),
        (Kind::Settle, 0),
    ];
    at_once.map(|(kind, a)| Event { at: 0, kind, a, b }).to_vec()
}

/// In how many steps something happens.
fn steps(size: Size, chance: &mut Chance) -> usize {
    let (least, more) = match size {
        Size::Small => (50, 90),
        Size::Medium | Size::Large => (60, 140),
    };
    least + chance.below(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_as_it_was_written() {
        let script = Script::drawn(7);
        assert!(script.events.len() > 5);
        assert_eq!(Script::parsed(&script.rendered()).unwrap(), script);
        assert!(Script::parsed("7 sing 1 2").is_err());
    }

    #[test]
    fn a_script_is_shortened_to_what_matters() {
        let script = Script::drawn(7);
        let kinds = |script: &Script| script.events.iter().map(|event| event.kind).collect::<Vec<_>>();
        let (first, last) = (kinds(&script)[0], *kinds(&script).last().unwrap());
        let short = script.shortened(|script| {
            let kinds = kinds(script);
            kinds.first() == Some(&first) && kinds.last() == Some(&last)
        });
        assert_eq!(short.events.len(), if first == last { 1 } else { 2 });
    }
}
