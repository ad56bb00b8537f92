//! Given a text and what was looked for, gives the piece of it that shows why it was found.

use std::collections::HashSet;

use domain::hit::Fragment;

use super::needles::Needles;
use crate::analysis::{Detail, Kind, Speech, Word, folded, stem, words};

/// About how long a snippet is, in bytes: two lines.
const SNIPPET_BYTES: usize = 260;
/// How much of it stands before the first marked word.
const LEAD_BYTES: usize = 60;
/// How many places are tried as a beginning.
const PLACES_MAX: usize = 200;

/// What is marked: words as asked, their stems, and what is searched in their place.
pub struct Marks {
    words: HashSet<String>,
    stems: HashSet<String>,
    beginnings: Beginnings,
    speeches: Vec<Speech>,
}

impl Marks {
    pub fn of(needles: &Needles) -> Self {
        let asked = needles.words.iter().flat_map(|needle| &needle.parts);
        let others = needles.words.iter().flat_map(|needle| &needle.others);
        let other_stems = others.clone().flat_map(|(_, stems)| stems);
        let stems = needles
            .words
            .iter()
            .flat_map(|needle| needle.stems.iter().chain(&needle.loose));
        let stems: HashSet<String> = stems.chain(other_stems).cloned().collect();
        let words = asked.chain(needles.phrases.iter().flatten());
        let words: HashSet<String> = words.chain(others.map(|(word, _)| word)).cloned().collect();
        Self {
            beginnings: Beginnings::of(words.iter().chain(&stems)),
            words,
            stems,
            speeches: needles.speeches.clone(),
        }
    }

    /// What the word is found by, if it is.
    fn found(&self, word: &Word) -> Option<String> {
        if !self.beginnings.may_begin(word.text.as_bytes()) {
            return None;
        }
        let folded = folded(&word.text);
        if self.words.contains(&folded) {
            return Some(stem(
                &word.text,
                self.speeches.first().copied().unwrap_or(Speech::Unknown),
            ));
        }
        if word.kind == Kind::Whole {
            return None;
        }
        let speeches = self.speeches.iter().chain([&Speech::Unknown]);
        speeches
            .map(|speech| stem(&word.text, *speech))
            .find(|stem| self.stems.contains(stem))
    }
}

/// With which two letters words and stems begin: most words of a text need not be folded and stemmed to know that they are
/// none.
struct Beginnings {
    /// By the first byte, a small one, which bytes may follow it.
    seconds: [u128; 128],
}

/// Stemming a longer word leaves its first two letters as they are; of a shorter one it may not ("dying", "die").
const STEMMED_WHOLE_MAX: usize = 6;

impl Beginnings {
    fn of<'a>(all: impl Iterator<Item = &'a String>) -> Self {
        let mut seconds = [0; 128];
        for word in all {
            let mut bytes = word.bytes().map(|byte| usize::from(byte.to_ascii_lowercase()));
            let Some(allowed) = bytes.next().and_then(|first| seconds.get_mut(first)) else {
                continue;
            };
            *allowed |= match bytes.next() {
                Some(second @ 0..128) => 1 << second,
                // Anything may follow a single letter, and a letter beyond ASCII stands for several.
                _ => u128::MAX,
            };
        }
        Self { seconds }
    }

    /// Whether a word of the text that begins with these bytes may be found.
    fn may_begin(&self, word: &[u8]) -> bool {
        let Some(first) = word.first() else { return false };
        let Some(allowed) = self.seconds.get(usize::from(first.to_ascii_lowercase())) else {
            return true;
        };
        let follows = word.get(1).map(u8::to_ascii_lowercase);
        *allowed != 0
            && (word.len() <= STEMMED_WHOLE_MAX
                || follows.is_none_or(|second| !second.is_ascii_alphanumeric() || allowed & 1 << second != 0))
    }

    /// Whether something in this piece of a text may begin so: a word, a part of a name or a letter beyond ASCII.
    fn may_be_in(&self, piece: &[u8]) -> bool {
        let mut before = b' ';
        piece.iter().enumerate().any(|(at, byte)| {
            let begins = !before.is_ascii_alphanumeric()
                || byte.is_ascii_uppercase()
                || before.is_ascii_digit() != byte.is_ascii_digit();
            before = *byte;
            let rest = &piece[at..];
            let small = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
            begins && self.may_begin(&rest[..=small(&rest[1..])])
        })
    }
}

/// A matched word's place in the text.
struct Match {
    from: usize,
    to: usize,
    stem: String,
}

/// The whole text with its matches marked.
pub fn marked(text: &str, marks: &Marks) -> Vec<Fragment> {
    fragments(text, 0, text.len(), &matches(text, marks))
}

/// The window of the text with the most different matches.
pub fn snippet(text: &str, marks: &Marks) -> Vec<Fragment> {
    let matches = matches(text, marks);
    let different = |from: usize| {
        let inside = matches
            .iter()
            .filter(|found| found.from >= from && found.to <= from + SNIPPET_BYTES);
        inside.map(|found| found.stem.as_str()).collect::<HashSet<_>>().len()
    };
    let first = matches.iter().take(PLACES_MAX).map(|found| found.from);
    // The earliest of the best.
    let best = first.fold(None, |best: Option<(usize, usize)>, from| {
        match (best, different(from)) {
            (Some((_, most)), count) if count <= most => best,
            (_, count) => Some((from, count)),
        }
    });
    let wanted = best.map_or(0, |(from, _)| from.saturating_sub(LEAD_BYTES));
    let from = word_start(text, wanted);
    let to = word_end(text, (from + SNIPPET_BYTES).min(text.len()));
    let mut shown = fragments(text, from, to, &matches);
    if from > 0 {
        shown.insert(0, plain("…"));
    }
    if to < text.len() {
        shown.push(plain("…"));
    }
    shown
}

fn matches(text: &str, marks: &Marks) -> Vec<Match> {
    let mut matches: Vec<Match> = Vec::new();
    let mut at = 0;
    // No word has a blank in it.
    for piece in text.split_inclusive(|c: char| c.is_ascii_whitespace()) {
        let from = at;
        at += piece.len();
        if !marks.beginnings.may_be_in(piece.as_bytes()) {
            continue;
        }
        for word in words(piece, Detail::Indexed) {
            let Some(stem) = marks.found(&word) else { continue };
            let (from, to) = (from + word.from, from + word.to);
            match matches.last_mut() {
                // Parts of one word, and pairs of characters that share one.
                Some(last) if from < last.to => last.to = last.to.max(to),
                _ => matches.push(Match { from, to, stem }),
            }
        }
    }
    matches
}

fn fragments(text: &str, from: usize, to: usize, matches: &[Match]) -> Vec<Fragment> {
    let mut fragments = Vec::new();
    let mut at = from;
    for found in matches.iter().filter(|found| found.from >= from && found.to <= to) {
        if found.from > at {
            fragments.push(plain(&text[at..found.from]));
        }
        fragments.push(Fragment {
            text: text[found.from..found.to].to_owned(),
            marked: true,
        });
        at = found.to;
    }
    if at < to {
        fragments.push(plain(&text[at..to]));
    }
    fragments
}

fn plain(text: &str) -> Fragment {
    Fragment {
        text: text.to_owned(),
        marked: false,
    }
}

/// The beginning of the word at or after this byte.
fn word_start(text: &str, at: usize) -> usize {
    let at = boundary(text, at);
    if at == 0 {
        return 0;
    }
    let after_blank = text[at..].char_indices().find(|(_, c)| c.is_whitespace());
    match after_blank {
        Some((blank, c)) if blank <= LEAD_BYTES => at + blank + c.len_utf8(),
        _ => at,
    }
}

/// The end of the word before this byte, if there is one near.
fn word_end(text: &str, at: usize) -> usize {
    let at = boundary(text, at);
    if at == text.len() {
        return at;
    }
    match text[..at].rfind(char::is_whitespace) {
        Some(blank) if at - blank <= LEAD_BYTES => blank,
        _ => at,
    }
}

/// The nearest place at or before this byte where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use domain::syntax;

    use super::*;

    fn marked_in(text: &str, asked: &str) -> Vec<String> {
        let speeches = [Speech::English, Speech::German];
        let needles = Needles::of(&syntax::asked(asked), &speeches);
        let fragments = marked(text, &Marks::of(&needles));
        let marked = fragments.into_iter().filter(|fragment| fragment.marked);
        marked.map(|fragment| fragment.text).collect()
    }

    #[test]
    fn words_are_marked_in_all_their_forms() {
        for (text, asked, wanted) in [
            ("The dying_process dies.", "die", &["dying", "dies"][..]),
            ("Pumps, pumping and purring.", "pump", &["Pumps", "pumping"]),
            (
                "Übersetzungen übersetzen",
                "Übersetzung",
                &["Übersetzungen", "übersetzen"],
            ),
            ("Ubersetzung", "Übersetzung", &["Ubersetzung"]),
            ("naïvely naive", "naive", &["naïvely", "naive"]),
            ("see parseConfigFile now", "config", &["parseConfigFile"]),
            ("C and Corrosion", "c", &["C"]),
            ("read ERR_CONN_42 again", "err_conn_42", &["ERR", "CONN", "42"]),
        ] {
            assert_eq!(marked_in(text, asked), wanted, "{asked:?} in {text:?}");
        }
    }
}
