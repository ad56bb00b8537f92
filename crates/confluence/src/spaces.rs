//! The spaces of a site, for choosing, and about how much some of them hold.

use domain::{
    Result, SpaceId,
    cursor::Cursor,
    document::DocumentKind,
    source::{Listed, Reach, Unreadable},
    space::{Estimate, Space, SpaceSeen},
};

use crate::{
    client::{Call, Client, Price},
    wire::{self, Listing, SearchTotals, SpaceRow},
};

/// The most the v2 API returns in one answer.
const LIMIT: u32 = 250;
/// Spaces named in one search.
const KEYS_PER_SEARCH: usize = 50;

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
    let what = "the size of the spaces";
    // In pieces: a thousand keys do not fit into an address.
    let pieces = spaces.chunks(KEYS_PER_SEARCH);
    for (spaces, kind) in pieces.flat_map(|spaces| DocumentKind::ALL.map(|kind| (spaces, kind))) {
        let cql = format!("space in ({}) and type={}", keys(spaces), kind.word());
        let call = Call {
            what,
            path: &["rest", "api", "search"],
            query: &[("cql", &cql), ("limit", "1")],
            scopes: &["search:confluence"],
            price: Price::of_rows(wire::points_each(kind), 1),
        };
        let totals = client
            .get::<SearchTotals>(reach, &call)
            .await
            .map_err(|refused| refused.into_error(what))?;
        let total = totals.value.total_size.unwrap_or(0);
        match kind {
            DocumentKind::Page => estimate.pages += total,
            DocumentKind::BlogPost => estimate.blog_posts += total,
            DocumentKind::Comment => estimate.comments += total,
            DocumentKind::Attachment => estimate.attachments += total,
        }
    }
    Ok(estimate)
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
