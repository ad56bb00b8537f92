use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn without_a_key_nothing_is_answered() {
    let world = World::new().await;
    for authorization in [
        None,
        Some("Bearer circuit_wrong"),
        Some("Basic YTpi"),
        Some("Bearer "),
        Some("Bearer \u{e9}"),
    ] {
        let mut request = Request::get("/api/v1/me");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let refused = world.send(request.body(Body::empty()).unwrap()).await;
        let problem = refused.problem(401);
        assert_eq!(problem["type"], "/api/#problem-unauthenticated");
        assert!(
            refused.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_dead_once_deleted() {
    let world = World::new().await;
    let made = world.post("/api-keys", json!({ "name": "laptop" })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.ok();
    let (secret, id) = (made["secret"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(secret.starts_with("circuit_"));
    let me = world.ask_with_key(secret, Method::GET, "/me", "").await.ok();
    assert_eq!(
        (&me["email"], &me["role"]),
        (&json!("ann@example.org"), &json!("admin"))
    );

    let listed = world.get("/api-keys").await;
    assert!(!listed.text.contains(secret));
    assert_eq!(listed.ok()["api_keys"].as_array().unwrap().len(), 2);

    let deleted = world.delete(&format!("/api-keys/{id}")).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    world.ask_with_key(secret, Method::GET, "/me", "").await.problem(401);
    world.delete(&format!("/api-keys/{id}")).await.problem(404);
}

#[tokio::test]
async fn a_browsers_session_reads_and_changes_nothing() {
    let world = World::new().await;
    let with_session = |method: Method, path: &str| {
        Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(
                "cookie",
                format!("theme=dark; circuit_session={}", world.session.expose()),
            )
            .header("content-type", "application/json")
            .body(Body::from(r#"{"name": "Forged"}"#))
            .unwrap()
    };
    world.send(with_session(Method::GET, "/indexes")).await.ok();
    world.send(with_session(Method::POST, "/indexes")).await.problem(401);
    assert_eq!(world.get("/indexes").await.ok()["indexes"], json!([]));
}

#[tokio::test]
async fn a_reader_searches_and_changes_nothing() {
    let world = World::new().await;
    let index = world.index("Pumps").await;
    let key = world.reader().await;
    let (key, search) = (key.expose(), format!("/indexes/{index}/search"));
    world.ask_with_key(key, Method::GET, &search, "").await.ok();
    world
        .ask_with_key(key, Method::POST, "/indexes", r#"{"name": "Mine"}"#)
        .await
        .problem(403);
    world
        .ask_with_key(key, Method::DELETE, &format!("/indexes/{index}"), "")
        .await
        .problem(403);
    world
        .ask_with_key(key, Method::POST, &format!("/indexes/{index}/feeds"), "")
        .await
        .problem(403);
    world
        .ask_with_key(key, Method::GET, "/admin/atlassian-app", "")
        .await
        .problem(403);
}

#[tokio::test]
async fn the_atlassian_apps_secret_goes_in_and_never_comes_out() {
    let world = World::new().await;
    let app = world.get("/admin/atlassian-app").await.ok();
    assert_eq!(app["source"], "missing");
    assert_eq!(app["redirect_uri"], "https://circuit.example/connect/callback");
    let body = r#"{"client_id": "the-client", "client_secret": "hunter-2-hunter"}"#;
    let kept = world.ask(Method::PUT, "/admin/atlassian-app", body).await.ok();
    assert_eq!(
        (&kept["source"], &kept["client_id"]),
        (&json!("administrator"), &json!("the-client"))
    );
    world.get("/admin/atlassian-app").await.ok();
    assert!(!world.transcript().contains("hunter-2-hunter"));
}
