//! Given what is looked for, gives the best passages: first the thousand or so whose words score highest, then those again
//! in the light of all that is known about them.
//!
//! A passage's score is BM25 of its words, times one factor for each signal. Every factor is near one and bounded, so that
//! no signal can bring up what the words do not: docs/dev/relevance.md tells what each of them is worth.

use std::{cmp::Ordering, collections::BinaryHeap, sync::Arc};

use domain::hit::Explanation;
use tantivy::{
    DocAddress, DocId, DocSet, Score, Searcher, SeekDangerResult, TERMINATED, TantivyError,
    fieldnorm::FieldNormReader,
    query::{BoostQuery, EnableScoring, PhraseQuery, Query, Scorer, Weight},
};

use super::{
    columns::Columns,
    fields::{self, Fields},
    gate::Gate,
    group::Counting,
    likeness::Likeness,
    linked::{COUNTED_MAX, Linked},
    needles::{Needles, terms},
    union::{Holding, Union},
};

/// What a title adds that holds all words and nothing else.
const TITLE: Score = 0.5;
/// What pairs of words add that stand together as typed, when all do.
const TOGETHER: Score = 0.25;
/// How far apart they may stand.
const TOGETHER_SLOP: u32 = 2;
/// The most pairs that are looked at: the first ones of a long question.
const PAIRS_MAX: usize = 8;
/// How much a passage loses that lacks words: its share of what the words weigh, to this power.
const COVERAGE_POWER: Score = 0.1;
/// What a document adds that was written just now, measured at the newest one of the index.
const RECENCY: Score = 0.1;
/// After so many days it adds half of it.
const RECENCY_HALF_LIFE_DAYS: f32 = 365.0;
/// What a document at the top of its space adds; one below a page adds half, and so on.
const PLACE: Score = 0.05;
/// What a comment or a file has of its score: the page that it belongs to stands above it.
const BELONGING: Score = 0.85;
/// What a document adds that [`COUNTED_MAX`] others link to, or more; each doubling of them adds the same.
const LINKS: Score = 0.1;
/// The most that recency and place make of a score.
const STANDING_MAX: Score = (1.0 + RECENCY) * (1.0 + PLACE);
const DAY_MS: f32 = 86_400_000.0;

/// A passage that was found.
#[derive(Clone, Debug)]
pub struct Ranked {
    pub passage: DocAddress,
    /// Of its document.
    pub hash: u64,
    pub text_hash: u64,
    /// What its document's text is like.
    pub likeness: Likeness,
    /// By their places, the words that it holds, and those that are in its title.
    pub held: u64,
    pub titled: u64,
    pub modified: i64,
    pub score: Score,
    pub explanation: Explanation,
}

impl Ranked {
    /// What recency and place make of what meaning gives, at most one, and links of that.
    pub fn standing(&self) -> Score {
        self.explanation.recency * self.explanation.place / STANDING_MAX * self.explanation.links
    }
}

/// A passage and what its words score.
struct Candidate {
    passage: DocAddress,
    words: Score,
    /// By their places, which of the words it holds; none when it was not looked at.
    held: Option<u64>,
}

/// As what must go first of several: the worst, and of equals the one that stands last.
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let worse = other.words.total_cmp(&self.words);
        worse.then(self.passage.cmp(&other.passage))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// What passages are looked at in.
pub struct Ground<'a> {
    pub searcher: &'a Searcher,
    /// Of each segment.
    pub columns: Vec<Arc<Columns>>,
    pub fields: &'a Fields,
    pub linked: Linked<'a>,
}

/// The passages that score highest by their words, at most `count`, each with all its signals, best first by words.
/// Documents of all that match are counted, as far as they are to be.
pub fn best_passages(
    ground: &Ground<'_>,
    needles: &Needles,
    query: &dyn Query,
    gate: &Gate,
    count: usize,
    counting: Option<&mut Counting>,
) -> tantivy::Result<Vec<Ranked>> {
    let candidates = candidates(ground, query, gate, count, counting)?;
    with_signals(ground, needles, &candidates)
}

/// Passages with what their words score, each with all its signals, in their order.
pub fn looked_at(
    ground: &Ground<'_>,
    needles: &Needles,
    passages: &[(DocAddress, Score)],
) -> tantivy::Result<Vec<Ranked>> {
    let candidates = passages.iter().map(|(passage, words)| Candidate {
        passage: *passage,
        words: *words,
        held: None,
    });
    with_signals(ground, needles, &candidates.collect::<Vec<_>>())
}

fn with_signals(ground: &Ground<'_>, needles: &Needles, candidates: &[Candidate]) -> tantivy::Result<Vec<Ranked>> {
    let signals = Signals::of(ground, needles)?;
    let mut places: Vec<usize> = (0..candidates.len()).collect();
    places.sort_unstable_by_key(|place| candidates[*place].passage);
    let mut ranked: Vec<Option<Ranked>> = vec![None; candidates.len()];
    for group in places.chunk_by(|a, b| candidates[*a].passage.segment_ord == candidates[*b].passage.segment_ord) {
        let segment = candidates[group[0]].passage.segment_ord;
        let asking = group.iter().any(|place| candidates[*place].held.is_none());
        let mut looking = signals.looking(segment, asking)?;
        for place in group {
            ranked[*place] = Some(looking.at(&candidates[*place]));
        }
    }
    Ok(ranked.into_iter().flatten().collect())
}

fn candidates(
    ground: &Ground<'_>,
    query: &dyn Query,
    gate: &Gate,
    count: usize,
    counting: Option<&mut Counting>,
) -> tantivy::Result<Vec<Candidate>> {
    let searcher = ground.searcher;
    let mut choosing = Choosing {
        columns: &ground.columns,
        gate,
        count,
        best: BinaryHeap::with_capacity(count + 1),
        counting: counting.filter(|counting| !counting.more),
        docs: Vec::new(),
        failed: None,
    };
    let union = query.downcast_ref::<Union>();
    let union = union.map(|union| union.among(searcher)).transpose()?;
    let other = match union {
        Some(_) => None,
        None => Some(query.weight(EnableScoring::enabled_from_searcher(searcher))?),
    };
    for (segment, reader) in (0..).zip(searcher.segment_readers()) {
        let threshold = choosing.threshold();
        if let Some(union) = &union {
            union.through(threshold, segment, reader, &mut |some| choosing.see_all(segment, some))?;
        }
        if let Some(weight) = &other {
            weight.for_each_pruning(threshold, reader, &mut |doc, words| choosing.see(segment, doc, words))?;
        }
    }
    match choosing.failed {
        Some(error) => Err(error),
        None => Ok(choosing.best.into_sorted_vec()),
    }
}

/// The best of the passages seen so far.
struct Choosing<'a> {
    columns: &'a [Arc<Columns>],
    gate: &'a Gate,
    count: usize,
    /// The worst of them first.
    best: BinaryHeap<Candidate>,
    /// Until all that are to be counted were.
    counting: Option<&'a mut Counting>,
    /// The passages that are to be counted at once.
    docs: Vec<DocId>,
    failed: Option<TantivyError>,
}

impl Choosing<'_> {
    /// What a passage must score more than to be looked at.
    fn threshold(&self) -> Score {
        match (&self.counting, self.best.peek()) {
            (None, Some(worst)) if self.best.len() >= self.count => worst.words,
            _ => Score::MIN,
        }
    }

    /// Those of some passages that the gate lets through, in their order.
    fn see_all(&mut self, segment: u32, some: &[Holding]) -> Score {
        let (gate, open) = (self.gate, self.gate.is_open(segment as usize));
        let opens = |holding: &&Holding| open || gate.opens(segment as usize, holding.doc);
        if self.counting.is_some() {
            let mut docs = std::mem::take(&mut self.docs);
            docs.clear();
            docs.extend(some.iter().filter(opens).map(|holding| holding.doc));
            self.count(segment, &docs);
            self.docs = docs;
        }
        for holding in some.iter().filter(opens) {
            self.choose(segment, holding.doc, holding.score, Some(holding.held));
        }
        self.threshold()
    }

    fn see(&mut self, segment: u32, doc: DocId, words: Score) -> Score {
        if self.gate.opens(segment as usize, doc) {
            self.count(segment, &[doc]);
            self.choose(segment, doc, words, None);
        }
        self.threshold()
    }

    fn count(&mut self, segment: u32, docs: &[DocId]) {
        if let Some(counting) = &mut self.counting {
            match counting.see(segment, &self.columns[segment as usize], docs) {
                Ok(true) => {}
                Ok(false) => self.counting = None,
                Err(error) => {
                    self.counting = None;
                    self.failed = Some(error);
                }
            }
        }
    }

    fn choose(&mut self, segment: u32, doc: DocId, words: Score, held: Option<u64>) {
        let full = self.best.len() >= self.count;
        if !full || self.best.peek().is_none_or(|worst| words > worst.words) {
            let passage = DocAddress::new(segment, doc);
            self.best.push(Candidate { passage, words, held });
            if full {
                self.best.pop();
            }
        }
    }
}

/// A word's weight among all that were asked for, where it is at all, and where it is in titles.
type Word = (Score, Box<dyn Weight>, Box<dyn Weight>);

/// What is looked at of each candidate.
struct Signals<'a> {
    ground: &'a Ground<'a>,
    words: Vec<Word>,
    pairs: Vec<Box<dyn Weight>>,
    newest: i64,
}

impl<'a> Signals<'a> {
    fn of(ground: &'a Ground<'_>, needles: &Needles) -> tantivy::Result<Self> {
        let (searcher, fields) = (ground.searcher, ground.fields);
        let scoring = EnableScoring::disabled_from_searcher(searcher);
        let all = searcher.num_docs() as Score;
        let mut words = Vec::with_capacity(needles.words.len());
        for needle in &needles.words {
            let passages = needle.passages(fields, searcher)? as Score;
            let rarity = (1.0 + (all - passages).max(0.0) / (passages + 0.5)).ln();
            let anywhere = tantivy::query::BooleanQuery::union(needle.clauses(fields));
            words.push((
                rarity.max(0.1),
                anywhere.weight(scoring)?,
                needle.in_title(fields).weight(scoring)?,
            ));
        }
        let total: Score = words.iter().map(|(rarity, ..)| rarity).sum();
        words.iter_mut().for_each(|(rarity, ..)| *rarity /= total);
        let mut pairs = Vec::new();
        for pair in needles.words.windows(2).take(PAIRS_MAX) {
            let written: Vec<String> = pair.iter().flat_map(|needle| needle.parts.clone()).collect();
            let mut phrase = PhraseQuery::new(terms(fields.words, &written));
            phrase.set_slop(TOGETHER_SLOP);
            pairs.push(BoostQuery::new(Box::new(phrase), 1.0).weight(scoring)?);
        }
        let newest = ground.columns.iter().map(|columns| columns.modified.max_value()).max();
        Ok(Self {
            ground,
            words,
            pairs,
            newest: newest.unwrap_or(i64::MIN),
        })
    }

    /// Whether passages hold the words is asked only where it is not known.
    fn looking(&self, segment: u32, asking: bool) -> tantivy::Result<Looking<'_>> {
        let reader = self.ground.searcher.segment_reader(segment);
        let probe = |weight: &dyn Weight| weight.scorer(reader, 1.0).map(Probe::new);
        let mut words = Vec::with_capacity(self.words.len());
        for (share, anywhere, in_title) in &self.words {
            let anywhere = asking.then(|| probe(&**anywhere)).transpose()?;
            words.push((*share, anywhere, probe(&**in_title)?));
        }
        Ok(Looking {
            signals: self,
            words,
            pairs: self.pairs.iter().map(|pair| probe(&**pair)).collect::<Result<_, _>>()?,
            title_length: reader.get_fieldnorms_reader(self.ground.fields.title)?,
            columns: &self.ground.columns[segment as usize],
        })
    }
}

/// The signals of one segment, whose candidates are looked at in their order.
struct Looking<'a> {
    signals: &'a Signals<'a>,
    words: Vec<(Score, Option<Probe>, Probe)>,
    pairs: Vec<Probe>,
    title_length: FieldNormReader,
    columns: &'a Columns,
}

impl Looking<'_> {
    fn at(&mut self, candidate: &Candidate) -> Ranked {
        let doc = candidate.passage.doc_id;
        let (mut covered, mut titled, mut in_title) = (0.0, 0.0, 0.0);
        let (mut words, mut title_words) = (0, 0);
        let mut held = candidate.held.unwrap_or(0);
        for (place, (share, anywhere, title)) in self.words.iter_mut().enumerate() {
            if let (None, Some(anywhere)) = (candidate.held, anywhere) {
                held |= u64::from(anywhere.is_at(doc)) << place;
            }
            if held & 1 << place == 0 {
                continue;
            }
            covered += *share;
            words |= 1 << place;
            // What stands in the title stands in the words of all places.
            if title.is_at(doc) {
                titled += *share;
                title_words |= 1 << place;
                in_title += 1.0;
            }
        }
        let mut together = 0.0;
        for (place, pair) in self.pairs.iter_mut().enumerate() {
            if held & 3 << place == 3 << place && pair.is_at(doc) {
                together += 1.0;
            }
        }
        let together: Score = together / self.signals.pairs.len().max(1) as Score;
        let length = self.title_length.fieldnorm(doc).max(1) as Score;
        let tight = (in_title / length).min(1.0).sqrt();
        let modified = self.columns.modified.get_val(doc);
        let age_days = (self.signals.newest.saturating_sub(modified)) as f32 / DAY_MS;
        let place = match self.columns.depths.get_val(doc) {
            fields::DEPTH_OF_BELONGING => BELONGING,
            depth => 1.0 + PLACE * 0.5_f32.powi(depth.min(32) as i32),
        };
        let hash = self.columns.hashes.get_val(doc);
        let first = self.first(doc, hash);
        let links = self
            .signals
            .ground
            .linked
            .count(hash, self.columns.title_keys.get_val(first));
        let explanation = Explanation {
            words: candidate.words,
            title: 1.0 + TITLE * titled * tight,
            together: 1.0 + TOGETHER * together,
            coverage: match self.words.is_empty() {
                true => 1.0,
                false => covered.clamp(0.01, 1.0).powf(COVERAGE_POWER),
            },
            recency: 1.0 + RECENCY * 0.5_f32.powf(age_days / RECENCY_HALF_LIFE_DAYS),
            place,
            links: 1.0 + LINKS * (1.0 + links as Score).log2() / (1.0 + COUNTED_MAX as Score).log2(),
            fusion: None,
        };
        Ranked {
            passage: candidate.passage,
            hash,
            text_hash: self.columns.text_hashes.get_val(doc),
            likeness: Likeness::of_bits(self.columns.likeness.values_for_doc(first)),
            held: words,
            titled: title_words,
            modified,
            score: explanation.score(),
            explanation,
        }
    }
}

impl Looking<'_> {
    /// The first passage of this one's document: what is the whole document's stands with it.
    fn first(&self, doc: DocId, hash: u64) -> DocId {
        let before = DocId::try_from(self.columns.before.get_val(doc)).unwrap_or(DocId::MAX);
        match doc.checked_sub(before) {
            Some(first) if self.columns.hashes.get_val(first) == hash => first,
            _ => doc,
        }
    }
}

/// Asks a scorer about one passage after another, in their order.
struct Probe {
    scorer: Box<dyn Scorer>,
    /// The next passage that it may hold, and whether it does.
    next: DocId,
    sure: bool,
}

impl Probe {
    fn new(scorer: Box<dyn Scorer>) -> Self {
        let next = scorer.doc();
        Self {
            scorer,
            next,
            sure: true,
        }
    }

    fn is_at(&mut self, doc: DocId) -> bool {
        if self.next > doc || self.next == TERMINATED {
            return false;
        }
        if self.next < doc || !self.sure {
            (self.next, self.sure) = match self.scorer.seek_danger(doc) {
                SeekDangerResult::Found => (doc, true),
                // A bound, and perhaps no passage: it is asked again when the candidates come to it.
                SeekDangerResult::SeekLowerBound(next) => (next, false),
            };
        }
        self.next == doc
    }
}

impl Ranked {
    /// A passage that is not ranked by anything.
    pub fn plain(passage: DocAddress, hash: u64, score: Score) -> Self {
        let explanation = Explanation {
            words: score,
            ..Explanation::default()
        };
        Self {
            passage,
            hash,
            text_hash: 0,
            likeness: Likeness::default(),
            held: 0,
            titled: 0,
            modified: 0,
            score,
            explanation,
        }
    }
}
