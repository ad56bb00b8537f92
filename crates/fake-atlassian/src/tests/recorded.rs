//! The fields of our rows against those of answers that were recorded from real sites, where those are at hand.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;

use super::world::{ANNA, Client, acme};

fn recorded(file: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpora/rest")
        .join(file);
    Some(serde_json::from_str(&std::fs::read_to_string(path).ok()?).expect("the recording is JSON"))
}

fn fields(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, inner) in value.as_object().into_iter().flatten() {
        found.insert(name.clone());
        if ["version", "_links", "properties", "extensions", "history"].contains(&name.as_str()) {
            found.extend(
                inner
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(inner, _)| format!("{name}.{inner}")),
            );
        }
    }
    found
}

#[tokio::test]
async fn our_rows_have_the_fields_that_recorded_rows_have() {
    if recorded("manifest.json").is_none() {
        eprintln!("SKIPPED: the recorded answers are not at hand");
        return;
    }
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    let post = anna.all("/wiki/api/v2/blogposts").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let mut lacking = Vec::new();
    for (file, path, single) in [
        ("0029-space-list-200.json", "/wiki/api/v2/spaces".to_owned(), false),
        (
            "0021-attachment-list-200.json",
            format!("/wiki/api/v2/pages/{page}/attachments"),
            false,
        ),
        (
            "0022-comment-list-200.json",
            format!("/wiki/api/v2/pages/{page}/footer-comments?body-format=storage"),
            false,
        ),
        (
            "0017-comment-list-200.json",
            "/wiki/api/v2/inline-comments".to_owned(),
            false,
        ),
        (
            "0064-page-200.json",
            format!("/wiki/api/v2/pages/{page}?body-format=atlas_doc_format"),
            true,
        ),
        (
            "0011-page-200.json",
            format!("/wiki/api/v2/blogposts/{post}?body-format=storage"),
            true,
        ),
        (
            "0072-page-list-200.json",
            format!("/wiki/api/v2/pages/{}/children", anna.page_id("Home").await),
            false,
        ),
        (
            "0031-page-list-200.json",
            "/wiki/rest/api/search?cql=type=page".to_owned(),
            false,
        ),
    ] {
        let theirs = recorded(file).expect("the recording");
        let ours = anna.get(&path).await.json();
        let (theirs, ours) = match single {
            true => (theirs, ours),
            false => {
                lacking.extend(
                    fields(&theirs)
                        .difference(&fields(&ours))
                        .filter(|field| *field != "_links.next")
                        .map(|field| format!("{file}: {field}")),
                );
                (theirs["results"][0].clone(), ours["results"][0].clone())
            }
        };
        lacking.extend(
            fields(&theirs)
                .difference(&fields(&ours))
                .map(|field| format!("{file}: row {field}")),
        );
        if theirs["content"].is_object() {
            lacking.extend(
                fields(&theirs["content"])
                    .difference(&fields(&ours["content"]))
                    .map(|field| format!("{file}: content {field}")),
            );
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}
