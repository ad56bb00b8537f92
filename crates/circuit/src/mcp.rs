//! `circuit mcp`: an MCP server on standard input and output for clients that start one themselves. It passes each message
//! on to a running Circuit's `/mcp`, and its answer back: the tools, and who may see what, are that Circuit's.

use std::{
    io::{BufRead, Read, Write},
    thread,
};

use domain::{Error, Result};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    cli::Mcp,
    config,
    remote::{Headers, Remote},
};

/// The longest message that is read, in bytes: what `/mcp` reads at most.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Messages that wait for their turn; a client that sends more waits.
const WAITING_MAX: usize = 64;
/// Codes of JSON-RPC errors: not JSON, and one of ours.
const NOT_JSON: i64 = -32_700;
const NOT_PASSED: i64 = -32_000;

/// `circuit mcp`.
pub async fn mcp(asked: &Mcp) -> Result<()> {
    let remote = Remote::new(config::remote_with_key(&asked.remote, asked.key_file.as_deref())?)?;
    // Better said at once than with the first question: clients show how a server ended.
    remote.get("/me").await?;
    let mut messages = messages();
    let mut bridge = Bridge { remote, version: None };
    while let Some(message) = messages.recv().await {
        let Some(answer) = bridge.passed(&message).await else {
            continue;
        };
        let mut out = std::io::stdout().lock();
        let said = writeln!(out, "{answer}").and_then(|()| out.flush());
        if said.is_err() {
            // Nobody listens any more.
            break;
        }
    }
    Ok(())
}

/// What the client writes, line by line, until it closes the pipe.
fn messages() -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel(WAITING_MAX);
    // Reading a pipe blocks: it has a thread of its own, which ends with the process.
    thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Ok(Some(line)) = line(&mut input) {
            if tell.blocking_send(line).is_err() {
                break;
            }
        }
    });
    told
}

/// The next line, cut behind the longest that is read; none at the end.
fn line(input: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    input
        .by_ref()
        .take(MESSAGE_BYTES_MAX as u64 + 1)
        .read_until(b'\n', &mut line)?;
    if line.len() > MESSAGE_BYTES_MAX {
        // The rest of it is no message of its own.
        loop {
            let held = input.fill_buf()?;
            let (end, length) = match held.iter().position(|byte| *byte == b'\n') {
                Some(at) => (true, at + 1),
                None => (held.is_empty(), held.len()),
            };
            input.consume(length);
            if end {
                break;
            }
        }
    }
    Ok(Some(line).filter(|line| !line.is_empty()))
}

struct Bridge {
    remote: Remote,
    /// The protocol's version that client and Circuit agreed on.
    version: Option<String>,
}

impl Bridge {
    /// What is to be said to a message: nothing to one that asks nothing.
    async fn passed(&mut self, line: &[u8]) -> Option<Value> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let message = match (line.len() > MESSAGE_BYTES_MAX, serde_json::from_slice::<Value>(line)) {
            (false, Ok(message)) => message,
            (true, _) => return Some(failed(&Value::Null, NOT_JSON, "a message has at most 1 MiB")),
            (false, Err(error)) => return Some(failed(&Value::Null, NOT_JSON, &format!("not JSON: {error}"))),
        };
        let asks = message.get("method").is_some() && message.get("id").is_some();
        let answer = self.remote.mcp(&message, &self.headers(&message)).await;
        if let Ok(Some(answer)) = &answer
            && message["method"] == "initialize"
        {
            self.version = answer["result"]["protocolVersion"].as_str().map(str::to_owned);
        }
        match answer {
            Ok(answer) => answer.filter(|_| asks),
            Err(error) => asks.then(|| failed(&message["id"], NOT_PASSED, &error.message)),
        }
    }

    /// What Streamable HTTP wants beside the message, so that who stands between need not read it.
    fn headers(&self, message: &Value) -> Headers {
        let params = &message["params"];
        let own = params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str();
        let method = message["method"].as_str();
        let name = match method {
            Some("tools/call" | "prompts/get") => params["name"].as_str(),
            Some("resources/read") => params["uri"].as_str(),
            Some(_) | None => None,
        };
        let version = own.or(self.version.as_deref()).filter(|_| method != Some("initialize"));
        let headers = [
            ("mcp-protocol-version", version),
            ("mcp-method", method),
            ("mcp-name", name),
        ];
        headers
            .into_iter()
            .filter_map(|(header, value)| Some((header, value?.to_owned())))
            .collect()
    }
}

fn failed(id: &Value, code: i64, words: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": words } })
}

/// A key in a file may stand alone, or as settings do: `CIRCUIT_API_KEY=…`, as in an env file.
pub fn key_in(text: &str) -> Result<String> {
    let words = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let key = words.filter_map(|line| match line.split_once('=') {
        None => Some(line),
        Some((name, value)) if name.trim().trim_start_matches("export ") == "CIRCUIT_API_KEY" => Some(value.trim()),
        Some(_) => None,
    });
    let key = key
        .map(|key| key.trim_matches(['"', '\'']).to_owned())
        .find(|key| !key.is_empty());
    key.ok_or_else(|| Error::invalid("the file of --key-file holds neither an API key nor CIRCUIT_API_KEY=…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_too_long_is_cut_off_and_the_next_one_is_read() {
        let text = format!("one\n{}\nthree", "x".repeat(MESSAGE_BYTES_MAX * 2));
        let mut input = std::io::Cursor::new(text);
        assert_eq!(line(&mut input).unwrap().unwrap(), b"one\n");
        assert_eq!(line(&mut input).unwrap().unwrap().len(), MESSAGE_BYTES_MAX + 1);
        assert_eq!(line(&mut input).unwrap().unwrap(), b"three");
        assert_eq!(line(&mut input).unwrap(), None);
    }

    #[test]
    fn a_key_stands_alone_or_among_settings() {
        assert_eq!(key_in("circuit_abc\n").unwrap(), "circuit_abc");
        assert_eq!(
            key_in("# agent\nOTHER=1\nexport CIRCUIT_API_KEY=\"circuit_abc\"\n").unwrap(),
            "circuit_abc"
        );
        assert!(key_in("OTHER=1\n").is_err() && key_in("").is_err());
    }
}
