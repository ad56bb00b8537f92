//! How an agent is connected to an index: settings ready to paste, and a key that reads this index alone.

use askama::Template;
use axum::extract::{Path, State};
use domain::{
    Result,
    user::{KeyLimits, KeyRight},
};
use serde_json::{Value, json};

use super::{
    error::{Shown, status, told},
    page::{IndexHead, Page, html, id, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

/// Stands where the key belongs, until one is made.
const KEY_PLACE: &str = "YOUR_API_KEY";

#[derive(Template)]
#[template(path = "agents.html")]
struct AgentsPage {
    page: Page,
    index: IndexHead,
    address: String,
    /// The key that was just made: shown this once.
    made: Option<String>,
    clients: Vec<Client>,
    problem: Option<String>,
}

/// A program that speaks MCP, and what it is told.
struct Client {
    /// Its part of the page's address.
    anchor: &'static str,
    name: &'static str,
    /// Where the settings go.
    place: &'static str,
    settings: String,
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(index): Path<String>) -> Shown {
    Ok(ok(&agents_page(&door, &who, &index, None).await?))
}

/// Makes a key that may read this index and nothing else.
pub async fn create_key(State(door): State<Door>, Path(index): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    let limits = KeyLimits {
        indexes: Some([view.index.id].into()),
        ..KeyLimits::everywhere(KeyRight::Read)
    };
    let name = format!("Agent for {}", view.index.name);
    match door.app.create_api_key(&who.caller, &name, &limits).await {
        Ok((_, key)) => Ok(ok(
            &agents_page(&door, &who, &index, Some(key.expose().to_owned())).await?
        )),
        Err(error) => {
            let mut shown = agents_page(&door, &who, &index, None).await?;
            shown.problem = Some(told(&error));
            Ok(html(status(&error.kind), &shown))
        }
    }
}

async fn agents_page(door: &Door, who: &SignedIn, index: &str, made: Option<String>) -> Result<AgentsPage> {
    let view = door.app.index(&who.caller, id(index)?).await?;
    let address = format!("{}/mcp", door.app.public_url());
    let key = made.as_deref().unwrap_or(KEY_PLACE);
    Ok(AgentsPage {
        page: Page::new(who, format!("Connect an agent · {}", view.index.name)),
        index: IndexHead::new(&view, "agents"),
        clients: clients(door.app.public_url(), &address, key),
        address,
        made,
        problem: None,
    })
}

fn clients(url: &str, address: &str, key: &str) -> Vec<Client> {
    let bearer = format!("Bearer {key}");
    let remote = json!({ "type": "http", "url": address, "headers": { "Authorization": bearer } });
    let bridge = json!({ "command": "circuit", "args": ["mcp", "--url", url], "env": { "CIRCUIT_API_KEY": key } });
    vec![
        Client {
            anchor: "claude-code",
            name: "Claude Code",
            place: "In a terminal:",
            settings: format!("claude mcp add --transport http circuit {address} --header \"Authorization: {bearer}\""),
        },
        Client {
            anchor: "claude-desktop",
            name: "Claude Desktop",
            place: "Settings → Developer → Edit Config (claude_desktop_config.json). It starts the program circuit, which \
                    must be on this machine:",
            settings: pretty(&json!({ "mcpServers": { "circuit": bridge } })),
        },
        Client {
            anchor: "cursor",
            name: "Cursor",
            place: "In ~/.cursor/mcp.json, or .cursor/mcp.json of a project:",
            settings: pretty(
                &json!({ "mcpServers": { "circuit": { "url": address, "headers": { "Authorization": bearer } } } }),
            ),
        },
        Client {
            anchor: "vs-code",
            name: "VS Code",
            place: "In .vscode/mcp.json:",
            settings: pretty(&json!({ "servers": { "circuit": remote } })),
        },
        Client {
            anchor: "openai",
            name: "ChatGPT and OpenAI's API",
            place: "As a tool of a request to the Responses API, deep research included. OpenAI must reach this address from \
                    outside. Connectors in ChatGPT's own settings sign in with OAuth, which Circuit does not offer yet:",
            settings: pretty(&json!({
                "type": "mcp", "server_label": "circuit", "server_url": address, "authorization": key,
                "require_approval": "never",
            })),
        },
        Client {
            anchor: "python",
            name: "Python",
            place: "With the package mcp, 2.3 or later, from PyPI:",
            settings: python(address, key),
        },
    ]
}

fn pretty(settings: &Value) -> String {
    format!("{settings:#}")
}

fn python(address: &str, key: &str) -> String {
    format!(
        r#"import asyncio
import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

async def main():
    http = httpx2.AsyncClient(headers={{"Authorization": "Bearer {key}"}}, timeout=60)
    async with http, streamable_http_client("{address}", http_client=http) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            print(await session.call_tool("search", {{"query": "holiday"}}))

asyncio.run(main())"#
    )
}
