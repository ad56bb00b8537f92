//! An index's second tab: what it holds, and how to take it out.

use app::{
    documents::{Hidden, Story},
    progress::FeedPicture,
    reading::{Above, Hanging, Reading},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use domain::{
    DocumentId, Error, FeedId, IndexId, Result, RunId, SpaceId,
    document::{DocumentKind, Removal},
    store::{DocumentFilter, DocumentRow, Touch},
};

use super::{
    error::Shown,
    fields::Fields,
    markdown::{self, Entry},
    moment::Moment,
    page::{IndexHead, Page, counted, grouped, id, kind_name, link, ok, readable_key, sentence},
    runs::effect_name,
    search::Pages,
    session::{Posted, SignedIn},
};
use crate::Door;

/// Documents on one page.
const ROWS_SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "documents.html")]
struct DocumentsPage {
    page: Page,
    index: IndexHead,
    text: String,
    kinds: Vec<Choice>,
    spaces: Vec<Choice>,
    feeds: Vec<Choice>,
    feed: Option<FeedId>,
    filtered: bool,
    total: String,
    rows: Vec<Row>,
    /// The query of this page, for coming back after a deletion.
    back: String,
    pages: Pages,
}

struct Choice {
    value: String,
    name: String,
    chosen: bool,
}

struct Row {
    id: String,
    kind: String,
    title: String,
    space: String,
    editor: String,
    modified: Moment,
}

pub async fn list(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let number = Pages::asked(&query, ROWS_SHOWN);
    let filter = filter(&query, number)?;
    let (rows, total) = door.app.documents(&who.caller, index, &filter).await?;
    let way = format!("/indexes/{index}/documents");
    let pages = Pages::new(&way, &query, number, total, ROWS_SHOWN);
    if let Some(end) = pages.past_the_end(&way, &query) {
        return Ok(end);
    }
    let mut pictures = Vec::new();
    for feed in door.app.feeds(&who.caller, index).await? {
        pictures.push(door.app.feed_picture(&who.caller, feed.id).await?);
    }
    Ok(ok(&DocumentsPage {
        page: Page::new(&who, format!("Documents · {}", view.index.name)).noticing(&query),
        index: IndexHead::new(&view, "documents"),
        text: query.one("q").to_owned(),
        kinds: DocumentKind::ALL
            .into_iter()
            .map(|kind| Choice {
                value: kind.word().to_owned(),
                name: kind_name(kind.word()).to_owned(),
                chosen: filter.kind == Some(kind),
            })
            .collect(),
        spaces: space_choices(&pictures, filter.space.as_ref()),
        feeds: feed_choices(&pictures, filter.feed),
        feed: filter.feed,
        filtered: ["q", "kind", "space", "feed"]
            .iter()
            .any(|name| !query.one(name).is_empty()),
        total: counted(total, "document", "documents"),
        rows: rows.into_iter().map(|held| row(held, &pictures)).collect(),
        back: query.with("page", &number.to_string()),
        pages,
    }))
}

fn filter(query: &Fields, number: usize) -> Result<DocumentFilter> {
    let filled = |name: &str| Some(query.one(name)).filter(|value| !value.is_empty());
    Ok(DocumentFilter {
        feed: filled("feed").map(str::parse).transpose()?,
        space: filled("space").map(SpaceId::new),
        kind: filled("kind").map(DocumentKind::from_word).transpose()?,
        title: filled("q").map(str::to_owned),
        offset: (number - 1) * ROWS_SHOWN,
        limit: ROWS_SHOWN,
    })
}

fn space_choices(pictures: &[FeedPicture], chosen: Option<&SpaceId>) -> Vec<Choice> {
    let spaces = pictures.iter().flat_map(|picture| &picture.spaces);
    spaces
        .map(|held| Choice {
            value: held.space.id.0.clone(),
            name: held.space.name.clone(),
            chosen: chosen == Some(&held.space.id),
        })
        .collect()
}

fn feed_choices(pictures: &[FeedPicture], chosen: Option<FeedId>) -> Vec<Choice> {
    let choice = |picture: &FeedPicture| {
        let site = picture.feed.site.as_ref()?;
        Some(Choice {
            value: picture.feed.id.to_string(),
            name: format!("Confluence: {}", site.name),
            chosen: chosen == Some(picture.feed.id),
        })
    };
    pictures.iter().filter_map(choice).collect()
}

fn row(row: DocumentRow, pictures: &[FeedPicture]) -> Row {
    let mut spaces = pictures.iter().flat_map(|picture| &picture.spaces);
    let space = spaces.find(|held| held.space.key == row.space_key);
    Row {
        id: row.id.to_string(),
        kind: kind_name(row.kind.word()).to_owned(),
        title: match row.kind {
            DocumentKind::Comment => format!("Comment on {}", row.title),
            DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => row.title,
        },
        space: space.map_or(row.space_key, |held| held.space.name.clone()),
        editor: row.editor.unwrap_or_default(),
        modified: Moment::new(row.modified_at),
    }
}

/// Deletes the row whose button was pressed, or else what was ticked.
pub async fn delete(State(door): State<Door>, Path(index): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let index: IndexId = id(&index)?;
    let named = match fields.one("only") {
        "" => fields.filled("document"),
        only => vec![only.to_owned()],
    };
    let ids: Result<Vec<DocumentId>> = named.iter().map(|name| name.parse()).collect();
    let ids = ids?;
    let back = Fields::read(fields.one("back").as_bytes());
    if ids.is_empty() {
        let way = back.with("done", "nothing-selected");
        return Ok(Redirect::to(&format!("/indexes/{index}/documents?{way}")).into_response());
    }
    let gone = door.app.delete_documents(&who.caller, index, &ids).await?;
    let way = Fields::read(back.with("count", &gone.to_string()).as_bytes()).with("done", "documents-deleted");
    Ok(Redirect::to(&format!("/indexes/{index}/documents?{way}")).into_response())
}

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    page: Page,
    index: IndexHead,
    id: String,
    title: String,
    link: String,
    kind: String,
    /// What is read of it; none of what is not found.
    text: Option<Text>,
    /// From the top of the space down to the parent.
    above: Vec<Crumb>,
    /// The page that a comment or a file hangs on.
    on: Option<Crumb>,
    space_name: String,
    space_key: String,
    space_link: String,
    author: Option<String>,
    editor: Option<String>,
    created: Moment,
    modified: Moment,
    version: u32,
    labels: Vec<String>,
    media_type: Option<String>,
    feed: FeedId,
    first_seen: Moment,
    seen_run: Option<RunId>,
    /// What runs did to it, newest first.
    touches: Vec<TouchRow>,
    /// Why it could not be read since it was last seen.
    failures: Vec<String>,
    /// Why an attached file has no text; none when it has, or was not read yet.
    unread: Option<String>,
    /// Whether a person may have it read now.
    can_retry: bool,
    /// Why it is not found; empty when it is.
    hidden: String,
    /// What is special about its space now; empty when nothing is.
    space_state: String,
}

/// What a person reads of a document.
struct Text {
    html: String,
    outline: Vec<Entry>,
    /// Headings that the outline leaves out.
    outline_more: usize,
    /// How much of the text is shown, when not all of it.
    cut: Option<String>,
    /// What of a file was not read.
    left_out: Option<String>,
    attachments: Hung,
    comments: Hung,
}

/// A page above a document.
struct Crumb {
    title: String,
    /// Empty when it is not found here.
    link: String,
}

/// What hangs on a page, of one kind.
struct Hung {
    count: String,
    rows: Vec<HungRow>,
    more: u64,
}

struct HungRow {
    title: String,
    /// To its page here.
    here: String,
    /// To Confluence.
    link: String,
    editor: Option<String>,
    modified: Moment,
}

/// Attachments are called by their names, comments by who wrote them.
fn hung(index: IndexId, hanging: Hanging, one: &str, many: &str) -> Hung {
    let more = hanging.total.saturating_sub(hanging.rows.len() as u64);
    let row = |row: DocumentRow| HungRow {
        here: here(index, &row.id),
        link: link(&row.url),
        title: match row.kind {
            DocumentKind::Comment => "Comment".to_owned(),
            DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => row.title,
        },
        editor: row.editor,
        modified: Moment::new(row.modified_at),
    };
    Hung {
        count: counted(hanging.total, one, many),
        rows: hanging.rows.into_iter().map(row).collect(),
        more,
    }
}

/// The page of a document in this index.
pub fn here(index: IndexId, document: &DocumentId) -> String {
    format!("/indexes/{index}/documents/{document}")
}

fn text_of(index: IndexId, reading: Reading) -> (Text, Vec<Crumb>) {
    let known = markdown::Known {
        index,
        outline: &reading.outline,
        links: &reading.links,
    };
    let shown = markdown::shown(&reading.markdown, &known);
    let cut = shown.is_cut.then(|| {
        let kibibytes = |bytes: usize| grouped((bytes / 1024) as u64);
        let (shown, whole) = (kibibytes(markdown::SHOWN_BYTES_MAX), kibibytes(reading.markdown.len()));
        format!("This is a very long document: the first {shown} of {whole} KB are shown.")
    });
    let mut outline = shown.outline;
    let outline_more = outline.len().saturating_sub(markdown::OUTLINE_MAX);
    outline.truncate(markdown::OUTLINE_MAX);
    let crumb = |above: Above| Crumb {
        link: above
            .document
            .map_or_else(String::new, |document| here(index, &document)),
        title: above.title,
    };
    let text = Text {
        html: shown.html,
        outline,
        outline_more,
        cut,
        left_out: reading.left_out,
        attachments: hung(index, reading.attachments, "attachment", "attachments"),
        comments: hung(index, reading.comments, "comment", "comments"),
    };
    (text, reading.above.into_iter().map(crumb).collect())
}

struct TouchRow {
    run: RunId,
    effect: &'static str,
    at: Moment,
}

fn touch_row(touch: &Touch) -> TouchRow {
    TouchRow {
        run: touch.run,
        effect: effect_name(touch.effect),
        at: Moment::new(touch.at),
    }
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path((index, document)): Path<(String, String)>) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let story = door.app.document_story(&who.caller, index, &id(&document)?).await?;
    let (hidden, space_state) = (
        story.hidden.map_or_else(String::new, hidden_because),
        space_state(&story),
    );
    let deleted = matches!(
        story.hidden,
        Some(Hidden::Itself {
            why: Removal::DeletedHere,
            ..
        })
    );
    let can_retry = who.manages() && !deleted;
    let touches = story.touches.iter().map(touch_row).collect();
    let failures = story.failures.iter().map(|failure| sentence(&failure.why)).collect();
    let (held, text, mut above) = match hidden.is_empty() {
        true => {
            let (held, reading) = door.app.reading(index, story.held).await?;
            // A text of megabytes keeps nobody else waiting.
            let (text, above) = tokio::task::spawn_blocking(move || text_of(index, reading))
                .await
                .map_err(|panic| Error::internal("the document could not be shown").because(panic))?;
            (held, Some(text), above)
        }
        false => {
            let without_link = |title: &String| Crumb {
                title: title.clone(),
                link: String::new(),
            };
            let above = story.held.breadcrumb.iter().map(without_link).collect();
            (story.held, None, above)
        }
    };
    let unread = held.unread;
    let document = held.document;
    let on = match document.kind.is_optional() {
        true => above.pop(),
        false => None,
    };
    let title = match document.kind {
        DocumentKind::Comment => format!("Comment on {}", document.title),
        DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => document.title,
    };
    Ok(ok(&DocumentPage {
        page: Page::new(&who, title.clone()),
        index: IndexHead::new(&view, "documents"),
        id: document.id.to_string(),
        link: link(&document.url),
        kind: kind_name(document.kind.word()).to_owned(),
        text,
        above,
        on,
        space_key: readable_key(&held.space_key).to_owned(),
        space_name: held.space_name,
        space_link: format!(
            "/indexes/{index}/documents?{}",
            Fields::default().with("space", document.space.as_str())
        ),
        author: held.author.map(|person| person.name),
        editor: held.editor.map(|person| person.name),
        created: Moment::new(document.created_at),
        modified: Moment::new(document.modified_at),
        version: document.version,
        media_type: document.file.and_then(|file| file.media_type),
        labels: document.labels,
        title,
        feed: held.feed,
        first_seen: Moment::new(held.first_seen_at),
        seen_run: held.seen_run,
        hidden,
        space_state,
        touches,
        failures,
        unread,
        can_retry,
    }))
}

/// Why it is held and not found, since when, and what brings it back.
fn hidden_because(hidden: Hidden) -> String {
    match hidden {
        Hidden::Itself { why, since } => {
            let told = match why {
                Removal::GoneFromSite => {
                    "Confluence no longer shows it to the connected account: it was deleted, archived, moved out of the \
                     chosen spaces or restricted. It comes back by itself when Confluence shows it again."
                }
                Removal::Suspended => {
                    "The last complete reading did not show it, with so much else that a second one must agree before it \
                     is taken away. It comes back by itself when Confluence shows it again."
                }
                Removal::DeletedHere => "It was deleted from this index by a person. Syncing does not bring it back.",
            };
            match since {
                Some(at) => format!("Since {}. {told}", Moment::new(at).minute),
                None => told.to_owned(),
            }
        }
        Hidden::Space { since } => format!(
            "The connected account can no longer see its space, since {}. It comes back by itself with the permission.",
            Moment::new(since).minute
        ),
    }
}

fn space_state(story: &Story) -> String {
    let Some(space) = &story.space else {
        return "No longer carried by the integration.".to_owned();
    };
    let state = [
        space
            .suspended_at
            .map(|at| format!("Not visible since {}.", Moment::new(at).minute)),
        space.doubted_at.map(|at| {
            let since = Moment::new(at).minute;
            format!("Much of it is missing since {since}; a second reading must agree.")
        }),
        space.archived.then(|| "Archived in Confluence.".to_owned()),
        space
            .imported_at
            .is_none()
            .then(|| "Its first import is not complete.".to_owned()),
    ];
    state.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
