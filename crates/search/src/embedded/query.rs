//! A query becomes an answer: words to clauses, one pass over what matches, the best passage of each document.

use std::{collections::HashSet, ops::Bound};

use domain::{
    Result,
    access::Access,
    hit::{Hit, Hits},
    query::{Filter, Query as Asked, WORDS_MAX},
};
use tantivy::{
    Score, Searcher, Term,
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, PhraseQuery,
        Query, RangeQuery, TermQuery, TermSetQuery,
    },
    schema::{Field, IndexRecordOption},
};

use super::{
    fields::{Fields, place},
    group::grouped,
    handle::{Handle, failed},
    row,
    snippet::{Marks, marked, snippet},
};
use crate::analysis::{Parts, exact, stemmed, tokens};

/// How much a word weighs by where it stands.
const TITLE: Score = 3.0;
const TITLE_STEM: Score = 2.2;
const HEADINGS: Score = 1.8;
const BODY: Score = 1.0;
const BODY_STEM: Score = 0.8;
const AROUND: Score = 0.7;
/// A word that only begins as asked.
const PREFIX: Score = 0.4;
/// What the other places of a word add to the best one.
const TIE: Score = 0.2;
/// What words add that stand together as asked.
const TOGETHER_TITLE: Score = 2.0;
const TOGETHER_BODY: Score = 1.0;
const TOGETHER_SLOP: u32 = 2;
/// The shortest beginning of a word that is completed: shorter ones begin too many words.
const PREFIX_CHARS_MIN: usize = 3;

/// English words that say nothing when others are there.
const STOPWORDS: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for", "from", "how", "i", "if", "in",
    "is", "it", "its", "my", "of", "on", "or", "our", "should", "that", "the", "their", "there", "this", "to", "was",
    "we", "were", "what", "when", "where", "which", "who", "why", "with", "you",
];

pub fn answered(handle: &Handle, access: &Access, asked: &Asked) -> Result<Hits> {
    let text = Text::read(&asked.text);
    if text.is_empty() && !asked.text.trim().is_empty() {
        return Ok(Hits::default());
    }
    let searcher = handle.reader.searcher();
    let filters = filters(&handle.fields, access, &asked.filter);
    // First all that is asked for, then words that only begin so, then any of the words.
    for demand in [Demand::Words, Demand::Beginnings, Demand::Any] {
        let query = text.query(&handle.fields, demand, &filters);
        let found = grouped(
            &searcher,
            &*query,
            text.excluding(&handle.fields).as_deref(),
            asked.sort,
        )
        .map_err(failed)?;
        let last = demand == Demand::Any || text.words.is_empty();
        if found.documents.is_empty() && !last {
            continue;
        }
        let marks = text.marks(demand);
        let shown = found.documents.iter().skip(asked.offset).take(asked.limit);
        let hits = shown
            .map(|document| hit(&searcher, &handle.fields, document, &marks))
            .collect::<Result<_>>()?;
        return Ok(Hits {
            hits,
            total: found.documents.len() as u64,
            facets: found.facets,
        });
    }
    Ok(Hits::default())
}

fn hit(searcher: &Searcher, fields: &Fields, document: &super::group::Best, marks: &Marks) -> Result<Hit> {
    use tantivy::schema::Value;
    let stored: tantivy::TantivyDocument = searcher.doc(document.passage).map_err(failed)?;
    let passage = row::read(
        stored
            .get_first(fields.shown)
            .and_then(|value| value.as_bytes())
            .unwrap_or_default(),
    )?;
    Ok(Hit {
        score: document.score,
        snippet: snippet(&passage.text, marks),
        title: marked(&passage.title, marks),
        passage,
    })
}

/// How much of what is asked must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Nearly all words, whole.
    Words,
    /// The same, but the last word may only begin so: it may not be typed to its end.
    Beginnings,
    Any,
}

/// What a person typed, understood.
#[derive(Default)]
struct Text {
    /// Each a word, or several that are written as one (`config.yaml`).
    words: Vec<Vec<String>>,
    phrases: Vec<Vec<String>>,
    excluded: Vec<Vec<String>>,
    /// Whether the last word may go on.
    open: bool,
}

impl Text {
    /// Reads words, `"phrases"` and `-exclusions`. Every text can be read.
    fn read(text: &str) -> Self {
        let mut read = Self::default();
        let mut analyzer = exact(Parts::Dropped);
        let mut count = 0;
        for (part, quoted) in text.split('"').zip([false, true].into_iter().cycle()) {
            if quoted {
                let phrase = words(&mut analyzer, part);
                count += phrase.len();
                if count <= WORDS_MAX && !phrase.is_empty() {
                    read.phrases.push(phrase);
                }
                continue;
            }
            for word in part.split_whitespace() {
                let (excluded, word) = match word.strip_prefix('-') {
                    Some(rest) if rest.starts_with(char::is_alphanumeric) => (true, rest),
                    _ => (false, word),
                };
                let tokens = words(&mut analyzer, word);
                count += tokens.len();
                if tokens.is_empty() || count > WORDS_MAX {
                    continue;
                }
                match excluded {
                    true => read.excluded.push(tokens),
                    false => read.words.push(tokens),
                }
            }
        }
        let says_something = |word: &Vec<String>| !(word.len() == 1 && STOPWORDS.contains(&word[0].as_str()));
        if !read.phrases.is_empty() || read.words.iter().any(says_something) {
            read.words.retain(says_something);
        }
        read.open = text.ends_with(char::is_alphanumeric) && !read.words.is_empty();
        read
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && self.excluded.is_empty()
    }

    fn query(&self, fields: &Fields, demand: Demand, filters: &Filters) -> Box<dyn Query> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        if !self.words.is_empty() {
            clauses.push((Occur::Must, self.words_query(fields, demand)));
            clauses.extend(self.together(fields).into_iter().map(|bonus| (Occur::Should, bonus)));
        }
        clauses.extend(
            self.phrases
                .iter()
                .map(|phrase| (Occur::Must, phrase_query(fields, phrase))),
        );
        if clauses.is_empty() {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        }
        for filter in &filters.must {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(filter.box_clone(), 0.0))));
        }
        for filter in &filters.must_not {
            clauses.push((Occur::MustNot, filter.box_clone()));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// What excludes a whole document, whichever of its passages holds it.
    fn excluding(&self, fields: &Fields) -> Option<Box<dyn Query>> {
        let clauses: Vec<_> = self
            .excluded
            .iter()
            .map(|words| (Occur::Should, phrase_query(fields, words)))
            .collect();
        (!clauses.is_empty()).then(|| Box::new(BooleanQuery::new(clauses)) as Box<dyn Query>)
    }

    fn words_query(&self, fields: &Fields, demand: Demand) -> Box<dyn Query> {
        let last = self.words.len() - 1;
        let clauses = self.words.iter().enumerate().map(|(at, word)| {
            let open = demand != Demand::Words && self.open && at == last;
            (Occur::Should, word_query(fields, word, open))
        });
        let required = match (demand, self.words.len()) {
            (Demand::Any, _) => 1,
            (_, count @ (1 | 2)) => count,
            (_, count @ (3 | 4)) => count - 1,
            // Two thirds of a long question.
            (_, count) => (count * 2).div_ceil(3),
        };
        Box::new(BooleanQuery::with_minimum_required_clauses(clauses.collect(), required))
    }

    /// The words in the order asked, close together: worth more, not demanded.
    fn together(&self, fields: &Fields) -> Vec<Box<dyn Query>> {
        let words: Vec<String> = self.words.iter().flatten().cloned().collect();
        if words.len() < 2 {
            return Vec::new();
        }
        let near = |field, weight| {
            let mut phrase = PhraseQuery::new(terms(field, &words));
            phrase.set_slop(TOGETHER_SLOP);
            Box::new(BoostQuery::new(Box::new(phrase), weight)) as Box<dyn Query>
        };
        vec![near(fields.title, TOGETHER_TITLE), near(fields.body, TOGETHER_BODY)]
    }

    /// What is marked in titles and snippets.
    fn marks(&self, demand: Demand) -> Marks {
        let words: HashSet<String> = self.words.iter().chain(&self.phrases).flatten().cloned().collect();
        let stems = words.iter().filter_map(|word| stem(word)).collect();
        let last = self.words.last().and_then(|word| word.last());
        let beginning = last
            .filter(|word| demand != Demand::Words && self.open && completed(word))
            .cloned();
        Marks {
            words,
            stems,
            beginning,
        }
    }
}

fn words(analyzer: &mut tantivy::tokenizer::TextAnalyzer, text: &str) -> Vec<String> {
    tokens(analyzer, text).into_iter().map(|token| token.text).collect()
}

fn stem(word: &str) -> Option<String> {
    tokens(&mut stemmed(Parts::Dropped), word)
        .into_iter()
        .next()
        .map(|token| token.text)
}

fn completed(word: &str) -> bool {
    word.chars().count() >= PREFIX_CHARS_MIN
}

fn term(field: Field, word: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(
        Term::from_field_text(field, word),
        IndexRecordOption::WithFreqs,
    ))
}

fn terms(field: Field, words: &[String]) -> Vec<Term> {
    words.iter().map(|word| Term::from_field_text(field, word)).collect()
}

fn boosted(query: Box<dyn Query>, weight: Score) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, weight))
}

/// A word in its best place.
fn word_query(fields: &Fields, word: &[String], open: bool) -> Box<dyn Query> {
    let [single] = word else {
        return phrase_query(fields, word);
    };
    let stem = stem(single).unwrap_or_else(|| single.clone());
    let mut places = vec![
        boosted(term(fields.title, single), TITLE),
        boosted(term(fields.title_stem, &stem), TITLE_STEM),
        boosted(term(fields.headings, single), HEADINGS),
        boosted(term(fields.body, single), BODY),
        boosted(term(fields.body_stem, &stem), BODY_STEM),
        boosted(term(fields.around, single), AROUND),
    ];
    if open && completed(single) {
        for field in [fields.title, fields.headings, fields.body] {
            let prefix = FuzzyTermQuery::new_prefix(Term::from_field_text(field, single), 0, true);
            places.push(boosted(Box::new(prefix), PREFIX));
        }
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(places, TIE))
}

/// Words that must stand together.
fn phrase_query(fields: &Fields, words: &[String]) -> Box<dyn Query> {
    let place = |field, weight| match words {
        [single] => boosted(term(field, single), weight),
        _ => boosted(Box::new(PhraseQuery::new(terms(field, words))), weight),
    };
    Box::new(DisjunctionMaxQuery::with_tie_breaker(
        vec![
            place(fields.title, TITLE),
            place(fields.headings, HEADINGS),
            place(fields.body, BODY),
            place(fields.around, AROUND),
        ],
        TIE,
    ))
}

struct Filters {
    must: Vec<Box<dyn Query>>,
    must_not: Vec<Box<dyn Query>>,
}

fn filters(fields: &Fields, access: &Access, filter: &Filter) -> Filters {
    let any_of = |field: Field, values: Vec<String>| -> Option<Box<dyn Query>> {
        let terms: Vec<Term> = values.iter().map(|value| Term::from_field_text(field, value)).collect();
        (!terms.is_empty()).then(|| Box::new(TermSetQuery::new(terms)) as Box<dyn Query>)
    };
    let mut must: Vec<Box<dyn Query>> = Vec::new();
    must.extend(any_of(
        fields.space,
        filter.spaces.iter().map(ToString::to_string).collect(),
    ));
    must.extend(any_of(
        fields.kind,
        filter.kinds.iter().map(|kind| kind.word().to_owned()).collect(),
    ));
    must.extend(any_of(
        fields.person,
        filter.people.iter().map(ToString::to_string).collect(),
    ));
    must.extend(any_of(
        fields.label,
        filter.labels.iter().map(|label| label.to_lowercase()).collect(),
    ));
    let at = |instant: domain::Timestamp| Term::from_field_i64(fields.modified, instant.0);
    if filter.modified_from.is_some() || filter.modified_before.is_some() {
        let from = filter
            .modified_from
            .map_or(Bound::Unbounded, |instant| Bound::Included(at(instant)));
        let before = filter
            .modified_before
            .map_or(Bound::Unbounded, |instant| Bound::Excluded(at(instant)));
        must.push(Box::new(RangeQuery::new(from, before)));
    }
    let hidden = access.hidden.iter().map(|(feed, space)| place(*feed, space)).collect();
    let taken = access.hidden_documents.iter();
    let taken: Vec<Term> = taken
        .map(|(feed, document)| fields.document_term(*feed, document))
        .collect();
    let mut must_not: Vec<Box<dyn Query>> = any_of(fields.place, hidden).into_iter().collect();
    if !taken.is_empty() {
        must_not.push(Box::new(TermSetQuery::new(taken)));
    }
    Filters { must, must_not }
}
