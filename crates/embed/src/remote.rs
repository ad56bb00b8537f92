//! Models behind an endpoint that speaks as OpenAI's does (`POST …/v1/embeddings`): Ollama, TEI, vLLM, OpenAI. Given texts,
//! gives their vectors.

use std::{sync::Arc, time::Duration};

use ::http::{HeaderMap, Request, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, ErrorKind, Result, Secret,
    embedder::{DIMENSIONS_MAX, EMBEDDED_AT_ONCE, Embedder, EmbeddingModel, Purpose},
};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    family::Family,
    http::{Http, whole},
    unit::unit,
};

/// Texts of one call: TEI takes no more unless it is told to.
const TEXTS_PER_CALL: usize = 32;
/// The longest answer, in bytes: 32 vectors of 4,096 numbers, written at length.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Until an answer is complete. A model on a slow machine reads 32 passages in this time.
const CALL_TIME_MAX: Duration = Duration::from_secs(60);
/// How often a call for passages is made that fails for a reason that passes. Questions do not wait.
const TRIES_MAX: u32 = 4;
/// Before the second try; doubled for each further one, and up to as much again by chance.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// The longest wait within a call; who asks for more is asked again by whoever called, later.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(20);
/// The longest wait that an endpoint may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Texts are cut to so many bytes; to the next of them when the endpoint refuses them, as it does those that are too long
/// for it.
const TEXT_BYTES: [usize; 3] = [16 << 10, 4 << 10, 1 << 10];

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address of `…/embeddings`.
    url: Url,
    model: String,
    key: Option<Secret>,
    /// Asked for where the endpoint can give several.
    dimensions: Option<usize>,
}

impl Endpoint {
    /// `url` is the server, its `/v1`, or the whole address of its `embeddings`.
    pub fn new(url: &str, model: &str, key: Option<Secret>, dimensions: Option<usize>) -> Result<Self> {
        Ok(Self {
            url: embeddings_url(url)?,
            model: model.to_owned(),
            key,
            dimensions,
        })
    }
}

fn embeddings_url(text: &str) -> Result<Url> {
    // Not repeated: it may hold a password.
    let wrong = || {
        Error::invalid(
            "semantic.url is not the address of an endpoint without user name and query; it looks like \
             http://localhost:11434/v1 or https://api.openai.com/v1",
        )
    };
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.has_host();
    if !plain || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    let path = match url.path().trim_end_matches('/') {
        "" => "/v1/embeddings".to_owned(),
        path if path.ends_with("/embeddings") => path.to_owned(),
        path => format!("{path}/embeddings"),
    };
    url.set_path(&path);
    Ok(url)
}

pub struct RemoteEmbedder {
    http: Arc<dyn Http>,
    endpoint: Endpoint,
    host: String,
    model: EmbeddingModel,
    question_prefix: &'static str,
    passage_prefix: &'static str,
}

#[derive(Serialize)]
struct Asked<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    embedding: Vec<f32>,
}

impl RemoteEmbedder {
    /// Asks for one vector, to know that the endpoint answers and how many dimensions its vectors have.
    pub async fn connect(http: Arc<dyn Http>, endpoint: Endpoint) -> Result<Self> {
        let (question_prefix, passage_prefix) = Family::of(&endpoint.model).prefixes();
        let mut embedder = Self {
            host: endpoint.url.host_str().unwrap_or_default().to_owned(),
            model: EmbeddingModel {
                name: endpoint.model.clone(),
                fingerprint: String::new(),
                dimensions: endpoint.dimensions.unwrap_or_default(),
            },
            http,
            endpoint,
            question_prefix,
            passage_prefix,
        };
        let vectors = embedder.tried(&["a".to_owned()], TRIES_MAX).await?;
        embedder.model.dimensions = vectors.first().map_or(0, Vec::len);
        embedder.model.fingerprint = fingerprint(&embedder);
        Ok(embedder)
    }

    /// Called again while that may help, within bounds.
    async fn tried(&self, texts: &[String], tries: u32) -> Result<Vec<Vec<f32>>> {
        let mut delay = RETRY_DELAY;
        for _ in 1..tries {
            let wait = match self.fitted(texts).await {
                Err(error) => match error.kind {
                    ErrorKind::RateLimited { retry_after } if retry_after <= RETRY_DELAY_MAX => retry_after.max(delay),
                    ErrorKind::Unavailable => delay,
                    _ => return Err(error),
                },
                vectors => return vectors,
            };
            let by_chance = 1.0 + rand::rng().random::<f32>();
            tokio::time::sleep(wait.mul_f32(by_chance)).await;
            delay *= 2;
        }
        self.fitted(texts).await
    }

    /// Cut shorter while the endpoint refuses the texts.
    async fn fitted(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let longest = texts.iter().map(String::len).max().unwrap_or_default();
        for bytes_max in TEXT_BYTES {
            let cut = texts
                .iter()
                .map(|text| text[..text.floor_char_boundary(bytes_max)].to_owned());
            match self.called(&cut.collect::<Vec<_>>()).await {
                Err(error) if error.kind == ErrorKind::Conflict && longest > TEXT_BYTES[TEXT_BYTES.len() - 1] => {}
                vectors => return vectors.map_err(|error| self.refused(error)),
            }
        }
        Err(self.refused(Error::conflict("")))
    }

    fn refused(&self, error: Error) -> Error {
        match error.kind {
            ErrorKind::Conflict => Error::misconfigured(format!(
                "{} refuses texts for the model {}; check semantic.model and semantic.dimensions, and what that server logs",
                self.host, self.model.name
            )),
            _ => error,
        }
    }

    /// One call. `Conflict` when the endpoint does not like what it was given.
    async fn called(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let asked = Asked {
            model: &self.endpoint.model,
            input: texts,
            encoding_format: "float",
            dimensions: self.endpoint.dimensions,
        };
        let body = serde_json::to_vec(&asked)
            .map_err(|error| Error::internal("a request could not be made").because(error))?;
        let mut request = Request::post(self.endpoint.url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        if let Some(key) = &self.endpoint.key {
            let mut value = header::HeaderValue::from_str(&format!("Bearer {}", key.expose()))
                // Its error would show the key.
                .map_err(|_| Error::invalid("semantic.key holds what no header can; enter it again"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Bytes::from(body))
            .map_err(|error| Error::internal("a request could not be made").because(error))?;
        let call = async {
            let answer = self.http.send(request).await?;
            self.accepted(answer.status(), answer.headers())?;
            whole(answer.into_body(), ANSWER_BYTES_MAX, &self.host).await
        };
        let bytes = tokio::time::timeout(CALL_TIME_MAX, call)
            .await
            .map_err(|_| Error::unavailable(format!("{} did not answer in {CALL_TIME_MAX:?}", self.host)))??;
        self.read(&bytes, texts.len())
    }

    fn accepted(&self, status: StatusCode, headers: &HeaderMap) -> Result<()> {
        let host = &self.host;
        match status.as_u16() {
            200..=299 => Ok(()),
            401 | 403 => Err(Error::misconfigured(format!(
                "{host} refuses the key ({status}); check semantic.key (CIRCUIT_SEMANTIC_KEY)"
            ))),
            404 => Err(Error::misconfigured(format!(
                "{host} knows no model {} or nothing at {} ({status}); check semantic.model and semantic.url",
                self.model.name,
                self.endpoint.url.path()
            ))),
            400 | 413 | 422 => Err(Error::conflict("")),
            429 => {
                let retry_after = retry_after(headers).unwrap_or(RETRY_DELAY).min(RETRY_AFTER_MAX);
                Err(Error::new(
                    ErrorKind::RateLimited { retry_after },
                    format!("{host} takes no more texts for now ({status})"),
                ))
            }
            500..=599 => Err(Error::unavailable(format!("{host} has trouble of its own ({status})"))),
            _ => Err(Error::misconfigured(format!(
                "{host} answered {status}, which is no answer to texts; check semantic.url"
            ))),
        }
    }

    /// The vectors in the order of the texts. What contradicts itself is refused whole.
    fn read(&self, bytes: &[u8], count: usize) -> Result<Vec<Vec<f32>>> {
        let wrong = |why: String| {
            Error::misconfigured(format!(
                "{} {why}; check that semantic.url is an endpoint that speaks as OpenAI's /v1/embeddings",
                self.host
            ))
        };
        // Its error would quote the answer.
        let answered: Answered =
            serde_json::from_slice(bytes).map_err(|_| wrong("answered something that holds no vectors".into()))?;
        if answered.data.len() != count {
            return Err(wrong(format!(
                "answered {} vectors to {count} texts",
                answered.data.len()
            )));
        }
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
        for row in answered.data {
            let dimensions = row.embedding.len();
            let expected = match self.model.dimensions {
                0 => dimensions,
                expected => expected,
            };
            if dimensions == 0 || dimensions > DIMENSIONS_MAX || dimensions != expected {
                return Err(wrong(format!(
                    "answered a vector of {dimensions} dimensions; {} are expected, and at most {DIMENSIONS_MAX} taken",
                    expected
                )));
            }
            let vector = unit(row.embedding).ok_or_else(|| wrong("answered a vector without direction".into()))?;
            match vectors.get_mut(row.index) {
                Some(place @ None) => *place = Some(vector),
                Some(Some(_)) | None => return Err(wrong("answered vectors out of order".into())),
            }
        }
        Ok(vectors.into_iter().flatten().collect())
    }
}

/// Only seconds: a date is as good as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn fingerprint(embedder: &RemoteEmbedder) -> String {
    let dimensions = embedder.model.dimensions.to_string();
    let origin = embedder.endpoint.url.origin().ascii_serialization();
    let mut digest = Sha256::new();
    for part in [
        "circuit remote 1",
        &origin,
        &embedder.endpoint.model,
        &dimensions,
        embedder.question_prefix,
        embedder.passage_prefix,
    ] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    hexadecimal(&digest.finalize())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Embedder for RemoteEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, purpose: Purpose, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        if texts.len() > EMBEDDED_AT_ONCE {
            return Err(Error::internal(format!(
                "{} texts were given to a model at once; at most {EMBEDDED_AT_ONCE} are",
                texts.len()
            )));
        }
        let (prefix, tries) = match purpose {
            Purpose::Question => (self.question_prefix, 1),
            Purpose::Passage => (self.passage_prefix, TRIES_MAX),
        };
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TEXTS_PER_CALL) {
            // OpenAI refuses a text that is empty.
            let prefixed = texts.iter().map(|text| match text.trim() {
                "" => format!("{prefix}-"),
                _ => format!("{prefix}{text}"),
            });
            vectors.extend(self.tried(&prefixed.collect::<Vec<_>>(), tries).await?);
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_in_three_ways() {
        for (given, url) in [
            ("http://localhost:11434", "http://localhost:11434/v1/embeddings"),
            ("http://10.0.0.7:8080/v1/", "http://10.0.0.7:8080/v1/embeddings"),
            (
                "https://api.example.org/x/embeddings",
                "https://api.example.org/x/embeddings",
            ),
        ] {
            assert_eq!(embeddings_url(given).unwrap().as_str(), url);
        }
        for wrong in [
            "localhost:11434",
            "ftp://x/v1",
            "http://u:hunter2@x/v1",
            "http://x/v1?key=hunter2",
            "",
        ] {
            let why = embeddings_url(wrong).unwrap_err().message;
            assert!(why.contains("semantic.url") && !why.contains("hunter2"), "{why}");
        }
    }
}
