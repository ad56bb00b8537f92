//! How many calls are made at once: few at first, one more after a row of good answers, half as many when Atlassian
//! pushes back or grows slow. [`Flow`] decides, given answers and nothing else; [`Gate`] holds callers to it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{Error, Result, source::Pace};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Over all feeds: Confluence answers 429 at twenty to thirty (facts.md §4).
const AT_ONCE_MAX: u32 = 6;
const AT_ONCE_FIRST: u32 = 2;
/// So many good answers in a row allow one call more.
const GOOD_ROW: u32 = 8;
/// Answers of a weight before its latency is judged.
const JUDGED_AFTER: u32 = 8;
/// Slow is this many times the usual, and this much more: small answers vary by themselves.
const SLOW_FACTOR: u64 = 3;
const SLOW_MORE_MS: u64 = 250;
/// What an answer weighs against those before it: one in so many.
const USUAL_SHARE: u64 = 64;
const RECENT_SHARE: u64 = 4;
/// Averages are kept in parts of a millisecond, so that small steps are not rounded away.
const PARTS: u64 = 1_000;

/// Answers with many rows take longer, and are compared with their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Light,
    Heavy,
}

/// What became of a call, as far as its pace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Well,
    /// Atlassian asked for patience.
    PushedBack,
    Badly,
}

/// The state machine.
#[derive(Debug)]
pub struct Flow {
    at_once: u32,
    good: u32,
    /// Answers to calls that were on their way when calls were halved: they tell of before.
    old: u32,
    light: Latency,
    heavy: Latency,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            at_once: AT_ONCE_FIRST,
            good: 0,
            old: 0,
            light: Latency::default(),
            heavy: Latency::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Latency {
    usual: u64,
    recent: u64,
    answers: u32,
}

impl Latency {
    fn took(&mut self, duration: Duration) {
        let took = u64::try_from(duration.as_millis())
            .unwrap_or(u64::MAX / PARTS)
            .saturating_mul(PARTS);
        self.answers = self.answers.saturating_add(1);
        if self.answers == 1 {
            (self.usual, self.recent) = (took, took);
        }
        self.usual = averaged(self.usual, took, USUAL_SHARE);
        self.recent = averaged(self.recent, took, RECENT_SHARE);
    }

    fn is_slow(&self) -> bool {
        let bound = self
            .usual
            .saturating_mul(SLOW_FACTOR)
            .saturating_add(SLOW_MORE_MS * PARTS);
        self.answers >= JUDGED_AFTER && self.recent > bound
    }
}

fn averaged(before: u64, now: u64, share: u64) -> u64 {
    before - before / share + now / share
}

impl Flow {
    /// The most calls at once.
    pub fn at_once(&self) -> u32 {
        self.at_once
    }

    pub fn pace(&self) -> Pace {
        let heavy = (self.heavy.answers > 0).then(|| Duration::from_millis(self.heavy.recent / PARTS));
        Pace {
            at_once: self.at_once(),
            latency: heavy,
        }
    }

    /// One call came to its end.
    pub fn answered(&mut self, weight: Weight, took: Duration, came: Came) {
        let latency = match weight {
            Weight::Light => &mut self.light,
            Weight::Heavy => &mut self.heavy,
        };
        latency.took(took);
        let slow = latency.is_slow();
        let old = self.old > 0;
        self.old = self.old.saturating_sub(1);
        match came {
            Came::PushedBack | Came::Well if old => {}
            Came::PushedBack => self.halve(),
            Came::Well if slow => self.halve(),
            Came::Badly => self.good = 0,
            Came::Well => {
                self.good += 1;
                if self.good >= GOOD_ROW {
                    self.good = 0;
                    self.at_once = (self.at_once + 1).min(AT_ONCE_MAX);
                }
            }
        }
    }

    fn halve(&mut self) {
        self.good = 0;
        // All but the one that told.
        self.old = self.at_once.saturating_sub(1);
        self.at_once = (self.at_once / 2).max(1);
    }
}

/// Lets as many callers pass at once as the flow allows.
pub struct Gate {
    places: Semaphore,
    state: Mutex<State>,
}

struct State {
    flow: Flow,
    /// Places that there are, taken or free.
    places: u32,
}

impl Default for Gate {
    fn default() -> Self {
        let flow = Flow::default();
        let places = flow.at_once();
        Self {
            places: Semaphore::new(places as usize),
            state: Mutex::new(State { flow, places }),
        }
    }
}

impl Gate {
    /// Waits for a place, which is free again when it is dropped.
    pub async fn place(&self) -> Result<SemaphorePermit<'_>> {
        let place = self.places.acquire().await;
        place.map_err(|_| Error::internal("no more calls are made"))
    }

    /// Gives the place back, and what was learnt with it.
    pub fn answered(&self, place: SemaphorePermit<'_>, weight: Weight, took: Duration, came: Came) {
        let mut state = self.state();
        state.flow.answered(weight, took, came);
        let wanted = state.flow.at_once();
        if state.places < wanted {
            self.places.add_permits((wanted - state.places) as usize);
            state.places = wanted;
        }
        let mut surplus = state.places - wanted;
        if surplus > 0 {
            place.forget();
            surplus -= 1;
            state.places -= 1;
        }
        // Places that are taken now are given up when they come back.
        let given_up = self.places.forget_permits(surplus as usize);
        state.places -= u32::try_from(given_up).unwrap_or(surplus);
    }

    pub fn pace(&self) -> Pace {
        self.state().flow.pace()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(2);

    fn well(flow: &mut Flow, times: u32) {
        for _ in 0..times {
            flow.answered(Weight::Heavy, USUAL, Came::Well);
        }
    }

    #[test]
    fn calls_begin_with_two_at_once_and_rise_by_one_after_a_row_of_good_answers() {
        let mut flow = Flow::default();
        assert_eq!(flow.at_once(), 2);
        well(&mut flow, GOOD_ROW);
        assert_eq!(flow.at_once(), 3);
        well(&mut flow, 1_000);
        assert_eq!(flow.at_once(), AT_ONCE_MAX);
    }

    #[test]
    fn a_push_back_halves_them_once_for_all_calls_that_were_on_their_way() {
        let mut flow = Flow::default();
        well(&mut flow, 1_000);
        for _ in 0..6 {
            flow.answered(Weight::Heavy, USUAL, Came::PushedBack);
        }
        assert_eq!(flow.at_once(), 3);
        for _ in 0..20 {
            flow.answered(Weight::Light, USUAL, Came::PushedBack);
        }
        assert_eq!(flow.at_once(), 1, "never none");
        well(&mut flow, GOOD_ROW);
        assert_eq!(flow.at_once(), 2);
    }

    #[test]
    fn answers_far_slower_than_usual_halve_them_and_a_site_that_stays_slow_becomes_the_usual() {
        let mut flow = Flow::default();
        well(&mut flow, 1_000);
        flow.answered(Weight::Heavy, LONG, Came::Well);
        flow.answered(Weight::Heavy, LONG, Came::Well);
        assert!(flow.at_once() <= 3);
        for _ in 0..2_000 {
            flow.answered(Weight::Heavy, LONG, Came::Well);
        }
        assert_eq!(flow.at_once(), AT_ONCE_MAX);
    }

    #[test]
    fn a_long_listing_after_small_answers_is_not_taken_for_slowness() {
        let mut flow = Flow::default();
        for _ in 0..100 {
            flow.answered(Weight::Light, Duration::from_millis(20), Came::Well);
        }
        for _ in 0..20 {
            flow.answered(Weight::Heavy, LONG, Came::Well);
        }
        assert_eq!(flow.at_once(), AT_ONCE_MAX);
        assert_eq!(flow.pace().latency, Some(LONG));
    }

    #[test]
    fn a_failure_breaks_the_row_and_halves_nothing() {
        let mut flow = Flow::default();
        well(&mut flow, GOOD_ROW - 1);
        flow.answered(Weight::Heavy, USUAL, Came::Badly);
        well(&mut flow, GOOD_ROW - 1);
        assert_eq!(flow.at_once(), 2);
    }

    #[tokio::test]
    async fn the_gate_has_as_many_places_as_the_flow_allows() {
        let gate = Gate::default();
        for _ in 0..1_000 {
            let place = gate.place().await.unwrap();
            gate.answered(place, Weight::Light, USUAL, Came::Well);
        }
        assert_eq!(gate.places.available_permits(), AT_ONCE_MAX as usize);
        let (one, two) = (gate.place().await.unwrap(), gate.place().await.unwrap());
        gate.answered(one, Weight::Light, USUAL, Came::PushedBack);
        assert_eq!(gate.places.available_permits(), 2, "three, and one of them is taken");
        drop(two);
        assert_eq!(gate.places.available_permits(), 3);
    }
}
