//! Given an error, gives the answer that tells a program what happened: `application/problem+json` (RFC 9457).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::{Error, ErrorKind};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

/// Why a request was not answered as asked (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem, with an anchor of this API's page.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/api/#problem-not-found"))]
    pub kind: String,
    /// The kind of problem in a few words; the same for all of its kind.
    pub title: &'static str,
    /// The HTTP status once more.
    pub status: u16,
    /// What happened this time, and what to do about it.
    pub detail: String,
    /// The Atlassian scopes that the connection lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub missing_scopes: Vec<String>,
}

/// A kind of problem: a row of the table that the API's page shows.
pub struct Kind {
    /// The end of its type's anchor.
    pub word: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    pub meaning: &'static str,
}

macro_rules! kinds {
    ($($name:ident $word:literal $status:ident $title:literal $meaning:literal;)*) => {
        $(pub const $name: Kind = Kind { word: $word, status: StatusCode::$status, title: $title, meaning: $meaning };)*
        /// Every kind there is.
        pub const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    INVALID "invalid" BAD_REQUEST "Invalid request"
        "What was asked makes no sense; asking the same again will not help.";
    UNAUTHENTICATED "unauthenticated" UNAUTHORIZED "No valid API key"
        "Send an API key: `Authorization: Bearer circuit_…`.";
    RECONNECT "reconnect" UNAUTHORIZED "Atlassian no longer accepts the connection"
        "Your API key is fine; the feed's connection to Atlassian must be made again: POST /feeds/{id}/connect.";
    MISCONFIGURED "misconfigured" CONFLICT "Atlassian refuses Circuit's app"
        "Circuit's own client id or secret is wrong; an operator puts it right: PUT /admin/atlassian-app, or the configuration.";
    FORBIDDEN "forbidden" FORBIDDEN "Not allowed"
        "You are known, and you may not do this.";
    NOT_FOUND "not-found" NOT_FOUND "Not found"
        "It is not there, or not there for you.";
    METHOD_NOT_ALLOWED "method-not-allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "This address answers other methods: the Allow header names them.";
    CONFLICT "conflict" CONFLICT "Conflict"
        "The state of things does not allow it now: read again, then decide.";
    GONE "withdrawn" CONFLICT "Withdrawn by Atlassian"
        "Atlassian withdrew what this needs; a newer Circuit may know another way.";
    MISSING_SCOPE "missing-scope" CONFLICT "The connection lacks scopes"
        "Reconnect and grant the scopes that missing_scopes names.";
    TOO_LARGE "too-large" PAYLOAD_TOO_LARGE "Body too large"
        "A body has at most 1 MiB.";
    NOT_JSON "not-json" UNSUPPORTED_MEDIA_TYPE "Body is not JSON"
        "Send the body as JSON, with Content-Type: application/json.";
    REUSED "idempotency-key-reused" UNPROCESSABLE_ENTITY "Idempotency-Key of another request"
        "A name stands for one request for a day: give every new request a new one.";
    RATE_LIMITED "rate-limited" TOO_MANY_REQUESTS "Too many requests"
        "Wait as many seconds as the Retry-After header says.";
    INTERNAL "internal" INTERNAL_SERVER_ERROR "Internal error"
        "A defect of Circuit or its surroundings; the log of Circuit says more.";
    UNAVAILABLE "unavailable" SERVICE_UNAVAILABLE "Not available now"
        "Something that is needed does not answer now; try again later.";
}

/// A request that ends with a problem.
pub struct Failed {
    kind: &'static Kind,
    detail: String,
    missing_scopes: Vec<String>,
    retry_after_seconds: Option<u64>,
}

impl Failed {
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            missing_scopes: Vec::new(),
            retry_after_seconds: None,
        }
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(&INVALID, detail)
    }

    /// What a defect looks like from outside: its message and cause are for the log alone.
    pub fn internal() -> Self {
        Self::new(&INTERNAL, "Internal error; the log of Circuit says more")
    }

    /// The same, telling which part of the request it is about.
    pub fn about(mut self, part: &str) -> Self {
        self.detail = format!("{part}: {}", self.detail);
        self
    }
}

/// The caller is proven already: an `Unauthenticated` or `Ended` from below is about the connection to Atlassian.
impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let kind = match &error.kind {
            ErrorKind::Invalid => &INVALID,
            ErrorKind::Unauthenticated | ErrorKind::Ended { .. } => &RECONNECT,
            ErrorKind::Misconfigured => &MISCONFIGURED,
            ErrorKind::Forbidden => &FORBIDDEN,
            ErrorKind::NotFound => &NOT_FOUND,
            ErrorKind::Conflict => &CONFLICT,
            ErrorKind::Gone => &GONE,
            ErrorKind::MissingScope { scopes } => {
                return Self {
                    missing_scopes: scopes.clone(),
                    ..Self::new(&MISSING_SCOPE, error.message)
                };
            }
            ErrorKind::RateLimited { retry_after } => {
                return Self {
                    // A client that waits whole seconds must not come too early.
                    retry_after_seconds: Some(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0)),
                    ..Self::new(&RATE_LIMITED, error.message)
                };
            }
            ErrorKind::Unavailable => &UNAVAILABLE,
            ErrorKind::Internal => {
                error!(error = ?error, "A request of the API failed");
                return Self::internal();
            }
        };
        Self::new(kind, error.message)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("/api/#problem-{}", self.kind.word),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            detail: self.detail,
            missing_scopes: self.missing_scopes,
        };
        let mut response = (self.kind.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"circuit\""));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What every handler gives.
pub type Answer<T> = Result<T, Failed>;

pub async fn no_such_address() -> Failed {
    Failed::new(&NOT_FOUND, "the API has no such address; /api/ lists all of them")
}

pub async fn no_such_method() -> Failed {
    Failed::new(
        &METHOD_NOT_ALLOWED,
        "this address does not answer this method; the Allow header names those it answers",
    )
}
