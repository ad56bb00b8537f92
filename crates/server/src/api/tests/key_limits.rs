//! Every route that the API has, asked with keys that reach less far than their owner.

use std::{collections::BTreeSet, time::Duration};

use app::clock::SystemClock;
use domain::{
    Clock, IndexId, Secret, Timestamp,
    user::{KeyLimits, KeyRight},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{walk::imported, world::World};
use crate::api::openapi::ADDRESSES;

/// A key of the administrator that reaches so far; it and its id.
async fn key(world: &World, limits: &KeyLimits) -> (Secret, String) {
    let caller = world.app.caller_by_session(world.session.expose()).await.unwrap();
    let made = world.app.create_api_key(&caller.unwrap(), "limited", limits).await;
    let (kept, key) = made.unwrap();
    (key, kept.id.to_string())
}

fn only(index: &str, right: KeyRight) -> KeyLimits {
    KeyLimits {
        indexes: Some(BTreeSet::from([index.parse::<IndexId>().unwrap()])),
        right,
        expires_at: None,
    }
}

/// Something that is there, for every place in an address.
struct Things {
    index: String,
    feed: String,
    run: String,
    key: String,
}

impl Things {
    async fn of(world: &World) -> Self {
        let (index, feed) = imported(world).await;
        let runs = world.get(&format!("/feeds/{feed}/runs")).await.ok();
        let run = runs["runs"][0]["id"].as_str().unwrap().to_owned();
        let (_, key) = key(world, &KeyLimits::everywhere(KeyRight::Manage)).await;
        Self { index, feed, run, key }
    }

    fn path(&self, pattern: &str) -> String {
        let id = match pattern.split('/').nth(1) {
            Some("indexes") => &self.index,
            Some("feeds") => &self.feed,
            Some("runs") => &self.run,
            Some("api-keys") => &self.key,
            other => {
                assert!(!pattern.contains("{id}"), "whose id is it in {other:?}?");
                ""
            }
        };
        let path = pattern
            .replace("{id}", id)
            .replace("{document}", "site-1:2")
            .replace("{passage}", "0");
        match path.ends_with("/explain") {
            true => format!("{path}?url=https%3A%2F%2Facme.example%2Fwiki%2F2"),
            false => path,
        }
    }
}

/// A body that the route reads. Those that read none pass it over.
fn body(method: &str, pattern: &str) -> Value {
    match (method, pattern) {
        ("post", "/indexes") | ("post", "/api-keys") => json!({ "name": "Valves" }),
        ("post", "/indexes/{id}/documents/delete") => json!({ "ids": ["site-1:2"] }),
        ("post", "/feeds/{id}/callback") => json!({ "state": "none", "code": "the-code" }),
        ("patch", "/feeds/{id}") => json!({ "schedule": { "changes_every_seconds": 300 } }),
        ("put", "/feeds/{id}/site") => json!({ "id": "site-1" }),
        ("post", "/feeds/{id}/spaces" | "/feeds/{id}/estimate") => json!({ "ids": ["10"] }),
        ("put", "/admin/atlassian-app") => json!({ "client_id": "mine", "client_secret": "mine" }),
        _ => json!({}),
    }
}

fn method(word: &str) -> Method {
    word.to_uppercase().parse().unwrap()
}

/// Whether the route changes nothing, whatever its method.
fn reads(method: &str, pattern: &str) -> bool {
    method == "get" || matches!(pattern, "/indexes/{id}/search" | "/search")
}

#[tokio::test]
async fn for_a_key_of_another_index_nothing_of_this_one_is_there() {
    let world = World::new().await;
    let things = Things::of(&world).await;
    let other = world.index("Other").await;
    let (key, _) = key(&world, &only(&other, KeyRight::Manage)).await;
    for (word, pattern) in ADDRESSES {
        let path = things.path(pattern);
        let body = body(word, pattern).to_string();
        let answered = world.ask_with_key(key.expose(), method(word), &path, &body).await;
        let (status, at) = (answered.status.as_u16(), format!("{word} {pattern}: {}", answered.text));
        match (*word, *pattern) {
            // Of no index, and nothing that names one.
            ("get", "/me" | "/indexes" | "/api-keys") | ("post", "/search") => {
                assert_eq!(status, 200, "{at}");
                assert!(!answered.text.contains("Company knowledge"), "{at}");
            }
            // Of no index: only a key of all may.
            ("post", "/indexes" | "/api-keys") | ("get" | "put", "/admin/atlassian-app") => {
                assert_eq!(status, 403, "{at}");
            }
            _ => assert_eq!(status, 404, "{at}"),
        }
    }
    // It is all there still.
    assert_eq!(
        world.get(&format!("/indexes/{}/documents", things.index)).await.ok()["total"],
        2
    );
    let listed = world.ask_with_key(key.expose(), Method::GET, "/indexes", "").await.ok();
    let names: Vec<&Value> = listed["indexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| &index["name"])
        .collect();
    assert_eq!(names, ["Other"]);
    let keys = world
        .ask_with_key(key.expose(), Method::GET, "/api-keys", "")
        .await
        .ok();
    assert_eq!(keys["api_keys"].as_array().unwrap().len(), 1, "{keys}");
    assert_eq!(keys["api_keys"][0]["indexes"], json!([other]));
}

#[tokio::test]
async fn what_is_hidden_from_a_key_is_answered_like_what_is_not_there() {
    let world = World::new().await;
    let things = Things::of(&world).await;
    let other = world.index("Other").await;
    let (key, _) = key(&world, &only(&other, KeyRight::Read)).await;
    for (noun, id) in [
        ("indexes", &things.index),
        ("feeds", &things.feed),
        ("runs", &things.run),
    ] {
        let ask = async |id: &str| {
            world
                .ask_with_key(key.expose(), Method::GET, &format!("/{noun}/{id}"), "")
                .await
        };
        let (hidden, absent) = (ask(id).await.problem(404), ask("999").await.problem(404));
        let words = |problem: &Value, id: &str| problem["detail"].as_str().unwrap().replace(id, "…");
        assert_eq!(words(&hidden, id), words(&absent, "999"));
    }
}

#[tokio::test]
async fn a_key_that_may_read_changes_nothing_by_any_route() {
    let world = World::new().await;
    let things = Things::of(&world).await;
    let (key, own) = key(&world, &KeyLimits::everywhere(KeyRight::Read)).await;
    for (word, pattern) in ADDRESSES {
        let path = things.path(pattern);
        let body = body(word, pattern).to_string();
        let answered = world.ask_with_key(key.expose(), method(word), &path, &body).await;
        let (status, at) = (answered.status.as_u16(), format!("{word} {pattern}: {}", answered.text));
        // What only administrators read is no matter of searching.
        let for_administrators = [
            "/indexes/{id}/explain",
            "/feeds/{id}/reconnection",
            "/feeds/{id}/sites",
            "/feeds/{id}/spaces/available",
            "/runs/{id}/effects",
            "/runs/{id}/differences",
            "/runs/{id}/export.csv",
            "/runs/{id}/export.json",
            "/admin/atlassian-app",
        ];
        match reads(word, pattern) && !for_administrators.contains(pattern) {
            true => assert_eq!(status, 200, "{at}"),
            false => {
                assert_eq!(status, 403, "{at}");
                assert!(answered.text.contains("this API key may only search and read"), "{at}");
            }
        }
    }
    let itself = world
        .ask_with_key(key.expose(), Method::DELETE, &format!("/api-keys/{own}"), "")
        .await;
    itself.problem(403);
    world
        .get(&format!("/indexes/{}/documents/site-1:2", things.index))
        .await
        .ok();
}

#[tokio::test]
async fn a_key_of_one_index_does_there_what_its_right_allows() {
    let world = World::new().await;
    let things = Things::of(&world).await;
    let (key, _) = key(&world, &only(&things.index, KeyRight::Manage)).await;
    let ask = async |method, path: &str| world.ask_with_key(key.expose(), method, path, "{}").await;
    let (index, feed, run) = (&things.index, &things.feed, &things.run);
    ask(Method::GET, &format!("/indexes/{index}/search?q=restart"))
        .await
        .ok();
    ask(Method::GET, &format!("/runs/{run}/effects")).await.ok();
    ask(Method::POST, &format!("/feeds/{feed}/pause")).await.ok();
    ask(Method::DELETE, &format!("/indexes/{index}/documents/site-1:2"))
        .await
        .ok();
    assert_eq!(
        ask(Method::DELETE, &format!("/indexes/{index}")).await.status,
        StatusCode::NO_CONTENT
    );
    // The key of an index that is gone is not one of all.
    world.index("Valves").await;
    assert_eq!(ask(Method::GET, "/indexes").await.ok()["indexes"], json!([]));
}

#[tokio::test]
async fn a_key_that_is_over_says_since_when_and_one_that_is_deleted_that_it_is_gone() {
    let world = World::new().await;
    let now = SystemClock.now();
    let end = now.plus(Duration::from_secs(3600));
    let limits = KeyLimits {
        expires_at: Some(end),
        ..KeyLimits::everywhere(KeyRight::Read)
    };
    let (key, id) = key(&world, &limits).await;
    world.ask_with_key(key.expose(), Method::GET, "/me", "").await.ok();
    for past in [now, Timestamp(0)] {
        let body = json!({ "name": "late", "expires_at": past.to_string() });
        world.post("/api-keys", body).await.problem(400);
    }
    world.pass(Duration::from_secs(3601));
    let over = world.ask_with_key(key.expose(), Method::GET, "/me", "").await;
    let problem = over.problem(401);
    assert_eq!(problem["type"], "/api/#problem-unauthenticated");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("expired at {end}")),
        "{problem}"
    );
    let listed = world.session_get("/api-keys").await.ok();
    let listed = listed["api_keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["id"] == id.as_str());
    assert_eq!(listed.unwrap()["expires_at"], end.to_string());

    let caller = world
        .app
        .caller_by_session(world.session.expose())
        .await
        .unwrap()
        .unwrap();
    world.app.delete_api_key(&caller, id.parse().unwrap()).await.unwrap();
    let gone = world
        .ask_with_key(key.expose(), Method::GET, "/me", "")
        .await
        .problem(401);
    assert!(gone["detail"].as_str().unwrap().contains("was deleted"), "{gone}");
}

#[tokio::test]
async fn a_key_makes_no_key_that_reaches_further_than_itself() {
    let world = World::new().await;
    let (one, two) = (world.index("One").await, world.index("Two").await);
    let soon = SystemClock.now().plus(Duration::from_secs(3600));
    let limits = KeyLimits {
        expires_at: Some(soon),
        ..only(&one, KeyRight::Manage)
    };
    let (key, _) = key(&world, &limits).await;
    let make = async |body: Value| {
        world
            .ask_with_key(key.expose(), Method::POST, "/api-keys", &body.to_string())
            .await
    };
    let (end, later) = (soon.to_string(), soon.plus(Duration::from_secs(1)).to_string());
    for further in [
        json!({ "name": "all", "expires_at": end }),
        json!({ "name": "two", "indexes": [two], "expires_at": end }),
        json!({ "name": "both", "indexes": [one, two], "expires_at": end }),
        json!({ "name": "endless", "indexes": [one] }),
        json!({ "name": "longer", "indexes": [one], "expires_at": later }),
    ] {
        make(further).await.problem(403);
    }
    let made = make(json!({ "name": "child", "right": "manage", "indexes": [one], "expires_at": end }))
        .await
        .ok();
    assert_eq!((&made["right"], &made["indexes"]), (&json!("manage"), &json!([one])));
}

#[tokio::test]
async fn a_new_key_reads_unless_an_administrator_says_that_it_may_manage() {
    let world = World::new().await;
    let made = world.post("/api-keys", json!({ "name": "plain" })).await.ok();
    assert_eq!(
        (&made["right"], &made["indexes"], &made["expires_at"]),
        (&json!("read"), &json!(null), &json!(null))
    );
    for wrong in [
        json!({ "name": "none", "indexes": [] }),
        json!({ "name": "unknown", "indexes": ["77"] }),
        json!({ "name": "odd", "indexes": ["x"] }),
        json!({ "name": "odd", "right": "own" }),
        json!({ "name": "odd", "expires_at": "tomorrow" }),
    ] {
        world.post("/api-keys", wrong).await.problem(400);
    }
    let reader = world.reader().await;
    let ask = async |body: Value| {
        world
            .ask_with_key(reader.expose(), Method::POST, "/api-keys", &body.to_string())
            .await
    };
    ask(json!({ "name": "mine", "right": "manage" })).await.problem(403);
}
