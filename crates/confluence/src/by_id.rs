//! Documents that are known by their ids: read again, looked at a second time, or probed for being there at all.

use std::collections::BTreeSet;

use domain::{
    ContentId, Error, ErrorKind, Result,
    document::{Document, DocumentKind},
    source::{CHANGES_SPACES_MAX, IDS_MAX, Listed, Looked, PROBE_IDS_MAX, Reach, Unreadable},
    space::Space,
    sync_run::Spent,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    client::{Answered, Call, Client, Patience, Price, Refused, Rows},
    labels, pages,
    wire::{self, Listing},
};

/// The fewest ids of one call when answers come too late.
const IDS_MIN: usize = 5;

/// Current pages or blog posts with bodies and labels, as far as they are in these spaces. One whose storage format
/// Atlassian fails to give has its text in the other form, or is told of without any.
pub async fn fetch(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    ids: &[ContentId],
) -> Result<Listed<Document>> {
    fetch_with(client, reach, spaces, kind, ids, Patience::Long).await
}

/// The same for documents whose listing failed with its bodies.
pub async fn fetch_hastily(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    ids: &[ContentId],
) -> Result<Listed<Document>> {
    fetch_with(client, reach, spaces, kind, ids, Patience::Short).await
}

async fn fetch_with(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    ids: &[ContentId],
    patience: Patience,
) -> Result<Listed<Document>> {
    let mut fetched = nothing();
    for spaces in spaces.chunks(CHANGES_SPACES_MAX) {
        let asked = Asked {
            client,
            reach,
            spaces,
            kind,
        };
        let mut rest = numbers(ids);
        let mut at_once = IDS_MAX;
        while !rest.is_empty() {
            let some = &rest[..rest.len().min(at_once)];
            let mut listed = match asked.fetched(some, Bodies::Storage, patience).await {
                Ok(listed) => listed,
                // Large bodies: fewer at once.
                Err(Refused::TooMuch) if at_once > IDS_MIN => {
                    at_once = (at_once / 2).max(IDS_MIN);
                    continue;
                }
                Err(Refused::Because(error)) if error.kind == ErrorKind::Unavailable => {
                    asked.apart(some, error).await?
                }
                Err(refused) => return Err(refused.into_error("some documents")),
            };
            rest = rest.split_off(some.len());
            let price = labels::label_some(client, reach, spaces, &mut listed.items).await?;
            fetched = joined(fetched, listed);
            fetched.spent = fetched.spent.plus(price);
        }
    }
    Ok(fetched)
}

/// Documents that are asked for by id.
struct Asked<'a> {
    client: &'a Client,
    reach: &'a Reach,
    spaces: &'a [Space],
    kind: DocumentKind,
}

impl Asked<'_> {
    /// One call for all of these ids, of which there are at most [`IDS_MAX`].
    async fn named(
        &self,
        ids: &[ContentId],
        statuses: &str,
        bodies: Bodies,
        patience: Patience,
    ) -> Result<Answered<Listing>, Refused> {
        let ids: Vec<&str> = ids.iter().map(ContentId::as_str).collect();
        let ids = ids.join(",");
        let spaces: Vec<&str> = self.spaces.iter().map(|space| space.id.as_str()).collect();
        let spaces = spaces.join(",");
        let limit = IDS_MAX.to_string();
        let mut query = vec![
            ("id", ids.as_str()),
            ("space-id", spaces.as_str()),
            ("status", statuses),
            ("sort", "id"),
            ("limit", &limit),
        ];
        match bodies {
            Bodies::Storage => query.push(("body-format", "storage")),
            Bodies::Adf => query.push(("body-format", "atlas_doc_format")),
            Bodies::Without => {}
        }
        let call = Call {
            what: "some documents",
            path: &["api", "v2", pages::listed_as(self.kind)],
            query: &query,
            scopes: &["read:page:confluence"],
            price: Price::of_rows(wire::points_each(self.kind), IDS_MAX as u32),
        };
        self.client.get_with::<Listing>(self.reach, &call, patience).await
    }

    async fn fetched(
        &self,
        ids: &[ContentId],
        bodies: Bodies,
        patience: Patience,
    ) -> Result<Listed<Document>, Refused> {
        let answered = self.named(ids, "current", bodies, patience).await?;
        Ok(pages::listed_whole(self.client, self.reach, self.spaces, self.kind, answered).await?)
    }

    /// Those that can be given in storage format, and the others in another form: halved until each that fails stands
    /// alone. `failed` is how all of them failed together, and the answer when they do so even without their texts.
    async fn apart(&self, ids: &[ContentId], failed: Error) -> Result<Listed<Document>> {
        let mut plain = match self.fetched(ids, Bodies::Without, Patience::Short).await {
            Ok(plain) => plain,
            Err(_) => return Err(failed),
        };
        let mut listed = nothing();
        let present: Vec<ContentId> = plain.items.iter().map(|document| document.id.content.clone()).collect();
        let mut pieces = halves(&present);
        while let Some(piece) = pieces.pop() {
            match self.fetched(piece, Bodies::Storage, Patience::Short).await {
                Ok(found) => listed = joined(listed, found),
                Err(refused) if may_be_one_of_them(&refused) => match piece {
                    [one] => listed = joined(listed, self.otherwise(one, &mut plain).await?),
                    piece => pieces.extend(halves(piece)),
                },
                Err(refused) => return Err(refused.into_error("some documents")),
            }
        }
        listed.unreadable.append(&mut plain.unreadable);
        listed.spent = listed.spent.plus(plain.spent);
        Ok(listed)
    }

    /// One whose storage format cannot be had (CONFCLOUD-76433).
    async fn otherwise(&self, id: &ContentId, plain: &mut Listed<Document>) -> Result<Listed<Document>> {
        let one = std::slice::from_ref(id);
        match self.fetched(one, Bodies::Adf, Patience::Short).await {
            Ok(listed) => return Ok(listed),
            Err(refused) if may_be_one_of_them(&refused) => {}
            Err(refused) => return Err(refused.into_error("a document")),
        }
        let mut listed = nothing();
        let place = plain.items.iter().position(|document| document.id.content == *id);
        if let Some(document) = place.map(|place| plain.items.swap_remove(place)) {
            listed.unreadable.push(Unreadable {
                content: Some(id.to_string()),
                title: document.title.clone(),
                why: "Atlassian fails to give its text in either form; it is found by its title only".to_owned(),
            });
            listed.items.push(document);
        }
        Ok(listed)
    }
}

/// Whether the answer may have failed for one of the documents in it.
fn may_be_one_of_them(refused: &Refused) -> bool {
    match refused {
        Refused::TooMuch => true,
        Refused::Because(error) => error.kind == ErrorKind::Unavailable,
    }
}

/// The later half first: pieces are taken from the end.
fn halves(ids: &[ContentId]) -> Vec<&[ContentId]> {
    let (first, second) = ids.split_at(ids.len() / 2);
    [second, first].into_iter().filter(|half| !half.is_empty()).collect()
}

fn nothing() -> Listed<Document> {
    Listed {
        items: Vec::new(),
        unreadable: Vec::new(),
        next: None,
        at: None,
        spent: Spent::default(),
    }
}

fn joined(mut all: Listed<Document>, mut more: Listed<Document>) -> Listed<Document> {
    all.items.append(&mut more.items);
    all.unreadable.append(&mut more.unreadable);
    all.at = all.at.or(more.at);
    all.spent = all.spent.plus(more.spent);
    all
}

/// What is there of these documents, in which status, and what is not.
pub async fn look(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    ids: &[ContentId],
) -> Result<Looked> {
    match kind {
        DocumentKind::Page | DocumentKind::BlogPost => look_at_pages(client, reach, spaces, kind, ids).await,
        DocumentKind::Comment | DocumentKind::Attachment => look_one_by_one(client, reach, kind, ids).await,
    }
}

/// Asked with the spaces as well: what has moved to a space that was not chosen is not answered.
async fn look_at_pages(
    client: &Client,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    ids: &[ContentId],
) -> Result<Looked> {
    let ids = numbers(ids);
    let mut looked = Looked::default();
    let statuses = match kind {
        DocumentKind::BlogPost => "current,trashed",
        _ => "current,archived,trashed",
    };
    for spaces in spaces.chunks(CHANGES_SPACES_MAX) {
        let asked = Asked {
            client,
            reach,
            spaces,
            kind,
        };
        for some in ids.chunks(IDS_MAX) {
            let answered = asked
                .named(some, statuses, Bodies::Without, Patience::Long)
                .await
                .map_err(|refused| refused.into_error("some documents"))?;
            // All of these ids fit into one answer: one that says it goes on is none to conclude from.
            let whole = answered.value.links.next.is_none();
            let rows = answered.value.results;
            looked.spent = looked.spent.plus(answered.spent);
            let mut named = BTreeSet::new();
            for row in rows {
                let Ok(row) = serde_json::from_value::<StatusRow>(row) else {
                    // One that cannot even be named may be any of them.
                    return Ok(Looked {
                        spent: looked.spent,
                        ..Looked::default()
                    });
                };
                let id = ContentId::new(row.id);
                match row.status.as_deref() {
                    Some("current") | None => looked.current.insert(id.clone()),
                    Some(_) => looked.put_away.insert(id.clone()),
                };
                named.insert(id);
            }
            if whole {
                let absent = some.iter().filter(|id| !named.contains(*id));
                looked.absent.extend(absent.cloned());
            }
        }
    }
    // Seen in one group of spaces, it is not absent because another does not have it.
    looked
        .absent
        .retain(|id| !looked.current.contains(id) && !looked.put_away.contains(id));
    Ok(looked)
}

enum Bodies {
    Storage,
    Adf,
    Without,
}

/// Ids of pages are numbers; anything else was not given by a listing of pages.
pub fn numbers(ids: &[ContentId]) -> Vec<ContentId> {
    let number = |id: &&ContentId| !id.as_str().is_empty() && id.as_str().bytes().all(|byte| byte.is_ascii_digit());
    ids.iter().filter(number).cloned().collect()
}

/// Comments and attachments are told of by Atlassian's search, which lags: each is looked at by its own address.
async fn look_one_by_one(client: &Client, reach: &Reach, kind: DocumentKind, ids: &[ContentId]) -> Result<Looked> {
    let ways: &[(&str, &[&str])] = match kind {
        DocumentKind::Attachment => &[("attachments", &["read:attachment:confluence"])],
        _ => &[
            ("footer-comments", &["read:comment:confluence"]),
            ("inline-comments", &["read:comment:confluence"]),
        ],
    };
    let mut looked = Looked::default();
    for id in ids {
        let mut absent = true;
        for (way, scopes) in ways {
            let call = Call {
                what: "a document",
                path: &["api", "v2", way, id.as_str()],
                query: &[],
                scopes,
                price: Price::of_rows(wire::points_each(kind), 1),
            };
            let found = match client.get::<StatusRow>(reach, &call).await {
                Ok(answered) => {
                    looked.spent = looked.spent.plus(answered.spent);
                    Some(answered.value)
                }
                Err(Refused::Because(error)) if error.kind == ErrorKind::NotFound => {
                    looked.spent = looked.spent.plus(Spent { calls: 1, points: 1 });
                    None
                }
                Err(refused) => return Err(refused.into_error("a document")),
            };
            if let Some(row) = found {
                absent = false;
                match row.status.as_deref() {
                    Some("current") | None => looked.current.insert(id.clone()),
                    Some(_) => looked.put_away.insert(id.clone()),
                };
                break;
            }
        }
        if absent {
            looked.absent.insert(id.clone());
        }
    }
    Ok(looked)
}

/// Those of the ids that Atlassian answers with nothing for: gone, or no longer to be seen (facts.md §2.1).
pub async fn probe(client: &Client, reach: &Reach, ids: &[ContentId]) -> Result<(BTreeSet<ContentId>, Spent)> {
    let what = "which documents are still there";
    let asked: Vec<&str> = ids.iter().take(PROBE_IDS_MAX).map(ContentId::as_str).collect();
    let call = Call {
        what,
        path: &["api", "v2", "content", "convert-ids-to-types"],
        query: &[],
        scopes: &["read:content.metadata:confluence"],
        price: Price::CALL,
    };
    let answered = client
        .post::<Types>(reach, &call, &json!({ "contentIds": asked }))
        .await
        .map_err(|refused| refused.into_error(what))?;
    // Only an id that is answered with null is suspected; one that is left out says nothing.
    let nulls = answered.value.results.into_iter().filter(|(_, kind)| kind.is_null());
    let suspected: BTreeSet<ContentId> = nulls
        .filter(|(id, _)| asked.contains(&id.as_str()))
        .map(|(id, _)| ContentId::new(id))
        .collect();
    Ok((suspected, answered.spent))
}

#[derive(Deserialize)]
struct StatusRow {
    #[serde(deserialize_with = "wire::id")]
    id: String,
    #[serde(default)]
    status: Option<String>,
}

/// Alone: the answer is one document.
impl Rows for StatusRow {
    fn rows(&self) -> u64 {
        1
    }
}

#[derive(Deserialize)]
struct Types {
    results: Map<String, Value>,
}

impl Rows for Types {
    fn rows(&self) -> u64 {
        self.results.len() as u64
    }
}
