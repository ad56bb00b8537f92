//! Given a document's text, gives 32 bytes by which documents of nearly the same text know each other.
//!
//! Of all pairs of neighbouring words each of 256 hash functions has a least one, and gives one bit of it: two texts have
//! the same least one as often as their pairs are the same, and by chance they have every second bit in common (Li and
//! König, *b-Bit Minwise Hashing*, 2010).

use std::sync::LazyLock;

use crate::analysis::stands_alone;

/// So many words in a row are one run: another word in a text makes two other runs.
const RUN_WORDS: usize = 2;
/// A text of fewer runs says too little to be taken for another's copy.
const RUNS_MIN: usize = 30;
/// Texts with so many bits in common are nearly the same: of all their runs some five of six are in both. Three in five,
/// as a template has that was filled in, give about 205 bits, and ten more by a rare chance.
const SAME_BITS_MIN: u32 = 232;
const FUNCTIONS: usize = 256;

/// An odd factor for every two functions: one takes the upper half of the product, the other the lower one.
static FACTORS: LazyLock<[u64; FUNCTIONS / 2]> = LazyLock::new(|| std::array::from_fn(|place| mixed(place as u64) | 1));

/// What a document's text is like; nothing is like a short one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness([u64; FUNCTIONS / 64]);

impl Likeness {
    /// Of the pieces of a text, in their order.
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let mut least = [[u32::MAX; 2]; FUNCTIONS / 2];
        let mut run = [0_u64; RUN_WORDS];
        let mut words = 0_usize;
        let mut see = |word: u64| {
            run.rotate_left(1);
            run[RUN_WORDS - 1] = word;
            words += 1;
            if words >= RUN_WORDS {
                let hash = run.iter().fold(0, |hash, word| mixed(hash ^ word));
                for (least, factor) in least.iter_mut().zip(FACTORS.iter()) {
                    let product = hash.wrapping_mul(*factor);
                    *least = [least[0].min((product >> 32) as u32), least[1].min(product as u32)];
                }
            }
        };
        pieces.into_iter().for_each(|piece| each_word(piece, &mut see));
        if words < RUNS_MIN + RUN_WORDS {
            return Self::default();
        }
        let mut bits = [0; FUNCTIONS / 64];
        for (place, least) in least.iter().flatten().enumerate() {
            bits[place / 64] |= (mixed(u64::from(*least)) & 1) << (place % 64);
        }
        Self(bits)
    }

    /// As they are kept; nothing for a short text.
    pub fn bits(&self) -> &[u64] {
        match *self == Self::default() {
            true => &[],
            false => &self.0,
        }
    }

    pub fn of_bits(kept: impl Iterator<Item = u64>) -> Self {
        let mut likeness = Self::default();
        likeness.0.iter_mut().zip(kept).for_each(|(bits, kept)| *bits = kept);
        likeness
    }

    pub fn is_near(self, other: Self) -> bool {
        let none = Self::default();
        let same = self
            .0
            .iter()
            .zip(other.0)
            .map(|(own, other)| (own ^ other).count_zeros());
        self != none && other != none && same.sum::<u32>() >= SAME_BITS_MIN
    }
}

/// The words of a text as numbers, without case; of scripts without blanks each character.
fn each_word(text: &str, see: &mut impl FnMut(u64)) {
    let mut word: Option<u64> = None;
    for c in text.chars() {
        let alone = stands_alone(c);
        if (alone || !c.is_alphanumeric())
            && let Some(word) = word.take()
        {
            see(word);
        }
        if alone {
            see(mixed(u64::from(u32::from(c))));
        } else if c.is_alphanumeric() {
            for c in c.to_lowercase() {
                word = Some(mixed(word.unwrap_or(1) ^ u64::from(u32::from(c))));
            }
        }
    }
    if let Some(word) = word {
        see(word);
    }
}

/// Every bit of the number in every bit of the outcome: the finalizer of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many words, each different, of a subject.
    fn text(subject: &str, words: usize) -> Vec<String> {
        (0..words).map(|word| format!("{subject}{word}")).collect()
    }

    fn near(a: &[String], b: &[String]) -> bool {
        let (a, b) = (a.join(" "), b.join(", "));
        Likeness::of([&*a]).is_near(Likeness::of([&*b]))
    }

    #[test]
    fn copies_in_which_a_few_words_differ_are_near_however_long_they_are() {
        for words in [60, 150, 1_000, 20_000] {
            for subject in ["pump", "насос", "Straße"] {
                let original = text(subject, words);
                let mut copy = original.clone();
                copy[words / 2] = "2026-11-08".into();
                copy[words - 1] = "other".into();
                assert!(near(&original, &copy), "{words} words of {subject}");
            }
        }
    }

    #[test]
    fn where_it_is_cut_and_how_it_is_written_make_no_other_text() {
        let words = text("Pump", 100);
        let (one, small) = (words.join(" "), words.join("\n- ").to_lowercase());
        let (first, second) = (words[..40].join(" "), words[40..].join("; "));
        assert_eq!(Likeness::of([&*one]), Likeness::of([&*small]));
        assert_eq!(Likeness::of([&*one]), Likeness::of([&*first, &*second]));
    }

    #[test]
    fn pages_of_one_template_that_say_other_things_are_not_near() {
        for filled in [30, 60, 100] {
            for number in 0..200 {
                let template = text("form", 100);
                let page = |subject: &str| [template.clone(), text(subject, filled)].concat();
                let (a, b) = (page(&format!("a{number}x")), page(&format!("b{number}x")));
                assert!(!near(&a, &b), "{filled} of {} words, {number}", 100 + filled);
            }
        }
    }

    #[test]
    fn nothing_is_like_a_short_text() {
        let short = text("pump", 20);
        assert!(!near(&short, &short));
        assert!(near(&text("pump", 33), &text("pump", 33)));
    }

    #[test]
    fn scripts_without_blanks_are_compared_by_their_characters() {
        let text = "水ポンプが空転したら再起動してください。会議室は三階です。発票在月底支付然后等待压力恢复。";
        let copy = text.replace("三階", "四階");
        assert!(Likeness::of([text]).is_near(Likeness::of([&*copy])));
        let other = "請求書は毎月十五日に支払われます。休暇は上司が承認します。펌프를 재시작하고 압력을 기다리십시오.";
        assert!(!Likeness::of([text]).is_near(Likeness::of([other])));
    }
}
