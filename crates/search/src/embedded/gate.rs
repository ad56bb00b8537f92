//! Given filters, access and exclusions, gives the passages that may be found, as bits.

use std::ops::Bound;

use domain::{
    Timestamp,
    access::Access,
    query::Filter,
    syntax::{Condition, On},
};
use tantivy::{
    DocId, DocSet, Searcher, TERMINATED, Term,
    query::{BooleanQuery, EnableScoring, Occur, Query, RangeQuery, TermSetQuery},
    schema::Field,
};

use super::{
    fields::{self, Fields, place},
    group::hashes,
    needles::{Needles, in_a_row, stems, term},
};
use crate::analysis::{Detail, Kind, folded, words};

/// What may be found in each segment; nothing stands for everything.
pub struct Gate(Vec<Option<Bits>>);

type Bits = Vec<u64>;

impl Gate {
    /// One that lets everything through but what was deleted.
    pub fn opens(&self, segment: usize, doc: DocId) -> bool {
        match &self.0[segment] {
            None => true,
            Some(bits) => bits[doc as usize / 64] & (1 << (doc % 64)) != 0,
        }
    }

    /// Whether it lets all passages of a segment through.
    pub fn is_open(&self, segment: usize) -> bool {
        self.0[segment].is_none()
    }

    /// One that lets through what matches.
    pub fn by(searcher: &Searcher, query: &dyn Query) -> tantivy::Result<Self> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let readers = searcher.segment_readers().iter();
        let segments = readers.map(|reader| {
            let mut bits: Bits = vec![0; (reader.max_doc() as usize).div_ceil(64)];
            weight.for_each_no_score(reader, &mut |docs| {
                docs.iter().for_each(|doc| bits[*doc as usize / 64] |= 1 << (doc % 64));
            })?;
            Ok(Some(bits))
        });
        Ok(Self(segments.collect::<tantivy::Result<_>>()?))
    }

    /// Whether a passage matches that may be found.
    pub fn shows(&self, searcher: &Searcher, query: &dyn Query) -> tantivy::Result<bool> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        for (segment, reader) in searcher.segment_readers().iter().enumerate() {
            let mut scorer = weight.scorer(reader, 1.0)?;
            while scorer.doc() != TERMINATED {
                if self.opens(segment, scorer.doc()) {
                    return Ok(true);
                }
                scorer.advance();
            }
        }
        Ok(false)
    }

    pub fn new(
        searcher: &Searcher,
        fields: &Fields,
        access: &Access,
        filter: &Filter,
        conditions: &[Condition],
        needles: &Needles,
    ) -> tantivy::Result<Self> {
        let filters = Filters::of(fields, access, filter, conditions, needles);
        let excluded = match needles.excluding(fields) {
            Some(query) => hashes(searcher, &*query)?,
            None => Default::default(),
        };
        let scoring = EnableScoring::disabled_from_searcher(searcher);
        let must: Vec<_> = filters
            .must
            .iter()
            .map(|query| query.weight(scoring))
            .collect::<Result<_, _>>()?;
        let must_not: Vec<_> = filters
            .must_not
            .iter()
            .map(|query| query.weight(scoring))
            .collect::<Result<_, _>>()?;
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            if must.is_empty() && must_not.is_empty() && excluded.is_empty() && reader.alive_bitset().is_none() {
                segments.push(None);
                continue;
            }
            let length = (reader.max_doc() as usize).div_ceil(64);
            let mut bits: Bits = vec![u64::MAX; length];
            for weight in &must {
                let mut own: Bits = vec![0; length];
                weight.for_each_no_score(reader, &mut |docs| {
                    docs.iter().for_each(|doc| own[*doc as usize / 64] |= 1 << (doc % 64));
                })?;
                bits.iter_mut().zip(own).for_each(|(bits, own)| *bits &= own);
            }
            for weight in &must_not {
                weight.for_each_no_score(reader, &mut |docs| {
                    docs.iter()
                        .for_each(|doc| bits[*doc as usize / 64] &= !(1 << (doc % 64)));
                })?;
            }
            let alive = reader.alive_bitset();
            if alive.is_some() || !excluded.is_empty() {
                let hashes = reader.fast_fields().u64(fields::DOCUMENT_HASH)?.first_or_default_col(0);
                for doc in 0..reader.max_doc() {
                    let gone = alive.is_some_and(|alive| !alive.is_alive(doc));
                    if gone || !excluded.is_empty() && excluded.contains(&hashes.get_val(doc)) {
                        bits[doc as usize / 64] &= !(1 << (doc % 64));
                    }
                }
            }
            segments.push(Some(bits));
        }
        Ok(Self(segments))
    }
}

#[derive(Default)]
struct Filters {
    must: Vec<Box<dyn Query>>,
    must_not: Vec<Box<dyn Query>>,
}

impl Filters {
    fn of(fields: &Fields, access: &Access, filter: &Filter, conditions: &[Condition], needles: &Needles) -> Self {
        let mut filters = Self::default();
        let hidden = access.hidden.iter().map(|(feed, space)| place(*feed, space)).collect();
        filters.must_not.extend(any_of(fields.place, hidden));
        let taken = access.hidden_documents.iter();
        let taken: Vec<Term> = taken
            .map(|(feed, document)| fields.document_term(*feed, document))
            .collect();
        if !taken.is_empty() {
            filters.must_not.push(Box::new(TermSetQuery::new(taken)));
        }
        let spaces = filter.spaces.iter().map(ToString::to_string).collect();
        let kinds = filter.kinds.iter().map(|kind| kind.word().to_owned()).collect();
        let people = filter.people.iter().map(ToString::to_string).collect();
        let labels = filter.labels.iter().map(|label| label.to_lowercase()).collect();
        filters.must.extend(any_of(fields.space, spaces));
        filters.must.extend(any_of(fields.kind, kinds));
        filters.must.extend(any_of(fields.person, people));
        filters.must.extend(any_of(fields.label, labels));
        filters
            .must
            .extend(modified(fields, filter.modified_from, filter.modified_before));
        filters.typed(fields, conditions, needles);
        filters
    }

    /// Those of the text: of one field any may match, as in the filters; titles all must.
    fn typed(&mut self, fields: &Fields, conditions: &[Condition], needles: &Needles) {
        let mut any: [Vec<Box<dyn Query>>; 4] = Default::default();
        for condition in conditions {
            let (group, query) = match &condition.on {
                On::Space(name) => (Some(0), term(fields.space_words, &folded(name), 1.0)),
                On::Kind(kind) => (Some(1), term(fields.kind, kind.word(), 1.0)),
                On::Author(name) => (Some(2), all_words(fields.people, name)),
                On::Label(label) => (Some(3), term(fields.label, &label.to_lowercase(), 1.0)),
                On::Title(title) => (None, in_title(fields, title, needles)),
                On::Before(day) => (None, modified(fields, None, Some(*day)).unwrap_or_else(nothing)),
                On::After(day) => (None, modified(fields, Some(*day), None).unwrap_or_else(nothing)),
            };
            match (condition.negated, group) {
                (true, _) => self.must_not.push(query),
                (false, Some(group)) => any[group].push(query),
                (false, None) => self.must.push(query),
            }
        }
        for queries in any.into_iter().filter(|queries| !queries.is_empty()) {
            self.must.push(of(Occur::Should, queries));
        }
    }
}

fn of(occur: Occur, queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    Box::new(BooleanQuery::new(
        queries.into_iter().map(|query| (occur, query)).collect(),
    ))
}

fn nothing() -> Box<dyn Query> {
    Box::new(BooleanQuery::new(Vec::new()))
}

fn any_of(field: Field, values: Vec<String>) -> Option<Box<dyn Query>> {
    let terms: Vec<Term> = values.iter().map(|value| Term::from_field_text(field, value)).collect();
    (!terms.is_empty()).then(|| Box::new(TermSetQuery::new(terms)) as Box<dyn Query>)
}

fn modified(fields: &Fields, from: Option<Timestamp>, before: Option<Timestamp>) -> Option<Box<dyn Query>> {
    let at = |instant: Timestamp| Term::from_field_i64(fields.modified, instant.0);
    if from.is_none() && before.is_none() {
        return None;
    }
    let from = from.map_or(Bound::Unbounded, |instant| Bound::Included(at(instant)));
    let before = before.map_or(Bound::Unbounded, |instant| Bound::Excluded(at(instant)));
    Some(Box::new(RangeQuery::new(from, before)))
}

/// The words, in a row.
fn all_words(field: Field, text: &str) -> Box<dyn Query> {
    let found = words(text, Detail::Asked);
    let parts: Vec<String> = found
        .iter()
        .filter(|word| word.kind != Kind::Whole)
        .map(|word| folded(&word.text))
        .collect();
    match parts.is_empty() {
        true => nothing(),
        false => in_a_row(field, &parts),
    }
}

/// Each word in the title, in any of its forms.
fn in_title(fields: &Fields, text: &str, needles: &Needles) -> Box<dyn Query> {
    let found = words(text, Detail::Asked);
    let each = found.iter().filter(|word| word.kind != Kind::Whole).map(|word| {
        let mut forms = vec![term(fields.title, &folded(&word.text), 1.0)];
        let stems = stems(&word.text, &needles.speeches);
        forms.extend(stems.iter().map(|stem| term(fields.title_stems, stem, 1.0)));
        of(Occur::Should, forms)
    });
    let each: Vec<_> = each.collect();
    match each.is_empty() {
        true => nothing(),
        false => of(Occur::Must, each),
    }
}
