//! Given a seed, gives the same scattered numbers every time: the one source of chance of a world.

/// A stream of scattered numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scattered(self.0)
    }

    /// Below `bound`, which is taken as at least one.
    pub fn below(&mut self, bound: usize) -> usize {
        among(self.draw(), bound)
    }

    /// True in `percent` of a hundred cases.
    pub fn strikes(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// SplitMix64's step: every bit of the answer depends on every bit of the question.
pub fn scattered(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number below `bound`, which is taken as at least one.
pub fn among(drawn: u64, bound: usize) -> usize {
    // The high half of the product is as even as the remainder.
    ((u128::from(drawn) * bound.max(1) as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_numbers_and_another_gives_others() {
        let drawn = |seed| {
            let mut chance = Chance::new(seed);
            (0..50).map(|_| chance.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!(drawn(7).iter().all(|number| *number < 1_000));
    }
}
