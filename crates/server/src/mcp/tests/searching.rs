use serde_json::{Value, json};

use super::{called, called_with, key_of, refused};
use crate::{
    api::tests::{
        walk::{imported, imported_again},
        world::World,
    },
    mcp::{outside::NOTICE, search::ANSWER_BYTES_MAX},
};

#[tokio::test]
async fn a_result_has_what_an_answer_cites() {
    let world = World::new().await;
    let (index, _) = imported(&world).await;
    let found = called(&world, "search", json!({ "query": "restart" })).await;
    assert_eq!((&found["total"], &found["notice"]), (&json!(1), &json!(NOTICE)));
    let result = &found["results"][0];
    assert_eq!(result["id"], format!("{index}/site-1:2"));
    assert_eq!(result["title"], "Pump runbook");
    assert!(
        result["url"]
            .as_str()
            .unwrap()
            .starts_with("https://acme.example/wiki/2")
    );
    assert_eq!(result["text"], "restart the pump");
    assert_eq!(
        (&result["breadcrumb"], &result["headings"]),
        (&json!(["Pumps"]), &json!(["Steps"]))
    );
    assert_eq!(
        (&result["author"], &result["editor"]),
        (&json!("Cora Lee"), &json!("Cora Lee"))
    );
    assert_eq!(result["updated_at"], "2025-06-15T15:06:40.000Z");
    assert_eq!(
        (&result["space"]["key"], &result["space"]["name"]),
        (&json!("ENG"), &json!("Engineering"))
    );
    assert!(result["space"]["checked_at"].is_string(), "{result}");
    assert_eq!((&result["type"], &result["labels"]), (&json!("page"), &json!(["ops"])));
    let listed = called(&world, "list_indexes", json!({})).await;
    assert_eq!(listed["indexes"][0]["name"], "Company knowledge");
    assert_eq!(listed["indexes"][0]["spaces"][0]["key"], "ENG");
}

#[tokio::test]
async fn filters_reach_the_engine_in_its_words() {
    let world = World::new().await;
    imported(&world).await;
    let asked = json!({
        "query": "pump", "index": "company KNOWLEDGE", "space": ["engineering"], "type": ["page", "comment"],
        "label": ["ops"], "person": ["acc-7"], "updated_after": "2026-01-31", "updated_before": "2026-02-01T12:00:00Z",
        "newest_first": true, "limit": 3,
    });
    called(&world, "search", asked).await;
    let query = world.engine.last_query();
    // One more than wanted tells whether there is more.
    assert_eq!((query.text.as_str(), query.limit, query.offset), ("pump", 4, 0));
    assert_eq!(
        query
            .filter
            .spaces
            .iter()
            .map(|space| space.as_str())
            .collect::<Vec<_>>(),
        ["10"]
    );
    assert_eq!((query.filter.kinds.len(), query.filter.labels.len()), (2, 1));
    assert_eq!(query.filter.people[0].as_str(), "acc-7");
    assert_eq!(
        query.filter.modified_from.unwrap().to_string(),
        "2026-01-31T00:00:00.000Z"
    );
    assert_eq!(
        query.filter.modified_before.unwrap().to_string(),
        "2026-02-01T12:00:00.000Z"
    );
    assert_eq!(query.sort, domain::query::Sort::Modified);
}

/// Everything that a question finds, page by page.
async fn all(world: &World, mut asked: Value) -> (Vec<String>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let found = called(world, "search", asked.clone()).await;
        let results = found["results"].as_array().unwrap();
        assert!(!results.is_empty(), "a page without results");
        let bytes: usize = results.iter().map(|result| result.to_string().len()).sum();
        assert!(bytes <= ANSWER_BYTES_MAX, "{bytes}");
        ids.extend(results.iter().map(|result| result["id"].as_str().unwrap().to_owned()));
        pages += 1;
        assert!(pages < 50);
        match found["next_cursor"].as_str() {
            Some(cursor) => asked["cursor"] = json!(cursor),
            None => return (ids, pages),
        }
    }
}

#[tokio::test]
async fn a_cursor_leads_through_all_results_of_all_indexes_once() {
    let world = World::new().await;
    let (_, first) = imported(&world).await;
    let (_, second) = imported_again(&world).await;
    let long = format!("<p>valve {}</p>", "ß long words ".repeat(140));
    for place in 0..16 {
        world.store_page(&first, &format!("A {place}"), &long).await;
    }
    for place in 0..4 {
        world.store_page(&second, &format!("B {place}"), "<p>valve</p>").await;
    }
    let (ids, pages) = all(&world, json!({ "query": "valve", "limit": 5 })).await;
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len(), pages), (20, 20, 4));
    // So much text as these have does not go into one answer, whatever the limit.
    let (ids, pages) = all(&world, json!({ "query": "valve", "limit": 20 })).await;
    assert_eq!(ids.len(), 20);
    assert!(pages > 1, "{pages}");
}

#[tokio::test]
async fn a_key_of_one_index_finds_nothing_of_another_by_any_tool() {
    let world = World::new().await;
    let (index, _) = imported(&world).await;
    let other = world.index("Other").await;
    let key = key_of(&world, &other).await;
    let listed = called_with(&world, &key, "list_indexes", json!({})).await;
    assert_eq!(
        (
            listed["indexes"].as_array().unwrap().len(),
            &listed["indexes"][0]["name"]
        ),
        (1, &json!("Other"))
    );
    let found = called_with(&world, &key, "search", json!({ "query": "restart" })).await;
    assert_eq!((&found["total"], &found["results"]), (&json!(0), &json!([])));
    let named = json!({ "query": "restart", "index": index });
    assert!(refused(&world, &key, "search", named).await.contains("no such index"));
    let said = refused(&world, &key, "fetch", json!({ "id": format!("{index}/site-1:2") })).await;
    assert!(said.contains(&format!("index {index} does not exist")), "{said}");
    let said = refused(&world, &key, "fetch", json!({ "id": "site-1:2" })).await;
    assert!(
        said.contains("is not in this index") || said.contains("does not exist"),
        "{said}"
    );
    let own = key_of(&world, &index).await;
    let found = called_with(&world, &own, "search", json!({ "query": "restart" })).await;
    assert_eq!(found["total"], 1);
}
