//! Given a search page's address, gives the query that it asks.

use domain::{
    AccountId, Result, SpaceId, Timestamp,
    document::DocumentKind,
    query::{Filter, Query, Sort},
};

use crate::web::{fields::Fields, moment};

/// The most values of one filter that are read from the address.
pub const CHOSEN_MAX: usize = 50;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What `updated` may say, how many days that reaches back, and its name.
pub const UPDATED: [(&str, i64, &str); 4] = [
    ("day", 1, "Past day"),
    ("week", 7, "Past week"),
    ("month", 30, "Past month"),
    ("year", 365, "Past year"),
];

/// The day of an instant, since 1970 began, in UTC.
pub fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// The query that the address asks. Without words, everything, newest first.
pub fn query(fields: &Fields, number: usize, limit: usize, now: Timestamp) -> Result<Query> {
    let text = fields.one("q").to_owned();
    let chosen = |name: &str| fields.filled(name).into_iter().take(CHOSEN_MAX);
    let kinds: Result<Vec<_>> = chosen("kind").map(|word| DocumentKind::from_word(&word)).collect();
    let sort = match fields.one("sort") {
        "modified" => Sort::Modified,
        _ if text.is_empty() => Sort::Modified,
        _ => Sort::Relevance,
    };
    Ok(Query {
        text,
        meaning: None,
        filter: Filter {
            spaces: chosen("space").map(SpaceId).collect(),
            kinds: kinds?,
            people: chosen("person").map(AccountId).collect(),
            labels: chosen("label").collect(),
            modified_from: moment::day(fields.one("from"))?.max(updated_from(fields, now)),
            modified_before: moment::day(fields.one("before"))?,
        },
        sort,
        offset: (number - 1) * limit,
        limit,
    })
}

/// The beginning of the first day that `updated` reaches back to. What it does not know filters nothing.
fn updated_from(fields: &Fields, now: Timestamp) -> Option<Timestamp> {
    let asked = fields.one("updated");
    let (_, days, _) = UPDATED.iter().find(|(word, ..)| *word == asked)?;
    Some(Timestamp((day_of(now) - days) * DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(address: &str) -> Query {
        let now = Timestamp::parse("2026-11-24T10:00:00Z").unwrap();
        query(&Fields::read(address.as_bytes()), 3, 20, now).unwrap()
    }

    #[test]
    fn an_address_holds_the_whole_question() {
        let query = asks("q=+pump+&space=1&space=2&kind=page&person=a&label=x&label=&before=2026-11-30&sort=modified");
        assert_eq!(
            (query.text.as_str(), query.offset, query.sort),
            ("pump", 40, Sort::Modified)
        );
        let filter = query.filter;
        assert_eq!(filter.spaces, [SpaceId::new("1"), SpaceId::new("2")]);
        assert_eq!(
            (filter.kinds, filter.labels),
            (vec![DocumentKind::Page], vec!["x".to_owned()])
        );
        assert_eq!(filter.modified_before, Timestamp::parse("2026-11-30T00:00:00Z").ok());
    }

    #[test]
    fn of_two_days_the_later_one_filters() {
        let from = |address: &str| asks(address).filter.modified_from.map(|at| at.to_string());
        assert_eq!(from("updated=week").as_deref(), Some("2026-11-17T00:00:00.000Z"));
        assert_eq!(
            from("updated=week&from=2026-11-20").as_deref(),
            Some("2026-11-20T00:00:00.000Z")
        );
        assert_eq!(
            from("updated=week&from=2020-01-01").as_deref(),
            Some("2026-11-17T00:00:00.000Z")
        );
        assert_eq!(from("updated=century"), None);
    }
}
