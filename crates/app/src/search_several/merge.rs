//! Given indexes and how to ask them, gives their hits in one order; each is asked for no more than the answer needs.

use std::collections::VecDeque;

use domain::{
    Error, IndexId, Result,
    hit::{Also, Facets, Hit, Hits},
    index::Index,
    query::{Filter, LIMIT_MAX, OFFSET_MAX, Sort},
};
use futures::{StreamExt, stream};

use super::{
    Place, is_of_the_question,
    order::{Head, compared, scale},
};

/// So many indexes are asked at a time.
const AT_ONCE: usize = 4;
/// An index is asked for so many times its even share of the answer first: most answers then need no second question.
const SHARES: usize = 2;
/// And for so many more.
const SHARE_MORE: usize = 5;

/// One index as it is read.
pub struct Lane {
    pub index: Index,
    filter: Filter,
    /// Where the next question to it begins.
    offset: usize,
    /// How many of its hits stand before the head.
    given: usize,
    scale: Option<f32>,
    ahead: VecDeque<Hit>,
    exhausted: bool,
    /// What its first answer counted.
    pub counts: Counts,
    pub failure: Option<Error>,
}

/// An answer without its hits.
#[derive(Default)]
pub struct Counts {
    pub total: u64,
    pub uncounted: bool,
    pub facets: Facets,
    pub also: Vec<Also>,
}

/// Hits in one order, each with its lane's number.
pub struct Merged {
    pub lanes: Vec<Lane>,
    pub hits: Vec<(usize, Hit)>,
    /// Where the lanes stood before the first of the hits.
    pub begun: Vec<Place>,
    pub more: bool,
}

impl Lane {
    pub fn new(index: Index, filter: Filter, place: Option<Place>) -> Self {
        let given = place.map_or(0, |place| place.given);
        Self {
            index,
            filter,
            offset: given,
            given,
            // Nobody's number but ours makes an order.
            scale: place
                .and_then(|place| place.scale)
                .filter(|scale| scale.is_finite() && *scale >= 0.0),
            ahead: VecDeque::new(),
            exhausted: false,
            counts: Counts::default(),
            failure: None,
        }
    }

    /// Begins so many hits later.
    pub fn pass(&mut self, hits: usize) {
        self.offset += hits;
        self.given += hits;
    }

    fn place(&self) -> Place {
        Place {
            index: self.index.id,
            given: self.given,
            scale: self.scale,
        }
    }

    fn head(&self) -> Option<Head<'_>> {
        let hit = self.ahead.front()?;
        Some(Head {
            hit,
            scale: self.scale.unwrap_or_default(),
            rank: self.given,
        })
    }

    fn take(&mut self) -> Option<Hit> {
        let hit = self.ahead.pop_front()?;
        self.given += 1;
        Some(hit)
    }

    /// Takes an answer to the question for so many hits in; what it counted.
    fn put(&mut self, answer: Result<Hits>, asked: usize) -> Option<Counts> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                self.failure = Some(failure);
                self.exhausted = true;
                return None;
            }
        };
        self.exhausted = answer.hits.len() < asked;
        self.offset += answer.hits.len();
        if self.scale.is_none() {
            self.scale = answer.hits.first().map(scale);
        }
        self.ahead.extend(answer.hits);
        Some(Counts {
            total: answer.total,
            uncounted: answer.uncounted,
            facets: answer.facets,
            also: answer.also,
        })
    }
}

/// Passes over the first `passed` hits and gives as many as `limit`.
pub async fn merged<F, A>(mut lanes: Vec<Lane>, passed: usize, limit: usize, sort: Sort, ask: F) -> Merged
where
    F: Fn(IndexId, Filter, usize, usize) -> A,
    A: Future<Output = Result<Hits>>,
{
    let wanted = passed + limit + 1;
    let asked = (wanted.div_ceil(lanes.len().max(1)) * SHARES + SHARE_MORE).clamp(1, wanted.min(LIMIT_MAX));
    // One that was read to its utmost is asked for its counts alone.
    let questions: Vec<A> = lanes
        .iter()
        .map(|lane| ask(lane.index.id, lane.filter.clone(), lane.offset.min(OFFSET_MAX), asked))
        .collect();
    let first: Vec<Result<Hits>> = stream::iter(questions).buffered(AT_ONCE).collect().await;
    for (lane, answer) in lanes.iter_mut().zip(first) {
        let beyond = lane.offset > OFFSET_MAX;
        if let Some(counts) = lane.put(answer, asked) {
            lane.counts = counts;
        }
        if beyond {
            lane.ahead.clear();
            lane.exhausted = true;
        }
    }
    let (mut hits, mut begun) = (Vec::new(), Vec::new());
    let mut place = 0;
    let more = loop {
        // A failure of the question is everybody's.
        if lanes
            .iter()
            .any(|lane| lane.failure.as_ref().is_some_and(is_of_the_question))
        {
            break false;
        }
        for lane in lanes.iter_mut().filter(|lane| lane.ahead.is_empty() && !lane.exhausted) {
            if lane.offset > OFFSET_MAX {
                lane.exhausted = true;
                continue;
            }
            let asked = asked.min(wanted - place);
            let answer = ask(lane.index.id, lane.filter.clone(), lane.offset, asked).await;
            lane.put(answer, asked);
        }
        if place == passed {
            begun = lanes.iter().map(Lane::place).collect();
        }
        let heads = lanes
            .iter()
            .enumerate()
            .filter_map(|(lane, of)| Some((lane, of.head()?)));
        let best = heads
            .min_by(|(_, a), (_, b)| compared(sort, *a, *b))
            .map(|(lane, _)| lane);
        let Some(best) = best else { break false };
        if hits.len() == limit {
            break true;
        }
        if let Some(hit) = lanes[best].take()
            && place >= passed
        {
            hits.push((best, hit));
        }
        place += 1;
    };
    Merged {
        lanes,
        hits,
        begun,
        more,
    }
}
