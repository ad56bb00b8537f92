//! `circuit index …`: the indexes of a running Circuit.

use domain::{Error, Result};
use serde_json::{Value, json};

use crate::{
    cli::{Index, Printing},
    config,
    remote::Remote,
    terminal::{self, shown, table},
};

/// `circuit index …`.
pub async fn index(asked: &Index) -> Result<()> {
    match asked {
        Index::List(printing) => {
            let answer = remote(printing)?.get("/indexes").await?;
            printed(printing, &answer, listed)
        }
        Index::Show(asked) => {
            let remote = remote(&asked.printing)?;
            let id = meant(&remote, &asked.index).await?;
            let mut answer = remote.get(&format!("/indexes/{id}")).await?;
            answer["feeds_list"] = remote.get(&format!("/indexes/{id}/feeds")).await?["feeds"].take();
            printed(&asked.printing, &answer, told)
        }
        Index::Create(asked) => {
            let new = json!({ "name": asked.name, "description": asked.description });
            let answer = remote(&asked.printing)?.post("/indexes", &new).await?;
            printed(&asked.printing, &answer, |index| {
                format!("Index {} is made: {}\n", text(&index["id"]), text(&index["name"]))
            })
        }
        Index::Delete(asked) => {
            let remote = remote(&asked.printing)?;
            let id = meant(&remote, &asked.index).await?;
            let index = remote.get(&format!("/indexes/{id}")).await?;
            let (name, documents, feeds) = (text(&index["name"]), &index["documents"], &index["feeds"]);
            if !asked.yes {
                return Err(Error::invalid(format!(
                    "the index {name} with {documents} documents and {feeds} feeds would be deleted; say so with --yes"
                )));
            }
            remote.delete(&format!("/indexes/{id}")).await?;
            printed(&asked.printing, &json!({ "deleted": id }), |_| {
                format!("The index {name} is deleted, with {documents} documents and {feeds} feeds.\n")
            })
        }
    }
}

/// The id of the index that an id or a name means.
pub async fn meant(remote: &Remote, named: &str) -> Result<String> {
    let named = named.trim();
    if !named.is_empty() && named.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(named.to_owned());
    }
    let answer = remote.get("/indexes").await?;
    let indexes = answer["indexes"].as_array().into_iter().flatten();
    let called = |index: &&Value| {
        index["name"]
            .as_str()
            .is_some_and(|name| name.to_lowercase() == named.to_lowercase())
    };
    let found = indexes.clone().find(called).and_then(|index| index["id"].as_str());
    found.map(str::to_owned).ok_or_else(|| {
        let names: Vec<String> = indexes.map(|index| text(&index["name"])).collect();
        Error::not_found(format!("no index is called {named:?}; there are: {}", names.join(", ")))
    })
}

/// The Circuit that is asked.
pub fn remote(printing: &Printing) -> Result<Remote> {
    Remote::new(config::remote(&printing.remote)?)
}

/// An answer as JSON, or in words.
pub fn printed(printing: &Printing, answer: &Value, told: impl FnOnce(&Value) -> String) -> Result<()> {
    match printing.json {
        true => terminal::print(&format!("{answer}\n")),
        false => terminal::print(&told(answer)),
    }
    Ok(())
}

/// A text of an answer, for people.
pub fn text(value: &Value) -> String {
    shown(value.as_str().unwrap_or_default())
}

fn listed(answer: &Value) -> String {
    let mut rows = vec![
        ["ID", "NAME", "DOCUMENTS", "FEEDS", "FOUND"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for index in answer["indexes"].as_array().into_iter().flatten() {
        rows.push(vec![
            text(&index["id"]),
            text(&index["name"]),
            index["documents"].to_string(),
            index["feeds"].to_string(),
            searchable(index).to_owned(),
        ]);
    }
    match rows.len() {
        1 => "There is no index yet; `circuit index create NAME` makes one.\n".to_owned(),
        _ => table(&rows),
    }
}

fn searchable(index: &Value) -> &'static str {
    match index["searchable"] == true {
        true => "all",
        false => "not all yet",
    }
}

fn told(index: &Value) -> String {
    let rows = [
        ("Index", text(&index["id"])),
        ("Name", text(&index["name"])),
        ("For", text(&index["description"])),
        ("Made", text(&index["created_at"])),
        ("Documents", index["documents"].to_string()),
        ("Found", searchable(index).to_owned()),
    ];
    let rows = rows.into_iter().filter(|(_, what)| !what.is_empty());
    let mut rows: Vec<Vec<String>> = rows.map(|(name, what)| vec![name.to_owned(), what]).collect();
    for feed in index["feeds_list"].as_array().into_iter().flatten() {
        let site = text(&feed["site"]["url"]);
        rows.push(vec![
            format!("Feed {}", text(&feed["id"])),
            format!("{} {site}", text(&feed["state"])),
        ]);
    }
    table(&rows)
}
