//! Given a segment, gives the columns that searches read. A segment does not change: each is opened once.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{
    Searcher, SegmentReader,
    columnar::{Cardinality, Column, ColumnValues, StrColumn},
    index::SegmentId,
};

use super::fields;

/// One value of each passage.
pub type Values<T> = Arc<dyn ColumnValues<T>>;

/// The columns of one segment, by the names of `fields`.
pub struct Columns {
    pub hashes: Values<u64>,
    pub text_hashes: Values<u64>,
    pub likeness: Column<u64>,
    pub before: Values<u64>,
    pub modified: Values<i64>,
    pub depths: Values<u64>,
    pub title_keys: Values<u64>,
    /// Spaces, kinds, people and labels.
    pub facets: [Option<StrColumn>; 4],
}

impl Columns {
    fn of(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        Ok(Self {
            hashes: single(columns.u64(fields::DOCUMENT_HASH)?),
            text_hashes: single(columns.u64(fields::TEXT_HASH)?),
            likeness: columns.u64(fields::LIKENESS)?,
            before: single(columns.u64(fields::BEFORE)?),
            modified: single(columns.i64(fields::MODIFIED)?),
            depths: single(columns.u64(fields::DEPTH)?),
            title_keys: single(columns.u64(fields::TITLE_KEY)?),
            facets: [
                columns.str(fields::SPACE_FACET)?,
                columns.str(fields::KIND)?,
                columns.str(fields::PERSON_FACET)?,
                columns.str(fields::LABEL)?,
            ],
        })
    }
}

/// The one value of each passage; where every passage has one, without asking which.
fn single<T: PartialOrd + Copy + Default + Debug + Send + Sync + 'static>(column: Column<T>) -> Values<T> {
    match column.get_cardinality() {
        Cardinality::Full => column.values,
        _ => column.first_or_default_col(T::default()),
    }
}

/// The columns of the segments that searches see.
#[derive(Default)]
pub struct SegmentColumns(Mutex<BTreeMap<SegmentId, Arc<Columns>>>);

impl SegmentColumns {
    /// Those of a searcher's segments, in their order.
    pub fn of(&self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<Columns>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut columns = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let own = match known.get(&reader.segment_id()) {
                Some(own) => own.clone(),
                None => Arc::new(Columns::of(reader)?),
            };
            columns.push(own);
        }
        let segments = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        *known = segments.zip(columns.iter().cloned()).collect();
        Ok(columns)
    }
}
