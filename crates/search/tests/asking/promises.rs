//! What holds for every question, whatever its text: an answer or a clear refusal, in bounded time, that keeps to what was
//! asked and to what may be seen.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hasher},
    time::Duration,
};

use domain::{
    AccountId, ErrorKind, Result as Answer, SpaceId, Timestamp,
    document::DocumentKind,
    hit::{Completion, Fragment, Hit, Hits},
    passage::Passage,
    query::{COMPLETIONS_MAX, Filter, LIMIT_MAX, Query, Sort},
    syntax::{self, Condition, On, Term},
};

use crate::{
    chance::Chance,
    world::{HIDDEN_SPACE, World},
};

/// What an answer may take of the processor: some hundred times what a long question takes on so small an index. Judged by the
/// fuzzer, and not in a build that is not optimized.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// The longest piece of a text that is shown, in bytes.
const SNIPPET_BYTES_MAX: usize = 600;
/// So many letters of exclusions are surely read; what stands behind them may be too much.
const EXCLUDED_LETTERS_SURE: usize = 32;

/// Asks it in all ways there are, and tells the first promise that is broken. All but the text follows from the text.
pub fn check(world: &World, text: &str) -> Result<(), String> {
    let mut chance = Chance::of(seed(text));
    let plain = Query {
        text: text.to_owned(),
        limit: LIMIT_MAX,
        ..Query::default()
    };
    let all = answered(world, &plain)?;
    if answered(world, &plain)? != all {
        return Err("the same question had two answers".into());
    }
    let mut page = plain.clone();
    (page.offset, page.limit) = (chance.below(20), 1 + chance.below(20));
    let one = answered(world, &page)?;
    let wanted = all.hits.iter().skip(page.offset).take(page.limit);
    if !one.hits.iter().eq(wanted) || one.total != all.total {
        return Err(format!("{} hits from {} on are others", page.limit, page.offset));
    }
    let newest = Query {
        sort: Sort::Modified,
        ..page.clone()
    };
    answered(world, &newest)?;
    let filtered = Query {
        filter: filter(&mut chance),
        ..plain.clone()
    };
    answered(world, &filtered)?;
    let meant = Query {
        meaning: Some(world.meaning(text)),
        ..plain
    };
    if answered(world, &meant)? != answered(world, &meant)? {
        return Err("the same question had two answers by meaning".into());
    }
    completed(world, text)
}

fn seed(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn filter(chance: &mut Chance) -> Filter {
    let at = |day: usize| Some(Timestamp(1_704_067_200_000 + day as i64 * 86_400_000));
    let mut filter = Filter::default();
    match chance.below(6) {
        0 => filter.spaces = vec![SpaceId::new("20"), SpaceId::new(HIDDEN_SPACE)],
        1 => filter.kinds = vec![DocumentKind::Comment, DocumentKind::Page],
        2 => filter.people = vec![AccountId::new("a-3")],
        3 => filter.labels = vec!["RUNBOOK".into()],
        4 => filter.modified_from = at(chance.below(900)),
        _ => (filter.modified_before, filter.kinds) = (at(chance.below(900)), vec![DocumentKind::BlogPost]),
    }
    filter
}

/// An answer that keeps every promise; none for a question that was refused as one may be.
fn answered(world: &World, query: &Query) -> Result<Hits, String> {
    let (answer, took) = world.search(query);
    let hits = allowed(answer, took)?.unwrap_or_default();
    let read = syntax::asked(&query.text);
    if hits.hits.len() > query.limit {
        return Err(format!("{} hits where {} were asked for", hits.hits.len(), query.limit));
    }
    let reached = (query.offset + hits.hits.len()) as u64;
    if !hits.hits.is_empty() && hits.total < reached {
        return Err(format!("{} documents in all, and {reached} are shown", hits.total));
    }
    let kinds: u64 = hits.facets.kinds.iter().map(|(_, count)| count).sum();
    if kinds != hits.total {
        return Err(format!("{} documents in all, and {kinds} by kind", hits.total));
    }
    let documents: BTreeSet<_> = hits.hits.iter().map(|hit| &hit.passage.document).collect();
    if documents.len() != hits.hits.len() {
        return Err("a document is two hits".into());
    }
    let ordered = hits.hits.is_sorted_by(|a, b| match query.sort {
        Sort::Relevance => query.text.trim().is_empty() || !by_words(&read) || a.score >= b.score,
        Sort::Modified => a.passage.modified_at >= b.passage.modified_at,
    });
    if !ordered || hits.hits.iter().any(|hit| !hit.score.is_finite()) {
        return Err("hits are out of order".into());
    }
    for hit in &hits.hits {
        let id = &hit.passage.document;
        let document = world.documents.get(id).ok_or(format!("{id} was removed"))?;
        shown(hit, document).map_err(|what| format!("{id}: {what}"))?;
        visible(world, &hit.passage).map_err(|what| format!("{id}: {what}"))?;
        kept_to(&query.filter, &read, document).map_err(|what| format!("{id} {what}"))?;
    }
    Ok(hits)
}

/// Whether there is something to rank by: conditions and exclusions alone leave the newest first.
fn by_words(read: &syntax::Asked) -> bool {
    let words = read.terms.iter().any(|term| !matches!(term, Term::Excluded(_)));
    words
        || read
            .conditions
            .iter()
            .any(|condition| matches!(condition.on, On::Title(_)))
}

fn allowed<T>(answer: Answer<T>, took: Duration) -> Result<Option<T>, String> {
    if took > ANSWER_TIME_MAX && !cfg!(debug_assertions) {
        return Err(format!("took {} ms", took.as_millis()));
    }
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::Invalid && !error.message.is_empty() => Ok(None),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// The hit is what was put, and shows no more than that.
fn shown(hit: &Hit, document: &[Passage]) -> Result<(), String> {
    if !document.contains(&hit.passage) {
        return Err("another passage than was put".into());
    }
    let text = |fragments: &[Fragment]| -> String { fragments.iter().map(|one| one.text.as_str()).collect() };
    if text(&hit.title) != hit.passage.title {
        return Err("another title".into());
    }
    let snippet = text(&hit.snippet);
    let piece = snippet.strip_prefix('…').unwrap_or(&snippet);
    let piece = piece.strip_suffix('…').unwrap_or(piece);
    match hit.passage.text.contains(piece) && snippet.len() <= SNIPPET_BYTES_MAX {
        true => Ok(()),
        false => Err("a snippet that is none".into()),
    }
}

fn visible(world: &World, passage: &Passage) -> Result<(), String> {
    let place = (passage.feed, passage.space.clone());
    let document = (passage.feed, passage.document.clone());
    match world.access.hidden.contains(&place) || world.access.hidden_documents.contains(&document) {
        true => Err("is hidden".into()),
        false => Ok(()),
    }
}

fn kept_to(filter: &Filter, read: &syntax::Asked, document: &[Passage]) -> Result<(), String> {
    let passage = &document[0];
    let labelled = |label: &str| {
        let own = passage.labels.iter();
        own.map(|own| own.to_lowercase()).any(|own| own == label.to_lowercase())
    };
    let filters = [
        filter.spaces.is_empty() || filter.spaces.contains(&passage.space),
        filter.kinds.is_empty() || filter.kinds.contains(&passage.kind),
        filter.people.is_empty() || passage.accounts().any(|account| filter.people.contains(account)),
        filter.labels.is_empty() || filter.labels.iter().any(|label| labelled(label)),
        filter.modified_from.is_none_or(|from| passage.modified_at >= from),
        filter.modified_before.is_none_or(|before| passage.modified_at < before),
    ];
    if !filters.iter().all(|holds| *holds) {
        return Err("does not pass the filter".into());
    }
    let fields = ["space:", "type:", "label:", "author:"];
    for (field, has) in fields.map(|field| (field, |condition: &Condition| group(condition) == Some(field))) {
        let conditions = read.conditions.iter().filter(|condition| has(condition));
        let (without, with): (Vec<_>, Vec<_>) = conditions.partition(|condition| condition.negated);
        let holds = |condition: &&Condition| holds(condition, passage);
        if !with.is_empty() && with.iter().all(|condition| holds(condition) == Some(false)) {
            return Err(format!("does not match {field}"));
        }
        if without.iter().any(|condition| holds(condition) == Some(true)) {
            return Err(format!("matches -{field}"));
        }
    }
    for condition in &read.conditions {
        let at = passage.modified_at;
        let holds = match &condition.on {
            On::Before(day) => at < *day,
            On::After(day) => at >= *day,
            _ => continue,
        };
        if holds == condition.negated {
            return Err("is of another time".into());
        }
    }
    let mut letters = 0;
    for term in &read.terms {
        let Term::Excluded(word) = term else { continue };
        letters += word.chars().filter(|c| c.is_alphanumeric()).count();
        let simple = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if simple && letters <= EXCLUDED_LETTERS_SURE && document.iter().any(|passage| holds_word(passage, word)) {
            return Err(format!("holds -{word}"));
        }
    }
    Ok(())
}

/// The conditions of which any may hold.
fn group(condition: &Condition) -> Option<&'static str> {
    match condition.on {
        On::Space(_) => Some("space:"),
        On::Kind(_) => Some("type:"),
        On::Label(_) => Some("label:"),
        On::Author(_) => Some("author:"),
        On::Title(_) | On::Before(_) | On::After(_) => None,
    }
}

/// Whether a condition holds; none where it takes the engine's own folding of letters to know.
fn holds(condition: &Condition, passage: &Passage) -> Option<bool> {
    let same = |own: &str, asked: &str| match asked.is_ascii() && own.is_ascii() {
        true => own.eq_ignore_ascii_case(asked),
        false => own.to_lowercase() == asked.to_lowercase(),
    };
    match &condition.on {
        On::Kind(kind) => Some(passage.kind == *kind),
        On::Space(name) if name.is_ascii() => Some(same(&passage.space_key, name) || same(&passage.space_name, name)),
        On::Label(label) => Some(passage.labels.iter().any(|own| same(own, label))),
        On::Author(name) if name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let people = passage.author.iter().chain(&passage.editor);
            let ascii = people.clone().all(|person| person.name.is_ascii());
            let words = people.flat_map(|person| person.name.split(|c: char| !c.is_alphanumeric()));
            let named = words.clone().any(|word| word.eq_ignore_ascii_case(name));
            (ascii || named).then_some(named)
        }
        _ => None,
    }
}

fn holds_word(passage: &Passage, word: &str) -> bool {
    let texts = [&passage.title, &passage.text].into_iter();
    let texts = texts.chain(&passage.headings).chain(&passage.labels);
    texts
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .any(|found| found.eq_ignore_ascii_case(word))
}

/// Completions go on with the text, and name nothing that is hidden.
fn completed(world: &World, text: &str) -> Result<(), String> {
    let (answer, took) = world.completions(text);
    let found: Vec<Completion> = allowed(answer, took)?.unwrap_or_default();
    if found.len() > COMPLETIONS_MAX {
        return Err(format!("{} completions", found.len()));
    }
    match found
        .iter()
        .find(|one| one.name == "Hidden plans" || one.text.contains("SECRET"))
    {
        Some(_) if text.contains("SECRET") => Ok(()),
        Some(one) => Err(format!("completion {} is hidden", one.name)),
        None => Ok(()),
    }
}
