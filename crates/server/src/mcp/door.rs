//! Who is let in to MCP: holders of an API key, from no other site's page. And the metadata (RFC 9728) that tells a client
//! what is needed.

use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, ORIGIN, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Door,
    api::{
        auth::caller_by_bearer,
        problem::{FORBIDDEN, Failed},
    },
};

/// Where the metadata is.
pub const METADATA: &str = "/.well-known/oauth-protected-resource";

/// The caller goes along with the request. Cookies do not count here: no page of another site can send a key.
pub async fn let_in(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    if from_elsewhere(request.headers(), door.app.public_url()) {
        let detail = "a page of another site may not use MCP; ask without an Origin header, or from Circuit's own";
        return Failed::new(&FORBIDDEN, detail).into_response();
    }
    match caller_by_bearer(&door, request.headers().get(AUTHORIZATION)).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let mut response = next.run(request).await;
            let headers = response.headers_mut();
            headers
                .entry(CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Err(failed) => pointed(failed.into_response(), door.app.public_url()),
    }
}

/// A client that is not let in is told where it reads what is needed.
fn pointed(mut response: Response, public_url: &str) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = format!("Bearer realm=\"circuit\", resource_metadata=\"{public_url}{METADATA}/mcp\"");
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

/// What a browser says of the page that sends a request: programs say nothing.
fn from_elsewhere(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
    let own = Url::parse(public_url).ok();
    match (origin, own) {
        (Some(origin), Some(own)) => origin.origin() != own.origin() || !origin.origin().is_tuple(),
        _ => true,
    }
}

/// People make the keys, so no authorization server is named.
pub async fn metadata(State(door): State<Door>) -> Json<Value> {
    let public_url = door.app.public_url();
    Json(json!({
        "resource": format!("{public_url}/mcp"),
        "resource_name": "Circuit",
        "resource_documentation": format!("{public_url}/account"),
        "bearer_methods_supported": ["header"],
    }))
}
