//! A query becomes an answer: words to clauses, the best passages by them, one hit for each document.

use std::collections::BTreeMap;

use domain::{
    Result,
    access::Access,
    hit::{Alike, Hit, Hits, More},
    passage::Passage,
    query::{Query as Asked, Sort},
    syntax,
};
use tantivy::{
    DocAddress, DocSet, Score, Searcher, TERMINATED,
    query::{AllQuery, EmptyQuery, EnableScoring, Query},
};

use super::{
    expand,
    fields::Fields,
    gate::Gate,
    group::{Counted, Counting, counted},
    handle::{Handle, failed},
    likeness::Likeness,
    linked::Linked,
    meaning::Question,
    needles::Needles,
    rank::{Ground, Ranked, best_passages},
    row,
    snippet::{Marks, marked, snippet},
};

/// Passages that are ranked with all their signals. More are when a page far behind is asked for; those then stand behind
/// the first ones, and score no higher, so that pages do not overlap.
const RANKED: usize = 200;
/// So many times more are ranked when they hold too few documents.
const RANKED_MORE_TIMES: usize = 4;
const RANKED_MAX: usize = RANKED * 256;
/// Matching documents are counted up to here; beyond, an answer says "more than".
const COUNTED_MAX: u64 = 10_000;
/// Other passages of its document that a hit shows.
const MORE_SHOWN: usize = 3;
/// Other documents of the same text that a hit names.
const ALIKE_SHOWN: usize = 5;
/// Of so many documents, best first, it is looked up whether their texts are nearly equal.
const COMPARED: usize = 100;
/// So many words must all be there; of more, any will do, and what holds more of them stands above.
const ALL_WORDS: usize = 2;
/// A question with more words is a sentence.
const SENTENCE_WORDS: usize = 4;

pub fn answered(handle: &Handle, access: &Access, asked: &Asked) -> Result<Hits> {
    let read = syntax::asked(&asked.text);
    let searcher = handle.reader.searcher();
    let speeches = handle.speeches(&searcher).map_err(failed)?;
    let needles = Needles::of(&read, &speeches);
    if needles.is_empty() && read.conditions.is_empty() && !asked.text.trim().is_empty() {
        return Ok(Hits::default());
    }
    let columns = handle.columns.of(&searcher).map_err(failed)?;
    let linked = Linked::of(&handle.links, &searcher, &columns, &handle.fields, access).map_err(failed)?;
    let asking = Asking {
        handle,
        searcher: &searcher,
        fields: &handle.fields,
        ground: Ground {
            searcher: &searcher,
            columns,
            fields: &handle.fields,
            linked,
        },
        access,
        asked,
        read: &read,
    };
    asking.answered(needles).map_err(failed)?
}

struct Asking<'a> {
    handle: &'a Handle,
    searcher: &'a Searcher,
    fields: &'a Fields,
    ground: Ground<'a>,
    access: &'a Access,
    asked: &'a Asked,
    read: &'a syntax::Asked,
}

/// How much of what is asked must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Both words of two, any of more.
    Words,
    /// The same, but the last word may only begin so: it may not be typed to its end.
    Beginnings,
    Any,
}

impl Asking<'_> {
    /// First all that is asked for, then words that only begin so, then any of the words.
    fn answered(&self, needles: Needles) -> tantivy::Result<Result<Hits>> {
        let gate = Gate::new(
            self.searcher,
            self.fields,
            self.access,
            &self.asked.filter,
            &self.read.conditions,
            &needles,
        )?;
        let (mut needles, also) = expand::mended(self.searcher, self.fields, &gate, needles)?;
        if needles.words.len() > SENTENCE_WORDS {
            needles = needles.loosened();
        }
        let question = Question::of(self.handle, self.searcher, self.asked, self.read, &needles, &gate);
        let question = match question {
            Ok(question) => question,
            Err(error) => return Ok(Err(error)),
        };
        for demand in [Demand::Words, Demand::Beginnings, Demand::Any] {
            match demand {
                Demand::Words => {}
                Demand::Beginnings if needles.open => {
                    needles = expand::begun(self.searcher, self.fields, needles)?;
                }
                Demand::Beginnings => continue,
                Demand::Any => needles = needles.fallen_apart(),
            }
            let query = needles.query(self.fields, required(needles.words.len(), demand, self.asked.sort));
            let last = demand == Demand::Any || needles.words.is_empty();
            let hits = match (&query, &question) {
                (Some(query), Some(question)) => {
                    if !last && !gate.shows(self.searcher, &**query)? {
                        continue;
                    }
                    self.fused(&needles, &**query, &gate, question)?
                }
                (None, Some(question)) => self.fused(&needles, &EmptyQuery, &gate, question)?,
                (Some(query), None) => self.found(&needles, &**query, &gate, self.asked.sort)?,
                // Without words nothing is better than anything else, but newer.
                (None, None) => self.found(&needles, &AllQuery, &gate, Sort::Modified)?,
            };
            if last || !matches!(&hits, Ok(hits) if hits.total == 0) {
                let also = also.clone();
                return Ok(hits.map(|hits| Hits { also, ..hits }));
            }
        }
        Ok(Ok(Hits::default()))
    }

    fn found(&self, needles: &Needles, query: &dyn Query, gate: &Gate, sort: Sort) -> tantivy::Result<Result<Hits>> {
        let wanted = self.asked.offset + self.asked.limit;
        let (found, counted) = match sort {
            Sort::Relevance => self.best(needles, query, gate, wanted)?,
            Sort::Modified => {
                let counted = counted(self.searcher, &self.ground.columns, query, gate, u64::MAX, wanted)?;
                (self.newest(needles, query, gate, &counted)?, counted)
            }
        };
        self.shown(needles, found, counted)
    }

    /// What words find and what meaning brings, in one order.
    fn fused(
        &self,
        needles: &Needles,
        query: &dyn Query,
        gate: &Gate,
        question: &Question,
    ) -> tantivy::Result<Result<Hits>> {
        let wanted = self.asked.offset + self.asked.limit;
        let both = question.with(self.searcher, query);
        let counted = counted(self.searcher, &self.ground.columns, &*both, gate, COUNTED_MAX, 0)?;
        let documents = usize::try_from(counted.documents).unwrap_or(usize::MAX);
        let mut count = RANKED;
        loop {
            let by_words = best_passages(&self.ground, needles, query, gate, count, None)?;
            let exhausted = by_words.len() < count || count >= RANKED_MAX;
            let tiers = match question.fused(&self.ground, needles, query, tiers(by_words)) {
                Ok(tiers) => tiers,
                Err(error) => return Ok(Err(error)),
            };
            let found = folded(by_document(tiers), needles.names());
            if exhausted || found.len() >= wanted.min(documents) {
                return self.shown(needles, found, counted);
            }
            count *= RANKED_MORE_TIMES;
        }
    }

    fn shown(&self, needles: &Needles, found: Vec<Found>, counted: Counted) -> tantivy::Result<Result<Hits>> {
        let marks = Marks::of(needles);
        let shown = found.into_iter().skip(self.asked.offset).take(self.asked.limit);
        let hits: Result<Vec<Hit>> = shown.map(|found| self.hit(found, &marks)).collect();
        Ok(hits.map(|hits| Hits {
            hits,
            total: counted.documents,
            uncounted: counted.more,
            facets: counted.facets,
            also: Vec::new(),
        }))
    }

    /// The best documents, and how many there are: both are found in one go.
    fn best(
        &self,
        needles: &Needles,
        query: &dyn Query,
        gate: &Gate,
        wanted: usize,
    ) -> tantivy::Result<(Vec<Found>, Counted)> {
        let mut counting = Counting::new(COUNTED_MAX, 0);
        let mut count = RANKED;
        let mut passages = best_passages(&self.ground, needles, query, gate, count, Some(&mut counting))?;
        let counted = counting.done()?;
        let documents = usize::try_from(counted.documents).unwrap_or(usize::MAX);
        loop {
            let exhausted = passages.len() < count || count >= RANKED_MAX;
            let found = folded(by_document(tiers(passages)), needles.names());
            if exhausted || found.len() >= wanted.min(documents) {
                return Ok((found, counted));
            }
            count *= RANKED_MORE_TIMES;
            passages = best_passages(&self.ground, needles, query, gate, count, None)?;
        }
    }

    /// The newest documents, each with the best of its passages.
    fn newest(
        &self,
        needles: &Needles,
        query: &dyn Query,
        gate: &Gate,
        counted: &Counted,
    ) -> tantivy::Result<Vec<Found>> {
        let weight = query.weight(EnableScoring::enabled_from_searcher(self.searcher))?;
        let mut newest = Vec::with_capacity(counted.newest.len());
        for (_, _, first) in counted.newest.iter() {
            let reader = self.searcher.segment_reader(first.segment_ord);
            let hashes = &self.ground.columns[first.segment_ord as usize].hashes;
            let hash = hashes.get_val(first.doc_id);
            let (mut best, mut score) = (*first, 0.0);
            let mut scorer = weight.scorer(reader, 1.0)?;
            let mut doc = match scorer.doc() < first.doc_id {
                true => scorer.seek(first.doc_id),
                false => scorer.doc(),
            };
            while doc != TERMINATED && hashes.get_val(doc) == hash {
                let words = scorer.score();
                if words > score && gate.opens(first.segment_ord as usize, doc) {
                    (best, score) = (DocAddress::new(first.segment_ord, doc), words);
                }
                doc = match needles.words.is_empty() {
                    true => TERMINATED,
                    false => scorer.advance(),
                };
            }
            newest.push(Found {
                best: Ranked::plain(best, hash, score),
                more: Vec::new(),
                alike: Vec::new(),
            });
        }
        Ok(newest)
    }

    fn hit(&self, found: Found, marks: &Marks) -> Result<Hit> {
        let passage = self.passage(found.best.passage)?;
        let more = found.more.iter().take(MORE_SHOWN).map(|ranked| {
            let other = self.passage(ranked.passage)?;
            Ok(More {
                snippet: snippet(&other.text, marks),
                headings: other.headings,
                url: other.url,
            })
        });
        let alike = found.alike.iter().take(ALIKE_SHOWN).map(|ranked| {
            let other = self.passage(ranked.passage)?;
            Ok(Alike {
                document: other.document,
                title: other.title,
                space_name: other.space_name,
                url: other.url,
            })
        });
        Ok(Hit {
            score: found.best.score,
            snippet: snippet(&passage.text, marks),
            title: marked(&passage.title, marks),
            more: more.collect::<Result<_>>()?,
            more_passages: found.more.len() as u64,
            alike: alike.collect::<Result<_>>()?,
            alike_documents: found.alike.len() as u64,
            explanation: found.best.explanation,
            passage,
        })
    }

    fn passage(&self, passage: DocAddress) -> Result<Passage> {
        row::of(self.handle, self.searcher, passage)
    }
}

/// So many of the words a passage must hold.
fn required(words: usize, demand: Demand, sort: Sort) -> usize {
    match (demand, sort) {
        (Demand::Any, _) => 1,
        (Demand::Words | Demand::Beginnings, _) if words <= ALL_WORDS => words,
        (Demand::Words | Demand::Beginnings, Sort::Relevance) => 1,
        // The newest of what holds any word would hold nothing of the question.
        (Demand::Words | Demand::Beginnings, Sort::Modified) => (words * 2).div_ceil(3),
    }
}

/// A document with its best passage.
struct Found {
    best: Ranked,
    /// Its other passages, best first.
    more: Vec<Ranked>,
    /// Documents of equal or nearly equal text that stand behind it.
    alike: Vec<Ranked>,
}

/// The first so many passages stand by all their signals; those that were only looked at for a page far behind follow.
fn tiers(passages: Vec<Ranked>) -> Vec<Vec<Ranked>> {
    let mut tiers: Vec<Vec<Ranked>> = Vec::new();
    let mut rest = passages;
    let (mut tier, mut reached) = (RANKED, 0);
    while !rest.is_empty() {
        let behind = rest.split_off(tier.min(rest.len()));
        tiers.push(std::mem::replace(&mut rest, behind));
        reached += tier;
        tier = reached * RANKED_MORE_TIMES - reached;
    }
    tiers
}

fn by_document(tiers: Vec<Vec<Ranked>>) -> Vec<Found> {
    let mut documents: Vec<Found> = Vec::new();
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    for mut tier in tiers {
        tier.sort_by(|a, b| {
            let best = b.score.total_cmp(&a.score);
            best.then(b.modified.cmp(&a.modified)).then(a.hash.cmp(&b.hash))
        });
        // A tier stands behind those before it: no score says otherwise.
        let most = documents.last().map_or(Score::MAX, |before| before.best.score);
        for mut ranked in tier {
            ranked.score = ranked.score.min(most);
            match places.get(&ranked.hash) {
                Some(place) => documents[*place].more.push(ranked),
                None => {
                    places.insert(ranked.hash, documents.len());
                    documents.push(Found {
                        best: ranked,
                        more: Vec::new(),
                        alike: Vec::new(),
                    });
                }
            }
        }
    }
    documents
}

/// Documents of nearly equal text, or whose best passages have equal text, are one hit: the best of them, which names the
/// others. One that bears a name that was asked for in its title, those being the names, is folded for equal text alone.
fn folded(documents: Vec<Found>, names: u64) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::with_capacity(documents.len());
    let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, document) in documents.into_iter().enumerate() {
        let best = &document.best;
        let equal = places.get(&best.text_hash).filter(|_| best.text_hash != 0);
        let mut equal = equal.into_iter().flatten().copied().take(COMPARED);
        let equal = equal.find(|place| answers_no_more(best, &kept[*place].best));
        let near = || {
            let is_near = |other: &Found| other.best.likeness.is_near(best.likeness);
            kept.iter()
                .position(|other| is_near(other) && answers_no_more(best, &other.best))
        };
        let compared = at < COMPARED && best.titled & names == 0 && best.likeness != Likeness::default();
        match equal.or_else(|| compared.then(near).flatten()) {
            Some(place) => kept[place].alike.push(document.best),
            None => {
                places.entry(best.text_hash).or_default().push(kept.len());
                kept.push(document);
            }
        }
    }
    kept
}

/// Whether all of the question that is in a document, and all of it that is in its title, is in another one, too: a name that
/// was asked for is never behind one that was not.
fn answers_no_more(document: &Ranked, than: &Ranked) -> bool {
    document.held & !than.held == 0 && document.titled & !than.titled == 0
}
