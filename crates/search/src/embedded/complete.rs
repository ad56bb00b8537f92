//! Given what is being typed, gives ways to go on: names of fields, and their values that the caller may see.

use std::collections::BTreeMap;

use domain::{
    Result,
    access::Access,
    hit::{Completion, CompletionKind},
    query::{COMPLETIONS_MAX, Filter, Query as Asked, TEXT_BYTES_MAX},
    syntax::{FIELDS, TYPES, Token, token},
};
use tantivy::{Searcher, TantivyError, columnar::StrColumn, query::Query};

use super::{
    facets::divided,
    fields::{self, Fields},
    gate::Gate,
    handle::{Handle, failed},
    needles::{Needles, term},
    query::answered,
};
use crate::analysis::folded;

/// The most values of a field that are looked through: spaces, people and labels of a large site.
const LOOKED_AT_MAX: usize = 20_000;
/// The most values whose visibility is looked up.
const TRIED_MAX: usize = 100;
/// The shortest beginning of a title that is completed.
const TITLE_CHARS_MIN: usize = 2;

/// Ways to go on with a text.
pub fn completions(handle: &Handle, access: &Access, text: &str) -> Result<Vec<Completion>> {
    if text.len() > TEXT_BYTES_MAX {
        return Ok(Vec::new());
    }
    let Some((before, last)) = last_token(text) else {
        return Ok(fields_that_begin("", ""));
    };
    let sign = if last.negated { "-" } else { "" };
    let head = format!("{before}{sign}");
    let searcher = handle.reader.searcher();
    let values = Values {
        searcher: &searcher,
        fields: &handle.fields,
        access,
    };
    let wanted = folded(last.value);
    let named = |found: Vec<(String, String)>, field: &str, kind: CompletionKind| {
        let each = found.into_iter().map(|(value, name)| Completion {
            text: format!("{head}{field}{} ", quoted(&value)),
            name,
            kind,
        });
        each.collect::<Vec<_>>()
    };
    match last.field {
        Some("space:") => Ok(named(
            values.spaces(&wanted).map_err(failed)?,
            "space:",
            CompletionKind::Space,
        )),
        Some("author:") => Ok(named(
            values.people(&wanted).map_err(failed)?,
            "author:",
            CompletionKind::Person,
        )),
        Some("label:") => Ok(named(
            values.labels(&wanted).map_err(failed)?,
            "label:",
            CompletionKind::Label,
        )),
        Some("type:") => {
            let begin = TYPES.iter().filter(|(word, _)| word.starts_with(&wanted));
            let found = begin.map(|(word, _)| ((*word).to_owned(), (*word).to_owned()));
            Ok(named(found.collect(), "type:", CompletionKind::Kind))
        }
        Some("title:") => {
            let found = titles(handle, access, last.value)?.into_iter();
            Ok(named(
                found.map(|title| (title.clone(), title)).collect(),
                "title:",
                CompletionKind::Title,
            ))
        }
        // Days are typed.
        Some(_) => Ok(Vec::new()),
        None => {
            let mut found = match last.quoted {
                true => Vec::new(),
                false => fields_that_begin(&head, &wanted),
            };
            if !last.negated {
                let words = text.trim();
                let titles = titles(handle, access, words)?.into_iter().map(|title| Completion {
                    text: title.clone(),
                    name: title,
                    kind: CompletionKind::Title,
                });
                found.extend(titles);
            }
            found.truncate(COMPLETIONS_MAX);
            Ok(found)
        }
    }
}

/// The token that is being typed, and all before it; none behind a blank.
fn last_token(text: &str) -> Option<(&str, Token<'_>)> {
    let mut at = text.len() - text.trim_start().len();
    let mut last = None;
    while at < text.len() {
        let read = token(&text[at..]);
        let end = at + read.whole.len();
        last = Some((at, end, read));
        at = end + (text[end..].len() - text[end..].trim_start().len());
    }
    let (at, end, read) = last?;
    let open_quote = read.quoted && !read.whole.ends_with('"') || read.whole.ends_with(":\"");
    (end == text.len() && (!read.quoted || open_quote)).then_some((&text[..at], read))
}

fn fields_that_begin(head: &str, wanted: &str) -> Vec<Completion> {
    let begin = FIELDS.iter().filter(|(field, _)| field.starts_with(wanted));
    let each = begin.map(|(field, what)| Completion {
        text: format!("{head}{field}"),
        name: (*what).to_owned(),
        kind: CompletionKind::Field,
    });
    each.collect()
}

fn quoted(value: &str) -> String {
    let value = value.replace('"', " ");
    match value.contains(char::is_whitespace) {
        true => format!("\"{value}\""),
        false => value,
    }
}

/// Titles that hold the words, the last of which may only begin so, best first.
fn titles(handle: &Handle, access: &Access, words: &str) -> Result<Vec<String>> {
    if words.chars().filter(|c| c.is_alphanumeric()).count() < TITLE_CHARS_MIN {
        return Ok(Vec::new());
    }
    let asked = Asked {
        text: words.to_owned(),
        limit: COMPLETIONS_MAX,
        ..Asked::default()
    };
    let hits = answered(handle, access, &asked)?;
    let wanted: Vec<String> = folded(words).split_whitespace().map(str::to_owned).collect();
    let mut titles: Vec<String> = Vec::new();
    for hit in hits.hits {
        let title = folded(&hit.passage.title);
        if wanted.iter().all(|word| title.contains(word.as_str())) && !titles.contains(&hit.passage.title) {
            titles.push(hit.passage.title);
        }
    }
    Ok(titles)
}

struct Values<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    access: &'a Access,
}

impl Values<'_> {
    /// Keys and names of spaces of which either begins so.
    fn spaces(&self, wanted: &str) -> tantivy::Result<Vec<(String, String)>> {
        let begins = |value: &str| {
            let [_, key, name] = divided(value)[..] else {
                return None;
            };
            let begins = folded(key).starts_with(wanted) || any_word_begins(name, wanted);
            begins.then(|| (key.to_owned(), name.to_owned()))
        };
        let found = self.in_column(fields::SPACE_FACET, begins)?;
        self.visible(found, |(key, _)| term(self.fields.space_words, &folded(key), 1.0))
    }

    fn people(&self, wanted: &str) -> tantivy::Result<Vec<(String, String)>> {
        let begins = |value: &str| {
            let [account, name] = divided(value)[..] else {
                return None;
            };
            any_word_begins(name, wanted).then(|| (account.to_owned(), name.to_owned()))
        };
        let found = self.in_column(fields::PERSON_FACET, begins)?;
        let visible = self.visible(found, |(account, _)| term(self.fields.person, account, 1.0))?;
        Ok(visible.into_iter().map(|(_, name)| (name.clone(), name)).collect())
    }

    fn labels(&self, wanted: &str) -> tantivy::Result<Vec<(String, String)>> {
        let mut found = BTreeMap::new();
        let end = format!("{wanted}\u{10ffff}");
        for reader in self.searcher.segment_readers() {
            let index = reader.inverted_index(self.fields.label)?;
            let mut stream = index.terms().range().ge(wanted).lt(&end).into_stream()?;
            let mut looked_at = 0;
            while looked_at < TRIED_MAX && stream.advance() {
                looked_at += 1;
                if let Ok(label) = std::str::from_utf8(stream.key()) {
                    *found.entry((label.to_owned(), label.to_owned())).or_default() +=
                        u64::from(stream.value().doc_freq);
                }
            }
        }
        self.visible(found, |(label, _)| term(self.fields.label, label, 1.0))
    }

    /// Values of a column that begin so, with how many passages may have them.
    fn in_column(
        &self,
        column: &str,
        begins: impl Fn(&str) -> Option<(String, String)>,
    ) -> tantivy::Result<BTreeMap<(String, String), u64>> {
        let mut found = BTreeMap::new();
        for reader in self.searcher.segment_readers() {
            let Some(column): Option<StrColumn> = reader.fast_fields().str(column)? else {
                continue;
            };
            for ord in 0..column.num_terms().min(LOOKED_AT_MAX) as u64 {
                let mut value = String::new();
                column.ord_to_str(ord, &mut value).map_err(TantivyError::from)?;
                if let Some(value) = begins(&value) {
                    *found.entry(value).or_default() += 1;
                }
            }
        }
        Ok(found)
    }

    /// Those that a passage has which the caller may see, in the order of the alphabet.
    fn visible(
        &self,
        found: BTreeMap<(String, String), u64>,
        query: impl Fn(&(String, String)) -> Box<dyn Query>,
    ) -> tantivy::Result<Vec<(String, String)>> {
        let none = Needles::default();
        let gate = Gate::new(self.searcher, self.fields, self.access, &Filter::default(), &[], &none)?;
        let mut visible = Vec::new();
        for value in found.into_keys().take(TRIED_MAX) {
            if visible.len() == COMPLETIONS_MAX {
                break;
            }
            if gate.shows(self.searcher, &*query(&value))? {
                visible.push(value);
            }
        }
        Ok(visible)
    }
}

fn any_word_begins(name: &str, wanted: &str) -> bool {
    let name = folded(name);
    name.starts_with(wanted) || name.split_whitespace().any(|word| word.starts_with(wanted))
}
