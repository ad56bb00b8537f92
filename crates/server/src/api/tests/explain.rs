//! Why is this page missing, and what follows from the answer.

use std::collections::BTreeSet;

use app::sync_runs::EXPORTED_AT_ONCE;
use http::{Method, StatusCode};
use serde_json::json;

use super::{walk::imported, world::World};

#[tokio::test]
async fn a_client_learns_why_something_is_found_or_missing() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let explain = async |url: &str| {
        let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        world.get(&format!("/indexes/{index}/explain?url={url}")).await.ok()
    };
    let found = explain("https://acme.example/wiki/spaces/ENG/pages/2/Pump").await;
    assert_eq!(
        (&found["reason"], &found["document_id"], &found["feed_id"]),
        (&json!("found"), &json!("site-1:2"), &json!(feed))
    );
    assert_eq!(found["said"], "It is here: “Pump runbook”.");
    let unselected = explain("https://acme.example/wiki/spaces/HR/pages/77/Salaries").await;
    assert_eq!(
        (&unselected["reason"], &unselected["offer"]),
        (&json!("not_selected"), &json!("add_spaces"))
    );
    assert!(!unselected.to_string().contains("Salaries"), "{unselected}");
    assert_eq!(explain("<script>").await["reason"], "not_an_address");
    // Its Atlassian does not tell whether it is there.
    let unclear = explain("https://acme.example/wiki/spaces/ENG/pages/9").await;
    assert_eq!(unclear["reason"], "no_answer");
    world.get(&format!("/indexes/{index}/explain")).await.problem(400);
    world.get("/indexes/99/explain?url=1").await.problem(404);

    world.delete(&format!("/indexes/{index}/documents/site-1:2")).await.ok();
    let deleted = explain("https://acme.example/wiki/spaces/ENG/pages/2").await;
    assert_eq!(
        (&deleted["reason"], &deleted["offer"]),
        (&json!("deleted_here"), &json!(null))
    );
    world
        .post(&format!("/indexes/{index}/documents/site-1:2/retry"), json!(null))
        .await
        .problem(409);
    let story = world
        .get(&format!("/indexes/{index}/documents/site-1:2/story"))
        .await
        .ok();
    assert_eq!(story["hidden"]["why"], "deleted");
    assert!(
        story["hidden"]["since"].is_string() && story["document"]["body"].is_null(),
        "{story}"
    );
    let story = world
        .get(&format!("/indexes/{index}/documents/site-1:1/story"))
        .await
        .ok();
    assert_eq!(story["hidden"], json!(null));
    assert_eq!(
        (&story["history"][0]["effect"], &story["history"][0]["run_kind"]),
        (&json!("added"), &json!("import"))
    );
}

#[tokio::test]
async fn a_verify_is_asked_for_once_and_its_run_tells_what_differs() {
    let world = World::new().await;
    let (_, feed) = imported(&world).await;
    let asked = world.post(&format!("/feeds/{feed}/verify"), json!(null)).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    let asked = asked.ok();
    let again = world.post(&format!("/feeds/{feed}/verify"), json!(null)).await.ok();
    assert_eq!((&asked["kind"], &asked["id"]), (&json!("verify"), &again["id"]));
    let run = asked["id"].as_str().unwrap();
    world
        .work_until(&feed, |picture| picture["last_run"]["id"] == run)
        .await;
    let ended = world.get(&format!("/runs/{run}")).await.ok();
    assert_eq!(ended["outcome"], "complete", "{ended}");
    // This Atlassian's listing without bodies shows nothing, and its second look cannot tell: nothing is claimed.
    let differences = world.get(&format!("/runs/{run}/differences")).await.ok();
    assert_eq!(differences, json!({ "differences": [], "next": null, "notes": [] }));
    let export = world.get(&format!("/runs/{run}/export.json")).await.ok();
    assert_eq!(
        (&export["differences"], &export["run"]["counts"]["differing"]),
        (&json!([]), &json!(0))
    );
    world.post("/feeds/99/verify", json!(null)).await.problem(404);
}

#[tokio::test]
async fn who_may_only_read_is_told_nothing_of_what_is_not_found() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let runs = world.get(&format!("/feeds/{feed}/runs")).await.ok();
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let reader = world.reader().await;
    let ask = async |method: Method, path: &str| world.ask_with_key(reader.expose(), method, path, "").await;
    for path in [
        format!("/indexes/{index}/explain?url=2"),
        format!("/runs/{run}/effects"),
        format!("/runs/{run}/differences"),
        format!("/runs/{run}/export.csv"),
        format!("/runs/{run}/export.json"),
    ] {
        ask(Method::GET, &path).await.problem(403);
    }
    for path in [
        format!("/feeds/{feed}/verify"),
        format!("/indexes/{index}/documents/site-1:2/retry"),
    ] {
        ask(Method::POST, &path).await.problem(403);
    }
    ask(Method::GET, &format!("/indexes/{index}/documents/site-1:2/story"))
        .await
        .ok();
    world.delete(&format!("/indexes/{index}/documents/site-1:2")).await.ok();
    ask(Method::GET, &format!("/indexes/{index}/documents/site-1:2/story"))
        .await
        .problem(404);
}

#[tokio::test]
async fn all_of_a_large_run_is_read_page_by_page_and_exported_in_lines() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let run = world.store_pages(&feed, 450).await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let effects = world.get(&format!("/runs/{run}/effects?after={after}")).await.ok();
        let rows = effects["effects"].as_array().unwrap();
        assert!(rows.len() <= 200);
        seen.extend(rows.iter().map(|row| row["document_id"].as_str().unwrap().to_owned()));
        match effects["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 450);
    let csv = world.get(&format!("/runs/{run}/export.csv")).await;
    assert_eq!(csv.status, StatusCode::OK);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"run-{run}.csv\"");
    assert_eq!(csv.headers["content-disposition"], name.as_str());
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 451);
    assert_eq!(lines[0], r#""what","document_id","kind","title","url","why","at""#);
    assert!(
        lines
            .iter()
            .skip(1)
            .all(|line| line.starts_with(r#""added","site-1:p"#)),
        "{}",
        lines[1]
    );
    assert_eq!(
        world.get(&format!("/indexes/{index}/documents?limit=1")).await.ok()["total"],
        452
    );
}

#[tokio::test]
async fn an_export_of_many_pages_has_every_row_once_in_both_forms() {
    let world = World::new().await;
    let (_, feed) = imported(&world).await;
    // More than two pages of changes, more than one of failures, and no differences.
    let (changed, failed) = (2 * EXPORTED_AT_ONCE + 1, EXPORTED_AT_ONCE + 1);
    let run = world.store_pages(&feed, changed).await;
    world.store_failures(&feed, &run, failed).await;
    let csv = world.get(&format!("/runs/{run}/export.csv")).await;
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + changed + failed);
    let distinct: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!(distinct.len(), lines.len(), "each row once");
    assert!(lines[changed].starts_with(r#""added","#) && lines[changed + 1].starts_with(r#""failed","#));
    assert!(lines[changed + 1].contains(r#""'=1+1 0""#), "{}", lines[changed + 1]);

    let json = world.get(&format!("/runs/{run}/export.json")).await.ok();
    let rows = |list: &str| json[list].as_array().unwrap().clone();
    let ids: BTreeSet<String> = rows("effects")
        .iter()
        .map(|row| row["document_id"].to_string())
        .collect();
    assert_eq!((rows("effects").len(), ids.len()), (changed, changed));
    assert_eq!((rows("failures").len(), rows("differences").len()), (failed, 0));
    assert_eq!(json["failures"][failed - 1]["title"], format!("=1+1 {}", failed - 1));
    assert_eq!(
        (&json["run"]["id"], &json["complete"]),
        (&json!(run), &json!(true)),
        "written last"
    );
}
