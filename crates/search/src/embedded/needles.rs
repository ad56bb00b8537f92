//! Given what was typed, gives what is looked for: words with their stems in the languages of the index, names of code,
//! phrases, exclusions.

use std::collections::BTreeMap;

use domain::{
    query::WORDS_MAX,
    syntax::{Asked, On, Term as Typed},
};
use tantivy::{
    Score, Searcher, Term,
    query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery},
    schema::{Field, IndexRecordOption},
};

use super::{
    fields::Fields,
    union::{Clause, Sought, Union},
};
use crate::analysis::{Detail, Kind, Speech, Word, folded, is_stop_word, stem, words};

/// What a word's stem weighs. The form as written has its own beside it, so that it stands above other forms.
const STEM: Score = 1.0;
const AS_WRITTEN: Score = 0.15;
/// A name of code that is there whole, beside its parts in a row.
const WHOLE: Score = 1.0;
/// Words that are searched in place of one that is not there.
const OTHER: Score = 0.5;

/// A word that is looked for.
#[derive(Clone, Debug, Default)]
pub struct Needle {
    /// As typed, folded; the parts of a name in their order.
    pub parts: Vec<String>,
    /// A name of code as it is written, folded.
    pub whole: Option<String>,
    /// In the languages of the index; none for names.
    pub stems: Vec<String>,
    /// Stems of the parts of a name, which may stand apart in a long question.
    pub loose: Vec<String>,
    /// What is searched in its place as well, with the stems: what it may have meant, or how it may go on.
    pub others: Vec<(String, Vec<String>)>,
    /// In how many passages it is, when that was asked before.
    pub there: Option<u64>,
}

/// All that is looked for.
#[derive(Clone, Debug, Default)]
pub struct Needles {
    pub words: Vec<Needle>,
    /// Words in a row, as written.
    pub phrases: Vec<Vec<String>>,
    pub excluded: Vec<Vec<String>>,
    /// Whether the last word may go on.
    pub open: bool,
    pub speeches: Vec<Speech>,
}

impl Needles {
    /// Reads what was typed; the languages are those of the index, most frequent first.
    pub fn of(asked: &Asked, speeches: &[Speech]) -> Self {
        let mut needles = Self {
            speeches: speeches.to_vec(),
            ..Self::default()
        };
        let mut typed: Vec<(Needle, String)> = Vec::new();
        let (mut count, mut excluded) = (0, 0);
        for term in &asked.terms {
            let (Typed::Words(text) | Typed::Phrase(text) | Typed::Excluded(text)) = term;
            let found = words(text, Detail::Asked);
            // What must not be there is never crowded out by what may.
            let count = match term {
                Typed::Words(_) | Typed::Phrase(_) => &mut count,
                Typed::Excluded(_) => &mut excluded,
            };
            *count += found.len();
            if found.is_empty() || *count > WORDS_MAX {
                continue;
            }
            match term {
                Typed::Words(_) => typed.extend(read(&found, speeches)),
                Typed::Phrase(_) => needles.phrases.push(row(&found)),
                Typed::Excluded(_) => needles.excluded.push(row(&found)),
            }
        }
        let typed_last = typed.len();
        // What must be in the title is looked for like any word, too.
        for condition in asked.conditions.iter().filter(|condition| !condition.negated) {
            if let On::Title(text) = &condition.on {
                let found = words(text, Detail::Asked);
                count += found.len();
                if count <= WORDS_MAX {
                    typed.extend(read(&found, speeches));
                }
            }
        }
        let language = spoken_language(&typed, speeches);
        let says_something = |needle: &Needle, word: &str| needle.parts.len() > 1 || !is_stop_word(word, language);
        let open_word = typed.last().map(|(needle, _)| needle.parts.clone());
        let open = asked.open && typed.len() == typed_last;
        if !needles.phrases.is_empty() || typed.iter().any(|(needle, word)| says_something(needle, word)) {
            typed.retain(|(needle, word)| says_something(needle, word));
        }
        needles.words = typed.into_iter().map(|(needle, _)| needle).collect();
        needles.open = open && needles.words.last().map(|needle| needle.parts.clone()) == open_word;
        needles
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && self.excluded.is_empty()
    }

    /// By their places, the words that are names of code.
    pub fn names(&self) -> u64 {
        let words = self.words.iter().enumerate();
        let names = words.filter(|(_, needle)| needle.whole.is_some());
        names.fold(0, |names, (place, _)| names | 1 << place)
    }

    /// What a document must hold, `required` of the words at least; none when any document will do.
    pub fn query(&self, fields: &Fields, required: usize) -> Option<Box<dyn Query>> {
        let mut must: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        if !self.words.is_empty() {
            must.push((Occur::Must, self.words_query(fields, required)));
        }
        let phrases = self.phrases.iter();
        must.extend(phrases.map(|phrase| (Occur::Must, in_a_row(fields.words, phrase))));
        let same: Box<dyn Query> = match must.len() {
            0 => return None,
            1 => must.pop().map(|(_, query)| query)?,
            _ => Box::new(BooleanQuery::new(must)),
        };
        let words = self.words.iter().map(|needle| Sought {
            clauses: needle.ways(fields),
            demanded: false,
        });
        let phrases = self.phrases.iter().map(|phrase| Sought {
            clauses: vec![row_clause(fields.words, phrase)],
            demanded: true,
        });
        let (required, same) = (required.min(self.words.len()), same.into());
        let sought = words.chain(phrases).collect();
        Some(Box::new(Union { sought, required, same }))
    }

    fn words_query(&self, fields: &Fields, required: usize) -> Box<dyn Query> {
        let flat = |clauses: Vec<Box<dyn Query>>| -> Box<dyn Query> {
            let clauses = clauses.into_iter().map(|clause| (Occur::Should, clause));
            Box::new(BooleanQuery::new(clauses.collect()))
        };
        match required {
            // One union of words, which is searched without looking at all that match.
            0 | 1 => flat(self.words.iter().flat_map(|needle| needle.clauses(fields)).collect()),
            required => {
                let words = self.words.iter();
                let words = words.map(|needle| (Occur::Should, flat(needle.clauses(fields))));
                Box::new(BooleanQuery::with_minimum_required_clauses(words.collect(), required))
            }
        }
    }

    /// What excludes a whole document, whichever of its passages holds it.
    pub fn excluding(&self, fields: &Fields) -> Option<Box<dyn Query>> {
        let rows = self.excluded.iter();
        let clauses: Vec<_> = rows
            .map(|words| (Occur::Should, in_a_row(fields.words, words)))
            .collect();
        (!clauses.is_empty()).then(|| Box::new(BooleanQuery::new(clauses)) as Box<dyn Query>)
    }

    /// The same as a long question: names without digits are found by their parts as well, and phrases weigh without being
    /// demanded. People quote titles and sayings in whole sentences.
    pub fn loosened(mut self) -> Self {
        let quoted = std::mem::take(&mut self.phrases);
        let names = self.words.into_iter().map(|needle| {
            let digits = needle.parts.iter().any(|part| part.contains(char::is_numeric));
            match needle.parts.len() > 1 && !digits {
                true => needle.with_loose_parts(&self.speeches),
                false => needle,
            }
        });
        let phrases = quoted.into_iter().map(|parts| {
            let phrase = Needle {
                parts,
                ..Needle::default()
            };
            phrase.with_loose_parts(&self.speeches)
        });
        self.words = names.chain(phrases).collect();
        self
    }

    /// Names that nobody wrote so fall into their parts, unless they hold digits: another number is another thing. Beside
    /// other words phrases do, too.
    pub fn fallen_apart(&self) -> Self {
        let mut fallen = self.clone();
        fallen.words = Vec::new();
        if !self.words.is_empty() {
            let quoted = std::mem::take(&mut fallen.phrases);
            fallen.words.extend(quoted.into_iter().map(|parts| Needle {
                parts,
                ..Needle::default()
            }));
        }
        for needle in &self.words {
            let digits = needle.parts.iter().any(|part| part.contains(char::is_numeric));
            if needle.parts.len() == 1 || digits {
                fallen.words.push(needle.clone());
                continue;
            }
            fallen.words.extend(needle.parts.iter().map(|part| Needle {
                parts: vec![part.clone()],
                stems: stems(part, &self.speeches),
                ..Needle::default()
            }));
        }
        fallen
    }
}

impl Needle {
    fn with_loose_parts(mut self, speeches: &[Speech]) -> Self {
        if self.parts.len() > 1 {
            let parts = self
                .parts
                .iter()
                .filter(|part| !speeches.iter().any(|speech| is_stop_word(part, *speech)));
            self.loose = parts.flat_map(|part| stems(part, speeches)).collect();
        }
        self
    }

    /// The ways in which it is there.
    fn ways(&self, fields: &Fields) -> Vec<Clause> {
        let term = |field, word: &String, weight| Clause::Term(Term::from_field_text(field, word), weight);
        let mut ways = Vec::new();
        match &self.parts[..] {
            [single] => {
                ways.extend(self.stems.iter().map(|stem| term(fields.stems, stem, STEM)));
                ways.push(term(fields.words, single, AS_WRITTEN));
            }
            parts => {
                ways.push(row_clause(fields.words, parts));
                ways.extend(self.loose.iter().map(|stem| term(fields.stems, stem, STEM)));
            }
        }
        ways.extend(self.whole.iter().map(|whole| term(fields.words, whole, WHOLE)));
        for (word, stems) in &self.others {
            ways.push(term(fields.words, word, OTHER * AS_WRITTEN));
            ways.extend(stems.iter().map(|stem| term(fields.stems, stem, OTHER)));
        }
        ways
    }

    /// The same as queries.
    pub fn clauses(&self, fields: &Fields) -> Vec<Box<dyn Query>> {
        self.ways(fields).iter().map(Clause::query).collect()
    }

    /// The ways in which it is in a title.
    pub fn in_title(&self, fields: &Fields) -> Box<dyn Query> {
        let mut clauses: Vec<Box<dyn Query>> = match &self.parts[..] {
            [single] => {
                let stems = self.stems.iter().map(|stem| term(fields.title_stems, stem, 1.0));
                stems.chain([term(fields.title, single, 1.0)]).collect()
            }
            parts => vec![in_a_row(fields.title, parts)],
        };
        for (word, _) in &self.others {
            clauses.push(term(fields.title, word, OTHER));
        }
        let clauses = clauses.into_iter().map(|clause| (Occur::Should, clause));
        Box::new(BooleanQuery::new(clauses.collect()))
    }

    /// In how many passages it is, about.
    pub fn passages(&self, fields: &Fields, searcher: &Searcher) -> tantivy::Result<u64> {
        if let Some(there) = self.there {
            return Ok(there);
        }
        let mut most = 0;
        for stem in &self.stems {
            most = most.max(searcher.doc_freq(&Term::from_field_text(fields.stems, stem))?);
        }
        for word in self.parts.iter().take(1).chain(&self.whole) {
            most = most.max(searcher.doc_freq(&Term::from_field_text(fields.words, word))?);
        }
        Ok(most)
    }
}

/// The stems of a word, different ones, in these languages.
pub fn stems(word: &str, speeches: &[Speech]) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    for speech in speeches.iter().chain([&Speech::Unknown]) {
        let stem = stem(word, *speech);
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    stems
}

/// The needles of one word between blanks, each with its word as written.
fn read(found: &[Word], speeches: &[Speech]) -> Vec<(Needle, String)> {
    let mut needles: Vec<(Needle, String)> = Vec::new();
    let wholes: Vec<&Word> = found.iter().filter(|word| word.kind == Kind::Whole).collect();
    let mut name = None;
    for word in found.iter().filter(|word| word.kind != Kind::Whole) {
        let whole = wholes
            .iter()
            .find(|whole| word.from >= whole.from && word.to <= whole.to);
        match (whole, needles.last_mut()) {
            (Some(whole), Some((needle, _))) if name == Some(whole.from) => needle.parts.push(folded(&word.text)),
            _ => {
                let needle = Needle {
                    parts: vec![folded(&word.text)],
                    whole: whole.map(|whole| folded(&whole.text)),
                    stems: match whole {
                        Some(_) => Vec::new(),
                        None => stems(&word.text, speeches),
                    },
                    ..Needle::default()
                };
                needles.push((needle, word.text.clone()));
            }
        }
        name = whole.map(|whole| whole.from);
    }
    needles
}

/// Words that must stand in a row; names by their parts.
fn row(found: &[Word]) -> Vec<String> {
    let parts = found.iter().filter(|word| word.kind != Kind::Whole);
    parts.map(|word| folded(&word.text)).collect()
}

/// The language of the index whose small words are most among what was typed; the most frequent one when none is.
fn spoken_language(typed: &[(Needle, String)], speeches: &[Speech]) -> Speech {
    let mut votes: BTreeMap<usize, Speech> = BTreeMap::new();
    for speech in speeches.iter().chain([&Speech::English]).rev() {
        let small = typed.iter().filter(|(_, word)| is_stop_word(word, *speech)).count();
        // The later one, which is more frequent, stays.
        votes.insert(small, *speech);
    }
    votes.into_values().next_back().unwrap_or(Speech::English)
}

pub fn term(field: Field, word: &str, weight: Score) -> Box<dyn Query> {
    let query = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::WithFreqs);
    Box::new(BoostQuery::new(Box::new(query), weight))
}

/// Words that must stand together in this order.
pub fn in_a_row(field: Field, words: &[String]) -> Box<dyn Query> {
    match words {
        [single] => term(field, single, 1.0),
        _ => Box::new(PhraseQuery::new(terms(field, words))),
    }
}

fn row_clause(field: Field, words: &[String]) -> Clause {
    match words {
        [single] => Clause::Term(Term::from_field_text(field, single), 1.0),
        _ => Clause::Other(in_a_row(field, words).into(), terms(field, words)),
    }
}

pub fn terms(field: Field, words: &[String]) -> Vec<Term> {
    words.iter().map(|word| Term::from_field_text(field, word)).collect()
}
