//! `circuit doc show`: a document of a running Circuit, by its id or its address in Confluence.

use domain::{Error, Result};
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    cli::DocShow,
    indexes::{meant, printed, remote, text},
    remote::Remote,
    terminal::{self, shown_lines, table},
};

/// The most indexes that are asked for a document whose index nobody named.
const INDEXES_MAX: usize = 100;

/// `circuit doc show`.
pub async fn show(asked: &DocShow) -> Result<()> {
    let remote = remote(&asked.printing)?;
    let (index, document) = place(&remote, asked).await?;
    let document: String = form_urlencoded::byte_serialize(document.as_bytes()).collect();
    let path = format!("/indexes/{index}/documents/{document}");
    if asked.markdown {
        let markdown = remote.text(&format!("{path}/markdown")).await?;
        let markdown = match terminal::is_seen() {
            true => shown_lines(&markdown),
            false => markdown,
        };
        terminal::print(&markdown);
        return Ok(());
    }
    let answer = remote.get(&path).await?;
    printed(&asked.printing, &answer, told)
}

/// Index and id of the document that is meant.
async fn place(remote: &Remote, asked: &DocShow) -> Result<(String, String)> {
    let named = asked.document.trim();
    if named.contains("://") {
        return by_address(remote, asked, named).await;
    }
    if let Some((index, document)) = named.split_once('/') {
        return Ok((meant(remote, index).await?, document.to_owned()));
    }
    for index in indexes(remote, asked).await? {
        let id: String = form_urlencoded::byte_serialize(named.as_bytes()).collect();
        match remote.get(&format!("/indexes/{index}/documents/{id}/story")).await {
            Ok(_) => return Ok((index, named.to_owned())),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::not_found(format!(
        "no index holds a document {named}; `circuit search` prints ids that are there"
    )))
}

async fn by_address(remote: &Remote, asked: &DocShow, url: &str) -> Result<(String, String)> {
    let query: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
    let mut said = None;
    for index in indexes(remote, asked).await? {
        let answer = remote.get(&format!("/indexes/{index}/explain?url={query}")).await?;
        match answer["document_id"].as_str() {
            Some(document) if answer["reason"] == "found" => return Ok((index, document.to_owned())),
            _ => said = said.or_else(|| answer["said"].as_str().map(terminal::shown)),
        }
    }
    Err(Error::not_found(
        said.unwrap_or_else(|| "there is no index yet".to_owned()),
    ))
}

async fn indexes(remote: &Remote, asked: &DocShow) -> Result<Vec<String>> {
    if let Some(named) = &asked.index {
        return Ok(vec![meant(remote, named).await?]);
    }
    let answer = remote.get("/indexes").await?;
    let indexes = answer["indexes"].as_array().into_iter().flatten();
    let ids = indexes.filter_map(|index| index["id"].as_str().map(str::to_owned));
    Ok(ids.take(INDEXES_MAX).collect())
}

fn told(document: &Value) -> String {
    let names = |list: &Value, between: &str| {
        let names: Vec<String> = list.as_array().into_iter().flatten().map(text).collect();
        names.join(between)
    };
    let space = &document["space"];
    let rows = [
        ("Title", text(&document["title"])),
        ("Kind", text(&document["kind"])),
        ("Space", format!("{} ({})", text(&space["name"]), text(&space["key"]))),
        ("Below", names(&document["breadcrumb"], " › ")),
        ("Author", text(&document["author"]["name"])),
        ("Editor", text(&document["editor"]["name"])),
        ("Modified", text(&document["modified_at"])),
        ("Version", document["version"].to_string()),
        ("Labels", names(&document["labels"], ", ")),
        ("URL", text(&document["url"])),
    ];
    let rows = rows.into_iter().filter(|(_, what)| !what.is_empty());
    let facts = table(&rows.map(|(name, what)| vec![name.to_owned(), what]).collect::<Vec<_>>());
    let body = shown_lines(document["markdown"].as_str().unwrap_or_default());
    format!("{facts}\n{}\n", body.trim_end())
}
