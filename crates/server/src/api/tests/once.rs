use axum::body::Body;
use domain::given_answer::GIVEN_AGAIN;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{
    walk::imported,
    world::{Answered, World},
};

async fn post(world: &World, path: &str, name: &str, body: &Value) -> Answered {
    let request = Request::post(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", world.key.expose()))
        .header("content-type", "application/json")
        .header("idempotency-key", name)
        .body(Body::from(body.to_string()));
    world.send(request.unwrap()).await
}

async fn indexes(world: &World) -> usize {
    world.get("/indexes").await.ok()["indexes"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_carried_out_once_and_answered_alike() {
    let world = World::new().await;
    let body = json!({ "name": "Pumps" });
    let made = post(&world, "/indexes", "one", &body).await;
    let again = post(&world, "/indexes", "one", &body).await;
    assert_eq!((made.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(
        (&made.text, &made.headers["location"]),
        (&again.text, &again.headers["location"])
    );
    assert!(!made.headers.contains_key("idempotent-replayed"));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(indexes(&world).await, 1);
    let other = post(&world, "/indexes", "one", &json!({ "name": "Valves" }))
        .await
        .problem(422);
    assert_eq!(other["type"], "/api/#problem-idempotency-key-reused");
    let feeds = format!("/indexes/{}/feeds", made.json()["id"].as_str().unwrap());
    post(&world, &feeds, "one", &body).await.problem(422);
    // A feed's answer leads to Atlassian with a word that is good once: the same word again.
    let feed = post(&world, &feeds, "two", &Value::Null).await.ok();
    assert_eq!(post(&world, &feeds, "two", &Value::Null).await.ok(), feed);
    world.pass(GIVEN_AGAIN);
    post(&world, "/indexes", "one", &body).await.problem(409);
}

#[tokio::test]
async fn what_failed_may_be_asked_again_under_its_name() {
    let world = World::new().await;
    post(&world, "/indexes", "one", &json!({ "name": "" }))
        .await
        .problem(400);
    post(&world, "/indexes", "one", &json!({ "name": "Pumps" })).await.ok();
    for name in ["", &"x".repeat(256)] {
        let problem = post(&world, "/indexes", name, &json!({ "name": "Valves" }))
            .await
            .problem(400);
        assert!(
            problem["detail"].as_str().unwrap().starts_with("Idempotency-Key:"),
            "{problem}"
        );
    }
    let unknown = Request::post("/api/v1/indexes")
        .header("idempotency-key", "three")
        .body(Body::empty());
    world.send(unknown.unwrap()).await.problem(401);
}

#[tokio::test]
async fn a_key_is_made_once_and_shown_once() {
    let world = World::new().await;
    let body = json!({ "name": "Agent" });
    let made = post(&world, "/api-keys", "key", &body).await.ok();
    let again = post(&world, "/api-keys", "key", &body).await;
    assert!(
        again.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("given once only")
    );
    assert!(!again.text.contains(made["secret"].as_str().unwrap()));
    let keys = world.get("/api-keys").await.ok();
    assert_eq!(
        keys["api_keys"].as_array().unwrap().len(),
        2,
        "the test's own, and this one"
    );
}

#[tokio::test]
async fn a_run_is_asked_for_once() {
    let world = World::new().await;
    let (_, feed) = imported(&world).await;
    let path = format!("/feeds/{feed}/resync");
    let first = post(&world, &path, "run", &Value::Null).await;
    let again = post(&world, &path, "run", &Value::Null).await;
    assert_eq!((first.status, &first.text), (StatusCode::ACCEPTED, &again.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
}
