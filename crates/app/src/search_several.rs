//! One question to several indexes: each answers for itself, and the answers become one, in one order for every door.
//!
//! How: [`order`] tells which of two hits stands first, and why; [`merge`] reads each index's hits as far as they are
//! needed; [`together`] adds up totals and facets; [`elsewhere`] counts what the filter for spaces leaves out.

pub mod elsewhere;
mod merge;
mod order;
#[cfg(test)]
mod tests;
mod together;

use std::collections::BTreeSet;

use domain::{
    Error, ErrorKind, IndexId, Result,
    hit::{Also, Facets, Hit},
    index::Index,
    query::{Filter, LIMIT_MAX, OFFSET_MAX, Query},
};
use tracing::warn;

use self::merge::Lane;
use crate::{App, Caller};

/// The most indexes that are searched at once: each costs a search of its own.
pub const INDEXES_MAX: usize = 50;
/// How deep an answer of several indexes may begin by its number: everything before it is read, to know what comes
/// then. An answer that begins at the places where another ended may begin anywhere.
pub const OFFSET_OF_SEVERAL_MAX: usize = 1_000;

/// An index that is asked, with the filter in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub index: IndexId,
    pub filter: Filter,
}

/// How far the hits of an index were given. Doors hand it out and take it back: nothing in it is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub index: IndexId,
    /// So many of its hits.
    pub given: usize,
    /// What a score of this index is multiplied with before it is compared; none before its first hit was seen.
    pub scale: Option<f32>,
}

/// What several indexes answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HitsOfSeveral {
    /// Best first. A document that two indexes hold is a hit of each.
    pub hits: Vec<HitOf>,
    /// There are more behind them.
    pub more: bool,
    /// Documents that match, of all indexes together.
    pub total: u64,
    /// There are more than were counted.
    pub uncounted: bool,
    pub facets: Facets,
    pub also: Vec<Also>,
    /// Each index that answered, in the order asked.
    pub answered: Vec<TotalOf>,
    /// Each that could not answer, with the reason.
    pub unanswered: Vec<Unanswered>,
    begun: Vec<Place>,
}

/// A hit, and the index that it is from.
#[derive(Clone, Debug, PartialEq)]
pub struct HitOf {
    pub index: IndexId,
    pub index_name: String,
    pub hit: Hit,
}

/// How many documents of an index match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalOf {
    pub index: IndexId,
    pub index_name: String,
    pub total: u64,
    pub uncounted: bool,
}

/// An index that could not answer; the others did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub index: IndexId,
    pub index_name: String,
    /// For people.
    pub reason: String,
}

impl HitsOfSeveral {
    /// Where to go on when only the first `count` of the hits are given; none when nothing comes behind them.
    pub fn after(&self, count: usize) -> Option<Vec<Place>> {
        let given = &self.hits[..count.min(self.hits.len())];
        if !self.more && given.len() == self.hits.len() {
            return None;
        }
        let place = |begun: &Place| Place {
            given: begun.given + given.iter().filter(|hit| hit.index == begun.index).count(),
            ..*begun
        };
        Some(self.begun.iter().map(place).collect())
    }
}

impl App {
    /// Searches these indexes, or without any all that the caller may see: from the places on where another answer to the
    /// same question ended, or else from the query's offset on. An index that cannot answer does not silence the others:
    /// the answer names it.
    pub async fn search_several(
        &self,
        caller: &Caller,
        indexes: &[IndexId],
        query: &Query,
        places: Option<&[Place]>,
    ) -> Result<HitsOfSeveral> {
        let parts: Vec<Part> = self
            .searched(caller, indexes)
            .await?
            .into_iter()
            .map(|index| Part {
                index: index.id,
                filter: query.filter.clone(),
            })
            .collect();
        self.search_parts(caller, &parts, query, places).await
    }

    /// The same with a filter for each index; the query's own is not read.
    pub async fn search_parts(
        &self,
        caller: &Caller,
        parts: &[Part],
        query: &Query,
        places: Option<&[Place]>,
    ) -> Result<HitsOfSeveral> {
        let asked: Vec<IndexId> = parts.iter().map(|part| part.index).collect();
        if parts.is_empty() {
            return Ok(HitsOfSeveral::default());
        }
        let indexes = self.searched(caller, &asked).await?;
        if query.limit == 0 || query.limit > LIMIT_MAX {
            return Err(Error::invalid(format!("limit is 1 to {LIMIT_MAX}")));
        }
        let (mut lanes, mut passed) = (Vec::with_capacity(parts.len()), 0);
        for (index, part) in indexes.into_iter().zip(parts) {
            let place = places.and_then(|places| places.iter().find(|place| place.index == index.id));
            lanes.push(Lane::new(index, part.filter.clone(), place.copied()));
        }
        match &mut lanes[..] {
            _ if places.is_some() => {}
            _ if query.offset > OFFSET_MAX => {
                return Err(Error::invalid(format!("offset is at most {OFFSET_MAX}")));
            }
            // The engine passes over them itself.
            [only] => only.pass(query.offset),
            _ if query.offset > OFFSET_OF_SEVERAL_MAX => {
                return Err(Error::invalid(format!(
                    "offset is at most {OFFSET_OF_SEVERAL_MAX} over several indexes; go on with the cursor, or search one"
                )));
            }
            _ => passed = query.offset,
        }
        let ask = |index: IndexId, filter: Filter, offset: usize, limit: usize| {
            let query = Query {
                filter,
                offset,
                limit,
                ..query.clone()
            };
            async move { self.search(caller, index, &query).await }
        };
        let mut merged = merge::merged(lanes, passed, query.limit, query.sort, ask).await;
        let failure = |lane: &mut Lane| lane.failure.take();
        let silent = merged.lanes.iter().all(|lane| lane.failure.is_some());
        let of_the_question = |lane: &Lane| lane.failure.as_ref().is_some_and(is_of_the_question);
        let refused = merged.lanes.iter_mut().find(|lane| silent || of_the_question(lane));
        if let Some(failure) = refused.and_then(failure) {
            return Err(failure);
        }
        for lane in &merged.lanes {
            if let Some(failure) = &lane.failure {
                warn!(index.id = %lane.index.id, error = ?failure, "Index {} could not answer a search", lane.index.id);
            }
        }
        Ok(together::together(merged))
    }

    /// The indexes with these ids, each once, in this order; without any, all that the caller may see.
    async fn searched(&self, caller: &Caller, indexes: &[IndexId]) -> Result<Vec<Index>> {
        let many = || {
            Error::invalid(format!(
                "at most {INDEXES_MAX} indexes are searched at once; name those that matter"
            ))
        };
        if indexes.len() > INDEXES_MAX {
            return Err(many());
        }
        if !indexes.is_empty() {
            let mut named = Vec::with_capacity(indexes.len());
            let mut seen = BTreeSet::new();
            for id in indexes.iter().filter(|id| seen.insert(**id)) {
                named.push(self.seen_index(caller, *id).await?);
            }
            return Ok(named);
        }
        let mut all = self.store().indexes().await?;
        all.retain(|index| caller.sees(index.id));
        match all.len() {
            0 => Err(Error::not_found("there is no index to search")),
            1..=INDEXES_MAX => Ok(all),
            _ => Err(many()),
        }
    }
}

/// Whether a failure is the question's and not the index's: then asking the others makes no sense.
fn is_of_the_question(failure: &Error) -> bool {
    match failure.kind {
        ErrorKind::Invalid | ErrorKind::Unauthenticated | ErrorKind::Forbidden => true,
        ErrorKind::Ended { .. }
        | ErrorKind::Misconfigured
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Gone
        | ErrorKind::MissingScope { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable
        | ErrorKind::Internal => false,
    }
}
