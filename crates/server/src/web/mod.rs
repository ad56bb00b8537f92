//! The web app: pages rendered here, without a build step beyond cargo.

use axum::Router;

use crate::Door;

pub fn routes() -> Router<Door> {
    Router::new()
}
