//! Given a POST that makes something and an `Idempotency-Key`, carries it out once: whoever sends the same again within a
//! day is given the same answer.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{
    Secret,
    given_answer::{Claimed, GivenAnswer},
};
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
};
use tracing::error;

use crate::{
    Door,
    api::{
        auth::caller_by_bearer,
        problem::{CONFLICT, Failed, REUSED, TOO_LARGE},
    },
};

/// What names a request.
pub const NAME: &str = "Idempotency-Key";
/// Says that an answer was given before.
const GIVEN_BEFORE: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The largest answer that is kept: what was made is described in less.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// The addresses that make something, below `/api/v1`.
pub const MAKING: [&str; 5] = [
    "/indexes",
    "/indexes/{id}/feeds",
    "/feeds/{id}/resync",
    "/feeds/{id}/verify",
    API_KEYS,
];
/// The one whose answer holds a secret, and is not kept.
const API_KEYS: &str = "/api-keys";

/// Stands around every address; passes on what it is not for.
pub async fn once(State(door): State<Door>, request: Request, next: Next) -> Response {
    let is_named = request.headers().contains_key(NAME);
    let making = making(&request);
    match making {
        Some(address) if is_named => carried_out_once(&door, address, request, next)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        _ => next.run(request).await,
    }
}

fn making(request: &Request) -> Option<&'static str> {
    let matched = request.extensions().get::<MatchedPath>()?.as_str();
    let matched = matched.strip_prefix("/api/v1")?;
    let making = MAKING.into_iter().find(|address| *address == matched)?;
    (*request.method() == Method::POST).then_some(making)
}

async fn carried_out_once(door: &Door, address: &str, request: Request, next: Next) -> Result<Response, Failed> {
    let caller = caller_by_bearer(door, request.headers().get(AUTHORIZATION)).await?;
    let name = name(&request)?;
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &())
        .await
        .map_err(|refused| match refused.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failed::new(&TOO_LARGE, "the body has more than 1 MiB"),
            _ => Failed::invalid("the body could not be read to its end"),
        })?;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let asks = [path.as_bytes(), &body];
    let (claim, claimed) = door
        .app
        .claim_request(&caller, &name, &asks)
        .await
        .map_err(|error| Failed::from(error).about(NAME))?;
    match claimed {
        Claimed::New => {}
        Claimed::Answered(answer) => return given_before(answer),
        Claimed::UnderWay => {
            return Err(Failed::new(
                &CONFLICT,
                "a request with this Idempotency-Key is being carried out; send it again in a moment for its answer",
            ));
        }
        Claimed::Other => {
            return Err(Failed::new(
                &REUSED,
                "this Idempotency-Key was sent with another request within a day; give every new request a new one",
            ));
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        // Nothing was made, and it may be asked again.
        if let Err(failed) = door.app.release_request(&claim).await {
            error!(error = ?failed, "The name of a request that failed stays taken");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|_| Failed::internal())?;
    let location = parts.headers.get(LOCATION).and_then(|at| at.to_str().ok());
    let text = std::str::from_utf8(&body).ok();
    let answer = GivenAnswer {
        status: parts.status.as_u16(),
        location: location.map(str::to_owned),
        body: text.filter(|_| address != API_KEYS).map(Secret::new),
    };
    if let Err(failed) = door.app.keep_answer(&claim, &answer).await {
        // It was made all the same.
        error!(error = ?failed, "An answer could not be kept for whoever asks again");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn name(request: &Request) -> Result<String, Failed> {
    let mut names = request.headers().get_all(NAME).iter();
    let name = names.next().and_then(|name| name.to_str().ok()).unwrap_or_default();
    match names.next() {
        None => Ok(name.to_owned()),
        Some(_) => Err(Failed::invalid(format!("{NAME}: is given more than once"))),
    }
}

fn given_before(answer: GivenAnswer) -> Result<Response, Failed> {
    let Some(body) = answer.body else {
        return Err(Failed::new(
            &CONFLICT,
            "this request was carried out already, and its answer is given once only; if it was lost, delete what it made and \
             make another with a new Idempotency-Key",
        ));
    };
    let status = StatusCode::from_u16(answer.status).map_err(|_| Failed::internal())?;
    let mut response = (status, body.expose().to_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(GIVEN_BEFORE, HeaderValue::from_static("true"));
    if let Some(location) = answer.location.and_then(|at| HeaderValue::try_from(at).ok()) {
        headers.insert(LOCATION, location);
    }
    Ok(response)
}
