//! Who the connection is, and the names of people.

use domain::{
    AccountId, Error, Result,
    document::Person,
    source::{PEOPLE_MAX, Reach},
    sync_run::Spent,
};

use crate::{
    client::{Call, Client, Price},
    pages,
    wire::{self, Listing, PersonRow},
};

const SCOPES: &[&str] = &["read:confluence-user", "read:content-details:confluence"];
/// What a person, group or permission costs (facts.md §4).
const POINTS_PER_PERSON: u64 = 2;

/// The connected person: the one cheap proof that the token is alive.
pub async fn me(client: &Client, reach: &Reach) -> Result<Person> {
    let what = "the connected person";
    let call = Call {
        what,
        path: &["rest", "api", "user", "current"],
        query: &[],
        scopes: SCOPES,
        price: Price::of_rows(POINTS_PER_PERSON, 1),
    };
    let answered = client
        .get::<PersonRow>(reach, &call)
        .await
        .map_err(|refused| refused.into_error(what))?;
    // For a site that this grant does not reach, Confluence answers as to a passer-by (facts.md §3).
    person(answered.value).ok_or_else(|| {
        Error::unauthenticated(format!(
            "{} answers as if nobody were signed in; reconnect and tick that site on Atlassian's page",
            reach.site.name
        ))
    })
}

/// Matched by id, never by place: the answer may hold fewer people than were asked for (facts.md §9).
pub async fn people(client: &Client, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
    let asked = &accounts[..accounts.len().min(PEOPLE_MAX)];
    if asked.is_empty() {
        return Ok((Vec::new(), Spent::default()));
    }
    let what = "people's names";
    let query: Vec<(&str, &str)> = asked.iter().map(|account| ("accountId", account.as_str())).collect();
    let call = Call {
        what,
        path: &["rest", "api", "user", "bulk"],
        query: &query,
        scopes: SCOPES,
        price: Price::of_rows(POINTS_PER_PERSON, PEOPLE_MAX as u32),
    };
    let answered = client
        .get::<Listing>(reach, &call)
        .await
        .map_err(|refused| refused.into_error(what))?;
    let people: Vec<Person> = answered
        .value
        .results
        .into_iter()
        .filter_map(|row| person(serde_json::from_value(row).ok()?))
        .filter(|person| asked.contains(&person.account))
        .collect();
    Ok((people, answered.spent))
}

fn person(row: PersonRow) -> Option<Person> {
    let account = pages::account(row.account_id.as_deref()?)?;
    let shown = |name: Option<String>| name.map(|name| wire::shortened(&name)).filter(|name| !name.is_empty());
    let name = shown(row.display_name).or_else(|| shown(row.public_name))?;
    Some(Person { account, name })
}
