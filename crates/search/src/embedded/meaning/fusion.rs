//! Given the passages that words find, and those that meaning finds, gives one order.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Result,
    hit::Fusion,
    query::{Query as Asked, Sort},
    syntax::{self, Term},
};
use tantivy::{
    DocAddress, Score, Searcher,
    query::{BooleanQuery, EnableScoring, Occur, Query},
};

use super::{
    super::{
        gate::Gate,
        handle::{Handle, failed},
        needles::{Needle, Needles, in_a_row},
        rank::{Ground, Ranked, looked_at},
    },
    Model, asked as asked_model,
    near::{Asking, Near},
    these::These,
};

/// The most passages that meaning brings to an answer.
const BROUGHT_MAX: usize = 100;
/// How near a passage must be to be brought: so much of the way from what is near by chance to what is the same.
const NEARNESS_MIN: f32 = 0.2;
/// What meaning weighs beside words, when all of these are known. A model makes something of a word that was mistyped or not
/// typed to its end, but seldom what was meant: it weighs as much less as there are such words.
const MEANING: f32 = 0.5;

/// The least of it that is left: a word that looks mistyped may be one that no text of the index has.
const KNOWN_SHARE_MIN: f32 = 0.25;

/// A question by its meaning, and what is nearest to it.
pub struct Question {
    model: Arc<Model>,
    vector: Vec<f32>,
    /// What its meaning weighs.
    weight: f32,
    /// How near a text is by chance.
    average: f32,
    /// Nearest first.
    near: Vec<Near>,
}

impl Question {
    /// None when the search is by words alone: there is no meaning, the newest are asked for, or what is asked is exact, a
    /// name of code or nothing but fields and quotes.
    pub fn of(
        handle: &Handle,
        searcher: &Searcher,
        asked: &Asked,
        read: &syntax::Asked,
        needles: &Needles,
        gate: &Gate,
    ) -> Result<Option<Self>> {
        let Some(meaning) = asked.meaning.as_ref() else {
            return Ok(None);
        };
        let alone = asked.text.trim().is_empty();
        let newest = match asked.sort {
            Sort::Relevance => false,
            Sort::Modified => true,
        };
        if newest || !alone && exact(read, needles) {
            return Ok(None);
        }
        let Some(model) = asked_model(handle, meaning)? else {
            return Ok(None);
        };
        // What is demanded of words is demanded of what meaning brings.
        let phrases = needles
            .phrases
            .iter()
            .map(|phrase| in_a_row(handle.fields.words, phrase));
        let phrases: Vec<_> = phrases.map(|phrase| (Occur::Must, phrase)).collect();
        let demanded = match phrases.is_empty() {
            true => None,
            false => Some(Gate::by(searcher, &BooleanQuery::new(phrases)).map_err(failed)?),
        };
        let gates: Vec<&Gate> = [gate].into_iter().chain(&demanded).collect();
        let mut asking = Asking::of(&model, searcher, &meaning.vector)?;
        let average = asking.average();
        let mut near = asking.nearest(&gates, BROUGHT_MAX)?;
        near.retain(|near| nearness(near.similarity, average) >= NEARNESS_MIN);
        drop(asking);
        Ok(Some(Self {
            model,
            vector: meaning.vector.clone(),
            weight: MEANING * known_share(needles).max(KNOWN_SHARE_MIN),
            average,
            near,
        }))
    }

    /// What words match, and what meaning brings.
    pub fn with(&self, searcher: &Searcher, query: &dyn Query) -> Box<dyn Query> {
        let these = These::of(searcher, self.near.iter().map(|near| near.passage));
        Box::new(BooleanQuery::new(vec![
            (Occur::Should, query.box_clone()),
            (Occur::Should, Box::new(these)),
        ]))
    }

    /// What words found, tier by tier, and what meaning brings: it is put among the first tier, which is placed by both.
    pub fn fused(
        &self,
        ground: &Ground<'_>,
        needles: &Needles,
        query: &dyn Query,
        mut tiers: Vec<Vec<Ranked>>,
    ) -> Result<Vec<Vec<Ranked>>> {
        let searcher = ground.searcher;
        let brought: BTreeSet<DocAddress> = self.near.iter().map(|near| near.passage).collect();
        for behind in tiers.iter_mut().skip(1) {
            behind.retain(|ranked| !brought.contains(&ranked.passage));
        }
        if tiers.is_empty() {
            tiers.push(Vec::new());
        }
        let by_words = std::mem::take(&mut tiers[0]);
        let there: BTreeSet<DocAddress> = by_words.iter().map(|ranked| ranked.passage).collect();
        let others: Vec<DocAddress> = brought
            .iter()
            .copied()
            .filter(|passage| !there.contains(passage))
            .collect();
        let others = words_of(searcher, query, others).map_err(failed)?;
        let others = looked_at(ground, needles, &others).map_err(failed)?;
        let mut passages = by_words;
        passages.extend(others);
        passages.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        let most = passages
            .first()
            .map_or(0.0, |ranked| ranked.score)
            .max(f32::MIN_POSITIVE);
        let mut asking = Asking::of(&self.model, searcher, &self.vector)?;
        let mut similarities = Vec::with_capacity(passages.len());
        for ranked in &passages {
            similarities.push(asking.similarity(ranked.passage)?);
        }
        drop(asking);
        let mut order: Vec<usize> = (0..passages.len()).collect();
        order.sort_by(|a, b| {
            let similarity = |at: &usize| similarities[*at].unwrap_or(f32::MIN);
            similarity(b).total_cmp(&similarity(a)).then(a.cmp(b))
        });
        let mut ranks = vec![0; passages.len()];
        for (rank, place) in order.into_iter().enumerate() {
            ranks[place] = rank;
        }
        for (at, (ranked, similarity)) in passages.iter_mut().zip(similarities).enumerate() {
            let words = ranked.score / most;
            // A passage whose meaning is not known yet stands where its words put it.
            let meaning = similarity.map_or(words, |similarity| {
                nearness(similarity, self.average).max(0.0) * ranked.standing()
            });
            let fusion = Fusion {
                similarity,
                words: (1.0 - self.weight) * words,
                meaning: self.weight * meaning,
                rank_by_words: (ranked.score > 0.0).then_some(at as u32 + 1),
                rank_by_meaning: similarity.map(|_| ranks[at] as u32 + 1),
            };
            ranked.explanation.fusion = Some(fusion);
            ranked.score = ranked.explanation.score();
        }
        tiers[0] = passages;
        Ok(tiers)
    }
}

/// 0 for what is near by chance, 1 for the same.
fn nearness(similarity: f32, average: f32) -> f32 {
    (similarity - average) / (1.0 - average).max(0.01)
}

/// What words score in these passages; nothing where none are.
fn words_of(
    searcher: &Searcher,
    query: &dyn Query,
    mut passages: Vec<DocAddress>,
) -> tantivy::Result<Vec<(DocAddress, Score)>> {
    passages.sort_unstable();
    let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
    let mut scored = Vec::with_capacity(passages.len());
    for group in passages.chunk_by(|a, b| a.segment_ord == b.segment_ord) {
        let mut scorer = weight.scorer(searcher.segment_reader(group[0].segment_ord), 1.0)?;
        for passage in group {
            let doc = match scorer.doc() < passage.doc_id {
                true => scorer.seek(passage.doc_id),
                false => scorer.doc(),
            };
            let words = if doc == passage.doc_id { scorer.score() } else { 0.0 };
            scored.push((*passage, words));
        }
    }
    Ok(scored)
}

/// The share of the words that are in the index as they were typed.
fn known_share(needles: &Needles) -> f32 {
    let known = needles.words.iter().filter(|needle| needle.others.is_empty()).count();
    match needles.words.len() {
        0 => 1.0,
        words => known as f32 / words as f32,
    }
}

/// What is asked has one spelling, and means nothing else.
fn exact(read: &syntax::Asked, needles: &Needles) -> bool {
    let says_words = read.terms.iter().any(|term| match term {
        Term::Words(_) => true,
        Term::Phrase(_) | Term::Excluded(_) => false,
    });
    let is_name = |needle: &Needle| {
        let digits = needle.parts.iter().any(|part| part.contains(char::is_numeric));
        needle.whole.is_some() || digits
    };
    !says_words || needles.words.iter().all(is_name)
}
