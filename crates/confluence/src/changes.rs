//! What was changed in some spaces, newest first: one listing over all of them for each kind.

use domain::{
    ErrorKind, Result, Timestamp,
    cursor::Cursor,
    document::{Document, DocumentKind},
    source::{Listed, Reach},
    space::Space,
};

use crate::{
    client::{Call, Client, Patience, Price},
    comments_attachments, labels, pages,
    spaces::keys,
    users,
    wire::{Listing, points_each},
};

/// What is wanted of a listing of changes.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub kind: DocumentKind,
    pub since: Timestamp,
    pub rows: u32,
}

pub async fn changes(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    wanted: Wanted,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let mut listed = match wanted.kind {
        DocumentKind::Page | DocumentKind::BlogPost => changed_pages(client, reach, spaces, wanted, after).await?,
        DocumentKind::Comment | DocumentKind::Attachment => searched(client, reach, spaces, wanted, after).await?,
    };
    // Sorted by the time of the change: after the first that is older, all are.
    if listed.items.iter().any(|document| document.modified_at < wanted.since) {
        listed.items.retain(|document| document.modified_at >= wanted.since);
        listed.next = None;
    }
    if matches!(wanted.kind, DocumentKind::Page | DocumentKind::BlogPost) && !listed.items.is_empty() {
        let spent = labels::label_some(client, reach, spaces, &mut listed.items).await?;
        listed.spent = listed.spent.plus(spent);
    }
    Ok(listed)
}

async fn changed_pages(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    wanted: Wanted,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let listing = pages::listed_as(wanted.kind);
    let what = format!("the changed {listing}");
    let ids: Vec<&str> = spaces.iter().map(|space| space.id.as_str()).collect();
    let (ids, rows) = (ids.join(","), wanted.rows.to_string());
    // The name is `space-id`; `spaceId` is ignored in silence and all spaces are answered (facts.md §2.1).
    let mut query = vec![
        ("space-id", ids.as_str()),
        ("sort", "-modified-date"),
        ("status", "current"),
        ("limit", &rows),
    ];
    query.extend(after.map(|cursor| ("cursor", cursor.0.as_str())));
    let mut call = Call {
        what: &what,
        path: &["api", "v2", listing],
        query: &query,
        scopes: &["read:page:confluence"],
        price: Price::of_rows(points_each(wanted.kind), wanted.rows),
    };
    let with_bodies = [&query[..], &[("body-format", "storage")]].concat();
    call.query = &with_bodies;
    let failed = match client.get::<Listing>(reach, &call).await {
        Ok(answered) => {
            if wanted.kind == DocumentKind::Page && after.is_none() && answered.value.results.is_empty() {
                // So is everything answered to nobody: no bookmark may move on for it.
                users::me(client, reach).await?;
            }
            return pages::listed_whole(client, reach, spaces, wanted.kind, answered).await;
        }
        Err(refused) => refused.into_error(&what),
    };
    if failed.kind != ErrorKind::Unavailable {
        return Err(failed);
    }
    call.query = &query;
    let plain = client
        .get_with::<Listing>(reach, &call, Patience::Short)
        .await
        .map_err(|_| failed)?;
    pages::with_bodies_by_id(client, reach, spaces, wanted.kind, plain).await
}

/// Atlassian's search tells times by the minute and in a time zone of its own, so none is asked for: the newest come
/// first, and each row says its time exactly.
async fn searched(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    wanted: Wanted,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let what = format!("the changed {}s", wanted.kind.word());
    let cql = format!(
        "space in ({}) and type={} order by lastmodified desc",
        keys(spaces),
        wanted.kind.word()
    );
    let limit = wanted.rows.min(comments_attachments::LIMIT_MAX);
    let rows = limit.to_string();
    let query = |expand| {
        let mut query = vec![("cql", cql.as_str()), ("expand", expand), ("limit", rows.as_str())];
        query.extend(after.map(|cursor| ("cursor", cursor.0.as_str())));
        query
    };
    let (usual, otherwise) = (
        query(comments_attachments::EXPAND),
        query(comments_attachments::EXPAND_OTHERWISE),
    );
    let mut call = Call {
        what: &what,
        path: &["rest", "api", "content", "search"],
        query: &usual,
        scopes: &["search:confluence"],
        price: Price::of_rows(points_each(wanted.kind), limit),
    };
    let answered = client.get::<Listing>(reach, &call).await;
    let answered = match answered.map_err(|refused| refused.into_error(&what)) {
        Err(failed) if failed.kind == ErrorKind::Unavailable => {
            call.query = &otherwise;
            client
                .get_with::<Listing>(reach, &call, Patience::Short)
                .await
                .map_err(|_| failed)?
        }
        other => other?,
    };
    Ok(comments_attachments::listed(reach, spaces, wanted.kind, answered))
}
