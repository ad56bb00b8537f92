//! The spaces of a site, for choosing, and about how much some of them hold.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ErrorKind, Result, SpaceId,
    cursor::Cursor,
    document::DocumentKind,
    source::{Listed, Reach, Unreadable},
    space::{Estimate, Space, SpaceSeen},
};

use serde::Deserialize;

use crate::{
    client::{Call, Client, Price},
    labels,
    wire::{self, Listing, SearchTotals, SpaceRow},
};

/// The most the v2 API returns in one answer.
const LIMIT: u32 = 250;
/// Spaces named in one search.
const KEYS_PER_SEARCH: usize = 50;
/// The most spaces of which it is asked beforehand how much in them is labelled: three points and more for each.
const LABELLED_SPACES_MAX: usize = 10;

pub async fn spaces(client: &Client, reach: &Reach, after: Option<&Cursor>) -> Result<Listed<Space>> {
    let what = "the list of spaces";
    let limit = LIMIT.to_string();
    let mut query = vec![("status", "current"), ("sort", "id"), ("limit", limit.as_str())];
    query.extend(after.map(|cursor| ("cursor", cursor.0.as_str())));
    let call = Call {
        what,
        path: &["api", "v2", "spaces"],
        query: &query,
        scopes: &["read:space:confluence"],
        price: Price::of_rows(1, LIMIT),
    };
    let seen = listed(client, reach, &call).await?;
    Ok(Listed {
        items: seen.items.into_iter().map(|seen| seen.space).collect(),
        unreadable: seen.unreadable,
        next: seen.next,
        at: seen.at,
        spent: seen.spent,
    })
}

/// Those of these spaces that can be seen, archived ones as well.
pub async fn spaces_by_id(client: &Client, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
    let ids: Vec<&str> = spaces.iter().map(SpaceId::as_str).collect();
    let (ids, limit) = (ids.join(","), LIMIT.to_string());
    let call = Call {
        what: "the chosen spaces",
        path: &["api", "v2", "spaces"],
        query: &[("ids", &ids), ("sort", "id"), ("limit", &limit)],
        scopes: &["read:space:confluence"],
        price: Price::of_rows(1, spaces.len() as u32),
    };
    let mut seen = listed(client, reach, &call).await?;
    // Only what was asked for, whatever the answer holds.
    seen.items.retain(|seen| spaces.contains(&seen.space.id));
    Ok(seen)
}

/// Those of these spaces in which an app access rule hides something; none when not each of them is told of. The endpoint
/// is experimental (facts.md §2): what it does not answer is not known, and no error.
pub async fn hidden_from_apps(client: &Client, reach: &Reach, spaces: &[SpaceId]) -> Result<Option<BTreeSet<SpaceId>>> {
    let ids: Vec<&str> = spaces.iter().map(SpaceId::as_str).collect();
    let (ids, limit) = (ids.join(","), LIMIT.to_string());
    let call = Call {
        what: "what is hidden from apps",
        path: &["api", "v2", "data-policies", "spaces"],
        query: &[("ids", &ids), ("limit", &limit)],
        scopes: &["read:space:confluence"],
        price: Price::of_rows(1, spaces.len() as u32),
    };
    let answered = match client.get::<Listing>(reach, &call).await {
        Ok(answered) => answered,
        Err(refused) => {
            let error = refused.into_error(call.what);
            return match &error.kind {
                ErrorKind::RateLimited { .. }
                | ErrorKind::Unauthenticated
                | ErrorKind::Ended { .. }
                | ErrorKind::Misconfigured => Err(error),
                ErrorKind::Invalid
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Gone
                | ErrorKind::MissingScope { .. }
                | ErrorKind::Unavailable
                | ErrorKind::Internal => {
                    tracing::info!("Atlassian does not tell what is hidden from apps: {error}");
                    Ok(None)
                }
            };
        }
    };
    let rows = answered.value.results.into_iter();
    let rows = rows.filter_map(|row| serde_json::from_value::<DataPolicyRow>(row).ok());
    let told: BTreeMap<SpaceId, bool> = rows
        .map(|row| (SpaceId::new(row.id), row.data_policy.any_content_blocked))
        .collect();
    let hidden = |space: &SpaceId| told.get(space).map(|hidden| hidden.then(|| space.clone()));
    let all: Option<Vec<Option<SpaceId>>> = spaces.iter().map(hidden).collect();
    Ok(all.map(|all| all.into_iter().flatten().collect()))
}

/// One that does not say so outright is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataPolicyRow {
    #[serde(deserialize_with = "wire::id")]
    id: String,
    data_policy: DataPolicy,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataPolicy {
    any_content_blocked: bool,
}

async fn listed(client: &Client, reach: &Reach, call: &Call<'_>) -> Result<Listed<SpaceSeen>> {
    let answered = client
        .get::<Listing>(reach, call)
        .await
        .map_err(|refused| refused.into_error(call.what))?;
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for row in answered.value.results {
        match serde_json::from_value::<SpaceRow>(row) {
            Ok(row) => items.push(SpaceSeen {
                archived: row.status.as_deref() == Some("archived"),
                space: space(row),
            }),
            Err(error) => unreadable.push(Unreadable {
                content: None,
                title: "a space".into(),
                why: format!("Atlassian's description of it could not be read: {error}"),
            }),
        }
    }
    Ok(Listed {
        items,
        unreadable,
        next: wire::cursor(answered.value.links.next.as_deref()).map(Cursor),
        at: answered.at,
        spent: answered.spent,
    })
}

fn space(row: SpaceRow) -> Space {
    let key = wire::shortened(row.key.as_deref().unwrap_or(&row.id));
    Space {
        name: row
            .name
            .as_deref()
            .map(wire::shortened)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| key.clone()),
        kind: row.kind.unwrap_or_else(|| "global".into()),
        id: SpaceId::new(row.id),
        key,
    }
}

/// Asks for one result of each kind in these spaces and takes the total beside it, which Atlassian calls an estimate.
pub async fn estimate(client: &Client, reach: &Reach, spaces: &[Space]) -> Result<Estimate> {
    let mut estimate = Estimate::default();
    if spaces.is_empty() {
        return Ok(estimate);
    }
    // In pieces: a thousand keys do not fit into an address.
    let pieces = spaces.chunks(KEYS_PER_SEARCH);
    for (spaces, kind) in pieces.flat_map(|spaces| DocumentKind::ALL.map(|kind| (spaces, kind))) {
        let cql = format!("space in ({}) and type={}", keys(spaces), kind.word());
        let total = total(client, reach, &cql, wire::points_each(kind)).await?;
        match kind {
            DocumentKind::Page => estimate.pages += total,
            DocumentKind::BlogPost => estimate.blog_posts += total,
            DocumentKind::Comment => estimate.comments += total,
            DocumentKind::Attachment => estimate.attachments += total,
        }
    }
    if spaces.len() <= LABELLED_SPACES_MAX {
        estimate.labelled = labels::estimate(client, reach, spaces).await?;
    }
    Ok(estimate)
}

/// About how many rows this search has.
pub async fn total(client: &Client, reach: &Reach, cql: &str, points_each: u64) -> Result<u64> {
    let call = Call {
        what: "the size of the spaces",
        path: &["rest", "api", "search"],
        query: &[("cql", cql), ("limit", "1")],
        scopes: &["search:confluence"],
        price: Price::of_rows(points_each, 1),
    };
    let totals = client.get::<SearchTotals>(reach, &call).await;
    let totals = totals.map_err(|refused| refused.into_error(call.what))?;
    Ok(totals.value.total_size.unwrap_or(0))
}

/// The keys of the spaces as CQL names them, quoted: a personal space's begins with `~`.
pub fn keys(spaces: &[Space]) -> String {
    let keys: Vec<String> = spaces.iter().map(|space| quoted(&space.key)).collect();
    keys.join(",")
}

/// A text in CQL. Keys and labels are outside input.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
