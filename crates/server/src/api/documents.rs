//! Documents of an index: listed, read, deleted.

use app::{
    documents::{Hidden, Story},
    reading::{Above, Hanging, Heading},
};
use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    response::{IntoResponse, Response},
};
use domain::{
    DocumentId, Error, FeedId, IndexId, SpaceId,
    document::{Body, CommentPlace, DocumentKind, FileFacts, Held, Person, Removal},
    store::{DOCUMENTS_MAX, DocumentFilter, DocumentRow, Touch},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK},
    request::Parts,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        problem::{Answer, Failed},
        request::{Id, Ids, Parameters, Sent},
        runs::{EffectKindJson, FailureJson, RunKindJson},
        spaces::{FeedSpaceJson, SpaceRefJson},
    },
    place,
};

/// How many rows a list has when nobody says.
const LIMIT_DEFAULT: usize = 50;
/// How deep a list may begin: further down, filter.
const OFFSET_MAX: usize = 1_000_000;
/// The longest part of a title that is looked for, in characters: no title is longer.
const TITLE_CHARS_MAX: usize = domain::document::TITLE_CHARS_MAX;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DocumentKind)]
pub enum KindJson {
    Page,
    BlogPost,
    Comment,
    Attachment,
}

impl KindJson {
    pub fn from_word(word: &str) -> Result<Self, Failed> {
        let kind = DocumentKind::from_word(word).map_err(|error| Failed::from(error).about("kind"))?;
        Ok(kind.into())
    }
}

impl From<DocumentKind> for KindJson {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Page => Self::Page,
            DocumentKind::BlogPost => Self::BlogPost,
            DocumentKind::Comment => Self::Comment,
            DocumentKind::Attachment => Self::Attachment,
        }
    }
}

impl From<KindJson> for DocumentKind {
    fn from(kind: KindJson) -> Self {
        match kind {
            KindJson::Page => Self::Page,
            KindJson::BlogPost => Self::BlogPost,
            KindJson::Comment => Self::Comment,
            KindJson::Attachment => Self::Attachment,
        }
    }
}

/// A person of Confluence.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonJson {
    pub account_id: String,
    pub name: String,
}

impl From<Person> for PersonJson {
    fn from(person: Person) -> Self {
        Self {
            account_id: person.account.to_string(),
            name: person.name,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Documents)]
pub struct DocumentsJson {
    /// How many there are in all.
    pub total: u64,
    pub offset: usize,
    pub limit: usize,
    /// By title.
    pub documents: Vec<DocumentRowJson>,
}

/// A document in a list: without its body.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentRow)]
pub struct DocumentRowJson {
    pub id: String,
    pub feed_id: String,
    pub kind: KindJson,
    pub title: String,
    pub space_key: String,
    pub version: u32,
    #[schema(format = DateTime)]
    pub modified_at: String,
    /// The name of who edited it last.
    pub editor: Option<String>,
    pub url: String,
}

impl From<DocumentRow> for DocumentRowJson {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id.to_string(),
            feed_id: row.feed.to_string(),
            kind: row.kind.into(),
            title: row.title,
            space_key: row.space_key,
            version: row.version,
            modified_at: row.modified_at.to_string(),
            editor: row.editor,
            url: row.url,
        }
    }
}

/// A page, blog post, comment or attachment as Circuit holds it.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub struct DocumentJson {
    /// Site and content id: it survives renames and moves.
    pub id: String,
    pub feed_id: String,
    pub kind: KindJson,
    pub title: String,
    /// Opens it at Atlassian.
    pub url: String,
    pub space: SpaceRefJson,
    /// Titles from the top of the space down to the parent.
    pub breadcrumb: Vec<String>,
    /// The parent page's id, or that of the page or blog post that a comment or attachment belongs to.
    pub parent_id: Option<String>,
    pub version: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When this version was made.
    #[schema(format = DateTime)]
    pub modified_at: String,
    pub author: Option<PersonJson>,
    /// Who made this version.
    pub editor: Option<PersonJson>,
    pub labels: Vec<String>,
    pub body: Option<BodyJson>,
    /// The body as Markdown (CommonMark with tables, tasks and struck text), without the title. Null with a story.
    pub markdown: Option<String>,
    /// The body's headings, in order. Null with a story.
    pub outline: Option<Vec<HeadingJson>>,
    /// The pages above it, from the top of the space down to its parent. Null with a story.
    pub ancestors: Option<Vec<AncestorJson>>,
    /// The attachments of a page or blog post. Null with a story.
    pub attachments: Option<HangingJson>,
    /// The comments on a page or blog post. Null with a story.
    pub comments: Option<HangingJson>,
    /// Of a comment only.
    pub comment: Option<CommentJson>,
    /// Of an attachment only.
    pub file: Option<FileJson>,
    #[schema(format = DateTime)]
    pub first_seen_at: String,
}

/// A heading of a document.
#[derive(Serialize, ToSchema)]
#[schema(as = Heading)]
pub struct HeadingJson {
    /// 1 to 6, as the page has it.
    #[schema(minimum = 1, maximum = 6)]
    pub level: u8,
    pub text: String,
    /// Its place in the page: `{url}#{anchor}`, the anchor encoded, opens it at Atlassian.
    pub anchor: String,
}

impl From<Heading> for HeadingJson {
    fn from(heading: Heading) -> Self {
        Self {
            level: heading.level,
            text: heading.text,
            anchor: heading.anchor,
        }
    }
}

/// A page above a document.
#[derive(Serialize, ToSchema)]
#[schema(as = Ancestor)]
pub struct AncestorJson {
    /// Null when it is not found in this index.
    pub id: Option<String>,
    pub title: String,
}

impl From<Above> for AncestorJson {
    fn from(above: Above) -> Self {
        Self {
            id: above.document.map(|id| id.to_string()),
            title: above.title,
        }
    }
}

/// What hangs on a page, of one kind.
#[derive(Serialize, ToSchema)]
#[schema(as = Hanging)]
pub struct HangingJson {
    /// How many there are in all.
    pub total: u64,
    /// Oldest first, at most 50.
    pub documents: Vec<DocumentRowJson>,
}

impl From<Hanging> for HangingJson {
    fn from(hanging: Hanging) -> Self {
        Self {
            total: hanging.total,
            documents: hanging.rows.into_iter().map(DocumentRowJson::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Body)]
pub struct BodyJson {
    /// `storage` (Confluence storage format, XHTML) or `adf` (Atlassian Document Format, JSON).
    pub format: &'static str,
    pub text: String,
}

/// Where a comment stands.
#[derive(Serialize, ToSchema)]
#[schema(as = CommentPlace)]
pub struct CommentJson {
    /// Beside marked text (true) or below the page.
    pub inline: bool,
    /// The comment this one replies to.
    pub reply_to: Option<String>,
    /// Atlassian's word for an inline comment, such as `open` or `resolved`.
    pub resolution: Option<String>,
    /// The text that an inline comment is about.
    pub quoted: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FileFacts)]
pub struct FileJson {
    pub media_type: Option<String>,
    pub size_bytes: Option<u64>,
    /// Why this version has no text here, such as `password-protected`; null when it has, or was not read yet.
    pub unread: Option<String>,
    /// What of its text was left out, in a sentence; null when all of it was read, and in a story.
    pub left_out: Option<String>,
}

impl From<Held> for DocumentJson {
    fn from(held: Held) -> Self {
        let document = held.document;
        let site = document.id.site.clone();
        let beside = |content: domain::ContentId| DocumentId::new(&site, content.0).to_string();
        Self {
            id: document.id.to_string(),
            feed_id: held.feed.to_string(),
            kind: document.kind.into(),
            title: document.title,
            url: document.url,
            space: SpaceRefJson {
                id: document.space.to_string(),
                key: held.space_key,
                name: held.space_name,
            },
            breadcrumb: held.breadcrumb,
            parent_id: document.parent.map(beside),
            version: document.version,
            created_at: document.created_at.to_string(),
            modified_at: document.modified_at.to_string(),
            author: held.author.map(PersonJson::from),
            editor: held.editor.map(PersonJson::from),
            labels: document.labels,
            body: match document.body {
                Body::Storage(text) => Some(BodyJson {
                    format: "storage",
                    text,
                }),
                Body::Adf(text) => Some(BodyJson { format: "adf", text }),
                Body::File(_) | Body::None => None,
            },
            markdown: None,
            outline: None,
            ancestors: None,
            attachments: None,
            comments: None,
            comment: document.comment.map(|place: CommentPlace| CommentJson {
                inline: place.inline,
                reply_to: place.reply_to.map(beside),
                resolution: place.resolution,
                quoted: place.quoted,
            }),
            file: document.file.map(|file: FileFacts| FileJson {
                media_type: file.media_type,
                size_bytes: file.size_bytes,
                unread: held.unread,
                left_out: None,
            }),
            first_seen_at: held.first_seen_at.to_string(),
        }
    }
}

/// What explains a document.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentStory)]
pub struct StoryJson {
    /// Without its body.
    pub document: DocumentJson,
    /// Why it is not found; null when it is.
    pub hidden: Option<HiddenJson>,
    /// The run that last saw it on the site; null when an older Circuit did not note it.
    pub seen_run_id: Option<String>,
    /// Its space as the feed carries it; null when the feed no longer does.
    pub space: Option<FeedSpaceJson>,
    /// What runs did to it, newest first, at most 20.
    pub history: Vec<TouchJson>,
    /// Why it could not be read since it was last seen, newest first, at most 20.
    pub failures: Vec<FailureJson>,
}

/// Why a document is held and not found.
#[derive(Serialize, ToSchema)]
#[schema(as = Hidden)]
pub struct HiddenJson {
    pub why: HiddenWhyJson,
    /// Null when it is not known.
    #[schema(format = DateTime)]
    pub since: Option<String>,
}

/// `gone`: a run proved that the connected account can no longer see it. `suspended`: a second reading must agree first.
/// `deleted`: a person deleted it from the index. `space`: the connected account can no longer see its space.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HiddenWhy)]
pub enum HiddenWhyJson {
    Gone,
    Suspended,
    Deleted,
    Space,
}

impl From<Hidden> for HiddenJson {
    fn from(hidden: Hidden) -> Self {
        let (why, since) = match hidden {
            Hidden::Space { since } => (HiddenWhyJson::Space, Some(since)),
            Hidden::Itself { why, since } => match why {
                Removal::GoneFromSite => (HiddenWhyJson::Gone, since),
                Removal::Suspended => (HiddenWhyJson::Suspended, since),
                Removal::DeletedHere => (HiddenWhyJson::Deleted, since),
            },
        };
        Self {
            why,
            since: since.map(|at| at.to_string()),
        }
    }
}

/// What a run did to a document.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentEffect)]
pub struct TouchJson {
    pub run_id: String,
    pub run_kind: RunKindJson,
    pub effect: EffectKindJson,
    /// When the run began.
    #[schema(format = DateTime)]
    pub at: String,
}

impl From<Touch> for TouchJson {
    fn from(touch: Touch) -> Self {
        Self {
            run_id: touch.run.to_string(),
            run_kind: touch.kind.into(),
            effect: touch.effect.into(),
            at: touch.at.to_string(),
        }
    }
}

impl From<Story> for StoryJson {
    fn from(story: Story) -> Self {
        let seen_run_id = story.held.seen_run.map(|run| run.to_string());
        let mut document = DocumentJson::from(story.held);
        document.body = None;
        Self {
            document,
            hidden: story.hidden.map(HiddenJson::from),
            seen_run_id,
            space: story.space.map(FeedSpaceJson::from),
            history: story.touches.into_iter().map(TouchJson::from).collect(),
            failures: story.failures.into_iter().map(FailureJson::from).collect(),
        }
    }
}

/// Read what explains a document
///
/// Why it is found or not, which runs touched it, which could not read it. What is not found is there for administrators only.
#[utoipa::path(get, path = "/indexes/{id}/documents/{document}/story", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
    ),
    responses((status = 200, description = "What explains it", body = StoryJson)))]
pub async fn read_story(
    State(door): State<Door>,
    Asker(caller): Asker,
    Ids(index, document): Ids<IndexId, DocumentId>,
) -> Answer<Json<StoryJson>> {
    Ok(Json(door.app.document_story(&caller, index, &document).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentIds {
    /// At most 200.
    pub ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Deleted)]
pub struct DeletedJson {
    /// How many documents went, comments and attachments of pages included.
    pub deleted: u64,
}

/// List the documents of an index
#[utoipa::path(get, path = "/indexes/{id}/documents", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("feed" = Option<String>, Query, description = "Only those that this feed brought"),
        ("space" = Option<String>, Query, description = "Only those of the space with this id"),
        ("kind" = Option<KindJson>, Query, description = "Only those of this kind"),
        ("title" = Option<String>, Query, description = "Only those whose title holds this, without case"),
        ("offset" = Option<u64>, Query, maximum = 1_000_000, description = "Rows to pass over, at most 1,000,000"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "Rows in the answer, 1 to 200; 50 when absent"),
    ),
    responses((status = 200, description = "Documents by title", body = DocumentsJson)))]
pub async fn list_documents(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<DocumentsJson>> {
    let filter = filter(&parameters)?;
    let (rows, total) = door.app.documents(&caller, index, &filter).await?;
    Ok(Json(DocumentsJson {
        total,
        offset: filter.offset,
        limit: filter.limit,
        documents: rows.into_iter().map(DocumentRowJson::from).collect(),
    }))
}

fn filter(parameters: &Parameters) -> Result<DocumentFilter, Failed> {
    let filter = DocumentFilter {
        feed: parameters.id::<FeedId>("feed")?,
        space: parameters.one("space")?.map(SpaceId::new),
        kind: parameters
            .one("kind")?
            .map(|word| KindJson::from_word(&word))
            .transpose()?
            .map(DocumentKind::from),
        title: parameters.one("title")?.filter(|title| !title.is_empty()),
        offset: parameters.number("offset")?.unwrap_or(0),
        limit: parameters.number("limit")?.unwrap_or(LIMIT_DEFAULT),
    };
    if filter.limit == 0 || filter.limit > DOCUMENTS_MAX {
        return Err(Failed::invalid(format!("limit: is 1 to {DOCUMENTS_MAX}")));
    }
    if filter.offset > OFFSET_MAX {
        return Err(Failed::invalid(format!(
            "offset: is at most {OFFSET_MAX}; filter to see what is further down"
        )));
    }
    if filter
        .title
        .as_ref()
        .is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX)
    {
        return Err(Failed::invalid(format!(
            "title: has at most {TITLE_CHARS_MAX} characters"
        )));
    }
    Ok(filter)
}

/// Read a document, with its body
///
/// The body as Atlassian gave it, and as Markdown; what stands above the document and what hangs on it. With the `ETag` of an
/// earlier answer in `If-None-Match`, 304 says that nothing has changed.
#[utoipa::path(get, path = "/indexes/{id}/documents/{document}", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The document", body = DocumentJson,
            headers(("ETag" = String, description = "Changes with anything in the answer"))),
        (status = 304, description = "It is as it was"),
    ))]
pub async fn read_document(
    State(door): State<Door>,
    Asker(caller): Asker,
    Ids(index, document): Ids<IndexId, DocumentId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let held = door.app.document(&caller, index, &document).await?;
    let (held, reading) = door.app.reading(index, held).await?;
    let mut answer = DocumentJson {
        markdown: Some(reading.markdown),
        outline: Some(reading.outline.into_iter().map(HeadingJson::from).collect()),
        ancestors: Some(reading.above.into_iter().map(AncestorJson::from).collect()),
        attachments: Some(reading.attachments.into()),
        comments: Some(reading.comments.into()),
        ..held.into()
    };
    if let Some(file) = &mut answer.file {
        file.left_out = reading.left_out;
    }
    // What hangs on the document changes without it: only the whole answer tells.
    let json = serde_json::to_vec(&answer).map_err(|_| Failed::internal())?;
    let digest: String = Sha256::digest(&json)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{digest}\"");
    let kept = [(ETAG, tag.clone()), (CACHE_CONTROL, "private, no-cache".to_owned())];
    if names(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Read a document as Markdown
///
/// Its title as the first heading, then its text: CommonMark with tables, tasks and struck text, without HTML but `<br>` in
/// cells. People are called by their names. With the `ETag` of an earlier answer in `If-None-Match`, 304 says that nothing
/// has changed.
#[utoipa::path(get, path = "/indexes/{id}/documents/{document}/markdown", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The text", body = String, content_type = "text/markdown",
            headers(("ETag" = String, description = "Changes with the text, and with names in it")),
            example = json!("# Pump runbook\n\nRestart the pump, then call @Åsa Berg.\n\n- [ ] Close the valve\n")),
        (status = 304, description = "It is as it was"),
    ))]
pub async fn read_markdown(
    State(door): State<Door>,
    Asker(caller): Asker,
    Ids(index, document): Ids<IndexId, DocumentId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let held = door.app.document(&caller, index, &document).await?;
    let tag = tag(&held, door.options.version);
    let kept = [(ETAG, tag.clone()), (CACHE_CONTROL, "private, no-cache".to_owned())];
    if names(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let markdown = door.app.markdown(held).await?;
    let kind = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kept, kind, markdown).into_response())
}

/// Read a passage of a document as Markdown
///
/// A hit of a search names its passage. With the `ETag` of an earlier answer in `If-None-Match`, 304 says that nothing has
/// changed.
#[utoipa::path(get, path = "/indexes/{id}/documents/{document}/passages/{passage}", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
        ("passage" = u32, Path, description = "Its number in the document, from 0"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The text", body = String, content_type = "text/markdown",
            headers(
                ("ETag" = String, description = "Changes with the document, and with names in it"),
                ("Link" = String, description = "Opens the passage at Atlassian: `<…>; rel=\"canonical\"`"),
            ),
            example = json!("Restart the pump, then call @Åsa Berg.\n")),
        (status = 304, description = "It is as it was"),
    ))]
pub async fn read_passage(
    State(door): State<Door>,
    Asker(caller): Asker,
    OfDocument(index, document, passage): OfDocument,
    headers: HeaderMap,
) -> Answer<Response> {
    let held = door.app.document(&caller, index, &document).await?;
    let (url, text) = app::reading::passage(&held, passage).ok_or_else(|| {
        Error::not_found(format!(
            "the document has no passage {passage} now; search again, or read it whole"
        ))
    })?;
    let tag = tag(&held, door.options.version);
    let mut kept = HeaderMap::new();
    let values = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, "private, no-cache".to_owned()),
        (LINK, format!("<{url}>; rel=\"canonical\"")),
    ];
    for (name, value) in values {
        // An address that is none for a header is left out.
        if let Ok(value) = HeaderValue::try_from(value) {
            kept.insert(name, value);
        }
    }
    if names(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let markdown = place::rendered(&door.app, held, &text).await?;
    let kind = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kept, kind, markdown).into_response())
}

/// An index, a document of it, and the number of a passage.
pub struct OfDocument(IndexId, DocumentId, u32);

impl<S: Send + Sync> FromRequestParts<S> for OfDocument {
    type Rejection = Failed;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path((index, document, passage)) = Path::<(String, String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failed::invalid("the ids in the address are not text in UTF-8"))?;
        let passage = passage
            .parse()
            .map_err(|_| Failed::invalid("the number of a passage is a whole number, 0 or more"))?;
        Ok(Self(index.parse()?, document.parse()?, passage))
    }
}

/// What an answer about this document is known by: the sequence changes with whatever is written about it, names of people
/// included, and another Circuit may write Markdown otherwise.
fn tag(held: &Held, circuit: &str) -> String {
    let (feed, version, sequence) = (held.feed, held.document.version, held.sequence);
    format!("\"{feed}-{version}-{sequence}-{circuit}\"")
}

/// Whether the asker has this answer already.
fn names(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Delete a document from the index
///
/// With the comments and attachments of a page. Nothing changes at Atlassian, and syncing does not bring it back.
#[utoipa::path(delete, path = "/indexes/{id}/documents/{document}", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
    ),
    responses((status = 200, description = "It is gone", body = DeletedJson)))]
pub async fn delete_document(
    State(door): State<Door>,
    Asker(caller): Asker,
    Ids(index, document): Ids<IndexId, DocumentId>,
) -> Answer<Json<DeletedJson>> {
    // One document that is named and not there is a mistake worth telling.
    door.app.document(&caller, index, &document).await?;
    let deleted = door.app.delete_documents(&caller, index, &[document]).await?;
    Ok(Json(DeletedJson { deleted }))
}

/// Delete several documents from the index
///
/// Ids of documents that are not there are passed over.
#[utoipa::path(post, path = "/indexes/{id}/documents/delete", tag = "documents", params(("id" = String, Path, description = "Id of the index")),
    request_body = DocumentIds, responses((status = 200, description = "They are gone", body = DeletedJson)))]
pub async fn delete_documents(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    Sent(wanted): Sent<DocumentIds>,
) -> Answer<Json<DeletedJson>> {
    if wanted.ids.len() > DOCUMENTS_MAX {
        return Err(Failed::invalid(format!(
            "ids: at most {DOCUMENTS_MAX} documents are deleted at once"
        )));
    }
    let ids = wanted
        .ids
        .iter()
        .map(|id| id.parse())
        .collect::<domain::Result<Vec<DocumentId>>>()?;
    // An index that is not there holds nothing, but whoever names it is mistaken.
    door.app.index(&caller, index).await?;
    let deleted = door.app.delete_documents(&caller, index, &ids).await?;
    Ok(Json(DeletedJson { deleted }))
}
