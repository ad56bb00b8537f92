//! Given a query, counts the documents that match, by space, kind, person, label and day, and gives the newest of them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

use domain::{
    AccountId, SpaceId,
    hit::{DAYS_MAX, DayCount, Facets, PersonCount, SpaceCount},
};
use tantivy::{
    COLLECT_BLOCK_BUFFER_LEN, DocAddress, DocSet, Searcher, TantivyError,
    columnar::StrColumn,
    query::{EnableScoring, Query},
};

use super::{facets::divided, fields, gate::Gate};

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

/// Counts documents up to `counted_max`, and keeps as many of the newest as asked for.
pub fn counted(
    searcher: &Searcher,
    query: &dyn Query,
    gate: &Gate,
    counted_max: u64,
    newest_wanted: usize,
) -> tantivy::Result<Counted> {
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    let mut seen: HashSet<u64, BuildHasherDefault<AsIs>> = HashSet::default();
    let mut newest: BinaryHeap<Reverse<Newest>> = BinaryHeap::new();
    let mut counts = [const { BTreeMap::<String, u64>::new() }; 4];
    let mut days = Days::default();
    let mut more = false;
    for (segment, reader) in searcher.segment_readers().iter().enumerate() {
        if more {
            break;
        }
        let columns = reader.fast_fields();
        let hashes = columns.u64(fields::DOCUMENT_HASH)?.first_or_default_col(0);
        let modified = columns.i64(fields::MODIFIED)?.first_or_default_col(0);
        let mut counters = [fields::SPACE_FACET, fields::KIND, fields::PERSON_FACET, fields::LABEL]
            .map(|field| columns.str(field).map(|column| column.map(Counter::of)));
        let mut scorer = weight.scorer(reader, 1.0)?;
        let mut docs = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut last = None;
        'segment: loop {
            let filled = scorer.fill_buffer(&mut docs);
            for doc in docs[..filled].iter().copied().filter(|doc| gate.opens(segment, *doc)) {
                let hash = hashes.get_val(doc);
                // A document's passages stand beside each other.
                if last == Some(hash) {
                    continue;
                }
                last = Some(hash);
                if seen.len() as u64 == counted_max && !seen.contains(&hash) {
                    more = true;
                    break 'segment;
                }
                if !seen.insert(hash) {
                    continue;
                }
                // Every passage of a document has the same values: the first one counts for all.
                for counter in counters.iter_mut().flatten().flatten() {
                    counter.count(doc);
                }
                let modified = modified.get_val(doc);
                days.count(modified);
                if newest_wanted > 0 {
                    let place = DocAddress::new(segment as u32, doc);
                    newest.push(Reverse((modified, Reverse(hash), place)));
                    if newest.len() > newest_wanted {
                        newest.pop();
                    }
                }
            }
            if filled < docs.len() {
                break;
            }
        }
        for (counter, counts) in counters.into_iter().zip(&mut counts) {
            if let Some(counter) = counter? {
                counter.add_to(counts)?;
            }
        }
    }
    let [spaces, kinds, people, labels] = counts;
    Ok(Counted {
        documents: seen.len() as u64,
        more,
        facets: Facets {
            spaces: space_counts(spaces),
            kinds: word_counts(kinds),
            people: person_counts(people),
            labels: word_counts(labels),
            days: days.newest_first(),
        },
        newest: newest
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(newest)| newest)
            .collect(),
    })
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
    counts: Vec<u64>,
}

impl Counter {
    fn of(column: StrColumn) -> Self {
        let counts = vec![0; column.num_terms()];
        Self { column, counts }
    }

    fn count(&mut self, doc: u32) {
        for ord in self.column.term_ords(doc) {
            if let Some(count) = usize::try_from(ord).ok().and_then(|ord| self.counts.get_mut(ord)) {
                *count += 1;
            }
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
struct Days(HashMap<i64, u64>);

impl Days {
    fn count(&mut self, modified_ms: i64) {
        *self.0.entry(modified_ms.div_euclid(DAY_MS)).or_default() += 1;
    }

    fn newest_first(self) -> Vec<DayCount> {
        let counts = self.0.into_iter().map(|(day, documents)| DayCount { day, documents });
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
