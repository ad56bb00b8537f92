use std::time::Duration;

use axum::body::Body;
use domain::{ErrorKind, connection::Ending};
use http::{Method, Request};
use serde_json::json;

use super::world::{CAUSE, World};
use crate::operation::BODY_BYTES_MAX;

#[tokio::test]
async fn every_kind_of_error_has_its_status_and_type() {
    let world = World::new().await;
    let search = format!("/indexes/{}/search", world.index("Pumps").await);
    let kinds = [
        (ErrorKind::Invalid, 400, "invalid"),
        (ErrorKind::Unauthenticated, 401, "reconnect"),
        (
            ErrorKind::Ended {
                ending: Ending::Expired,
            },
            401,
            "reconnect",
        ),
        (ErrorKind::Misconfigured, 409, "misconfigured"),
        (ErrorKind::Forbidden, 403, "forbidden"),
        (ErrorKind::NotFound, 404, "not-found"),
        (ErrorKind::Conflict, 409, "conflict"),
        (ErrorKind::Gone, 409, "withdrawn"),
        (ErrorKind::Unavailable, 503, "unavailable"),
    ];
    for (kind, status, word) in kinds {
        world.engine.fail_with(kind);
        let problem = world.get(&search).await.problem(status);
        assert_eq!(problem["type"], format!("/api/#problem-{word}"));
        assert_eq!(problem["detail"], "the engine says no");
    }
}

#[tokio::test]
async fn who_must_wait_is_told_how_long() {
    let world = World::new().await;
    let search = format!("/indexes/{}/search", world.index("Pumps").await);
    world.engine.fail_with(ErrorKind::RateLimited {
        retry_after: Duration::from_millis(1_200),
    });
    let answered = world.get(&search).await;
    answered.problem(429);
    assert_eq!(answered.headers["retry-after"], "2");
}

#[tokio::test]
async fn who_lacks_scopes_is_told_which() {
    let world = World::new().await;
    let search = format!("/indexes/{}/search", world.index("Pumps").await);
    world.engine.fail_with(ErrorKind::MissingScope {
        scopes: vec!["read:page:confluence".into()],
    });
    let problem = world.get(&search).await.problem(409);
    assert_eq!(problem["missing_scopes"], json!(["read:page:confluence"]));
}

#[tokio::test]
async fn a_defect_tells_nothing_of_its_inside() {
    let world = World::new().await;
    let search = format!("/indexes/{}/search", world.index("Pumps").await);
    world.engine.fail_with(ErrorKind::Internal);
    let answered = world.get(&search).await;
    answered.problem(500);
    assert!(!answered.text.contains(CAUSE) && !answered.text.contains("the engine says no"));
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_next_request_is_answered() {
    let world = World::new().await;
    let search = format!("/indexes/{}/search", world.index("Pumps").await);
    world.engine.panic();
    let answered = world.get(&search).await;
    answered.problem(500);
    assert!(!answered.text.contains(CAUSE));
    world.get(&search).await.ok();
}

#[tokio::test]
async fn a_mistaken_request_is_told_what_is_wrong_with_it() {
    let world = World::new().await;
    let index = world.index("Pumps").await;
    let mistakes = [
        (
            format!("/indexes/{index}/search?spaces=10"),
            "\"spaces\" is not a parameter",
        ),
        ("/me?verbose=1".to_owned(), "it takes none"),
        (format!("/indexes/{index}/search?limit=many"), "limit:"),
        (format!("/indexes/{index}/search?limit=101"), "limit is 1 to 100"),
        (format!("/indexes/{index}/search?q=a&q=b"), "q: is given more than once"),
        (format!("/indexes/{index}/search?kind=poem"), "kind:"),
        (format!("/indexes/{index}/search?sort=random"), "sort:"),
        (
            format!("/indexes/{index}/search?modified_from=yesterday"),
            "modified_from:",
        ),
        (format!("/indexes/{index}/search?q={}", "a".repeat(3_000)), "2048 bytes"),
        (format!("/indexes/{index}/documents?limit=201"), "limit:"),
        (format!("/indexes/{index}/documents?feed=x"), "feed:"),
        (format!("/indexes/{index}/documents/nonsense"), "site:content"),
        ("/indexes/first".to_owned(), "not the id of an index"),
        ("/indexes/%ff".to_owned(), "UTF-8"),
        ("/feeds/99999999999999999999".to_owned(), "not the id of a feed"),
    ];
    for (path, told) in mistakes {
        let problem = world.get(&path).await.problem(400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{path}: {detail}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_why() {
    let world = World::new().await;
    let bodies = [
        ("", "not JSON"),
        ("{\"name\": ", "not JSON"),
        ("[]", "another shape"),
        ("{}", "missing field `name`"),
        (r#"{"name": 7}"#, "another shape"),
        (r#"{"name": "Pumps", "colour": "red"}"#, "unknown field `colour`"),
        (r#"{"name": ""}"#, "an index needs a name"),
    ];
    for (body, told) in bodies {
        let problem = world.ask(Method::POST, "/indexes", body).await.problem(400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{body}: {detail}");
    }
    let deep = "[".repeat(100_000);
    world.ask(Method::POST, "/indexes", &deep).await.problem(400);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused_unread() {
    let world = World::new().await;
    let large = format!(r#"{{"name": "{}"}}"#, "a".repeat(BODY_BYTES_MAX));
    world.ask(Method::POST, "/indexes", &large).await.problem(413);
    let form = Request::post("/api/v1/indexes")
        .header("authorization", format!("Bearer {}", world.key.expose()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("name=Pumps"));
    world.send(form.unwrap()).await.problem(415);
}

#[tokio::test]
async fn an_unknown_address_or_method_is_a_problem_too() {
    let world = World::new().await;
    world.get("/nothing").await.problem(404);
    let outside = Request::get("/api/v2/indexes").body(Body::empty()).unwrap();
    world.send(outside).await.problem(404);
    let answered = world.ask(Method::PUT, "/indexes", "{}").await;
    answered.problem(405);
    let allowed = answered.headers["allow"].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
}
