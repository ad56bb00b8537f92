//! Who the connection is, and the names of people.

use domain::{
    AccountId, ErrorKind, Result,
    connection::Ending,
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

/// The connected person: the one cheap proof that the token is alive. `Ended` when Confluence answers as to a passer-by,
/// or does not let the person in any more (facts.md §3, §9).
pub async fn me(client: &Client, reach: &Reach) -> Result<Person> {
    let what = "the connected person";
    let call = Call {
        what,
        path: &["rest", "api", "user", "current"],
        query: &[],
        scopes: SCOPES,
        price: Price::of_rows(POINTS_PER_PERSON, 1),
    };
    let row = match client.get::<PersonRow>(reach, &call).await {
        Ok(answered) => answered.value,
        Err(refused) => {
            return Err(match refused.into_error(what) {
                // Whoever may not even be told who they are may not use Confluence.
                error if error.kind == ErrorKind::Forbidden => client.ended(reach, Ending::NoConfluence).await,
                error => error,
            });
        }
    };
    if row.kind.as_deref() == Some("anonymous") {
        return Err(client.ended(reach, Ending::Anonymous).await);
    }
    match row.account_id.as_deref().and_then(pages::account) {
        Some(account) => Ok(Person {
            name: name(&row).unwrap_or_else(|| account.to_string()),
            account,
        }),
        None => Err(client.ended(reach, Ending::Anonymous).await),
    }
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
    let name = name(&row)?;
    Some(Person { account, name })
}

fn name(row: &PersonRow) -> Option<String> {
    let names = [&row.display_name, &row.public_name];
    let mut shown = names.into_iter().flatten().map(|name| wire::shortened(name));
    shown.find(|name| !name.is_empty())
}
