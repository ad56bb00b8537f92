//! The real `Http`: a socket, TLS by rustls, no redirects followed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use confluence::http::{ANSWER_BYTES_MAX, Http};
use domain::{Error, Result};
use futures::StreamExt;
use http::{Request, Response};

/// Until a connection stands.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// Until an answer is complete: listings of 250 bodies are slow on large sites.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(90);

pub struct Socket(reqwest::Client);

impl Socket {
    pub fn new() -> Result<Self> {
        // An error means that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("Circuit/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            .build()
            .map_err(|error| Error::internal("the HTTP client could not be made").because(error.without_url()))?;
        Ok(Self(client))
    }
}

#[async_trait]
impl Http for Socket {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let host = request.uri().host().unwrap_or("Atlassian").to_owned();
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Error::internal("a request could not be made").because(error.without_url()))?;
        let unanswered = |error: reqwest::Error| {
            let what = if error.is_timeout() {
                "did not answer in time"
            } else if error.is_connect() {
                "could not be reached"
            } else {
                "broke off its answer"
            };
            Error::unavailable(format!("{host} {what}")).because(error.without_url())
        };
        let answer = self.0.execute(request).await.map_err(unanswered)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut body = BytesMut::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(unanswered)?;
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Error::invalid(format!(
                    "{host} answered more than {ANSWER_BYTES_MAX} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        response
            .body(body.freeze())
            .map_err(|error| Error::internal("an answer could not be read").because(error))
    }
}
