//! MCP as agents meet it: JSON-RPC over the same router.

mod door;
mod reading;
mod searching;

use axum::body::Body;
use domain::{
    IndexId,
    user::{KeyLimits, KeyRight},
};
use http::{Request, header::AUTHORIZATION};
use serde_json::{Value, json};

use crate::api::tests::world::{Answered, World};

/// A request as a client sends it.
fn request(key: Option<&str>) -> http::request::Builder {
    let request = Request::post("/mcp")
        .header("host", "circuit.example")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    match key {
        Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
        None => request,
    }
}

fn message(method: &str, params: &Value) -> Body {
    Body::from(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
}

async fn asked(world: &World, key: &str, method: &str, params: Value) -> Answered {
    let sent = request(Some(key)).body(message(method, &params));
    world.send(sent.unwrap()).await
}

/// The result of a method that went well.
async fn result(world: &World, key: &str, method: &str, params: Value) -> Value {
    let answered = asked(world, key, method, params).await.ok();
    assert!(answered["error"].is_null(), "{answered}");
    answered["result"].clone()
}

/// What a tool answers: structured, and the same as text.
async fn called_with(world: &World, key: &str, tool: &str, arguments: Value) -> Value {
    let answer = result(
        world,
        key,
        "tools/call",
        json!({ "name": tool, "arguments": arguments }),
    )
    .await;
    assert_ne!(answer["isError"], true, "{answer}");
    let blocks = answer["content"].as_array().unwrap();
    assert_eq!(blocks.len(), 1);
    let text: Value = serde_json::from_str(blocks[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, answer["structuredContent"]);
    text
}

async fn called(world: &World, tool: &str, arguments: Value) -> Value {
    called_with(world, world.key.expose(), tool, arguments).await
}

/// The words with which a tool refuses.
async fn refused(world: &World, key: &str, tool: &str, arguments: Value) -> String {
    let answer = result(
        world,
        key,
        "tools/call",
        json!({ "name": tool, "arguments": arguments }),
    )
    .await;
    assert_eq!(answer["isError"], true, "{answer}");
    answer["content"][0]["text"].as_str().unwrap().to_owned()
}

/// A key that may read this index alone.
async fn key_of(world: &World, index: &str) -> String {
    let caller = world
        .app
        .caller_by_session(world.session.expose())
        .await
        .unwrap()
        .unwrap();
    let limits = KeyLimits {
        indexes: Some([index.parse::<IndexId>().unwrap()].into()),
        ..KeyLimits::everywhere(KeyRight::Read)
    };
    let (_, key) = world.app.create_api_key(&caller, "agent", &limits).await.unwrap();
    key.expose().to_owned()
}
