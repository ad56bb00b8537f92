//! Given a query, gives the documents that match, each with its best passage, and counts them by space, kind and person.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

use domain::{
    AccountId, SpaceId,
    hit::{Facets, PersonCount, SpaceCount},
    query::Sort,
};
use tantivy::{
    DocAddress, Score, Searcher, TantivyError,
    columnar::StrColumn,
    query::{EnableScoring, Query},
};

use super::{facets::divided, fields};

/// The most values of one facet.
const VALUES_MAX: usize = 50;

/// A document and its best passage.
pub struct Best {
    pub passage: DocAddress,
    pub score: Score,
    modified: i64,
    hash: u64,
}

pub struct Grouped {
    /// All of them, best first.
    pub documents: Vec<Best>,
    pub facets: Facets,
}

/// The documents that match `query` and of which no passage matches `excluding`.
pub fn grouped(
    searcher: &Searcher,
    query: &dyn Query,
    excluding: Option<&dyn Query>,
    sort: Sort,
) -> tantivy::Result<Grouped> {
    let excluded = match excluding {
        Some(query) => hashes(searcher, query)?,
        None => HashSet::default(),
    };
    let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
    let mut documents: Vec<Best> = Vec::new();
    let mut places: HashMap<u64, usize, BuildHasherDefault<AsIs>> = HashMap::default();
    let mut counts = [const { BTreeMap::<String, u64>::new() }; 3];
    for (segment, reader) in (0..).zip(searcher.segment_readers()) {
        let columns = reader.fast_fields();
        let hashes = columns.u64(fields::DOCUMENT_HASH)?.first_or_default_col(0);
        let modified = columns.i64(fields::MODIFIED)?.first_or_default_col(0);
        let mut counters = [fields::SPACE_FACET, fields::KIND, fields::PERSON_FACET]
            .map(|field| columns.str(field).map(|column| column.map(Counter::of)));
        let alive = reader.alive_bitset();
        weight.for_each(reader, &mut |doc, score| {
            if alive.is_some_and(|alive| !alive.is_alive(doc)) {
                return;
            }
            let hash = hashes.get_val(doc);
            if excluded.contains(&hash) {
                return;
            }
            let passage = DocAddress::new(segment, doc);
            match places.get(&hash) {
                Some(place) => {
                    let best = &mut documents[*place];
                    if score > best.score {
                        (best.score, best.passage) = (score, passage);
                    }
                }
                None => {
                    places.insert(hash, documents.len());
                    documents.push(Best {
                        passage,
                        score,
                        modified: modified.get_val(doc),
                        hash,
                    });
                    // Every passage of a document has the same values: the first one counts for all.
                    for counter in counters.iter_mut().flatten().flatten() {
                        counter.count(doc);
                    }
                }
            }
        })?;
        for (counter, counts) in counters.into_iter().zip(&mut counts) {
            if let Some(counter) = counter? {
                counter.add_to(counts)?;
            }
        }
    }
    let by_score = |a: &Best, b: &Best| b.score.total_cmp(&a.score);
    let newest = |a: &Best, b: &Best| b.modified.cmp(&a.modified);
    documents.sort_unstable_by(|a, b| {
        let order = match sort {
            Sort::Relevance => by_score(a, b).then_with(|| newest(a, b)),
            Sort::Modified => newest(a, b),
        };
        order.then_with(|| a.hash.cmp(&b.hash))
    });
    let [spaces, kinds, people] = counts;
    Ok(Grouped {
        documents,
        facets: Facets {
            spaces: space_counts(spaces),
            kinds: most_first(
                kinds.into_iter().collect(),
                |(_, count)| *count,
                |(word, _)| word.clone(),
            ),
            people: person_counts(people),
        },
    })
}

/// Every document of which a passage matches.
fn hashes(searcher: &Searcher, query: &dyn Query) -> tantivy::Result<HashSet<u64, BuildHasherDefault<AsIs>>> {
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
struct AsIs(u64);

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
