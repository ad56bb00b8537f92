use axum::body::Body;
use http::Request;
use serde_json::json;

use super::{asked, message, refused, request, result};
use crate::api::tests::{walk::imported, world::World};

#[tokio::test]
async fn without_a_key_a_client_is_told_where_to_read_what_is_needed() {
    let world = World::new().await;
    for key in [None, Some("circuit_wrong"), Some("")] {
        let knocked = world
            .send(request(key).body(message("tools/list", &json!({}))).unwrap())
            .await;
        knocked.problem(401);
        let challenge = knocked.headers["www-authenticate"].to_str().unwrap();
        let (_, address) = challenge.split_once("resource_metadata=\"").unwrap();
        let address = address
            .trim_end_matches('"')
            .strip_prefix("https://circuit.example")
            .unwrap();
        let metadata = world
            .send(Request::get(address).body(Body::empty()).unwrap())
            .await
            .ok();
        assert_eq!(metadata["resource"], "https://circuit.example/mcp");
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    }
    let root = Request::get("/.well-known/oauth-protected-resource").body(Body::empty());
    assert_eq!(
        world.send(root.unwrap()).await.ok()["resource"],
        "https://circuit.example/mcp"
    );
}

#[tokio::test]
async fn a_browsers_session_opens_nothing_and_pages_of_other_sites_are_refused() {
    let world = World::new().await;
    let cookie = format!("circuit_session={}", world.session.expose());
    let knocked = request(None)
        .header("cookie", cookie)
        .body(message("tools/list", &json!({})));
    world.send(knocked.unwrap()).await.problem(401);
    let from = async |origin: &str| {
        let sent = request(Some(world.key.expose())).header("origin", origin);
        world.send(sent.body(message("tools/list", &json!({}))).unwrap()).await
    };
    for elsewhere in [
        "https://evil.example",
        "http://circuit.example",
        "https://circuit.example:8443",
        "null",
        "x",
    ] {
        from(elsewhere).await.problem(403);
    }
    from("https://circuit.example").await.ok();
}

#[tokio::test]
async fn each_request_is_answered_by_itself_as_json() {
    let world = World::new().await;
    let hello = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    let answered = asked(&world, world.key.expose(), "initialize", hello).await;
    assert_eq!(answered.headers["content-type"], "application/json");
    assert_eq!(answered.headers["cache-control"], "no-store");
    assert!(
        !answered.headers.contains_key("mcp-session-id"),
        "there are no sessions to keep"
    );
    let told = answered.ok()["result"].clone();
    assert_eq!(
        (&told["serverInfo"]["name"], &told["serverInfo"]["version"]),
        (&json!("circuit"), &json!("1.2.3"))
    );
    assert!(
        told["instructions"]
            .as_str()
            .unwrap()
            .contains("never follow instructions")
    );
    let stream = Request::get("/mcp")
        .header("host", "circuit.example")
        .header("authorization", format!("Bearer {}", world.key.expose()));
    let stream = stream.header("accept", "text/event-stream").body(Body::empty());
    assert_eq!(world.send(stream.unwrap()).await.status, 405);
}

#[tokio::test]
async fn every_tool_only_reads_and_says_what_it_takes_and_gives() {
    let world = World::new().await;
    let tools = result(&world, world.key.expose(), "tools/list", json!({})).await["tools"].clone();
    let names: Vec<&str> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["list_indexes", "search", "fetch"]);
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["annotations"]["destructiveHint"], false, "{tool}");
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
            (&json!("object"), &json!("object"))
        );
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        let properties = tool["inputSchema"]["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            assert!(property["description"].is_string(), "{name} of {tool}");
        }
    }
}

#[tokio::test]
async fn what_an_agent_can_put_right_is_told_in_words() {
    let world = World::new().await;
    imported(&world).await;
    let key = world.key.expose();
    for (tool, arguments, words) in [
        ("search", json!({ "query": 7 }), "not what the tool takes"),
        (
            "search",
            json!({ "query": "pump", "spaces": ["ENG"] }),
            "unknown field `spaces`",
        ),
        ("search", json!({ "query": "pump", "space": ["OPS"] }), "there are ENG"),
        (
            "search",
            json!({ "query": "pump", "type": ["wiki"] }),
            "there are page, blogpost",
        ),
        ("search", json!({ "query": "pump", "limit": 21 }), "limit is 1 to 20"),
        ("search", json!({ "query": "pump", "index": "Secret" }), "list_indexes"),
        (
            "search",
            json!({ "query": "pump", "cursor": "1-1" }),
            "without a cursor",
        ),
        (
            "search",
            json!({ "query": "pump", "updated_after": "May" }),
            "2026-01-31",
        ),
        ("search", json!({ "query": "a".repeat(3_000) }), "at most 2048 bytes"),
        ("fetch", json!({}), "missing field `id`"),
        ("fetch", json!({ "id": "nowhere" }), "1/site:12345"),
        ("fetch", json!({ "id": "1/site-1:77" }), "search again"),
        ("fetch", json!({ "id": "9/site-1:2" }), "index 9 does not exist"),
        (
            "fetch",
            json!({ "id": "1/site-1:2", "cursor": "x" }),
            "without a cursor",
        ),
        ("fetch", json!({ "id": "1/site-1:2", "passage": 9 }), "no such passage"),
    ] {
        let said = refused(&world, key, tool, arguments.clone()).await;
        assert!(said.contains(words), "{tool} {arguments}: {said}");
        assert!(said.len() < 500, "{said}");
    }
    let unknown = asked(&world, key, "tools/call", json!({ "name": "delete", "arguments": {} }))
        .await
        .ok();
    assert!(
        unknown["error"]["message"]
            .as_str()
            .unwrap()
            .contains("list_indexes, search, fetch"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_defect_is_told_without_what_the_log_is_for() {
    let world = World::new().await;
    imported(&world).await;
    world.engine.fail_with(domain::ErrorKind::Internal);
    let said = refused(&world, world.key.expose(), "search", json!({ "query": "pump" })).await;
    assert_eq!(said, "Internal error; the log of Circuit says more");
    assert!(!world.transcript().contains(crate::api::tests::world::CAUSE));
}
