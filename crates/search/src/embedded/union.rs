//! The passages that hold enough of some words, by what the words score: window by window, each word's postings in a row.
//!
//! tantivy goes from passage to passage and asks all words about each, which is at its best when few passages hold the
//! words. Pages of one company hold the same words again and again. Here scores are added up in a window of passages, one
//! word after the other, and words that cannot bring a passage among the best any more are asked only about passages
//! that others brought: MaxScore (Turtle and Flood, 1995) with windows.

use std::{cmp::Ordering, fmt, ops::BitOrAssign, sync::Arc};

use tantivy::{
    DocId, Score, Searcher, SegmentReader, TERMINATED, TantivyError, Term,
    fieldnorm::FieldNormReader,
    postings::{BlockSegmentPostings, TermInfo},
    query::{Bm25StatisticsProvider, Bm25Weight, BoostQuery, EnableScoring, Query, Scorer, TermQuery, Weight},
    schema::{Field, IndexRecordOption},
};

/// Passages of one window: their scores and marks stay in the processor's nearest memory.
const WINDOW: u32 = 2_048;
const GROUP: u32 = 64;
/// Asking about one passage costs as much as going through so many postings.
const ASKING_COSTS: u64 = 12;
/// Bounds are sums of floats in another order than scores.
const ROUNDING: Score = 1.0001;

/// One way in which a word is there.
#[derive(Clone, Debug)]
pub enum Clause {
    Term(Term, Score),
    /// Something else that scores, and the most that it may score for these terms.
    Other(Arc<dyn Query>, Vec<Term>),
}

impl Clause {
    pub fn query(&self) -> Box<dyn Query> {
        match self {
            Self::Term(term, boost) => {
                let query = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
                Box::new(BoostQuery::new(Box::new(query), *boost))
            }
            Self::Other(query, _) => query.box_clone(),
        }
    }
}

/// A word that is looked for, in any of its ways.
#[derive(Clone, Debug)]
pub struct Sought {
    pub clauses: Vec<Clause>,
    /// Whether it must be there, whatever else is.
    pub demanded: bool,
}

/// Passages that hold at least `required` of what is not demanded, and all that is. At most 64 are sought.
#[derive(Clone)]
pub struct Union {
    pub sought: Vec<Sought>,
    pub required: usize,
    /// The same as tantivy's own query.
    pub same: Arc<dyn Query>,
}

impl fmt::Debug for Union {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.same.fmt(f)
    }
}

/// To everybody who does not know better it is tantivy's own query.
impl Query for Union {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        self.same.weight(scoring)
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.same.query_terms(visitor);
    }
}

impl Union {
    /// What it is in one searcher, with scores.
    pub fn among(&self, searcher: &Searcher) -> tantivy::Result<UnionWeight> {
        let mut clauses = Vec::new();
        for (place, sought) in self.sought.iter().enumerate() {
            for clause in &sought.clauses {
                clauses.extend(weighed(place, clause, searcher)?);
            }
        }
        let bits = |demanded: bool| {
            let places = self.sought.iter().enumerate();
            let places = places.filter(move |(_, sought)| sought.demanded == demanded);
            places.fold(0_u64, |bits, (place, _)| bits | 1 << place)
        };
        Ok(UnionWeight {
            clauses,
            demanded: bits(true),
            free: bits(false),
            required: self.required as u32,
        })
    }
}

fn weighed(place: usize, clause: &Clause, searcher: &Searcher) -> tantivy::Result<Option<Weighed>> {
    let (means, max) = match clause {
        Clause::Term(term, boost) => match WeighedTerm::of(term, *boost, searcher)? {
            None => return Ok(None),
            Some(term) => {
                let max = term.bm25.max_score();
                (Means::Term(Box::new(term)), max)
            }
        },
        Clause::Other(query, terms) => {
            let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
            let max = Bm25Weight::for_terms(searcher, terms)?.max_score();
            (Means::Other(weight), max)
        }
    };
    Ok(Some(Weighed { place, max, means }))
}

struct Weighed {
    /// Of what is sought.
    place: usize,
    /// No passage gets more by it.
    max: Score,
    means: Means,
}

enum Means {
    Term(Box<WeighedTerm>),
    Other(Box<dyn Weight>),
}

/// A term with what it weighs, and where it is in each segment.
struct WeighedTerm {
    field: Field,
    found: Vec<Option<TermInfo>>,
    bm25: Bm25Weight,
}

impl WeighedTerm {
    fn of(term: &Term, boost: Score, searcher: &Searcher) -> tantivy::Result<Option<Self>> {
        let field = term.field();
        let mut found = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let terms = reader.inverted_index(field)?;
            found.push(terms.get_term_info(term).map_err(TantivyError::from)?);
        }
        let passages: u64 = found.iter().flatten().map(|found| u64::from(found.doc_freq)).sum();
        if passages == 0 {
            return Ok(None);
        }
        let all = searcher.total_num_docs()?;
        let length = searcher.total_num_tokens(field)? as Score / all as Score;
        let bm25 = Bm25Weight::for_one_term_without_explain(passages, all, length).boost_by(boost);
        Ok(Some(Self { field, found, bm25 }))
    }
}

/// A passage that holds enough: what it scores, and as bits what it holds of all that is sought.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    pub doc: DocId,
    pub score: Score,
    pub held: u64,
}

/// A union with what its words weigh in one searcher.
pub struct UnionWeight {
    clauses: Vec<Weighed>,
    demanded: u64,
    free: u64,
    required: u32,
}

impl UnionWeight {
    /// Goes through the passages of a segment that hold enough and score above the threshold, in their order. They are shown
    /// some at a time; the answer is the threshold from there on.
    pub fn through(
        &self,
        threshold: Score,
        segment: u32,
        reader: &SegmentReader,
        shown: &mut dyn FnMut(&[Holding]) -> Score,
    ) -> tantivy::Result<()> {
        let mut lists = Vec::with_capacity(self.clauses.len());
        for weighed in &self.clauses {
            lists.extend(weighed.opened(segment as usize, reader)?);
        }
        if !lists.is_empty() {
            let going = Going::new(self, lists, reader.max_doc());
            match (self.demanded | self.free) >> u16::BITS {
                0 => going.through::<u16>(threshold, shown),
                _ => going.through::<u64>(threshold, shown),
            }
        }
        Ok(())
    }
}

impl Weighed {
    fn opened(&self, segment: usize, reader: &SegmentReader) -> tantivy::Result<Option<List<'_>>> {
        let (cost, source) = match &self.means {
            Means::Term(term) => {
                let Some(found) = term.found.get(segment).and_then(Option::as_ref) else {
                    return Ok(None);
                };
                let index = reader.inverted_index(term.field)?;
                let postings = index
                    .read_block_postings_from_terminfo(found, IndexRecordOption::WithFreqs)
                    .map_err(TantivyError::from)?;
                let norms = reader.get_fieldnorms_reader(term.field)?;
                let source = Source::Postings {
                    postings: Box::new(postings),
                    at: 0,
                    norms,
                    term,
                };
                (u64::from(found.doc_freq), source)
            }
            Means::Other(weight) => {
                let scorer = weight.scorer(reader, 1.0)?;
                let cost = ASKING_COSTS * u64::from(scorer.size_hint());
                (cost, Source::Other(scorer))
            }
        };
        Ok(Some(List {
            place: self.place,
            max: self.max,
            cost,
            source,
        }))
    }
}

/// The passages of one clause in one segment, in their order.
struct List<'a> {
    place: usize,
    max: Score,
    /// Of going through all of it, in postings.
    cost: u64,
    source: Source<'a>,
}

enum Source<'a> {
    Postings {
        postings: Box<BlockSegmentPostings>,
        at: usize,
        norms: FieldNormReader,
        term: &'a WeighedTerm,
    },
    Other(Box<dyn Scorer>),
}

impl List<'_> {
    /// The passage that it stands at.
    fn doc(&self) -> DocId {
        match &self.source {
            Source::Postings { postings, at, .. } => postings.docs().get(*at).copied().unwrap_or(TERMINATED),
            Source::Other(scorer) => scorer.doc(),
        }
    }

    /// Goes on to this passage or the next one after it that it holds.
    fn skip_to(&mut self, doc: DocId) {
        match &mut self.source {
            Source::Postings { postings, at, .. } => {
                let docs = postings.docs();
                if docs.get(*at).is_none_or(|here| *here >= doc) {
                    return;
                }
                *at = match docs.last() {
                    Some(last) if *last >= doc => *at + docs[*at..].partition_point(|here| *here < doc),
                    // Past the last one nothing stands in the block.
                    _ => postings.seek(doc),
                };
            }
            Source::Other(scorer) => {
                if scorer.doc() < doc {
                    scorer.seek(doc);
                }
            }
        }
    }

    /// What it scores for this passage, which is not before where it stands; none when it does not hold it.
    fn score_at(&mut self, doc: DocId) -> Option<Score> {
        self.skip_to(doc);
        if self.doc() != doc {
            return None;
        }
        Some(match &mut self.source {
            Source::Postings {
                postings,
                at,
                norms,
                term,
            } => term.bm25.score(norms.fieldnorm_id(doc), postings.freqs()[*at]),
            Source::Other(scorer) => scorer.score(),
        })
    }

    /// Adds all that it holds before `end` to the window, which begins at or before where it stands.
    fn add<M: Marks>(&mut self, window: &mut Window<M>, end: DocId) {
        let mark = M::of(self.place);
        match &mut self.source {
            Source::Postings {
                postings,
                at,
                norms,
                term,
            } => loop {
                let docs = postings.docs();
                let Some(last) = docs.last() else { return };
                let until = match *last < end {
                    true => docs.len(),
                    false => *at + docs[(*at).min(docs.len())..].partition_point(|doc| *doc < end),
                };
                let here = (*at).min(until)..until;
                window.add_all(&docs[here.clone()], &postings.freqs()[here], mark, |doc, count| {
                    term.bm25.score(norms.fieldnorm_id(doc), count)
                });
                if until < docs.len() {
                    *at = until;
                    return;
                }
                postings.advance();
                *at = 0;
            },
            Source::Other(scorer) => {
                while scorer.doc() < end {
                    let doc = scorer.doc();
                    window.add(doc, scorer.score(), mark);
                    scorer.advance();
                }
            }
        }
    }
}

/// As bits, which of what is sought a passage holds. As small as it can be: that of a window's passages stays in the
/// processor's nearest memory.
trait Marks: Copy + Default + BitOrAssign {
    fn of(place: usize) -> Self;
    fn bits(self) -> u64;
}

impl Marks for u16 {
    fn of(place: usize) -> Self {
        1 << place
    }

    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Marks for u64 {
    fn of(place: usize) -> Self {
        1 << place
    }

    fn bits(self) -> u64 {
        self
    }
}

/// Scores of some passages in a row, and which of what is sought they hold.
struct Window<M> {
    base: DocId,
    scores: Box<[Score; WINDOW as usize]>,
    held: Box<[M; WINDOW as usize]>,
    touched: [u64; (WINDOW / GROUP) as usize],
}

impl<M: Marks> Window<M> {
    fn new() -> Self {
        Self {
            base: 0,
            scores: Box::new([0.0; WINDOW as usize]),
            held: Box::new([M::default(); WINDOW as usize]),
            touched: [0; (WINDOW / GROUP) as usize],
        }
    }

    #[inline]
    fn add(&mut self, doc: DocId, score: Score, mark: M) {
        let slot = (doc - self.base) as usize % WINDOW as usize;
        self.scores[slot] += score;
        self.held[slot] |= mark;
        self.touched[slot / GROUP as usize] |= 1 << (slot % GROUP as usize);
    }

    /// The same for some passages in their order, with how often each holds the word. What is touched is told once for each
    /// group: to add to the same place again and again takes longer than all the rest.
    #[inline]
    fn add_all(&mut self, docs: &[DocId], counts: &[u32], mark: M, score: impl Fn(DocId, u32) -> Score) {
        let (mut group, mut touched) = (0, 0_u64);
        for (doc, count) in docs.iter().zip(counts) {
            let slot = (doc - self.base) as usize % WINDOW as usize;
            self.scores[slot] += score(*doc, *count);
            self.held[slot] |= mark;
            if slot / GROUP as usize != group {
                self.touched[group] |= touched;
                (group, touched) = (slot / GROUP as usize, 0);
            }
            touched |= 1 << (slot % GROUP as usize);
        }
        self.touched[group] |= touched;
    }

    fn for_each_touched(&self, mut slot_seen: impl FnMut(usize)) {
        for (group, touched) in self.touched.iter().enumerate() {
            let mut left = *touched;
            while left != 0 {
                slot_seen(group * GROUP as usize + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    fn clear(&mut self) {
        for (group, touched) in self.touched.iter_mut().enumerate() {
            if *touched != 0 {
                let slots = group * GROUP as usize..(group + 1) * GROUP as usize;
                self.scores[slots.clone()].fill(0.0);
                self.held[slots].fill(M::default());
                *touched = 0;
            }
        }
    }
}

/// Places of a window whose passages may be among the best. Whether one is cannot be foreseen, so nothing branches on it.
struct Candidates {
    slots: Box<[u16; WINDOW as usize]>,
    count: usize,
}

impl Candidates {
    fn new() -> Self {
        Self {
            slots: Box::new([0; WINDOW as usize]),
            count: 0,
        }
    }

    fn clear(&mut self) {
        self.count = 0;
    }

    fn slots(&self) -> &[u16] {
        &self.slots[..self.count]
    }

    #[inline]
    fn push_if(&mut self, holds: bool, slot: usize) {
        if let Some(room) = self.slots.get_mut(self.count) {
            *room = slot as u16;
            self.count += usize::from(holds);
        }
    }

    fn retain(&mut self, holds: impl Fn(usize) -> bool) {
        let mut kept = 0;
        for at in 0..self.count {
            let slot = self.slots[at];
            self.slots[kept] = slot;
            kept += usize::from(holds(usize::from(slot)));
        }
        self.count = kept;
    }
}

/// A segment that is gone through.
struct Going<'a> {
    weight: &'a UnionWeight,
    /// Those that score most first.
    lists: Vec<List<'a>>,
    /// What is sought of which every passage holds some: the others are asked about those passages.
    driving: u64,
    docs: DocId,
}

impl<'a> Going<'a> {
    fn new(weight: &'a UnionWeight, mut lists: Vec<List<'a>>, docs: DocId) -> Self {
        lists.sort_by(|a, b| b.max.total_cmp(&a.max).then(a.place.cmp(&b.place)));
        let mut costs = [0_u64; 64];
        for list in &lists {
            costs[list.place] += list.cost;
        }
        let bits = |bits: u64| (0..64).filter(move |place| bits & 1 << place != 0);
        // A demanded one by itself, or of the others as many of the rarest as leave too few.
        let demanded = bits(weight.demanded).min_by_key(|place| costs[*place]);
        let driving = match demanded {
            Some(place) => 1 << place,
            None => {
                let mut free: Vec<usize> = bits(weight.free).collect();
                free.sort_by_key(|place| costs[*place]);
                let rarest = (free.len() + 1).saturating_sub(weight.required.max(1) as usize);
                free.iter().take(rarest).fold(0, |bits, place| bits | 1 << place)
            }
        };
        Self {
            weight,
            lists,
            driving,
            docs,
        }
    }

    fn through<M: Marks>(mut self, threshold: Score, shown: &mut dyn FnMut(&[Holding]) -> Score) {
        let mut threshold = threshold;
        let mut holding: Vec<Holding> = Vec::with_capacity(WINDOW as usize);
        let mut window = Window::<M>::new();
        let mut candidates = Candidates::new();
        let mut essential = vec![false; self.lists.len()];
        let mut chosen_for = None;
        loop {
            if chosen_for != Some(threshold) {
                self.choose(threshold, &mut essential);
                chosen_for = Some(threshold);
            }
            let first = self.lists.iter().zip(&essential).filter(|(_, essential)| **essential);
            let first = first.map(|(list, _)| list.doc()).min().unwrap_or(TERMINATED);
            if first == TERMINATED {
                return;
            }
            window.base = first - first % WINDOW;
            let end = window.base + WINDOW;
            let mut rest = 0.0;
            for (list, essential) in self.lists.iter_mut().zip(&essential) {
                match essential {
                    true => {
                        list.skip_to(window.base);
                        list.add(&mut window, end);
                    }
                    false => rest += list.max * ROUNDING,
                }
            }
            candidates.clear();
            window.for_each_touched(|slot| candidates.push_if(window.scores[slot] + rest > threshold, slot));
            for (list, _) in self
                .lists
                .iter_mut()
                .zip(&essential)
                .filter(|(_, essential)| !**essential)
            {
                if candidates.slots().is_empty() {
                    break;
                }
                rest -= list.max * ROUNDING;
                let all = list.cost * u64::from(WINDOW) / u64::from(self.docs.max(1));
                if candidates.slots().len() as u64 * ASKING_COSTS > all {
                    list.skip_to(window.base);
                    list.add(&mut window, end);
                } else {
                    for slot in candidates.slots() {
                        let doc = window.base + DocId::from(*slot);
                        if let Some(score) = list.score_at(doc) {
                            window.add(doc, score, M::of(list.place));
                        }
                    }
                }
                candidates.retain(|slot| window.scores[slot] + rest.max(0.0) > threshold);
            }
            let found = candidates.slots().iter().map(|slot| Holding {
                doc: window.base + DocId::from(*slot),
                score: window.scores[usize::from(*slot)],
                held: window.held[usize::from(*slot)].bits(),
            });
            holding.clear();
            holding.extend(found.filter(|found| found.score > threshold && self.enough(found.held)));
            if !holding.is_empty() {
                threshold = shown(&holding);
            }
            window.clear();
        }
    }

    fn enough(&self, held: u64) -> bool {
        let weight = self.weight;
        held & weight.demanded == weight.demanded && (held & weight.free).count_ones() >= weight.required
    }

    /// Chooses lists of which every passage that may still be among the best is in one: those that drive, or those that
    /// score enough, whichever are shorter.
    fn choose(&self, threshold: Score, essential: &mut [bool]) {
        let mut reach = 0.0;
        let mut scoring = vec![true; self.lists.len()];
        for (list, scoring) in self.lists.iter().zip(&mut scoring).rev() {
            reach += list.max * ROUNDING;
            *scoring = reach > threshold;
        }
        let cost = |chosen: &dyn Fn(usize) -> bool| -> u64 {
            let lists = self.lists.iter().enumerate().filter(|(at, _)| chosen(*at));
            lists.map(|(_, list)| list.cost).sum()
        };
        let drives = |at: usize| self.driving & 1 << self.lists[at].place != 0;
        let by_score = cost(&|at| scoring[at]).cmp(&cost(&drives)) == Ordering::Less;
        for (at, essential) in essential.iter_mut().enumerate() {
            *essential = if by_score { scoring[at] } else { drives(at) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tantivy::{
        Index, Searcher, TantivyDocument,
        query::{BooleanQuery, Occur, PhraseQuery},
        schema::{Field, Schema, TEXT},
    };

    use super::*;

    /// Numbers by chance, the same in every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 33) as usize % end
        }
    }

    /// The word of a place; those before are more frequent.
    fn word(chance: &mut Chance, words: usize) -> String {
        let most = 1 + chance.below(words);
        format!("w{}", chance.below(most))
    }

    /// Three segments, each of several windows.
    fn searcher(chance: &mut Chance) -> (Searcher, Field) {
        let mut schema = Schema::builder();
        let field = schema.add_text_field("text", TEXT);
        let index = Index::create_in_ram(schema.build());
        let mut writer = index.writer_with_num_threads(1, 15 << 20).unwrap();
        writer.set_merge_policy(Box::new(tantivy::indexer::NoMergePolicy));
        for _ in 0..3 {
            for _ in 0..5_000 {
                let length = 1 + chance.below(20);
                let text: Vec<String> = (0..length).map(|_| word(chance, 60)).collect();
                let mut document = TantivyDocument::new();
                document.add_text(field, text.join(" "));
                writer.add_document(document).unwrap();
            }
            writer.commit().unwrap();
        }
        (index.reader().unwrap().searcher(), field)
    }

    fn asked(chance: &mut Chance, field: Field) -> Union {
        let mut sought = Vec::new();
        for _ in 0..1 + chance.below(5) {
            let clauses = (0..1 + chance.below(3)).map(|_| {
                let term = |chance: &mut Chance| Term::from_field_text(field, &word(chance, 70));
                match chance.below(8) {
                    0 => {
                        let terms = vec![term(chance), term(chance)];
                        Clause::Other(Arc::new(PhraseQuery::new(terms.clone())), terms)
                    }
                    boost => Clause::Term(term(chance), boost as Score / 4.0),
                }
            });
            let clauses = clauses.collect();
            sought.push(Sought {
                clauses,
                demanded: chance.below(6) == 0,
            });
        }
        let of = |sought: &Sought| -> Box<dyn Query> {
            let clauses = sought.clauses.iter().map(|clause| (Occur::Should, clause.query()));
            Box::new(BooleanQuery::new(clauses.collect()))
        };
        let free = sought.iter().filter(|sought| !sought.demanded);
        let free: Vec<_> = free.map(|sought| (Occur::Should, of(sought))).collect();
        let required = match free.len() {
            0 => 0,
            count => 1 + chance.below(count),
        };
        let demanded = sought.iter().filter(|sought| sought.demanded);
        let mut must: Vec<(Occur, Box<dyn Query>)> = demanded.map(|sought| (Occur::Must, of(sought))).collect();
        if required > 0 {
            let free = BooleanQuery::with_minimum_required_clauses(free, required);
            must.push((Occur::Must, Box::new(free)));
        }
        Union {
            sought,
            required,
            same: Arc::new(BooleanQuery::new(must)),
        }
    }

    /// All that tantivy finds, best first.
    fn exhaustive(union: &Union, searcher: &Searcher) -> Vec<(Score, u32, DocId)> {
        let weight = union
            .same
            .weight(EnableScoring::enabled_from_searcher(searcher))
            .unwrap();
        let mut found = Vec::new();
        for (segment, reader) in (0..).zip(searcher.segment_readers()) {
            weight
                .for_each(reader, &mut |doc, score| found.push((score, segment, doc)))
                .unwrap();
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        found
    }

    fn best(union: &Union, searcher: &Searcher, count: usize) -> Vec<(Score, u32, DocId)> {
        let weight = union.among(searcher).unwrap();
        let mut found: Vec<(Score, u32, DocId)> = Vec::new();
        let threshold = Cell::new(Score::MIN);
        for (segment, reader) in (0..).zip(searcher.segment_readers()) {
            let mut shown = |some: &[Holding]| {
                for Holding { doc, score, held } in some.iter().copied() {
                    assert!(held != 0 && score > threshold.get());
                    found.push((score, segment, doc));
                }
                found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
                found.truncate(count);
                if found.len() == count {
                    threshold.set(found[count - 1].0);
                }
                threshold.get()
            };
            weight.through(threshold.get(), segment, reader, &mut shown).unwrap();
        }
        found
    }

    #[test]
    fn the_best_are_those_of_all() {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let (searcher, field) = searcher(&mut chance);
        let mut matched = 0;
        for round in 0..150 {
            let union = asked(&mut chance, field);
            let all = exhaustive(&union, &searcher);
            matched += usize::from(!all.is_empty());
            for count in [1, 10, 100] {
                let best = best(&union, &searcher, count);
                let wanted = &all[..count.min(all.len())];
                assert_eq!(best.len(), wanted.len(), "round {round}: {union:?}");
                // Sums of floats differ by the order in which they are added up, and so may which of equals come first.
                for (found, wanted) in best.iter().zip(wanted) {
                    let near = (found.0 - wanted.0).abs() <= wanted.0.abs() * 1e-4;
                    assert!(
                        near,
                        "round {round}, {count} of {}: {found:?}, not {wanted:?}; {union:?}",
                        all.len()
                    );
                }
            }
        }
        assert!(matched > 100, "only {matched} questions found anything");
    }

    #[test]
    fn without_a_bound_all_are_shown_once_and_in_their_order() {
        let mut chance = Chance(88_172_645_463_325_252);
        let (searcher, field) = searcher(&mut chance);
        for _ in 0..60 {
            let union = asked(&mut chance, field);
            let weight = union.among(&searcher).unwrap();
            let same = union
                .same
                .weight(EnableScoring::enabled_from_searcher(&searcher))
                .unwrap();
            for (segment, reader) in (0..).zip(searcher.segment_readers()) {
                let mut wanted = Vec::new();
                same.for_each(reader, &mut |doc, _| wanted.push(doc)).unwrap();
                let mut found = Vec::new();
                let mut shown = |some: &[Holding]| {
                    found.extend(some.iter().map(|holding| holding.doc));
                    Score::MIN
                };
                weight.through(Score::MIN, segment, reader, &mut shown).unwrap();
                assert_eq!(found, wanted, "{union:?}");
            }
        }
    }
}
