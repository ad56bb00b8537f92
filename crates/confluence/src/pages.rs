//! The pages and blog posts of a space, with bodies, oldest first: the v2 listings.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::{
    AccountId, ContentId, DocumentId, Error, ErrorKind, Result,
    cursor::Cursor,
    document::{BODY_BYTES_MAX, Body, Document, DocumentKind},
    source::{Listed, Reach, Unreadable},
    space::Space,
    sync_run::Spent,
};
use serde_json::Value;

use crate::{
    client::{Call, Client, Refused},
    wire::{self, BodyRow, Listing, PageRow},
};

/// The most the v2 API returns in one answer.
pub const LIMIT_MAX: u32 = 250;
/// The fewest that are asked for when answers come too late: what others found to work (facts.md §5).
pub const LIMIT_MIN: u32 = 5;

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

/// The next pages or blog posts. Sorted by id, which never changes: what is made meanwhile comes at the end (sync.md).
pub async fn list(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let listing = match kind {
        DocumentKind::BlogPost => "blogposts",
        _ => "pages",
    };
    let what = format!("the {listing} of space {}", space.key);
    let path = ["api", "v2", "spaces", space.id.as_str(), listing];
    let mut asked = limit.now();
    loop {
        let rows = asked.to_string();
        let mut query = vec![
            ("sort", "id"),
            ("status", "current"),
            ("body-format", "storage"),
            ("limit", &rows),
        ];
        query.extend(after.map(|cursor| ("cursor", cursor.0.as_str())));
        let call = Call {
            what: &what,
            path: &path,
            query: &query,
            scopes: &["read:page:confluence"],
        };
        let refused = match client.get::<Listing>(reach, &call).await {
            Ok(answered) => {
                limit.raised(asked);
                return Ok(listed(reach, space, kind, answered.value, answered.calls));
            }
            Err(refused) => refused,
        };
        match refused {
            Refused::TooMuch => match limit.lowered(asked) {
                Some(lower) => asked = lower,
                None => return Err(refused.into_error(&what)),
            },
            // Whoever resumes with a cursor that is no longer known begins the listing anew.
            Refused::Because(error) if error.kind == ErrorKind::Invalid && after.is_some() => {
                return Err(Error::conflict(format!(
                    "Atlassian no longer knows the place in {what}"
                )));
            }
            Refused::Because(error) => return Err(error),
        }
    }
}

fn listed(reach: &Reach, space: &Space, kind: DocumentKind, listing: Listing, calls: u64) -> Listed<Document> {
    let points = calls + listing.results.len() as u64;
    let (mut items, mut unreadable) = (Vec::with_capacity(listing.results.len()), Vec::new());
    for row in listing.results {
        let (content, title) = named(&row);
        match serde_json::from_value::<PageRow>(row) {
            Ok(row) => {
                // Only what is current and of the space that was asked for, whatever the answer holds.
                let current = row.status.as_deref().unwrap_or("current") == "current";
                let here = row.space_id.as_deref().is_none_or(|id| id == space.id.as_str());
                if current && here {
                    let (document, too_long) = document(reach, space, kind, row);
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
    Listed {
        items,
        unreadable,
        next: wire::cursor(listing.links.next.as_deref()).map(Cursor),
        spent: Spent { calls, points },
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
    let bytes = match &body {
        Body::Storage(text) | Body::Adf(text) => text.len(),
        Body::None => 0,
    };
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
