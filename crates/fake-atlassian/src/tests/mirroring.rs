//! A reader that walks the listings holds what the truth says, in worlds of any size and while they change.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{ANNA, Client, acme, ids, truth, world};
use crate::{FakeAtlassian, Options};

fn of_kind(rows: &[Value], kind: &str) -> Vec<String> {
    let rows: Vec<Value> = rows.iter().filter(|row| row["kind"] == kind).cloned().collect();
    ids(&rows)
}

#[tokio::test]
async fn a_generated_site_shows_exactly_its_truth_by_v2_and_by_cql() {
    let fake = FakeAtlassian::generated(700, Options::default());
    let people = fake.people();
    let mut restricted = false;
    for account in [&people[0].account_id, &people[7].account_id] {
        let reader = Client::of(&fake, account);
        let spaces = reader.all("/wiki/api/v2/spaces?limit=1").await;
        assert_eq!(spaces.len(), 2);
        for space in spaces {
            let (id, key) = (
                space["id"].as_str().expect("an id"),
                space["key"].as_str().expect("a key"),
            );
            let truth = truth(&fake, account, key).await;
            restricted |= truth.iter().any(|row| row["restricted"] == true);
            let pages = reader
                .all(&format!(
                    "/wiki/api/v2/spaces/{id}/pages?sort=id&status=current&body-format=storage&limit=60"
                ))
                .await;
            assert_eq!(ids(&pages), of_kind(&truth, "page"));
            assert!(
                pages
                    .iter()
                    .all(|page| page["body"]["storage"]["value"].as_str().expect("a body").len() >= 1_000)
            );
            let posts = reader.all(&format!("/wiki/api/v2/spaces/{id}/blogposts?limit=3")).await;
            assert_eq!(ids(&posts), of_kind(&truth, "blogpost"));
            for kind in ["comment", "attachment", "page"] {
                let found = reader
                    .searched(&format!("space=\"{key}\" and type={kind}"), 20, "version")
                    .await;
                assert_eq!(ids(&found), of_kind(&truth, kind), "{kind}");
            }
        }
    }
    assert!(restricted);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_site() {
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let fake = FakeAtlassian::generated(10, Options::default());
        let reader = Client::of(&fake, &fake.people()[0].account_id);
        bodies.push(
            reader
                .get("/wiki/api/v2/pages?body-format=storage&limit=250")
                .await
                .json()["results"]
                .clone(),
        );
    }
    assert_eq!(bodies[0].as_array().expect("pages").len(), 10);
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn a_walk_in_order_of_id_shows_every_page_once_while_pages_come_and_are_edited() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let before: BTreeSet<String> = ids(&anna.all("/wiki/api/v2/pages").await).into_iter().collect();
    let mut seen = Vec::new();
    let mut at = Some("/wiki/api/v2/pages?sort=id&limit=2".to_owned());
    let mut turn = 0;
    while let Some(path) = at {
        let answer = anna.get(&path).await;
        let link = answer.header("link").to_owned();
        let page = answer.json();
        seen.extend(ids(page["results"].as_array().expect("rows")));
        at = page["_links"]["next"].as_str().map(str::to_owned);
        assert_eq!(at.is_some(), link.contains("rel=\"next\""));
        assert!(
            at.as_ref()
                .is_none_or(|next| next.starts_with("/wiki/api/v2/pages?sort=id&limit=2&cursor="))
        );
        turn += 1;
        if turn < 5 {
            world(
                &fake,
                "create",
                json!({ "space": "ENG", "title": format!("New {turn}"), "parent": "Home" }),
            )
            .await;
            world(
                &fake,
                "edit",
                json!({ "title": "Home", "body": format!("<p>{turn}</p>") }),
            )
            .await;
        }
    }
    let unique: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len());
    assert!(before.is_subset(&unique));
}

#[tokio::test]
async fn a_size_is_estimated_by_a_search_without_rows() {
    let fake = FakeAtlassian::generated(300, Options::default());
    let reader = Client::of(&fake, &fake.people()[0].account_id);
    let key = reader.all("/wiki/api/v2/spaces").await[0]["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let seen = reader
        .get(&format!(
            "/wiki/rest/api/content/search?cql=space%3D{key}+and+type%3Dpage&limit=0"
        ))
        .await
        .json();
    let truth = truth(&fake, &reader_account(&fake), &key).await;
    assert_eq!(seen["totalSize"], of_kind(&truth, "page").len());
    assert!(seen["results"].as_array().expect("rows").is_empty() && seen["_links"]["next"].is_null());
}

#[tokio::test]
async fn a_search_repeats_neither_expand_nor_start_in_its_next_address() {
    let fake = FakeAtlassian::generated(100, Options::default());
    let reader = Client::of(&fake, &fake.people()[0].account_id);
    let first = reader
        .get("/wiki/rest/api/content/search?cql=type%3Dpage&limit=10&expand=version&excerpt=none")
        .await
        .json();
    let next = first["_links"]["next"].as_str().expect("a next page");
    assert!(
        next.starts_with("/rest/api/content/search?next=true&cursor=")
            && !next.contains("expand")
            && !next.contains("excerpt")
    );
    let offset = reader
        .get("/wiki/rest/api/content/search?cql=type%3Dpage&limit=10&start=10")
        .await
        .json();
    assert_eq!(offset["results"][0]["id"], first["results"][0]["id"]);
}

fn reader_account(fake: &FakeAtlassian) -> String {
    fake.people()[0].account_id.clone()
}
