//! The table of doors.

use app::App;
use axum::Router;
use domain::Secret;

use crate::{api, mcp, operation, web};

/// What wiring decided about the doors.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cookies are sent over https only: true when the public URL is https.
    pub secure_cookies: bool,
    /// Shown in pages and in the OpenAPI document.
    pub version: &'static str,
    /// Of the demo only: what its sign-in link holds, and the session that the link gives.
    pub demo_session: Option<(Secret, Secret)>,
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
    let doors = Router::new()
        .merge(web::routes())
        .merge(api::page())
        .merge(mcp::routes(&door))
        .nest("/api", api::routes(&door));
    operation::attended(doors)
        // Asked every few seconds by machines: not worth lines in the log.
        .merge(operation::routes())
        .with_state(door)
}
