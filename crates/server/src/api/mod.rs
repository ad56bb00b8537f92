//! REST: `/api/v1`, and its description.

use axum::Router;

use crate::Door;

pub fn routes() -> Router<Door> {
    Router::new()
}
