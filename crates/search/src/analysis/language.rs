//! Which language a text is in, and which of its words say nothing.

use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock};

use tantivy::tokenizer::{Language, RawTokenizer, StopWordFilter, TextAnalyzer, TokenStream};
use whatlang::{Detector, Lang};

use super::words::stands_alone;

/// As much of a text is looked at, in characters: more does not change the verdict.
const LOOKED_AT_CHARS_MAX: usize = 300;
/// A shorter text may be in any language.
const CHARS_MIN: usize = 40;
/// A sentence has so many small words at least, and they are one in so many.
const SMALL_WORDS_MIN: usize = 3;
const SMALL_WORDS_SHARE: usize = 5;

/// A language as the search knows it: those whose words have stems, and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Speech {
    English,
    German,
    French,
    Spanish,
    Portuguese,
    Italian,
    Dutch,
    Russian,
    Swedish,
    Danish,
    Norwegian,
    Finnish,
    Hungarian,
    Romanian,
    Turkish,
    Greek,
    Arabic,
    /// Another language, code, or too short to tell: words as they are written.
    Unknown,
}

impl Speech {
    pub const ALL: [Self; 18] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Italian,
        Self::Dutch,
        Self::Russian,
        Self::Swedish,
        Self::Danish,
        Self::Norwegian,
        Self::Finnish,
        Self::Hungarian,
        Self::Romanian,
        Self::Turkish,
        Self::Greek,
        Self::Arabic,
        Self::Unknown,
    ];

    /// The letter that stands for it in the index.
    pub fn letter(self) -> char {
        match self {
            Self::English => 'e',
            Self::German => 'd',
            Self::French => 'f',
            Self::Spanish => 's',
            Self::Portuguese => 'p',
            Self::Italian => 'i',
            Self::Dutch => 'n',
            Self::Russian => 'r',
            Self::Swedish => 'w',
            Self::Danish => 'k',
            Self::Norwegian => 'o',
            Self::Finnish => 'u',
            Self::Hungarian => 'h',
            Self::Romanian => 'm',
            Self::Turkish => 't',
            Self::Greek => 'g',
            Self::Arabic => 'a',
            Self::Unknown => '-',
        }
    }

    /// The language of a letter; one that stands for none is unknown.
    pub fn of_letter(letter: char) -> Self {
        let of = Self::ALL.into_iter().find(|speech| speech.letter() == letter);
        of.unwrap_or(Self::Unknown)
    }

    /// The stemmer's name for it.
    pub fn stemmed(self) -> Option<Language> {
        Some(match self {
            Self::English => Language::English,
            Self::German => Language::German,
            Self::French => Language::French,
            Self::Spanish => Language::Spanish,
            Self::Portuguese => Language::Portuguese,
            Self::Italian => Language::Italian,
            Self::Dutch => Language::Dutch,
            Self::Russian => Language::Russian,
            Self::Swedish => Language::Swedish,
            Self::Danish => Language::Danish,
            Self::Norwegian => Language::Norwegian,
            Self::Finnish => Language::Finnish,
            Self::Hungarian => Language::Hungarian,
            Self::Romanian => Language::Romanian,
            Self::Turkish => Language::Turkish,
            Self::Greek => Language::Greek,
            Self::Arabic => Language::Arabic,
            Self::Unknown => return None,
        })
    }

    fn of(lang: Lang) -> Self {
        match lang {
            Lang::Eng => Self::English,
            Lang::Deu => Self::German,
            Lang::Fra => Self::French,
            Lang::Spa => Self::Spanish,
            Lang::Por => Self::Portuguese,
            Lang::Ita => Self::Italian,
            Lang::Nld => Self::Dutch,
            Lang::Rus => Self::Russian,
            Lang::Swe => Self::Swedish,
            Lang::Dan => Self::Danish,
            Lang::Nob => Self::Norwegian,
            Lang::Fin => Self::Finnish,
            Lang::Hun => Self::Hungarian,
            Lang::Ron => Self::Romanian,
            Lang::Tur => Self::Turkish,
            Lang::Ell => Self::Greek,
            Lang::Ara => Self::Arabic,
            // Somebody else's enum: languages without a stemmer.
            _ => Self::Unknown,
        }
    }
}

/// Languages that are told apart: those with a stemmer, and their neighbours, which must not be taken for them.
const TOLD_APART: [Lang; 26] = [
    Lang::Eng,
    Lang::Deu,
    Lang::Fra,
    Lang::Spa,
    Lang::Por,
    Lang::Ita,
    Lang::Nld,
    Lang::Rus,
    Lang::Swe,
    Lang::Dan,
    Lang::Nob,
    Lang::Fin,
    Lang::Hun,
    Lang::Ron,
    Lang::Tur,
    Lang::Ell,
    Lang::Ara,
    Lang::Pol,
    Lang::Ces,
    Lang::Ukr,
    Lang::Bul,
    Lang::Cat,
    Lang::Vie,
    Lang::Cmn,
    Lang::Jpn,
    Lang::Kor,
];

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| Detector::with_allowlist(TOLD_APART.to_vec()));

/// The language of a text; none when it is too short or it cannot be told.
pub fn detected(text: &str) -> Option<Speech> {
    let looked_at: String = text.chars().take(LOOKED_AT_CHARS_MAX).collect();
    let letters = looked_at.chars().filter(|c| c.is_alphabetic());
    let alone = letters.clone().filter(|c| stands_alone(*c)).count();
    let letters = letters.count();
    if alone * 4 > letters {
        return Some(Speech::Unknown);
    }
    if letters < CHARS_MIN {
        return None;
    }
    let found = DETECTOR.detect(&looked_at)?;
    match found.is_reliable() {
        true => Some(Speech::of(found.lang())),
        false => by_small_words(&looked_at),
    }
}

/// Neighbouring languages have nearly the same letters, but not the same small words: one must have more than any other.
fn by_small_words(text: &str) -> Option<Speech> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let votes = Speech::ALL.into_iter().map(|speech| {
        let small = words.iter().filter(|word| is_stop_word(word, speech)).count();
        (small, speech)
    });
    let mut votes: Vec<(usize, Speech)> = votes.collect();
    votes.sort_by(|a, b| b.cmp(a));
    let ((most, speech), (second, _)) = (votes[0], votes[1]);
    let many = most >= SMALL_WORDS_MIN && most * SMALL_WORDS_SHARE >= words.len();
    (many && most > second).then_some(speech)
}

/// Words of questions that the lists of small words do not have.
const ENGLISH_QUESTIONS: [&str; 37] = [
    "can", "could", "did", "do", "does", "from", "had", "has", "have", "how", "i", "its", "me", "my", "our", "should",
    "so", "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "would", "you", "your",
    "been", "being", "am", "us", "he", "she", "than",
];

thread_local! {
    static STOP_WORDS: RefCell<BTreeMap<Speech, Option<TextAnalyzer>>> = RefCell::default();
}

/// Whether a word, as written, says nothing in this language when others are there.
pub fn is_stop_word(word: &str, speech: Speech) -> bool {
    let lower = word.to_lowercase();
    if speech == Speech::English && ENGLISH_QUESTIONS.contains(&lower.as_str()) {
        return true;
    }
    STOP_WORDS.with_borrow_mut(|lists| {
        let list = lists.entry(speech).or_insert_with(|| {
            let filter = speech.stemmed().and_then(StopWordFilter::new)?;
            Some(TextAnalyzer::builder(RawTokenizer::default()).filter(filter).build())
        });
        // The lists are inside of a filter: what it takes out is on its list.
        list.as_mut().is_some_and(|list| !list.token_stream(&lower).advance())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_sentence_is_told() {
        for (speech, text) in [
            (
                Speech::English,
                "When the booster pump has run dry, close the inlet valve and wait until it has cooled down.",
            ),
            (
                Speech::German,
                "Wenn die Pumpe trocken gelaufen ist, schließen Sie das Ventil und warten Sie, bis sie abgekühlt ist.",
            ),
            (
                Speech::French,
                "Si la pompe a tourné à vide, fermez la vanne et attendez qu'elle ait refroidi avant de la relancer.",
            ),
            (
                Speech::Spanish,
                "Si la bomba ha funcionado en seco, cierre la válvula y espere hasta que se haya enfriado del todo.",
            ),
            (
                Speech::Portuguese,
                "Se a bomba funcionou a seco, feche a válvula e espere até que ela tenha arrefecido completamente.",
            ),
            (
                Speech::Italian,
                "Se la pompa ha girato a secco, chiudete la valvola e aspettate che si sia raffreddata del tutto.",
            ),
            (
                Speech::Dutch,
                "Als de pomp droog heeft gelopen, sluit dan de klep en wacht tot hij weer helemaal is afgekoeld.",
            ),
            (
                Speech::Russian,
                "Если насос работал всухую, закройте клапан и подождите, пока он полностью не остынет.",
            ),
            (
                Speech::Unknown,
                "ポンプが空運転した場合は、バルブを閉じて冷えるまで待ってください。",
            ),
            (
                Speech::Unknown,
                "펌프가 공회전한 경우 밸브를 닫고 식을 때까지 기다리십시오.",
            ),
            (Speech::Unknown, "如果水泵空转，请关闭阀门并等待其冷却。"),
        ] {
            assert_eq!(detected(text), Some(speech), "{text}");
        }
        assert_eq!(detected("Pump runbook"), None, "too short");
        assert_eq!(detected(""), None);
    }

    #[test]
    fn every_language_has_a_letter_of_its_own() {
        for speech in Speech::ALL {
            assert_eq!(Speech::of_letter(speech.letter()), speech);
        }
    }

    #[test]
    fn small_words_are_told_by_language() {
        assert!(is_stop_word("The", Speech::English) && is_stop_word("how", Speech::English));
        assert!(is_stop_word("die", Speech::German) && !is_stop_word("die", Speech::English));
        assert!(!is_stop_word("pump", Speech::English) && !is_stop_word("the", Speech::Unknown));
    }
}
