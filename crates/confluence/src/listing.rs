//! One answer of a listing: as many rows as Atlassian manages to give in time.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Error, ErrorKind, Result, cursor::Cursor, source::Reach};

use crate::{
    client::{Answered, Call, Client, Patience, Price, Refused},
    wire::Listing,
};

/// The most rows that any listing is asked for.
const LIMIT_MAX: u32 = 250;
/// The fewest that are asked for when answers come too late: what others found to work (facts.md §5).
const LIMIT_MIN: u32 = 5;

/// How many rows to ask for: less after an answer that came too late, more again after one that came.
pub struct Limit(AtomicU32);

impl Default for Limit {
    fn default() -> Self {
        Self(AtomicU32::new(LIMIT_MAX))
    }
}

impl Limit {
    pub fn now(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
    /// Half of what was asked for; none when that was the fewest.
    pub fn lowered(&self, asked: u32) -> Option<u32> {
        let lower = (asked / 2).max(LIMIT_MIN);
        self.0.store(lower, Ordering::Relaxed);
        (lower < asked).then_some(lower)
    }
    pub fn raised(&self, asked: u32) {
        self.0
            .store((asked.saturating_mul(2)).min(LIMIT_MAX), Ordering::Relaxed);
    }
}

/// What is listed.
pub struct Ask<'a> {
    /// For people.
    pub what: &'a str,
    pub path: &'a [&'a str],
    /// Without `limit` and `cursor`.
    pub query: &'a [(&'a str, &'a str)],
    pub scopes: &'a [&'a str],
    pub rows_max: u32,
    /// What each row costs.
    pub points_each: u64,
    pub patience: Patience,
}

/// The rows after `after`. Asks for fewer when an answer comes too late or is too large. `Conflict` when Atlassian no
/// longer knows the place: whoever goes on from a cursor then begins the listing anew.
pub async fn answered(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    ask: &Ask<'_>,
    after: Option<&Cursor>,
) -> Result<Answered<Listing>> {
    let mut asked = limit.now().min(ask.rows_max);
    loop {
        let rows = asked.to_string();
        let mut query = ask.query.to_vec();
        query.push(("limit", &rows));
        query.extend(after.map(|cursor| ("cursor", cursor.0.as_str())));
        let call = Call {
            what: ask.what,
            path: ask.path,
            query: &query,
            scopes: ask.scopes,
            price: Price::of_rows(ask.points_each, asked),
        };
        let refused = match client.get_with::<Listing>(reach, &call, ask.patience).await {
            Ok(answered) => {
                limit.raised(asked);
                return Ok(answered);
            }
            Err(refused) => refused,
        };
        match refused {
            Refused::TooMuch => match limit.lowered(asked) {
                Some(lower) => asked = lower,
                None => return Err(refused.into_error(ask.what)),
            },
            Refused::Because(error) if error.kind == ErrorKind::Invalid && after.is_some() => {
                return Err(Error::conflict(format!(
                    "Atlassian no longer knows the place in {}",
                    ask.what
                )));
            }
            Refused::Because(error) => return Err(error),
        }
    }
}
