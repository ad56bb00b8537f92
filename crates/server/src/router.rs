//! The table of doors.

use app::App;
use axum::Router;

/// What wiring decided about the doors.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cookies are sent over https only: true when the public URL is https.
    pub secure_cookies: bool,
    /// Shown in pages and in the OpenAPI document.
    pub version: &'static str,
    /// The demo's sentence for the sign-in page and the connect page, when this is the demo.
    pub demo: bool,
}

/// What every handler is given.
#[derive(Clone)]
pub struct Door {
    pub app: App,
    pub options: Options,
}

/// All of Circuit's HTTP.
pub fn router(app: App, options: Options) -> Router {
    let door = Door { app, options };
    Router::new()
        .merge(crate::web::routes())
        .nest("/api", crate::api::routes())
        .with_state(door)
}
