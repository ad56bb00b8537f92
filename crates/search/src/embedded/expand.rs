//! Words that are not there: what they may have meant, and how they may go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use domain::hit::Also;
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::Searcher;
use tantivy_fst::Automaton;

use super::{
    fields::Fields,
    gate::Gate,
    needles::{Needle, Needles, stems, term},
};

/// A word in more passages is meant as it is.
const RARE_PASSAGES_MAX: u64 = 1;
/// A word that is there at all is only thought mistyped when the other one is so many times as frequent.
const TIMES_AS_FREQUENT: u64 = 20;
/// The shortest word of which one letter may be wrong, and of which two may.
const ONE_WRONG_CHARS_MIN: usize = 5;
const TWO_WRONG_CHARS_MIN: usize = 9;
/// A longer word is not looked for with letters wrong.
const CHARS_MAX: usize = 32;
/// The most words of one question that are taken to be mistyped.
const MENDED_MAX: usize = 4;
/// The most words that are searched in place of one.
const OTHERS_MAX: usize = 3;
const BEGINNINGS_MAX: usize = 16;
/// The most words of a segment that are looked at for one.
const LOOKED_AT_MAX: usize = 2_000;
/// The most words of which it is looked up whether they may be found.
const TRIED_MAX: usize = 200;
/// The shortest beginning of a word that is completed: shorter ones begin too many words. A character of a script without
/// blanks is enough.
const BEGINNING_CHARS_MIN: usize = 3;

static ONE_WRONG: LazyLock<LevenshteinAutomatonBuilder> = LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
static TWO_WRONG: LazyLock<LevenshteinAutomatonBuilder> = LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

/// Gives words that are hardly anywhere what they may have meant, and says so. An open word that begins others is not
/// mistyped, but not typed to its end.
pub fn mended(
    searcher: &Searcher,
    fields: &Fields,
    gate: &Gate,
    needles: Needles,
) -> tantivy::Result<(Needles, Vec<Also>)> {
    let mut needles = needles;
    let mut also = Vec::new();
    let last = needles.words.len().saturating_sub(1);
    for at in 0..needles.words.len() {
        let there = needles.words[at].passages(fields, searcher)?;
        needles.words[at].there = Some(there);
        let needle = &needles.words[at];
        let [word] = &needle.parts[..] else { continue };
        let alone = word.chars().all(crate::analysis::stands_alone) && word.chars().count() == 1;
        if there > RARE_PASSAGES_MAX || also.len() >= MENDED_MAX {
            continue;
        }
        let open = needles.open && at == last && word.chars().count() >= BEGINNING_CHARS_MIN;
        if there == 0 && (open || alone) {
            let beginnings = beginnings(searcher, fields, word)?;
            if !beginnings.is_empty() {
                needles.words[at].others = with_stems(beginnings, &[]);
                continue;
            }
        }
        let meant = similar(searcher, fields, gate, needle, word, there)?;
        if !meant.is_empty() {
            also.push(Also {
                asked: word.clone(),
                searched: meant.clone(),
            });
            needles.words[at].others = with_stems(meant, &needles.speeches);
        }
    }
    Ok((needles, also))
}

/// The last word may go on, though it is there as it is.
pub fn begun(searcher: &Searcher, fields: &Fields, needles: Needles) -> tantivy::Result<Needles> {
    let mut needles = needles;
    if let Some(Needle { parts, others, .. }) = needles.words.last_mut()
        && let [word] = &parts[..]
        && others.is_empty()
        && word.chars().count() >= BEGINNING_CHARS_MIN
    {
        *others = with_stems(beginnings(searcher, fields, word)?, &[]);
    }
    Ok(needles)
}

fn with_stems(words: Vec<String>, speeches: &[crate::analysis::Speech]) -> Vec<(String, Vec<String>)> {
    let each = words.into_iter().map(|word| {
        let stems = match speeches {
            [] => Vec::new(),
            speeches => stems(&word, speeches),
        };
        (word, stems)
    });
    each.collect()
}

/// The most frequent words that begin so.
fn beginnings(searcher: &Searcher, fields: &Fields, word: &str) -> tantivy::Result<Vec<String>> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let end = format!("{word}\u{10ffff}");
    for reader in searcher.segment_readers() {
        let index = reader.inverted_index(fields.words)?;
        let mut stream = index.terms().range().ge(word).lt(&end).into_stream()?;
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX && stream.advance() {
            looked_at += 1;
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                *found.entry(text.to_owned()).or_default() += u64::from(stream.value().doc_freq);
            }
        }
    }
    Ok(most_frequent(
        found.into_iter().map(|(word, count)| (0, word, count)),
        BEGINNINGS_MAX,
    ))
}

/// Words with the same first letter and one or two letters else, of passages that may be found: the answer names them.
fn similar(
    searcher: &Searcher,
    fields: &Fields,
    gate: &Gate,
    needle: &Needle,
    word: &str,
    there: u64,
) -> tantivy::Result<Vec<String>> {
    let length = word.chars().count();
    let letters = word.chars().all(char::is_alphabetic) && !word.chars().any(crate::analysis::stands_alone);
    let (builder, wrong) = match length {
        _ if !letters => return Ok(Vec::new()),
        ONE_WRONG_CHARS_MIN..TWO_WRONG_CHARS_MIN => (&*ONE_WRONG, 1),
        TWO_WRONG_CHARS_MIN..=CHARS_MAX => (&*TWO_WRONG, 2),
        _ => return Ok(Vec::new()),
    };
    let dfa = builder.build_dfa(word);
    let first: String = word.chars().take(1).collect();
    let end = format!("{first}\u{10ffff}");
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for reader in searcher.segment_readers() {
        let index = reader.inverted_index(fields.words)?;
        let mut stream = index.terms().search(Similar(&dfa)).ge(&first).lt(&end).into_stream()?;
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX && stream.advance() {
            looked_at += 1;
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                *found.entry(text.to_owned()).or_default() += u64::from(stream.value().doc_freq);
            }
        }
    }
    let own: BTreeSet<&String> = needle.parts.iter().chain(&needle.stems).collect();
    let meant = found.into_iter().filter(|(other, count)| {
        let letters = other.chars().all(char::is_alphabetic);
        letters && !own.contains(other) && *count >= (there * TIMES_AS_FREQUENT).max(1)
    });
    let distance = |other: &str| match dfa.eval(other) {
        Distance::Exact(distance) => distance,
        Distance::AtLeast(distance) => distance,
    };
    let mut shown = Vec::new();
    for (other, count) in meant.take(TRIED_MAX) {
        if gate.shows(searcher, &*term(fields.words, &other, 1.0))? {
            shown.push((distance(&other), other, count));
        }
    }
    let meant = shown;
    // Nearer ones leave no room for those with more letters wrong.
    let nearest = meant.iter().map(|(distance, ..)| *distance).min().unwrap_or(wrong);
    let nearest = meant.into_iter().filter(|(distance, ..)| *distance == nearest);
    Ok(most_frequent(nearest, OTHERS_MAX))
}

fn most_frequent(found: impl Iterator<Item = (u8, String, u64)>, most: usize) -> Vec<String> {
    let mut found: Vec<_> = found.collect();
    found.sort_by(|a, b| (a.0, b.2, &a.1).cmp(&(b.0, a.2, &b.1)));
    found.into_iter().take(most).map(|(_, word, _)| word).collect()
}

/// A word's automaton, as the dictionary of words asks it.
struct Similar<'a>(&'a DFA);

impl Automaton for Similar<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }
    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }
    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }
    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
