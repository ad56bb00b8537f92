//! Given a request's headers, gives who asks: by API key, or, to read only, by the browser's session.

use app::Caller;
use axum::extract::FromRequestParts;
use domain::ErrorKind;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, COOKIE},
    request::Parts,
};

use crate::{
    Door,
    api::problem::{Failed, UNAUTHENTICATED},
};

/// The cookie that holds a browser's session.
pub const SESSION_COOKIE: &str = "circuit_session";
/// The longest key or session that is looked up; Circuit's own are shorter than a quarter of it.
const TOKEN_BYTES_MAX: usize = 256;

/// Whoever asks, proven. A handler that takes it answers nobody else.
pub struct Asker(pub Caller);

impl FromRequestParts<Door> for Asker {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Failed> {
        let no_key = |detail: &str| Failed::new(&UNAUTHENTICATED, detail);
        if let Some(authorization) = parts.headers.get(AUTHORIZATION) {
            return caller_by_bearer(door, Some(authorization)).await.map(Self);
        }
        let Some(session) = session(&parts.headers) else {
            return caller_by_bearer(door, None).await.map(Self);
        };
        // A cookie comes along on requests that another site's page sends; a page can make nobody send an API key.
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(no_key(
                "changing things needs an API key; a browser's session may only read",
            ));
        }
        let caller = door.app.caller_by_session(session).await?;
        caller
            .map(Self)
            .ok_or_else(|| no_key("this session has ended; sign in again or send an API key"))
    }
}

/// Who holds the API key of this Authorization header.
pub async fn caller_by_bearer(door: &Door, authorization: Option<&HeaderValue>) -> Result<Caller, Failed> {
    let no_key = |detail: &str| Failed::new(&UNAUTHENTICATED, detail);
    let authorization =
        authorization.ok_or_else(|| no_key("an API key is needed: send Authorization: Bearer circuit_…"))?;
    let key = authorization.to_str().ok().and_then(bearer);
    let key = key.ok_or_else(|| no_key("the Authorization header must be: Bearer, a space, an API key"))?;
    let caller = door
        .app
        .caller_by_api_key(key)
        .await
        .map_err(|error| match error.kind {
            // The key is over: no matter of a connection to Atlassian.
            ErrorKind::Unauthenticated => Failed::new(&UNAUTHENTICATED, error.message),
            _ => error.into(),
        })?;
    caller.ok_or_else(|| no_key("this API key does not exist or was deleted"))
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() && key.len() <= TOKEN_BYTES_MAX).then_some(key)
}

fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, value)| *name == SESSION_COOKIE && !value.is_empty() && value.len() <= TOKEN_BYTES_MAX)
        .map(|(_, value)| value)
}
