//! The real `Http`: a socket, TLS by rustls, no redirects followed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use confluence::http::{ANSWER_BYTES_MAX, Http, Unanswered};
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
        client(|builder| builder.timeout(ANSWER_TIME_MAX)).map(Self)
    }
}

/// A client whose times are set; what all have in common is set here.
fn client(times: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Result<reqwest::Client> {
    // An error means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("Circuit/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIME_MAX);
    times(builder)
        .build()
        .map_err(|error| Error::internal("the HTTP client could not be made").because(error.without_url()))
}

#[async_trait]
impl Http for Socket {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        let host = request.uri().host().unwrap_or("Atlassian").to_owned();
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Error::internal("a request could not be made").because(error.without_url()))
            .map_err(Unanswered::NeverSent)?;
        let unanswered = |error: reqwest::Error| {
            let silent = |what| Error::unavailable(format!("{host} {what}"));
            match (error.is_connect(), error.is_timeout()) {
                (true, _) => Unanswered::NeverSent(silent("could not be reached").because(error.without_url())),
                (false, true) => Unanswered::Lost(silent("did not answer in time").because(error.without_url())),
                (false, false) => Unanswered::Lost(silent("broke off its answer").because(error.without_url())),
            }
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
                return Err(Unanswered::Lost(Error::invalid(format!(
                    "{host} answered more than {ANSWER_BYTES_MAX} bytes"
                ))));
            }
            body.extend_from_slice(&chunk);
        }
        response
            .body(body.freeze())
            .map_err(|error| Error::internal("an answer could not be read").because(error))
            .map_err(Unanswered::Lost)
    }
}

/// Until the next piece of an answer that comes piece by piece.
const PIECE_TIME_MAX: Duration = Duration::from_secs(60);

/// The real network of models: answers come piece by piece, and the whole may take as long as a large file does. No
/// redirects followed.
pub struct Streams(reqwest::Client);

impl Streams {
    pub fn new() -> Result<Self> {
        client(|builder| builder.read_timeout(PIECE_TIME_MAX)).map(Self)
    }
}

#[async_trait]
impl embed::http::Http for Streams {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<embed::http::Body>> {
        let host = request.uri().host().unwrap_or("the endpoint").to_owned();
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Error::internal("a request could not be made").because(error.without_url()))?;
        let silent = move |error: reqwest::Error| {
            let what = match (error.is_connect(), error.is_timeout()) {
                (true, _) => "could not be reached",
                (false, true) => "did not answer in time",
                (false, false) => "broke off its answer",
            };
            Error::unavailable(format!("{host} {what}")).because(error.without_url())
        };
        let answer = self.0.execute(request).await.map_err(&silent)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let body = answer.bytes_stream().map(move |piece| piece.map_err(&silent)).boxed();
        response
            .body(body)
            .map_err(|error| Error::internal("an answer could not be read").because(error))
    }
}
