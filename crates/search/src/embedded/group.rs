//! Given a query, counts the documents that match, by space, kind, person, label and day, and gives the newest of them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use domain::{
    AccountId, SpaceId,
    hit::{DAYS_MAX, DayCount, Facets, PersonCount, SpaceCount},
};
use tantivy::{
    COLLECT_BLOCK_BUFFER_LEN, DocAddress, DocId, DocSet, Searcher, TantivyError,
    columnar::{Cardinality, ColumnValues, StrColumn},
    query::{EnableScoring, Query},
};

use super::{columns::Columns, facets::divided, fields, gate::Gate};

/// The most values of one facet.
const VALUES_MAX: usize = 50;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Documents that matched.
pub struct Counted {
    pub documents: u64,
    /// There are more than were counted.
    pub more: bool,
    pub facets: Facets,
    /// The newest ones, newest first, each by its first passage that matches; as many as were asked for.
    pub newest: Vec<Newest>,
}

/// When a document was modified, and where its first matching passage is.
pub type Newest = (i64, Reverse<u64>, DocAddress);

/// Counts the documents that match a query, up to `counted_max`, and keeps as many of the newest as asked for.
pub fn counted(
    searcher: &Searcher,
    columns: &[Arc<Columns>],
    query: &dyn Query,
    gate: &Gate,
    counted_max: u64,
    newest_wanted: usize,
) -> tantivy::Result<Counted> {
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    let mut counting = Counting::new(counted_max, newest_wanted);
    for (segment, reader) in searcher.segment_readers().iter().enumerate() {
        if counting.more {
            break;
        }
        let mut scorer = weight.scorer(reader, 1.0)?;
        let mut docs = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut going_on = true;
        while going_on {
            let filled = scorer.fill_buffer(&mut docs);
            let opened = docs[..filled].iter().copied().filter(|doc| gate.opens(segment, *doc));
            let opened: Vec<DocId> = opened.collect();
            going_on = counting.see(segment as u32, &columns[segment], &opened)? && filled == docs.len();
        }
    }
    counting.done()
}

/// Documents that are being counted, passage by passage, each segment's in their order.
pub struct Counting {
    counted_max: u64,
    newest_wanted: usize,
    seen: HashSet<u64, BuildHasherDefault<AsIs>>,
    /// There are more than are counted.
    pub more: bool,
    newest: BinaryHeap<Reverse<Newest>>,
    counts: [BTreeMap<String, u64>; 4],
    days: Days,
    segment: Option<Segment>,
    room: Room,
}

/// What is counted at once: kept to be filled again and again.
#[derive(Default)]
struct Room {
    hashes: Vec<u64>,
    /// The first of each document that was not seen before.
    firsts: Vec<DocId>,
    /// Their documents.
    own: Vec<u64>,
    modified: Vec<i64>,
    ords: Vec<u64>,
}

/// For so many documents there is room before they are counted.
const ROOM: u64 = 10_000;

/// The columns of the segment that is gone through.
struct Segment {
    ord: u32,
    columns: Arc<Columns>,
    counters: [Option<Counter>; 4],
    last: Option<u64>,
}

impl Counting {
    pub fn new(counted_max: u64, newest_wanted: usize) -> Self {
        Self {
            counted_max,
            newest_wanted,
            seen: HashSet::with_capacity_and_hasher(counted_max.min(ROOM) as usize, Default::default()),
            more: false,
            newest: BinaryHeap::new(),
            counts: [const { BTreeMap::new() }; 4],
            days: Days::default(),
            segment: None,
            room: Room::default(),
        }
    }

    /// Counts the documents of these passages, which stand in their order; false when there are more than are counted.
    pub fn see(&mut self, ord: u32, columns: &Arc<Columns>, docs: &[DocId]) -> tantivy::Result<bool> {
        let segment = match &mut self.segment {
            Some(segment) if segment.ord == ord => segment,
            _ => {
                self.close()?;
                self.segment.insert(Segment::of(ord, columns))
            }
        };
        let Room {
            hashes,
            firsts,
            own,
            modified,
            ords,
        } = &mut self.room;
        hashes.resize(docs.len(), 0);
        segment.columns.hashes.get_vals(docs, hashes);
        // Every passage of a document has the same values: the first one counts for all.
        firsts.clear();
        own.clear();
        for (doc, hash) in docs.iter().zip(hashes.iter().copied()) {
            // A document's passages stand beside each other.
            if segment.last == Some(hash) {
                continue;
            }
            segment.last = Some(hash);
            if self.seen.len() as u64 == self.counted_max && !self.seen.contains(&hash) {
                self.more = true;
                break;
            }
            if self.seen.insert(hash) {
                firsts.push(*doc);
                own.push(hash);
            }
        }
        for counter in segment.counters.iter_mut().flatten() {
            counter.count(firsts, ords);
        }
        modified.resize(firsts.len(), 0);
        segment.columns.modified.get_vals(firsts, modified);
        for ((doc, hash), modified) in firsts.iter().zip(own).zip(modified) {
            self.days.count(*modified);
            if self.newest_wanted > 0 {
                let newest = (*modified, Reverse(*hash), DocAddress::new(ord, *doc));
                self.newest.push(Reverse(newest));
                if self.newest.len() > self.newest_wanted {
                    self.newest.pop();
                }
            }
        }
        Ok(!self.more)
    }

    fn close(&mut self) -> tantivy::Result<()> {
        if let Some(segment) = self.segment.take() {
            for (counter, counts) in segment.counters.into_iter().zip(&mut self.counts) {
                if let Some(counter) = counter {
                    counter.add_to(counts)?;
                }
            }
        }
        Ok(())
    }

    pub fn done(mut self) -> tantivy::Result<Counted> {
        self.close()?;
        let [spaces, kinds, people, labels] = self.counts;
        let newest = self.newest.into_sorted_vec().into_iter();
        Ok(Counted {
            documents: self.seen.len() as u64,
            more: self.more,
            facets: Facets {
                spaces: space_counts(spaces),
                kinds: word_counts(kinds),
                people: person_counts(people),
                labels: word_counts(labels),
                days: self.days.newest_first(),
            },
            newest: newest.map(|Reverse(newest)| newest).collect(),
        })
    }
}

impl Segment {
    fn of(ord: u32, columns: &Arc<Columns>) -> Self {
        Self {
            ord,
            columns: columns.clone(),
            counters: columns.facets.clone().map(|column| column.map(Counter::of)),
            last: None,
        }
    }
}

/// Every document of which a passage matches.
pub fn hashes(searcher: &Searcher, query: &dyn Query) -> tantivy::Result<HashSet<u64, BuildHasherDefault<AsIs>>> {
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    let mut found = HashSet::default();
    for reader in searcher.segment_readers() {
        let hashes = reader.fast_fields().u64(fields::DOCUMENT_HASH)?.first_or_default_col(0);
        let alive = reader.alive_bitset();
        weight.for_each_no_score(reader, &mut |docs| {
            let alive = docs
                .iter()
                .filter(|doc| alive.is_none_or(|alive| alive.is_alive(**doc)));
            found.extend(alive.map(|doc| hashes.get_val(*doc)));
        })?;
    }
    Ok(found)
}

/// Counts the values of a column by their place in its dictionary.
struct Counter {
    column: StrColumn,
    /// Where every passage has one value.
    single: Option<Arc<dyn ColumnValues<u64>>>,
    counts: Vec<u64>,
}

impl Counter {
    fn of(column: StrColumn) -> Self {
        let single = column.ords().get_cardinality() == Cardinality::Full;
        Self {
            counts: vec![0; column.num_terms()],
            single: single.then(|| column.ords().values.clone()),
            column,
        }
    }

    fn count(&mut self, docs: &[DocId], ords: &mut Vec<u64>) {
        let counts = &mut self.counts;
        let mut add = |ord: u64| {
            if let Some(count) = usize::try_from(ord).ok().and_then(|ord| counts.get_mut(ord)) {
                *count += 1;
            }
        };
        match &self.single {
            Some(values) => {
                ords.resize(docs.len(), 0);
                values.get_vals(docs, ords);
                ords.iter().copied().for_each(add);
            }
            None => docs
                .iter()
                .for_each(|doc| self.column.term_ords(*doc).for_each(&mut add)),
        }
    }

    fn add_to(self, all: &mut BTreeMap<String, u64>) -> tantivy::Result<()> {
        for (ord, count) in (0..).zip(self.counts).filter(|(_, count)| *count > 0) {
            let mut value = String::new();
            self.column.ord_to_str(ord, &mut value).map_err(TantivyError::from)?;
            *all.entry(value).or_default() += count;
        }
        Ok(())
    }
}

/// Counts documents by the day of their last modification.
#[derive(Default)]
struct Days(HashMap<u64, u64, BuildHasherDefault<AsIs>>);

impl Days {
    fn count(&mut self, modified_ms: i64) {
        *self
            .0
            .entry(modified_ms.div_euclid(DAY_MS).cast_unsigned())
            .or_default() += 1;
    }

    fn newest_first(self) -> Vec<DayCount> {
        let counts = self.0.into_iter().map(|(day, documents)| DayCount {
            day: day.cast_signed(),
            documents,
        });
        let mut days: Vec<DayCount> = counts.collect();
        days.sort_unstable_by_key(|count| Reverse(count.day));
        days.truncate(DAYS_MAX);
        days
    }
}

fn word_counts(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    most_first(
        counts.into_iter().collect(),
        |(_, count)| *count,
        |(word, _)| word.clone(),
    )
}

/// The same space under an older name (its documents are not all indexed anew yet) is one space.
fn space_counts(counts: BTreeMap<String, u64>) -> Vec<SpaceCount> {
    let mut spaces: BTreeMap<String, SpaceCount> = BTreeMap::new();
    for (value, documents) in counts {
        let [id, key, name] = divided(&value)[..] else { continue };
        let new = || SpaceCount {
            space: SpaceId::new(id),
            key: key.to_owned(),
            name: name.to_owned(),
            documents: 0,
        };
        spaces.entry(id.to_owned()).or_insert_with(new).documents += documents;
    }
    most_first(
        spaces.into_values().collect(),
        |space| space.documents,
        |space| space.key.clone(),
    )
}

fn person_counts(counts: BTreeMap<String, u64>) -> Vec<PersonCount> {
    let mut people: BTreeMap<String, PersonCount> = BTreeMap::new();
    for (value, documents) in counts {
        let [account, name] = divided(&value)[..] else { continue };
        let new = || PersonCount {
            account: AccountId::new(account),
            name: name.to_owned(),
            documents: 0,
        };
        people.entry(account.to_owned()).or_insert_with(new).documents += documents;
    }
    most_first(
        people.into_values().collect(),
        |person| person.documents,
        |person| person.name.clone(),
    )
}

fn most_first<T>(mut values: Vec<T>, count: impl Fn(&T) -> u64, name: impl Fn(&T) -> String) -> Vec<T> {
    values.sort_by(|a, b| count(b).cmp(&count(a)).then_with(|| name(a).cmp(&name(b))));
    values.truncate(VALUES_MAX);
    values
}

/// A key that is a hash already.
#[derive(Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(*byte))
        });
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
