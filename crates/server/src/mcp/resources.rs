//! Documents as resources: `circuit://{index}/{document}`, read as Markdown.

use app::{App, Caller};
use domain::{Error, IndexId, Result, store::DocumentFilter};
use rmcp::model::{ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use super::{
    fetch::{SCHEME, named},
    outside::{NOTICE, seen},
};
use crate::{cursor, place};

/// How many documents a page of the list has.
const PAGE: usize = 50;
/// The most bytes of one document's text. Longer ones are read on with the tool fetch.
const RESOURCE_BYTES_MAX: usize = 256 << 10;
const MARKDOWN: &str = "text/markdown";

pub fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{SCHEME}{{index}}/{{document}}"), "document")
        .with_title("A document of an index")
        .with_description("A Confluence page, blog post, comment or attachment as Markdown; search gives the ids.")
        .with_mime_type(MARKDOWN)
}

/// Documents by index and title, a page at a time.
pub async fn list(app: &App, caller: &Caller, after: Option<&str>) -> Result<ListResourcesResult> {
    let indexes = app.indexes(caller).await?;
    let begins = match after {
        Some(cursor) => cursor::read_place(cursor)?,
        None => (0, 0),
    };
    let mut listed = ListResourcesResult::default();
    let ids: Vec<IndexId> = indexes.iter().map(|view| view.index.id).collect();
    let mut to_come = ids.into_iter().filter(|index| index.0 >= begins.0).peekable();
    while let Some(index) = to_come.next() {
        let offset = if index.0 == begins.0 { begins.1 } else { 0 };
        let room = PAGE - listed.resources.len();
        let filter = DocumentFilter {
            offset,
            limit: room,
            ..DocumentFilter::default()
        };
        let (rows, total) = app.documents(caller, index, &filter).await?;
        let reached = offset + rows.len();
        listed.resources.extend(rows.into_iter().map(|row| {
            let uri = format!("{SCHEME}{index}/{}", row.id);
            let title = seen(&row.title);
            Resource::new(uri, title.clone())
                .with_title(title)
                .with_mime_type(MARKDOWN)
        }));
        if (reached as u64) < total && listed.resources.len() >= PAGE {
            listed.next_cursor = Some(cursor::of_place(index.0, reached));
            break;
        }
        if listed.resources.len() >= PAGE {
            listed.next_cursor = to_come.peek().map(|next: &IndexId| cursor::of_place(next.0, 0));
            break;
        }
    }
    Ok(listed)
}

pub async fn read(app: &App, caller: &Caller, uri: &str) -> Result<ReadResourceResult> {
    if !uri.starts_with(SCHEME) {
        return Err(Error::invalid(format!(
            "the address of a document begins with {SCHEME}"
        )));
    }
    let (view, id) = named(app, caller, uri).await?;
    let held = app.document(caller, view.index.id, &id).await?;
    // Drawn anew for each answer: no document can know it.
    let drawn = app::token::random();
    let drawn = drawn.expose();
    let markdown = seen(&app.markdown(held).await?);
    let end = place::part_end(&markdown, 0, RESOURCE_BYTES_MAX);
    let (text, rest) = markdown.split_at(end);
    let more = match rest.is_empty() {
        true => String::new(),
        false => format!(
            "\nThere is more of it: call fetch with the id {}/{id}.\n",
            view.index.id
        ),
    };
    let text = format!("{NOTICE}\n\n--- data {drawn} begins ---\n{text}\n--- data {drawn} ends ---\n{more}");
    Ok(ReadResourceResult::new(vec![
        ResourceContents::text(text, uri).with_mime_type(MARKDOWN),
    ]))
}
