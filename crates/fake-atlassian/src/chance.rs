//! Given a seed and a number, gives the same scattered number every time: the one source of chance here.

use sha2::{Digest, Sha256};

/// SplitMix64's step: every bit of the answer depends on every bit of the question.
pub fn scattered(seed: u64, number: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stream of scattered numbers.
#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub fn draw(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        scattered(self.seed, self.drawn)
    }

    /// Below `bound`, which is taken as at least one.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product is as even as the remainder and spares the division.
        ((u128::from(self.draw()) * u128::from(bound.max(1))) >> 64) as u64
    }

    /// True in `rate` of the cases, `rate` being between 0 and 1.
    pub fn strikes(&mut self, rate: f64) -> bool {
        if rate <= 0.0 {
            return false;
        }
        // 53 bits are what a double holds exactly.
        let share = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        share < rate
    }
}

/// A UUID that belongs to the words.
pub fn uuid(words: &[&str]) -> String {
    let hex = hex(words);
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

/// 64 hexadecimal digits that belong to the words.
pub fn hex(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_le_bytes());
        hash.update(word.as_bytes());
    }
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let mut digits = String::with_capacity(64);
    for byte in hash.finalize() {
        digits.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    digits
}
