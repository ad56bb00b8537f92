use axum::body::Body;
use http::Request;

use super::world::{Answered, World};

async fn get(world: &World, path: &str) -> Answered {
    world.send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn circuit_says_that_it_lives_and_is_ready() {
    let world = World::new().await;
    assert_eq!(get(&world, "/healthz").await.text, "ok\n");
    assert_eq!(get(&world, "/readyz").await.text, "ready\n");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_they_hold() {
    let world = World::new().await;
    let index = world.index("Counted pumps").await;
    world.get(&format!("/indexes/{index}/search?q=confidential")).await.ok();
    world.get("/no-such-address-of-mine").await.problem(404);
    let metrics = get(&world, "/metrics").await;
    assert!(
        metrics.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert!(
        metrics.text.contains(
            "circuit_http_requests_total{method=\"GET\",route=\"/api/v1/indexes/{id}/search\",status=\"200\"}"
        )
    );
    assert!(metrics.text.contains("circuit_http_request_duration_seconds_bucket"));
    assert!(metrics.text.contains("circuit_build_info{version=\"1.2.3\"} 1"));
    for figure in [
        "circuit_points_budget 32500",
        "circuit_points_spent 0",
        "circuit_points_left 32500",
        "circuit_atlassian_calls_at_once 2",
        "circuit_atlassian_calls_total 0",
        "circuit_atlassian_points_total 0",
    ] {
        assert!(metrics.text.contains(figure), "{figure} is not in {}", metrics.text);
    }
    for held in ["confidential", "Counted", "no-such-address-of-mine", world.key.expose()] {
        assert!(!metrics.text.contains(held), "the metrics hold {held}");
    }
}
