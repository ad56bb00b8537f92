//! A client of a running Circuit's REST API, for the command line.

use std::time::Duration;

use domain::{Error, ErrorKind, Result, Secret};
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// Until a connection stands.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// Until an answer is complete: Circuit may have to wait for Atlassian.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(120);
/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub struct Remote {
    http: reqwest::Client,
    /// Without a slash at the end.
    url: String,
    key: Secret,
}

/// Headers beside those that each request has.
pub type Headers = Vec<(&'static str, String)>;

/// What `application/problem+json` says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
}

impl Remote {
    pub fn new((url, key): (String, Secret)) -> Result<Self> {
        // An error means that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("circuit/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            .build()
            .map_err(|error| Error::internal("the HTTP client could not be made").because(error))?;
        Ok(Self { http, url, key })
    }

    /// The answer of `/api/v1` and `path`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// What `DELETE` answers; null when it says nothing.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.ask(Method::DELETE, path, None).await
    }

    /// An answer that is no JSON.
    pub async fn text(&self, path: &str) -> Result<String> {
        let request = self
            .http
            .get(format!("{}/api/v1{path}", self.url))
            .bearer_auth(self.key.expose());
        let (status, text) = self.sent(request).await?;
        match status.is_success() {
            true => String::from_utf8(text).map_err(|error| self.stranger().because(error)),
            false => Err(self.refused(status, &text)),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = self
            .http
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(self.key.expose());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let (status, text) = self.sent(request).await?;
        match status.is_success() {
            true if text.is_empty() => Ok(Value::Null),
            true => serde_json::from_slice(&text).map_err(|error| self.stranger().because(error)),
            false => Err(self.refused(status, &text)),
        }
    }

    /// The answer of `/mcp` to a message of JSON-RPC; none to one that asks nothing.
    pub async fn mcp(&self, message: &Value, headers: &Headers) -> Result<Option<Value>> {
        let request = self
            .http
            .post(format!("{}/mcp", self.url))
            .bearer_auth(self.key.expose());
        let request = request
            .header("accept", "application/json, text/event-stream")
            .json(message);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, value));
        let (status, text) = self.sent(request).await?;
        if status.is_success() && text.is_empty() {
            return Ok(None);
        }
        match serde_json::from_slice::<Value>(&text) {
            // Errors of the protocol may come with a status of their own.
            Ok(answer) if answer["jsonrpc"] == "2.0" => Ok(Some(answer)),
            Ok(_) | Err(_) if !status.is_success() => Err(self.refused(status, &text)),
            Ok(_) => Err(self.stranger()),
            Err(error) => Err(self.stranger().because(error)),
        }
    }

    async fn sent(&self, request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>)> {
        let silent = |error: reqwest::Error| {
            Error::unavailable(format!(
                "Circuit does not answer at {}; is it running, and is the address right? (--url, CIRCUIT_URL)",
                self.url
            ))
            .because(error)
        };
        let answer = request.send().await.map_err(silent)?;
        let status = answer.status();
        let mut text = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            text.extend_from_slice(&chunk.map_err(silent)?);
            if text.len() > ANSWER_BYTES_MAX {
                return Err(Error::unavailable(format!("{} answers too much", self.url)));
            }
        }
        Ok((status, text))
    }

    fn refused(&self, status: StatusCode, text: &[u8]) -> Error {
        let problem: Problem = serde_json::from_slice(text).unwrap_or_default();
        let said = match (problem.detail.as_str(), problem.title.as_str()) {
            ("", "") => return self.stranger(),
            ("", title) => title.to_owned(),
            (detail, _) => detail.to_owned(),
        };
        match status {
            StatusCode::UNAUTHORIZED => Error::unauthenticated(format!(
                "{} does not accept the API key; make another under Account in the app, then `circuit login` with it, or \
                 set CIRCUIT_API_KEY",
                self.url
            )),
            StatusCode::NOT_FOUND => Error::not_found(said),
            StatusCode::FORBIDDEN => Error::forbidden(said),
            StatusCode::CONFLICT => Error::conflict(said),
            status if status.is_server_error() => Error::unavailable(said),
            StatusCode::TOO_MANY_REQUESTS => Error::new(ErrorKind::Unavailable, said),
            _ => Error::invalid(said),
        }
    }

    fn stranger(&self) -> Error {
        Error::unavailable(format!("what answers at {} is no Circuit, or a newer one", self.url))
    }
}
