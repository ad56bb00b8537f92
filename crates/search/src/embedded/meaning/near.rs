//! Given a question's vector, gives the passages nearest to it: first all by their codes, then the best of them as they are.

use std::sync::{Arc, RwLockReadGuard};

use domain::Result;
use tantivy::{DocAddress, Searcher};

use super::{
    super::{gate::Gate, handle::failed},
    Model,
    codes::dot_steps,
    slots::Segment,
    table::NONE,
    vectors::Held,
};

/// So many passages are measured as they are: the codes put the nearest ones among the first so many.
const MEASURED: usize = 800;
/// The average nearness counts as if there were so many more texts to which the question has nothing to say: the few of
/// a small index need not be unlike each other.
const UNLIKE_TEXTS: f32 = 20.0;

/// A passage and how near it is to the question, a cosine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    pub passage: DocAddress,
    pub similarity: f32,
}

/// A question that is being asked.
pub struct Asking<'a> {
    held: RwLockReadGuard<'a, Held>,
    segments: Vec<Arc<Segment>>,
    vector: &'a [f32],
    buffer: Vec<u8>,
}

impl<'a> Asking<'a> {
    pub fn of(model: &'a Model, searcher: &Searcher, vector: &'a [f32]) -> Result<Self> {
        let held = model.vectors.held();
        let segments = model.vectors.slots.of(searcher, &held).map_err(failed)?;
        Ok(Self {
            held,
            segments,
            vector,
            buffer: Vec::new(),
        })
    }

    /// How near the index's texts are to the question on average: those that have nothing to do with it.
    pub fn average(&self) -> f32 {
        let count = self.held.codes.count() as f32;
        self.held.codes.average(self.vector) * count / (count + UNLIKE_TEXTS)
    }

    /// The nearest passages that the gates let through, at most so many, nearest first.
    pub fn nearest(&mut self, gates: &[&Gate], count: usize) -> Result<Vec<Near>> {
        let mut best: Vec<(f32, DocAddress)> = Vec::with_capacity(2 * MEASURED);
        let probe = self.held.codes.asked(self.vector);
        let mut threshold = f32::MIN;
        for (ord, segment) in self.segments.iter().enumerate() {
            for (doc, place) in (0..).zip(&segment.places) {
                if *place == NONE {
                    continue;
                }
                let about = probe.about(*place as usize);
                if about > threshold && gates.iter().all(|gate| gate.opens(ord, doc)) {
                    best.push((about, DocAddress::new(ord as u32, doc)));
                    if best.len() == 2 * MEASURED {
                        keep(&mut best, MEASURED);
                        threshold = best[MEASURED - 1].0;
                    }
                }
            }
        }
        keep(&mut best, MEASURED);
        best.sort_unstable_by_key(|(_, passage)| *passage);
        let mut near = Vec::with_capacity(best.len());
        for (_, passage) in best {
            near.extend(self.similarity(passage)?.map(|similarity| Near { passage, similarity }));
        }
        near.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.passage.cmp(&b.passage)));
        near.truncate(count);
        Ok(near)
    }

    /// How near a passage is; none when its meaning is not known.
    pub fn similarity(&mut self, passage: DocAddress) -> Result<Option<f32>> {
        let segment = &self.segments[passage.segment_ord as usize];
        match segment.places[passage.doc_id as usize] {
            NONE => Ok(None),
            place => {
                let scale = self.held.file.read(place as usize, &mut self.buffer)?;
                Ok(Some(dot_steps(self.vector, &self.buffer) * scale))
            }
        }
    }
}

/// The best ones, the earlier one of equals.
fn keep(best: &mut Vec<(f32, DocAddress)>, count: usize) {
    best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    best.truncate(count);
}
