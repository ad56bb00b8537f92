//! Given a text and what was looked for, gives the piece of it that shows why it was found.

use std::collections::HashSet;

use domain::hit::Fragment;

use crate::analysis::{Parts, exact, stemmed, tokens};

/// About how long a snippet is, in bytes: two lines.
const SNIPPET_BYTES: usize = 260;
/// How much of it stands before the first marked word.
const LEAD_BYTES: usize = 60;
/// How many places are tried as a beginning.
const PLACES_MAX: usize = 200;

/// What is marked: words as asked, their stems, and a last word that may only begin so.
pub struct Marks {
    pub words: HashSet<String>,
    pub stems: HashSet<String>,
    pub beginning: Option<String>,
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
    let words = tokens(&mut exact(Parts::Kept), text);
    // The same words in the same order: only the last step differs.
    let stems = tokens(&mut stemmed(Parts::Kept), text);
    let mut matches: Vec<Match> = Vec::new();
    for (word, stem) in words.into_iter().zip(stems) {
        let begins = marks
            .beginning
            .as_ref()
            .is_some_and(|beginning| word.text.starts_with(beginning.as_str()));
        let found = begins || marks.words.contains(&word.text) || marks.stems.contains(&stem.text);
        let again = matches.last().is_some_and(|last| last.from == word.offset_from);
        if found && !again {
            matches.push(Match {
                from: word.offset_from,
                to: word.offset_to,
                stem: stem.text,
            });
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
