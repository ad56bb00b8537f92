//! Given a segment, gives the place of each passage's vector. It is looked up once; what is still unknown, again when there
//! are more vectors.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{DocId, Searcher, SegmentReader, index::SegmentId};

use super::{
    super::fields::MEANING_KEY,
    key::NOTHING,
    table::{NONE, Table},
    vectors::Held,
};

#[derive(Default)]
pub struct Slots(Mutex<HashMap<SegmentId, Arc<Segment>>>);

pub struct Segment {
    epoch: u64,
    /// So many vectors were there when it was looked up.
    seen: usize,
    /// By passage; [`NONE`] for one whose meaning is not known.
    pub places: Vec<u32>,
    /// Passages that have a meaning that is not known.
    pub unknown: Vec<DocId>,
}

impl Slots {
    /// In the searcher's order.
    pub fn of(&self, searcher: &Searcher, held: &Held) -> tantivy::Result<Vec<Arc<Segment>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = Fresh::default();
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let former = known
                .get(&reader.segment_id())
                .filter(|former| former.epoch == held.epoch);
            let segment = match former {
                Some(former) if former.seen == held.keys.len() => former.clone(),
                Some(former) if former.unknown.is_empty() => former.clone(),
                Some(former) => Arc::new(looked_up_again(former, reader, held, &mut fresh)?),
                None => Arc::new(looked_up(reader, held)?),
            };
            segments.push(segment);
        }
        let ids = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        *known = ids.zip(segments.iter().cloned()).collect();
        Ok(segments)
    }
}

fn looked_up(reader: &SegmentReader, held: &Held) -> tantivy::Result<Segment> {
    let keys = reader.fast_fields().u64(MEANING_KEY)?.first_or_default_col(NOTHING);
    let mut segment = Segment {
        epoch: held.epoch,
        seen: held.keys.len(),
        places: Vec::with_capacity(reader.max_doc() as usize),
        unknown: Vec::new(),
    };
    for doc in 0..reader.max_doc() {
        let key = keys.get_val(doc);
        let place = held.place(key).filter(|_| key != NOTHING);
        if place.is_none() && key != NOTHING {
            segment.unknown.push(doc);
        }
        segment.places.push(place.unwrap_or(NONE));
    }
    Ok(segment)
}

fn looked_up_again(
    former: &Segment,
    reader: &SegmentReader,
    held: &Held,
    fresh: &mut Fresh,
) -> tantivy::Result<Segment> {
    fresh.fill(held, former.seen);
    let keys = reader.fast_fields().u64(MEANING_KEY)?.first_or_default_col(NOTHING);
    let mut places = former.places.clone();
    let mut unknown = former.unknown.clone();
    unknown.retain(|doc| match fresh.place(keys.get_val(*doc)) {
        Some(place) => {
            places[*doc as usize] = place;
            false
        }
        None => true,
    });
    Ok(Segment {
        epoch: held.epoch,
        seen: held.keys.len(),
        places,
        unknown,
    })
}

/// The vectors that came since: a table small enough to be looked at for every unknown passage.
#[derive(Default)]
struct Fresh {
    from: Option<usize>,
    keys: Vec<u64>,
    table: Table,
}

impl Fresh {
    fn fill(&mut self, held: &Held, from: usize) {
        if self.from == Some(from) {
            return;
        }
        self.from = Some(from);
        self.keys = held.keys[from..].to_vec();
        self.table = Table::default();
        for (place, key) in (0..).zip(&self.keys) {
            if *key != NOTHING {
                self.table.insert(&self.keys, place);
            }
        }
    }

    fn place(&self, key: u64) -> Option<u32> {
        let from = u32::try_from(self.from?).ok()?;
        self.table.get(&self.keys, key).map(|place| from + place)
    }
}
