//! What a question would find with one of its filters taken away: counts to choose by, and ways out of an empty answer.

use domain::{
    IndexId, Result,
    hit::Facets,
    query::{Filter, Query},
};
use futures::future::try_join_all;

use crate::{App, Caller};

/// A filter of a question. There are five, which bounds what [`App::widened`] costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    Spaces,
    Kinds,
    People,
    Labels,
    /// From a day, before a day, or both.
    Modified,
}

impl Narrowing {
    const ALL: [Self; 5] = [Self::Spaces, Self::Kinds, Self::People, Self::Labels, Self::Modified];

    /// The same filter without this one; none when it is not there.
    fn taken_from(self, filter: &Filter) -> Option<Filter> {
        let mut wider = filter.clone();
        match self {
            Self::Spaces => wider.spaces.clear(),
            Self::Kinds => wider.kinds.clear(),
            Self::People => wider.people.clear(),
            Self::Labels => wider.labels.clear(),
            Self::Modified => (wider.modified_from, wider.modified_before) = (None, None),
        }
        (wider != *filter).then_some(wider)
    }
}

/// What a question finds without one of its filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widened {
    pub without: Narrowing,
    pub total: u64,
    /// There are more than were counted.
    pub uncounted: bool,
    pub facets: Facets,
}

impl App {
    /// For each filter of the query, what the indexes hold without it. Costs a search for each.
    pub async fn widened(&self, caller: &Caller, indexes: &[IndexId], query: &Query) -> Result<Vec<Widened>> {
        let mut wider = Vec::new();
        for without in Narrowing::ALL {
            if let Some(filter) = without.taken_from(&query.filter) {
                let query = Query {
                    filter,
                    offset: 0,
                    limit: 1,
                    ..query.clone()
                };
                wider.push(self.widened_by(caller, indexes, without, query));
            }
        }
        try_join_all(wider).await
    }

    async fn widened_by(
        &self,
        caller: &Caller,
        indexes: &[IndexId],
        without: Narrowing,
        query: Query,
    ) -> Result<Widened> {
        let found = self.search_several(caller, indexes, &query, None).await?;
        Ok(Widened {
            without,
            total: found.total,
            uncounted: found.uncounted,
            facets: found.facets,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{SpaceId, Timestamp};

    use super::*;

    #[test]
    fn only_filters_that_are_there_are_taken_away_and_the_others_stay() {
        let filter = Filter {
            spaces: vec![SpaceId::new("1")],
            modified_before: Some(Timestamp(1)),
            ..Filter::default()
        };
        let wider: Vec<_> = Narrowing::ALL
            .into_iter()
            .map(|filter_kind| filter_kind.taken_from(&filter))
            .collect();
        let without_spaces = Filter {
            spaces: Vec::new(),
            ..filter.clone()
        };
        let without_days = Filter {
            modified_before: None,
            ..filter.clone()
        };
        assert_eq!(wider, [Some(without_spaces), None, None, None, Some(without_days)]);
    }
}
