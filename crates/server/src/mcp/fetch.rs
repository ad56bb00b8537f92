//! `fetch`: an id in, the document out, part by part.

use app::{App, Caller, indexes::IndexView};
use domain::{DocumentId, Error, IndexId, Result, document::Held};
use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    indexes,
    outside::{NOTICE, seen},
};
use crate::{cursor, place};

/// The most bytes of text in one answer; the rest comes with its cursor.
pub const TEXT_BYTES_MAX: usize = 32 << 10;
/// The most labels that are named.
const LABELS_MAX: usize = 50;
/// How the address of a document begins among resources.
pub const SCHEME: &str = "circuit://";

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars", inline)]
pub struct Asked {
    /// The id of a result of search.
    pub id: String,
    /// The passage of that result: reading begins there instead of at the top.
    #[serde(default)]
    pub passage: Option<u32>,
    /// The next_cursor of the answer before, to read on.
    #[serde(default)]
    pub cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Fetched {
    /// What to bear in mind about title and text.
    pub notice: &'static str,
    pub id: String,
    pub title: String,
    /// As Markdown.
    pub text: String,
    /// Opens it in Confluence: cite this.
    pub url: String,
    pub metadata: Metadata,
    /// Present when there is more of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Metadata {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Key and name of its space.
    pub space: String,
    /// What was changed on Confluence before this instant is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_checked_at: Option<String>,
    /// Titles from the top of the space down to its parent.
    pub breadcrumb: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editor: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub labels: String,
    /// Of an attached file: why it has no text, or what of its text was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_read: Option<String>,
    /// Which bytes of the whole text this answer has.
    pub part: String,
}

pub async fn fetch(app: &App, caller: &Caller, asked: &Asked) -> Result<Fetched> {
    let (view, id) = named(app, caller, &asked.id).await?;
    let index = view.index.id;
    let held = app
        .document(caller, index, &id)
        .await
        .map_err(|error| match error.is_not_found() {
            true => Error::not_found(format!(
                "{}; it may have been deleted or moved away: search again",
                error.message
            )),
            false => error,
        })?;
    let begins = match &asked.cursor {
        Some(cursor) => Some(cursor::read_place(cursor)?),
        None => None,
    };
    if begins.is_some_and(|(state, _)| state != held.sequence) {
        return Err(Error::conflict(
            "the document was changed since the part before; fetch it again without a cursor",
        ));
    }
    let (url, passage) = passage(&held, asked.passage)?;
    let facts = metadata(app, caller, index, &held).await?;
    let (title, sequence) = (seen(&held.document.title), held.sequence);
    let written = app.written(held).await?;
    let markdown = seen(&written.markdown);
    let from = match (begins, passage) {
        (Some((_, at)), _) => markdown.ceil_char_boundary(at),
        (None, Some(text)) => place::of_passage(&markdown, &text).unwrap_or(0),
        (None, None) => 0,
    };
    if from > 0 && from >= markdown.len() {
        return Err(Error::invalid(
            "this cursor is behind the end of the document; fetch it without one",
        ));
    }
    let end = place::part_end(&markdown, from, TEXT_BYTES_MAX);
    Ok(Fetched {
        notice: NOTICE,
        id: format!("{index}/{id}"),
        title,
        text: markdown[from..end].to_owned(),
        url,
        metadata: Metadata {
            not_read: facts.not_read.or(written.left_out),
            part: format!("{from}-{end} of {}", markdown.len()),
            ..facts
        },
        next_cursor: (end < markdown.len()).then(|| cursor::of_place(sequence, end)),
    })
}

/// The index and the document that an id means. One without an index is of the only index there is.
pub async fn named(app: &App, caller: &Caller, id: &str) -> Result<(IndexView, DocumentId)> {
    let shape = || Error::invalid("an id looks like 1/site:12345; take it from a result of search");
    let id = id.trim();
    let id = id.strip_prefix(SCHEME).unwrap_or(id);
    let (index, document) = match id.split_once('/') {
        Some((index, document)) => (Some(index.parse::<IndexId>().map_err(|_| shape())?), document),
        None => (None, id),
    };
    let document = document.parse().map_err(|_| shape())?;
    let view = match index {
        Some(index) => app.index(caller, index).await?,
        None => {
            let mut all = indexes::meant(app, caller, None).await?;
            match (all.pop(), all.is_empty()) {
                (Some(only), true) => only,
                _ => return Err(shape()),
            }
        }
    };
    Ok((view, document))
}

/// The address to cite, and the text of the passage that is wanted.
fn passage(held: &Held, wanted: Option<u32>) -> Result<(String, Option<String>)> {
    let Some(ordinal) = wanted else {
        return Ok((held.document.url.clone(), None));
    };
    let passage = app::reading::passage(held, ordinal);
    passage.map(|(url, text)| (url, Some(text))).ok_or_else(|| {
        Error::not_found("the document has no such passage now; fetch it without passage, or search again")
    })
}

async fn metadata(app: &App, caller: &Caller, index: IndexId, held: &Held) -> Result<Metadata> {
    let document = &held.document;
    let spaces = app.carried_spaces(caller, index).await?;
    let space = spaces
        .iter()
        .find(|of| of.feed == held.feed && of.space.space.id == document.space);
    let labels: Vec<&str> = document.labels.iter().take(LABELS_MAX).map(String::as_str).collect();
    Ok(Metadata {
        kind: document.kind.word(),
        space: seen(&format!("{} ({})", held.space_name, held.space_key)),
        space_checked_at: space.and_then(|of| of.checked_at).map(|at| at.to_string()),
        breadcrumb: seen(&held.breadcrumb.join(" › ")),
        author: held.author.as_ref().map(|person| seen(&person.name)),
        editor: held.editor.as_ref().map(|person| seen(&person.name)),
        created_at: document.created_at.to_string(),
        updated_at: document.modified_at.to_string(),
        labels: seen(&labels.join(", ")),
        not_read: held.unread.as_deref().map(seen),
        part: String::new(),
    })
}
