//! Given a seed, gives of what shape its world is: how much there is in it, and what happens in it above all. Most worlds
//! are small, for most mistakes show in a small one, and many small ones are played while a large one is.

use crate::chance::{Chance, scattered};

/// How much there is in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One feed of one or two spaces with a few pages.
    Small,
    /// Some feeds, spaces, sites and indexes.
    Medium,
    /// A space in which more may vanish at once than is believed.
    Large,
}

/// What happens above all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A bit of everything.
    Everything,
    /// People write while listings are read.
    Writing,
    /// The line to Atlassian fails while listings are read.
    Failing,
    /// Processes die, clocks jump, disks are full.
    Crashing,
    /// Spaces and consent are taken away and given back.
    Withdrawing,
}

/// To which of these an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Writing,
    /// People use the feed's page.
    Asking,
    Failing,
    Crashing,
    Withdrawing,
}

const PROFILES: [Profile; 5] = [
    Profile::Everything,
    Profile::Writing,
    Profile::Failing,
    Profile::Crashing,
    Profile::Withdrawing,
];
/// One world in so many is large.
const LARGE_ONE_IN: u64 = 80;
/// Of a hundred others so many are small.
const SMALL_PERCENT: usize = 90;
/// So much more often happens what a world is about.
const FAVOURED: usize = 4;

/// The shape of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub size: Size,
    pub profile: Profile,
}

impl Shape {
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(scattered(seed ^ 0x5C71_9A3E_0000_0002));
        let size = match chance.strikes(SMALL_PERCENT) {
            _ if seed % LARGE_ONE_IN == LARGE_ONE_IN - 1 => Size::Large,
            true => Size::Small,
            false => Size::Medium,
        };
        let profile = PROFILES[chance.below(PROFILES.len())];
        Self { size, profile }
    }
}

impl Profile {
    /// How many times as often as usual an event of the group happens.
    pub fn favours(self, group: Group) -> usize {
        let favoured = match self {
            Self::Everything => false,
            Self::Writing => group == Group::Writing,
            Self::Failing => group == Group::Failing,
            Self::Crashing => group == Group::Crashing,
            Self::Withdrawing => group == Group::Withdrawing,
        };
        if favoured { FAVOURED } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_worlds_are_small_and_every_profile_comes_often() {
        let shapes: Vec<Shape> = (0..1_000).map(Shape::of).collect();
        let small = shapes.iter().filter(|shape| shape.size == Size::Small).count();
        assert!((850..930).contains(&small), "{small}");
        for profile in PROFILES {
            let those = shapes.iter().filter(|shape| shape.profile == profile).count();
            assert!((150..250).contains(&those), "{profile:?}: {those}");
        }
        assert_eq!(Shape::of(79).size, Size::Large);
    }
}
