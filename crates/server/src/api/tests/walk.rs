use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{ACCESS_TOKEN, REFRESH_TOKEN, World};

/// An index whose feed has imported ENG.
pub async fn imported(world: &World) -> (String, String) {
    let index = world.index("Company knowledge").await;
    let start = world.post(&format!("/indexes/{index}/feeds"), json!(null)).await;
    assert_eq!(start.status, StatusCode::CREATED);
    let location = start.headers["location"].to_str().unwrap().to_owned();
    let start = start.ok();
    let feed = start["feed"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/v1/feeds/{feed}"));
    let (_, state) = start["authorize_url"].as_str().unwrap().split_once("state=").unwrap();

    let callback = json!({ "state": state, "code": "the-code" });
    let connected = world
        .post(&format!("/feeds/{feed}/callback"), callback.clone())
        .await
        .ok();
    assert_eq!(connected["state"], "choosing_site");
    // The state is good for one use.
    world
        .post(&format!("/feeds/{feed}/callback"), callback)
        .await
        .problem(403);

    let sites = world.get(&format!("/feeds/{feed}/sites")).await.ok();
    assert_eq!(sites["sites"][0]["name"], "acme");
    let site = json!({ "id": sites["sites"][0]["id"] }).to_string();
    let chosen = world.ask(Method::PUT, &format!("/feeds/{feed}/site"), &site).await.ok();
    assert_eq!(chosen["state"], "choosing_spaces");

    let available = world.get(&format!("/feeds/{feed}/spaces/available")).await.ok();
    assert_eq!(available["spaces"][0]["key"], "ENG");
    let estimate = world
        .post(&format!("/feeds/{feed}/estimate"), json!({ "ids": ["10", "11"] }))
        .await
        .ok();
    assert_eq!(estimate["pages"], 4);
    let import = &estimate["import"];
    assert_eq!((&import["calls"], &import["waits"]), (&json!(12), &json!(0)));
    assert_eq!(import["seconds"], 6, "twelve answers of half a second");
    assert_eq!(estimate["later"]["changes"]["points"], 19);
    let budget = &world.get(&format!("/feeds/{feed}")).await.ok()["points"]["budget"];
    assert_eq!((&budget["points"], &budget["left"]), (&json!(32_500), &json!(32_500)));
    assert_eq!(
        (&budget["left_for_changes"], &budget["left_for_whole"]),
        (&json!(30_875), &json!(26_000))
    );
    let added = world
        .post(&format!("/feeds/{feed}/spaces"), json!({ "ids": ["10"] }))
        .await
        .ok();
    assert_eq!(added["state"], "active");
    world
        .work_until(&feed, |picture| {
            picture["headline"] == "up to date" && picture["searchable"] == true
        })
        .await;
    (index, feed)
}

/// A second index, carried from the same site.
pub async fn imported_again(world: &World) -> (String, String) {
    let index = world.index("Other").await;
    let start = world.post(&format!("/indexes/{index}/feeds"), json!(null)).await.ok();
    let feed = start["feed"].as_str().unwrap().to_owned();
    let (_, state) = start["authorize_url"].as_str().unwrap().split_once("state=").unwrap();
    let callback = json!({ "state": state, "code": "the-code" });
    world.post(&format!("/feeds/{feed}/callback"), callback).await.ok();
    let site = json!({ "id": "site-1" }).to_string();
    world.ask(Method::PUT, &format!("/feeds/{feed}/site"), &site).await.ok();
    world
        .post(&format!("/feeds/{feed}/spaces"), json!({ "ids": ["10"] }))
        .await
        .ok();
    world
        .work_until(&feed, |picture| {
            picture["headline"] == "up to date" && picture["searchable"] == true
        })
        .await;
    (index, feed)
}

#[tokio::test]
async fn a_client_of_the_api_connects_imports_searches_and_removes() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;

    let spaces = world.get(&format!("/feeds/{feed}/spaces")).await.ok();
    assert_eq!(spaces["spaces"][0]["key"], "ENG");
    assert_eq!(spaces["spaces"][0]["documents"], 2);
    assert!(spaces["spaces"][0]["imported_at"].is_string());
    let runs = world.get(&format!("/feeds/{feed}/runs")).await.ok();
    let run = &runs["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["counts"]["added"]),
        (&json!("complete"), &json!(2))
    );
    let run = run["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/runs/{run}")).await.ok()["feed_id"], feed.as_str());
    assert_eq!(
        world.get(&format!("/runs/{run}/failures")).await.ok()["failures"],
        json!([])
    );
    let effects = world.get(&format!("/runs/{run}/effects?effect=added")).await.ok();
    let added: Vec<_> = effects["effects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["document_id"])
        .collect();
    assert_eq!(added, ["site-1:1", "site-1:2"]);
    assert_eq!(effects["next"], json!(null));
    let removed = world.get(&format!("/runs/{run}/effects?effect=removed")).await.ok();
    assert_eq!(removed["effects"], json!([]));
    let beyond = world.get(&format!("/runs/{run}/effects?after=1")).await.ok();
    assert_eq!(beyond["effects"][0]["title"], "Pump runbook");
    let export = world.get(&format!("/runs/{run}/export.json")).await.ok();
    assert_eq!(
        (&export["complete"], &export["effects"][1]["effect"]),
        (&json!(true), &json!("added"))
    );
    let feeds = world.get(&format!("/indexes/{index}/feeds")).await.ok();
    assert_eq!(feeds["feeds"][0]["site"]["url"], "https://acme.example");

    let found = world.get(&format!("/indexes/{index}/search?q=restart")).await.ok();
    let hit = &found["hits"][0];
    assert_eq!(found["total"], 1);
    assert_eq!(hit["title"], "Pump runbook");
    assert_eq!(hit["document_id"], "site-1:2");
    assert_eq!(hit["author"], json!({ "account_id": "acc-cora", "name": "Cora Lee" }));
    assert_eq!(hit["space"], json!({ "id": "10", "key": "ENG", "name": "Engineering" }));
    assert_eq!(hit["breadcrumb"], json!(["Pumps"]));
    assert_eq!(hit["modified_at"], "2025-06-15T15:06:40.000Z");
    assert_eq!(hit["snippet"][0]["marked"], true);
    let same = world
        .post(&format!("/indexes/{index}/search"), json!({ "q": "restart" }))
        .await
        .ok();
    assert_eq!(same, found);

    let documents = world
        .get(&format!("/indexes/{index}/documents?kind=page&limit=1&feed={feed}"))
        .await
        .ok();
    assert_eq!(
        (&documents["total"], &documents["documents"][0]["title"]),
        (&json!(2), &json!("Pump runbook"))
    );
    let document = world.get(&format!("/indexes/{index}/documents/site-1:2")).await.ok();
    assert_eq!(document["body"]["format"], "storage");
    assert_eq!(document["parent_id"], "site-1:1");
    let gone = world.delete(&format!("/indexes/{index}/documents/site-1:2")).await.ok();
    assert_eq!(gone, json!({ "deleted": 1 }));
    world
        .get(&format!("/indexes/{index}/documents/site-1:2"))
        .await
        .problem(404);
    world
        .delete(&format!("/indexes/{index}/documents/site-1:2"))
        .await
        .problem(404);
    assert_eq!(
        world.get(&format!("/indexes/{index}/search?q=restart")).await.ok()["total"],
        0
    );
    let gone = world
        .post(
            &format!("/indexes/{index}/documents/delete"),
            json!({ "ids": ["site-1:1"] }),
        )
        .await;
    assert_eq!(gone.ok(), json!({ "deleted": 1 }));

    let state = |feed: Value| feed["state"].as_str().unwrap().to_owned();
    assert_eq!(
        state(world.post(&format!("/feeds/{feed}/pause"), json!(null)).await.ok()),
        "paused"
    );
    world
        .post(&format!("/feeds/{feed}/resync"), json!(null))
        .await
        .problem(409);
    assert_eq!(
        state(world.post(&format!("/feeds/{feed}/resume"), json!(null)).await.ok()),
        "active"
    );
    let resync = world.post(&format!("/feeds/{feed}/resync"), json!(null)).await;
    assert_eq!(resync.status, StatusCode::ACCEPTED);
    let again = world.post(&format!("/feeds/{feed}/connect"), json!(null)).await.ok();
    assert_eq!(again["feed"], feed.as_str());

    world.delete(&format!("/feeds/{feed}?documents=delete")).await.ok();
    assert_eq!(world.get(&format!("/feeds/{feed}")).await.ok()["state"], "removed");

    let transcript = world.transcript();
    for secret in [
        ACCESS_TOKEN,
        REFRESH_TOKEN,
        "the-code",
        world.session.expose(),
        world.key.expose(),
    ] {
        assert!(!transcript.contains(secret), "an answer holds {secret}");
    }
}

#[tokio::test]
async fn a_schedule_is_changed_within_its_bounds() {
    let world = World::new().await;
    let (_, feed) = imported(&world).await;
    let path = format!("/feeds/{feed}");
    let picture = world.get(&path).await.ok();
    let automatic = json!({ "changes_every_seconds": 180, "walk_every_seconds": null, "probe_every_seconds": null });
    assert_eq!(picture["schedule"], automatic);
    assert_eq!(picture["job"]["state"], "waits");
    assert_eq!(picture["next"]["pass_at"], picture["job"]["at"]);
    assert!(picture["next"]["walk_at"].is_string());
    let schedule = json!({ "changes_every_seconds": 60, "walk_every_seconds": 900, "probe_every_seconds": null });
    let change = json!({ "schedule": schedule }).to_string();
    assert_eq!(
        world.ask(Method::PATCH, &path, &change).await.ok()["schedule"],
        schedule
    );
    let same = world.ask(Method::PATCH, &path, "{}").await.ok();
    assert_eq!(same["schedule"], schedule, "what is absent stays as it is");
    for wrong in [
        json!({ "changes_every_seconds": 59 }),
        json!({ "changes_every_seconds": 60, "walk_every_seconds": 60 }),
        json!({ "changes_every_seconds": 60, "probe_every_seconds": 90_000 }),
        json!({ "changes_every_seconds": -1 }),
        json!({ "changes_every_seconds": 60, "poll_every_seconds": 60 }),
    ] {
        let change = json!({ "schedule": wrong }).to_string();
        world.ask(Method::PATCH, &path, &change).await.problem(400);
    }
}

#[tokio::test]
async fn another_account_is_asked_about_in_two_steps() {
    let world = World::new().await;
    let (_, feed) = imported(&world).await;
    let question = format!("/feeds/{feed}/reconnection");
    world.get(&question).await.problem(404);
    let connected = async |code: &str| {
        let start = world.post(&format!("/feeds/{feed}/connect"), json!(null)).await.ok();
        let (_, state) = start["authorize_url"].as_str().unwrap().split_once("state=").unwrap();
        let callback = json!({ "state": state, "code": code });
        world.post(&format!("/feeds/{feed}/callback"), callback).await.ok()
    };
    let same = connected("the-code").await;
    assert_eq!((&same["question"], &same["state"]), (&json!(null), &json!("active")));
    let asked = connected("dans-code").await;
    let told = &asked["question"];
    assert_eq!(
        (
            &told["account_name"],
            &told["another_account"],
            &told["present_account_name"]
        ),
        (&json!("Dan Roe"), &json!(true), &json!("Cora Lee"))
    );
    assert_eq!(
        told["hidden_spaces"],
        json!([{ "id": "10", "key": "ENG", "name": "Engineering" }])
    );
    assert_eq!(world.get(&question).await.ok(), *told);
    let picture = world.get(&format!("/feeds/{feed}")).await.ok();
    assert_eq!(
        picture["connection"]["account_name"], "Cora Lee",
        "until then nothing changes"
    );
    world.delete(&question).await.ok();
    world.delete(&question).await.ok();
    world.post(&question, json!(null)).await.problem(409);
    connected("dans-code").await;
    world.post(&question, json!(null)).await.ok();
    let picture = world.get(&format!("/feeds/{feed}")).await.ok();
    assert_eq!(picture["connection"]["account_name"], "Dan Roe");
    assert!(picture["spaces"][0]["suspended_at"].is_string(), "{picture}");
}

#[tokio::test]
async fn a_feed_that_never_carried_anything_is_removed_without_a_trace() {
    let world = World::new().await;
    let index = world.index("Pumps").await;
    let start = world.post(&format!("/indexes/{index}/feeds"), json!(null)).await.ok();
    let feed = start["feed"].as_str().unwrap();
    world.get(&format!("/feeds/{feed}/sites")).await.problem(409);
    let removed = world.delete(&format!("/feeds/{feed}?documents=delete")).await.ok();
    assert_eq!(removed, json!({ "deleted": 0 }));
    world.get(&format!("/feeds/{feed}")).await.problem(404);
}

#[tokio::test]
async fn everything_a_feed_brought_can_be_deleted_while_the_feed_stays() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    assert_eq!(
        world.delete(&format!("/feeds/{feed}/documents")).await.ok(),
        json!({ "deleted": 2 })
    );
    assert_eq!(world.get(&format!("/indexes/{index}/documents")).await.ok()["total"], 0);
    assert_eq!(world.get(&format!("/feeds/{feed}")).await.ok()["state"], "active");
}

#[tokio::test]
async fn an_index_is_renamed_described_and_deleted() {
    let world = World::new().await;
    let index = world.index("Pumps").await;
    let path = format!("/indexes/{index}");
    let changed = world
        .ask(Method::PATCH, &path, r#"{"description": "All about them"}"#)
        .await
        .ok();
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Pumps"), &json!("All about them"))
    );
    let changed = world.ask(Method::PATCH, &path, r#"{"name": "Valves"}"#).await.ok();
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Valves"), &json!("All about them"))
    );
    world.post("/indexes", json!({ "name": "valves" })).await.problem(409);
    assert_eq!(world.get("/indexes").await.ok()["indexes"].as_array().unwrap().len(), 1);
    let gone = world.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (StatusCode::NO_CONTENT, ""));
    world.get(&path).await.problem(404);
}

#[tokio::test]
async fn every_filter_of_a_search_reaches_the_engine() {
    let world = World::new().await;
    let index = world.index("Pumps").await;
    let query = "q=old%20pump&space=10&space=11&kind=page&kind=blogpost&person=acc-1&label=ops\
                 &modified_from=2026-01-01T00:00:00Z&modified_before=2026-02-01T00:00:00Z&sort=modified&offset=20&limit=7";
    world.get(&format!("/indexes/{index}/search?{query}")).await.ok();
    let by_parameters = world.engine.last_query();
    let body = json!({
        "q": "old pump", "spaces": ["10", "11"], "kinds": ["page", "blogpost"], "people": ["acc-1"], "labels": ["ops"],
        "modified_from": "2026-01-01T00:00:00Z", "modified_before": "2026-02-01T00:00:00Z",
        "sort": "modified", "offset": 20, "limit": 7,
    });
    world.post(&format!("/indexes/{index}/search"), body).await.ok();
    assert_eq!(world.engine.last_query(), by_parameters);
    assert_eq!(by_parameters.filter.spaces.len(), 2);
    assert_eq!(by_parameters.filter.kinds.len(), 2);
    // One more than wanted tells whether there is more.
    assert_eq!((by_parameters.offset, by_parameters.limit), (20, 8));
    assert_eq!(
        by_parameters.filter.modified_from.unwrap().to_string(),
        "2026-01-01T00:00:00.000Z"
    );
}
