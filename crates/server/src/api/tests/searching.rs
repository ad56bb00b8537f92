use std::collections::BTreeSet;

use domain::ErrorKind;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{
    walk::{imported, imported_again},
    world::World,
};
use crate::api::hits::MEMBERS;

/// Two indexes with so many pages of valves each.
async fn two_indexes(world: &World, first: usize, second: usize) -> (String, String) {
    let (one, feed) = imported(world).await;
    let (other, other_feed) = imported_again(world).await;
    for place in 0..first {
        world.store_page(&feed, &format!("A {place}"), "<p>valve</p>").await;
    }
    for place in 0..second {
        world
            .store_page(&other_feed, &format!("B {place}"), "<p>valve</p>")
            .await;
    }
    (one, other)
}

fn ids(found: &Value) -> Vec<String> {
    let hits = found["hits"].as_array().unwrap().iter();
    hits.map(|hit| format!("{}/{}", hit["index_id"], hit["document_id"]))
        .collect()
}

#[tokio::test]
async fn several_indexes_are_searched_as_one() {
    let world = World::new().await;
    let (one, other) = two_indexes(&world, 7, 4).await;
    let whole = world.post("/search", json!({ "q": "valve", "limit": 100 })).await.ok();
    assert_eq!((&whole["total"], &whole["next_cursor"]), (&json!(11), &json!(null)));
    let mut totals: Vec<_> = whole["indexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            (
                of["index_id"].as_str().unwrap().to_owned(),
                of["total"].as_u64().unwrap(),
            )
        })
        .collect();
    totals.sort();
    assert_eq!(totals, [(one.clone(), 7), (other.clone(), 4)]);
    assert_eq!(
        whole["facets"]["kinds"],
        json!([{ "kind": "page", "documents": 2 }]),
        "those of both"
    );
    assert_eq!(
        whole["facets"]["labels"],
        json!([{ "label": "runbook", "documents": 2 }])
    );
    assert_eq!(
        whole["facets"]["days"],
        json!([{ "day": "2026-11-25", "documents": 2 }])
    );
    assert!(
        whole["hits"]
            .as_array()
            .unwrap()
            .iter()
            .any(|hit| hit["index_name"] == "Other")
    );
    // By cursor and by offset it is the same.
    let (mut read, mut asked) = (Vec::new(), json!({ "q": "valve", "limit": 3 }));
    loop {
        let found = world.post("/search", asked.clone()).await.ok();
        assert_eq!(found["total"], 11);
        read.extend(ids(&found));
        match found["next_cursor"].as_str() {
            Some(cursor) => asked["cursor"] = json!(cursor),
            None => break,
        }
    }
    assert_eq!(read, ids(&whole));
    assert_eq!(read.iter().collect::<BTreeSet<_>>().len(), 11);
    let behind = world
        .post("/search", json!({ "q": "valve", "limit": 3, "offset": 6 }))
        .await
        .ok();
    assert_eq!(ids(&behind), ids(&whole)[6..9]);
    let named = json!({ "q": "valve", "indexes": [other, other] });
    assert_eq!(world.post("/search", named).await.ok()["total"], 4);
}

#[tokio::test]
async fn an_index_that_cannot_answer_is_named_and_silences_no_other() {
    let world = World::new().await;
    two_indexes(&world, 2, 2).await;
    world.engine.fail_with(ErrorKind::Unavailable);
    let found = world.post("/search", json!({ "q": "valve" })).await.ok();
    assert_eq!(
        (&found["total"], found["hits"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    assert_eq!(found["unanswered"].as_array().unwrap().len(), 1);
    assert_eq!(found["unanswered"][0]["reason"], "the engine says no");
    // What is wrong with the question is wrong everywhere.
    let long = json!({ "q": "a".repeat(3_000) });
    assert!(
        world.post("/search", long).await.problem(400)["detail"]
            .as_str()
            .unwrap()
            .contains("2048 bytes")
    );
    world
        .post("/search", json!({ "q": "valve", "indexes": ["999"] }))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_key_of_one_index_finds_nothing_of_another() {
    let world = World::new().await;
    let (one, other) = two_indexes(&world, 3, 1).await;
    let key = json!({ "name": "one", "indexes": [other] });
    let key = world.post("/api-keys", key).await.ok()["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = async |body: Value| {
        world
            .ask_with_key(&key, Method::POST, "/search", &body.to_string())
            .await
    };
    let found = ask(json!({ "q": "valve" })).await.ok();
    assert_eq!(
        (&found["total"], found["indexes"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    ask(json!({ "q": "valve", "indexes": [one] })).await.problem(404);
    // A cursor of somebody who sees more opens nothing.
    let cursor = world.post("/search", json!({ "q": "valve", "limit": 1 })).await.ok()["next_cursor"].clone();
    let found = ask(json!({ "q": "valve", "limit": 1, "cursor": cursor })).await.ok();
    assert!(
        ids(&found).iter().all(|id| id.starts_with(&format!("\"{other}\""))),
        "{found}"
    );
}

#[tokio::test]
async fn an_answer_has_what_was_asked_for() {
    let world = World::new().await;
    let (index, _) = imported(&world).await;
    let path = format!("/indexes/{index}/search");
    let whole = world.get(&format!("{path}?q=restart&explain=true")).await.ok();
    let hit = whole["hits"][0].as_object().unwrap();
    assert_eq!(
        hit.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(MEMBERS)
    );
    let some = world
        .get(&format!("{path}?q=restart&field=title&field=url&facets=false"))
        .await
        .ok();
    let members: Vec<&String> = some["hits"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["document_id", "index_id", "title", "url"]);
    assert_eq!(some["facets"], json!(null));
    let same = json!({ "q": "restart", "fields": ["url", "title"], "facets": false });
    assert_eq!(world.post(&path, same).await.ok(), some);
    let plain = world.get(&format!("{path}?q=restart&highlights=false")).await.ok();
    assert_eq!(
        plain["hits"][0]["snippet"],
        json!([{ "text": "restart the pump", "marked": false }])
    );
    for (asked, told) in [
        ("field=colour", "\"colour\" is no member of a hit"),
        ("cursor=zzz", "cursor: this cursor is not one of this question's"),
        ("facets=perhaps", "facets: is true or false"),
        ("offset=10001", "offset is at most"),
    ] {
        let problem = world.get(&format!("{path}?{asked}")).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains(told), "{asked}: {problem}");
    }
    let named = world.post(&path, json!({ "indexes": [index] })).await.problem(400);
    assert!(named["detail"].as_str().unwrap().contains("POST /search"));
}

#[tokio::test]
async fn a_cursor_is_good_for_its_question_only() {
    let world = World::new().await;
    let (one, _) = two_indexes(&world, 3, 3).await;
    let asked = json!({ "q": "valve", "limit": 2 });
    let cursor = world.post("/search", asked).await.ok()["next_cursor"].clone();
    for other in [
        json!({ "q": "pump", "cursor": cursor }),
        json!({ "q": "valve", "sort": "modified", "cursor": cursor }),
        json!({ "q": "valve", "labels": ["ops"], "cursor": cursor }),
        json!({ "q": "valve", "indexes": [one], "cursor": cursor }),
        json!({ "q": "valve", "offset": 2, "cursor": cursor }),
    ] {
        world.post("/search", other).await.problem(400);
    }
    let longer = json!({ "q": "valve", "limit": 50, "cursor": cursor });
    assert_eq!(ids(&world.post("/search", longer).await.ok()).len(), 4);
}

#[tokio::test]
async fn a_passage_is_read_as_markdown() {
    let world = World::new().await;
    let (index, _) = imported(&world).await;
    let found = world.get(&format!("/indexes/{index}/search?q=restart")).await.ok();
    let hit = &found["hits"][0];
    let document = format!("/indexes/{index}/documents/{}", hit["document_id"].as_str().unwrap());
    let path = format!("{document}/passages/{}", hit["passage"]);
    let passage = world.get(&path).await;
    assert_eq!(
        (passage.status, passage.text.trim()),
        (StatusCode::OK, "restart the pump")
    );
    assert_eq!(passage.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(
        passage.headers["link"]
            .to_str()
            .unwrap()
            .starts_with("<https://acme.example/")
    );
    world.get(&format!("{document}/passages/99")).await.problem(404);
    world.get(&format!("{document}/passages/first")).await.problem(400);
    // Whoever has it is not given it again.
    for path in [path, document.clone()] {
        let known = world.get(&path).await.headers["etag"].clone();
        let again = Request::get(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", world.key.expose()))
            .header("if-none-match", known);
        let again = world.send(again.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
}
