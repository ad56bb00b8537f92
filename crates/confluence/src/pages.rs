//! The pages and blog posts of a space, with bodies, oldest first: the v2 listings.

use std::collections::BTreeSet;

use domain::{
    AccountId, ContentId, DocumentId, ErrorKind, Result,
    cursor::Cursor,
    document::{BODY_BYTES_MAX, Body, Document, DocumentKind, Observed},
    source::{IDS_MAX, Listed, Reach, Unreadable},
    space::Space,
};
use serde_json::Value;

use crate::{
    by_id,
    client::{Answered, Client, Patience},
    listing::{self, Ask, Limit},
    live,
    wire::{self, BodyRow, Listing, PageRow},
};

/// The most the v2 API returns in one answer.
pub const LIMIT_MAX: u32 = 250;

/// The next pages or blog posts. Sorted by id, which never changes: what is made meanwhile comes at the end (sync.md).
pub async fn list(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let query = [("sort", "id"), ("status", "current"), ("body-format", "storage")];
    let spaces = std::slice::from_ref(space);
    match of_space(client, limit, reach, space, kind, &query, after, Patience::Long).await {
        Ok(answered) => listed_whole(client, reach, spaces, kind, answered).await,
        Err(failed) if failed.kind == ErrorKind::Unavailable => {
            let plain = of_space(client, limit, reach, space, kind, &query[..2], after, Patience::Short).await;
            with_bodies_by_id(client, reach, spaces, kind, plain.map_err(|_| failed)?).await
        }
        Err(failed) => Err(failed),
    }
}

/// The rows of a listing that failed with its bodies and came without them: one page's text may be what Atlassian cannot
/// give, and takes all others with it.
pub async fn with_bodies_by_id(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    plain: Answered<Listing>,
) -> Result<Listed<Document>> {
    let (plain, _) = listed(reach, spaces, kind, plain);
    let ids: Vec<ContentId> = plain.items.iter().map(|document| document.id.content.clone()).collect();
    let mut whole = plain;
    whole.items = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_MAX) {
        let fetched = by_id::fetch_hastily(client, reach, spaces, kind, ids).await?;
        whole.items.extend(fetched.items);
        whole.unreadable.extend(fetched.unreadable);
        whole.spent = whole.spent.plus(fetched.spent);
    }
    Ok(whole)
}

/// The same without bodies, labels to be added.
pub async fn observe(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    after: Option<&Cursor>,
) -> Result<Listed<Observed>> {
    let query = [("sort", "id"), ("status", "current")];
    let answered = of_space(client, limit, reach, space, kind, &query, after, Patience::Long).await?;
    let (listed, _) = listed(reach, std::slice::from_ref(space), kind, answered);
    let observed = |document: Document| Observed {
        id: document.id.content,
        kind,
        space: document.space,
        parent: document.parent,
        title: document.title,
        version: document.version,
        modified_at: document.modified_at,
        labels: None,
        url: document.url,
    };
    Ok(Listed {
        items: listed.items.into_iter().map(observed).collect(),
        unreadable: listed.unreadable,
        next: listed.next,
        at: listed.at,
        spent: listed.spent,
    })
}

/// The listing's name in addresses.
pub fn listed_as(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::BlogPost => "blogposts",
        DocumentKind::Page | DocumentKind::Comment | DocumentKind::Attachment => "pages",
    }
}

#[allow(clippy::too_many_arguments)] // One listing, spelled out for three callers.
async fn of_space(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    query: &[(&str, &str)],
    after: Option<&Cursor>,
    patience: Patience,
) -> Result<Answered<Listing>> {
    let what = format!("the {} of space {}", listed_as(kind), space.key);
    let ask = Ask {
        what: &what,
        path: &["api", "v2", "spaces", space.id.as_str(), listed_as(kind)],
        query,
        scopes: &["read:page:confluence"],
        rows_max: LIMIT_MAX,
        points_each: wire::points_each(kind),
        patience,
    };
    listing::answered(client, limit, reach, &ask, after).await
}

/// The rows of a listing over these spaces; a live doc whose text is only in an earlier version has it from there.
pub async fn listed_whole(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    answered: Answered<Listing>,
) -> Result<Listed<Document>> {
    let (mut listed, hollow) = listed(reach, spaces, kind, answered);
    for document in listed
        .items
        .iter_mut()
        .filter(|document| hollow.contains(&document.id.content))
    {
        let (body, spent) = live::earlier_body(client, reach, document).await?;
        listed.spent = listed.spent.plus(spent);
        if let Some(body) = body {
            document.body = body;
        }
    }
    Ok(listed)
}

/// The rows of a listing over these spaces, and which of them are live docs that came without their text.
fn listed(
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    answered: Answered<Listing>,
) -> (Listed<Document>, BTreeSet<ContentId>) {
    let (listing, spent, at) = (answered.value, answered.spent, answered.at);
    let (mut items, mut unreadable) = (Vec::with_capacity(listing.results.len()), Vec::new());
    let mut hollow = BTreeSet::new();
    for row in listing.results {
        let (content, title) = named(&row);
        match serde_json::from_value::<PageRow>(row) {
            Ok(row) => {
                // Only what is current and of a space that was asked for, whatever the answer holds.
                let current = row.status.as_deref().unwrap_or("current") == "current";
                let space = space_of(spaces, row.space_id.as_deref()).filter(|_| current);
                if let Some(space) = space {
                    let live = row.subtype.as_deref() == Some("live");
                    let (document, too_long) = document(reach, space, kind, row);
                    if live && live::is_hollow(&document) {
                        hollow.insert(document.id.content.clone());
                    }
                    unreadable.extend(too_long);
                    items.push(document);
                }
            }
            Err(error) => unreadable.push(Unreadable {
                content,
                title,
                why: format!("Atlassian's description of it could not be read: {error}"),
            }),
        }
    }
    let listed = Listed {
        items,
        unreadable,
        next: wire::cursor(listing.links.next.as_deref()).map(Cursor),
        at,
        spent,
    };
    (listed, hollow)
}

/// The space of a row, which must be one of those that were asked for. A row that does not say is of the only one.
pub fn space_of<'a>(spaces: &'a [Space], id: Option<&str>) -> Option<&'a Space> {
    match (id, spaces) {
        (Some(id), spaces) => spaces.iter().find(|space| space.id.as_str() == id),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// What a row that cannot be read is called, as far as that can be told.
pub fn named(row: &Value) -> (Option<String>, String) {
    let content = row.get("id").and_then(Value::as_str).map(wire::shortened);
    let title = row.get("title").and_then(Value::as_str).map(wire::shortened);
    (content, title.unwrap_or_else(|| "untitled".into()))
}

fn document(reach: &Reach, space: &Space, kind: DocumentKind, row: PageRow) -> (Document, Option<Unreadable>) {
    let version = row.version.as_ref();
    let title = wire::shortened(row.title.as_deref().unwrap_or_default());
    let created = row.created_at.as_deref();
    let modified = version.and_then(|version| version.created_at.as_deref());
    let (body, too_long) = body(row.body, &row.id, &title);
    let otherwise = format!("/pages/viewpage.action?pageId={}", row.id);
    // A parent that is a folder, whiteboard or database is no document.
    let parent_is_page = row.parent_type.as_deref().is_none_or(|kind| kind == "page");
    let document = Document {
        id: DocumentId::new(&reach.site.id, row.id.clone()),
        kind,
        space: space.id.clone(),
        parent: row.parent_id.filter(|_| parent_is_page).map(ContentId::new),
        title,
        version: version.and_then(|version| version.number).unwrap_or(1),
        created_at: wire::instant([created, modified]),
        modified_at: wire::instant([modified, created]),
        author: row.author_id.as_deref().and_then(account),
        editor: version
            .and_then(|version| version.author_id.as_deref())
            .and_then(account),
        labels: Vec::new(),
        url: wire::page_url(&reach.site.url, row.links.as_ref(), &otherwise),
        body,
        comment: None,
        file: None,
    };
    (document, too_long)
}

/// The longest account id that is believed.
const ACCOUNT_CHARS_MAX: usize = 200;

pub fn account(text: &str) -> Option<AccountId> {
    let plain = !text.is_empty() && text.len() <= ACCOUNT_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| AccountId::new(text))
}

/// The body, and a remark when it is longer than what is kept.
pub fn body(row: Option<BodyRow>, id: &str, title: &str) -> (Body, Option<Unreadable>) {
    let row = row.unwrap_or_default();
    let storage = row.storage.and_then(|text| text.value).map(Body::Storage);
    let adf = row.atlas_doc_format.and_then(|text| text.value).map(Body::Adf);
    let body = storage.or(adf).unwrap_or(Body::None);
    let bytes = body.text().len();
    if bytes <= BODY_BYTES_MAX {
        return (body, None);
    }
    let remark = Unreadable {
        content: Some(id.to_owned()),
        title: title.to_owned(),
        why: format!(
            "its text has {bytes} bytes, more than the {BODY_BYTES_MAX} that Circuit keeps; it is found by its title only"
        ),
    };
    (Body::None, Some(remark))
}
