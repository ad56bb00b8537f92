//! REST: `/api/v1`, and its description for programs (`/api/openapi.json`) and people (`/api/`).
//!
//! A file per noun holds its wire shapes and its addresses; `openapi` is the table of all of them.

mod admin;
pub(crate) mod auth;
mod connections;
mod documents;
mod explain;
mod feeds;
mod hits;
mod indexes;
mod keys;
mod me;
mod once;
mod openapi;
mod page;
mod points;
pub(crate) mod problem;
mod reconnections;
mod request;
mod runs;
mod schedules;
mod search;
mod sites;
mod spaces;
#[cfg(test)]
pub(crate) mod tests;

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn_with_state, map_response},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use crate::Door;

/// What is below `/api`.
pub fn routes(door: &Door) -> Router<Door> {
    let declared = Arc::new(openapi::declared("/api/v1"));
    Router::new()
        .nest("/v1", openapi::v1())
        .route_layer(from_fn_with_state(door.clone(), once::once))
        .route_layer(from_fn_with_state(declared, request::refuse_undeclared))
        .route("/openapi.json", get(openapi::document))
        .route("/style.css", get(page::style))
        .fallback(problem::no_such_address)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(map_response(private))
        .layer(CatchPanicLayer::custom(panicked))
}

/// The page for people: at `/api/`, which a nested router cannot name.
pub fn page() -> Router<Door> {
    Router::new()
        .route("/api/", get(page::page))
        .route("/api", get(|| async { Redirect::permanent("/api/") }))
}

/// Answers are for whoever asked, for now.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // What it panicked with may hold anything; the panic hook has written it already.
    error!("A request of the API panicked");
    problem::Failed::internal().into_response()
}
