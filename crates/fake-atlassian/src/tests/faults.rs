//! What goes wrong with calls and listings on request.

use serde_json::{Value, json};

use super::world::{ANNA, Client, acme, ids};
use crate::FakeAtlassian;

fn well(fake: &FakeAtlassian) {
    wrong(fake, json!({ "clear": true }));
}

fn wrong(fake: &FakeAtlassian, faults: Value) {
    fake.control("faults", faults).expect("faults");
}

const SPACES: &str = "/wiki/api/v2/spaces";

#[tokio::test]
async fn a_throttled_call_says_when_to_come_again_or_nonsense_or_nothing() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    for (given, sent) in [
        ("7", "7"),
        ("0", "0"),
        ("99999999", "99999999"),
        ("absent", ""),
        ("soon", "soon"),
    ] {
        wrong(&fake, json!({ "throttle_rate": 1.0, "throttle_retry_after": given }));
        let seen = anna.get(SPACES).await;
        assert_eq!((seen.status, seen.header("retry-after")), (429, sent));
    }
    assert_eq!(fake.points_this_hour(), 0);
    assert_eq!(
        super::world::sent(&fake, "GET", "/authorize", &[], "").await.status,
        400,
        "only the gateway throttles"
    );
    well(&fake);
    assert_eq!(anna.get(SPACES).await.status, 200);
}

#[tokio::test]
async fn json_that_ends_in_the_middle_comes_in_an_answer_that_is_whole() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    wrong(&fake, json!({ "malformed_rate": 1.0 }));
    let seen = anna.get(SPACES).await;
    assert_eq!(seen.status, 200);
    assert!(serde_json::from_slice::<Value>(&seen.body).is_err());
}

#[tokio::test]
async fn a_listing_loses_its_next_link_or_leads_in_a_circle() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let path = "/wiki/api/v2/pages?limit=2&sort=id";
    wrong(&fake, json!({ "drop_next_rate": 1.0 }));
    let first = anna.get(path).await;
    assert!(first.json()["_links"]["next"].is_null() && !first.header("link").contains("next"));
    well(&fake);
    let second = anna.get(path).await.json()["_links"]["next"]
        .as_str()
        .expect("a next page")
        .to_owned();
    wrong(&fake, json!({ "loop_cursor_rate": 1.0 }));
    let seen = anna.get(&second).await.json();
    assert_eq!(seen["_links"]["next"], json!(second));
    assert_eq!(anna.get(&second).await.json(), seen);
    well(&fake);
    assert_eq!(anna.all(&second).await.len(), 4);
}

#[tokio::test]
async fn long_pages_with_bodies_time_out_and_shorter_ones_do_not() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    wrong(&fake, json!({ "timeout_above": 5 }));
    for (path, status) in [
        ("/wiki/api/v2/pages?limit=6&body-format=storage", 504),
        ("/wiki/api/v2/pages?body-format=storage", 504),
        ("/wiki/api/v2/pages?limit=5&body-format=storage", 200),
        ("/wiki/api/v2/pages?limit=250", 200),
    ] {
        assert_eq!(anna.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_page_whose_storage_format_fails_fails_its_neighbours_and_reads_otherwise() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    fake.control("poison", json!({ "id": page })).expect("done");
    for (path, status) in [
        ("/wiki/api/v2/pages?body-format=storage".to_owned(), 500),
        ("/wiki/api/v2/pages?body-format=atlas_doc_format".to_owned(), 200),
        ("/wiki/api/v2/pages".to_owned(), 200),
        ("/wiki/api/v2/pages?body-format=storage&limit=1".to_owned(), 200),
        (format!("/wiki/api/v2/pages/{page}?body-format=storage"), 500),
        (format!("/wiki/api/v2/pages/{page}?body-format=view"), 200),
        (
            "/wiki/rest/api/content/search?cql=type=page&expand=body.storage".to_owned(),
            500,
        ),
        (
            "/wiki/rest/api/content/search?cql=type=page&expand=body.view".to_owned(),
            200,
        ),
    ] {
        assert_eq!(anna.get(&path).await.status, status, "{path}");
    }
    fake.control("poison", json!({ "id": page, "poisoned": false }))
        .expect("done");
    assert_eq!(ids(&anna.all("/wiki/api/v2/pages?body-format=storage").await).len(), 6);
}

#[tokio::test]
async fn a_scripted_fault_waits_for_its_call_and_an_answer_that_is_cut_has_done_its_work() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    wrong(
        &fake,
        json!({ "next_n": { "path": "/pages", "skip": 1, "n": 2, "status": 503 } }),
    );
    wrong(&fake, json!({ "next_n": { "path": "/spaces", "cut": true } }));
    let mut seen = Vec::new();
    for path in ["pages", "pages", "spaces", "pages", "pages", "spaces"] {
        seen.push(anna.get(&format!("/wiki/api/v2/{path}")).await.status);
    }
    assert_eq!(seen, [200, 503, 502, 503, 200, 200]);
    assert_eq!(fake.journal()[2].status, 200, "it was answered");
    wrong(&fake, json!({ "next_n": { "cut": true } }));
    let request = http::Request::get("/oauth/token/accessible-resources")
        .header("authorization", format!("Bearer {}", anna.token))
        .body(bytes::Bytes::new());
    let answer = fake.answer_unless_cut(request.expect("a request")).await;
    assert!(answer.is_none());
}

#[test]
fn faults_out_of_bounds_are_refused() {
    let fake = acme();
    for faults in [
        json!({ "drop_next_rate": 1.5 }),
        json!({ "search_lag_ms": -1 }),
        json!({ "search_lag_ms": 86_400_000 }),
        json!({ "throttle_retry_after": 7 }),
        json!({ "next_n": { "path": "/pages" } }),
    ] {
        assert!(fake.control("faults", faults.clone()).is_err(), "{faults}");
    }
}
