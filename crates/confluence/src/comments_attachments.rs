//! The comments and attachments of a space: CQL over that one space (the site-wide listings would answer with other
//! spaces' content, and asking page by page costs a call for each).

use domain::{
    ContentId, DocumentId, ErrorKind, Result,
    cursor::Cursor,
    document::{CommentPlace, Document, DocumentKind, FileFacts},
    source::{Listed, Reach, Unreadable},
    space::Space,
};

use crate::{
    by_id,
    client::{Answered, Client, Patience},
    listing::{self, Ask, Limit},
    pages,
    spaces::keys,
    wire::{self, ContentRow, Listing},
};

/// What v1's search gives at once with bodies; it answers with fewer when it likes (facts.md §5).
pub const LIMIT_MAX: u32 = 100;
pub const EXPAND: &str =
    "space,version,history,container,ancestors,body.storage,extensions.inlineProperties,extensions.resolution";
/// The same with the other form of texts, for an answer that fails with the first (CONFCLOUD-76433).
pub const EXPAND_OTHERWISE: &str =
    "space,version,history,container,ancestors,body.atlas_doc_format,extensions.inlineProperties,extensions.resolution";

/// The next comments or attachments, in the order they were made, which does not change.
pub async fn list(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let what = format!("the {}s of space {}", kind.word(), space.key);
    let cql = format!(
        "space={} and type={} order by created asc",
        keys(std::slice::from_ref(space)),
        kind.word()
    );
    searched(
        client,
        limit,
        reach,
        std::slice::from_ref(space),
        kind,
        (&what, &cql),
        after,
    )
    .await
}

/// The same of some pages and blog posts of these spaces.
pub async fn of_pages(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    holders: &[ContentId],
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let what = format!("the {}s of some pages", kind.word());
    let ids = by_id::numbers(holders);
    let ids: Vec<&str> = ids.iter().map(ContentId::as_str).collect();
    let cql = format!(
        "container in ({}) and space in ({}) and type={} order by created asc",
        ids.join(","),
        keys(spaces),
        kind.word()
    );
    searched(client, limit, reach, spaces, kind, (&what, &cql), after).await
}

/// One answer of the search, `what` for people and as CQL.
async fn searched(
    client: &Client,
    limit: &Limit,
    reach: &Reach,
    spaces: &[Space],
    kind: DocumentKind,
    (what, cql): (&str, &str),
    after: Option<&Cursor>,
) -> Result<Listed<Document>> {
    let ask = |query, patience| Ask {
        what,
        path: &["rest", "api", "content", "search"],
        query,
        scopes: &["search:confluence"],
        rows_max: LIMIT_MAX,
        points_each: wire::points_each(kind),
        patience,
    };
    let query = [("cql", cql), ("expand", EXPAND)];
    let answered = match listing::answered(client, limit, reach, &ask(&query, Patience::Long), after).await {
        Err(failed) if failed.kind == ErrorKind::Unavailable => {
            let query = [("cql", cql), ("expand", EXPAND_OTHERWISE)];
            let otherwise = listing::answered(client, limit, reach, &ask(&query, Patience::Short), after).await;
            otherwise.map_err(|_| failed)?
        }
        other => other?,
    };
    Ok(listed(reach, spaces, kind, answered))
}

/// The rows of a search over these spaces.
pub fn listed(reach: &Reach, spaces: &[Space], kind: DocumentKind, answered: Answered<Listing>) -> Listed<Document> {
    let (listing, spent, at) = (answered.value, answered.spent, answered.at);
    let rows = listing.results.len() as u64;
    // A next link beside no rows is the end (facts.md §5): following it would never stop.
    let next = wire::cursor(listing.links.next.as_deref())
        .filter(|_| rows > 0)
        .map(Cursor);
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for row in listing.results {
        let (content, title) = pages::named(&row);
        match serde_json::from_value::<ContentRow>(row) {
            Ok(row) => match belongs(&row, spaces, kind).map(|space| document(reach, space, kind, row)) {
                None => {}
                Some(Ok((document, too_long))) => {
                    unreadable.extend(too_long);
                    items.push(document);
                }
                Some(Err(why)) => unreadable.push(Unreadable { content, title, why }),
            },
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
        next,
        at,
        spent,
    }
}

/// The space it is of, if it is what was asked for. A key can be given to another space while we look away; an id cannot.
fn belongs<'a>(row: &ContentRow, spaces: &'a [Space], kind: DocumentKind) -> Option<&'a Space> {
    let current = row.status.as_deref().unwrap_or("current") == "current";
    let same = row.kind.as_deref().unwrap_or(kind.word()) == kind.word();
    let space = pages::space_of(spaces, row.space.as_ref().map(|space| space.id.as_str()));
    space.filter(|_| current && same)
}

fn document(
    reach: &Reach,
    space: &Space,
    kind: DocumentKind,
    row: ContentRow,
) -> Result<(Document, Option<Unreadable>), String> {
    let container = row.container.ok_or("Atlassian did not say which page it belongs to")?;
    let parent = container.id.ok_or("Atlassian did not say which page it belongs to")?;
    let own_title = wire::shortened(row.title.as_deref().unwrap_or_default());
    let title = match kind {
        DocumentKind::Comment => container
            .title
            .as_deref()
            .map(wire::shortened)
            .unwrap_or_else(|| own_title.strip_prefix("Re: ").unwrap_or(&own_title).to_owned()),
        DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => own_title,
    };
    let extensions = row.extensions.unwrap_or_default();
    let (history, version) = (row.history.as_ref(), row.version.as_ref());
    let created = history.and_then(|history| history.created_date.as_deref());
    let modified = version.and_then(|version| version.when.as_deref());
    let person = |row: Option<&wire::PersonRow>| row.and_then(|row| row.account_id.as_deref()).and_then(pages::account);
    let otherwise = match kind {
        DocumentKind::Comment => format!("/pages/viewpage.action?pageId={parent}&focusedCommentId={}", row.id),
        _ => format!("/pages/viewpageattachments.action?pageId={parent}"),
    };
    let (body, too_long) = pages::body(row.body, &row.id, &title);
    let reply_to = row
        .ancestors
        .unwrap_or_default()
        .into_iter()
        .rfind(|above| above.kind.as_deref() == Some("comment"))
        .and_then(|above| above.id)
        .map(ContentId::new);
    let comment = (kind == DocumentKind::Comment).then(|| CommentPlace {
        inline: extensions.location.as_deref() == Some("inline"),
        reply_to,
        resolution: extensions
            .resolution
            .and_then(|resolution| resolution.status)
            .map(|word| wire::shortened(&word)),
        quoted: extensions
            .inline_properties
            .and_then(|properties| properties.original_selection)
            .map(|text| wire::shortened(&text)),
    });
    let file = (kind == DocumentKind::Attachment).then(|| FileFacts {
        media_type: extensions.media_type.map(|word| wire::shortened(&word)),
        size_bytes: extensions.file_size,
        file_id: extensions.file_id.map(|id| wire::shortened(&id)),
    });
    let document = Document {
        id: DocumentId::new(&reach.site.id, row.id),
        kind,
        space: space.id.clone(),
        parent: Some(ContentId::new(parent)),
        title,
        version: version.and_then(|version| version.number).unwrap_or(1),
        created_at: wire::instant([created, modified]),
        modified_at: wire::instant([modified, created]),
        author: person(history.and_then(|history| history.created_by.as_ref())),
        editor: person(version.and_then(|version| version.by.as_ref())),
        labels: Vec::new(),
        url: wire::page_url(&reach.site.url, row.links.as_ref(), &otherwise),
        body,
        comment,
        file,
    };
    Ok((document, too_long))
}
