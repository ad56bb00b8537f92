//! Given a document, counts those that link to it and that the caller may see.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{access::Access, query::Filter};
use tantivy::{DocId, Searcher, SegmentReader, index::SegmentId};

use super::{
    columns::{Columns, Values},
    fields::{self, Fields},
    gate::Gate,
    needles::Needles,
};

/// So many are counted; more say no more.
pub const COUNTED_MAX: usize = 63;

/// The links of a segment: what is linked to, and the passage of the document that does, in order.
type Links = Vec<(u64, DocId)>;

/// The links of the segments that searches see. A segment does not change: each is read once.
#[derive(Default)]
pub struct SegmentLinks(Mutex<BTreeMap<SegmentId, Arc<Links>>>);

impl SegmentLinks {
    fn of(&self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<Links>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = BTreeMap::new();
        let mut links = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let segment = match known.get(&reader.segment_id()) {
                Some(segment) => segment.clone(),
                None => Arc::new(links_of(reader)?),
            };
            present.insert(reader.segment_id(), segment.clone());
            links.push(segment);
        }
        *known = present;
        Ok(links)
    }
}

fn links_of(reader: &SegmentReader) -> tantivy::Result<Links> {
    let column = reader.fast_fields().u64(fields::LINKS_TO)?;
    let mut links = Links::new();
    for doc in 0..reader.max_doc() {
        links.extend(column.values_for_doc(doc).map(|key| (key, doc)));
    }
    links.sort_unstable();
    links.shrink_to_fit();
    Ok(links)
}

/// Who links to whom, as one caller may see it.
pub struct Linked<'a> {
    searcher: &'a Searcher,
    links: Vec<Arc<Links>>,
    hashes: Vec<Values<u64>>,
    /// What this caller may see; none where that is everything.
    seen: Option<Gate>,
    counted: RefCell<HashMap<u64, usize>>,
}

impl<'a> Linked<'a> {
    pub fn of(
        links: &SegmentLinks,
        searcher: &'a Searcher,
        columns: &[Arc<Columns>],
        fields: &Fields,
        access: &Access,
    ) -> tantivy::Result<Self> {
        // Filters and exclusions do not matter: whoever looks at one space is told what the others think of it.
        let all = access.hidden.is_empty() && access.hidden_documents.is_empty();
        let seen = match all {
            true => None,
            false => {
                let (filter, needles) = (Filter::default(), Needles::default());
                Some(Gate::new(searcher, fields, access, &filter, &[], &needles)?)
            }
        };
        Ok(Self {
            searcher,
            links: links.of(searcher)?,
            hashes: columns.iter().map(|columns| columns.hashes.clone()).collect(),
            seen,
            counted: RefCell::default(),
        })
    }

    /// How many other documents link to this one, by its own key or by its title's; at most [`COUNTED_MAX`].
    pub fn count(&self, document: u64, title: u64) -> usize {
        if let Some(count) = self.counted.borrow().get(&document) {
            return *count;
        }
        let mut from: Vec<u64> = Vec::new();
        for key in [document, title].into_iter().filter(|key| *key != 0) {
            for (segment, links) in self.links.iter().enumerate() {
                let begin = links.partition_point(|(to, _)| *to < key);
                for (_, doc) in links[begin..].iter().take_while(|(to, _)| *to == key) {
                    if from.len() == COUNTED_MAX {
                        break;
                    }
                    let source = self.hashes[segment].get_val(*doc);
                    if source != document && self.sees(segment, *doc) && !from.contains(&source) {
                        from.push(source);
                    }
                }
            }
        }
        self.counted.borrow_mut().insert(document, from.len());
        from.len()
    }

    fn sees(&self, segment: usize, doc: DocId) -> bool {
        let alive = self.searcher.segment_readers()[segment].alive_bitset();
        let alive = alive.is_none_or(|alive| alive.is_alive(doc));
        alive && self.seen.as_ref().is_none_or(|seen| seen.opens(segment, doc))
    }
}
