//! The web app: pages rendered here, without a build step beyond cargo.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::map_response,
    routing::{get, post},
};

use crate::Door;

mod account;
mod admin;
mod agents;
mod assets;
mod connect;
mod csrf;
mod documents;
mod error;
mod explain;
mod feeds;
mod fields;
mod guard;
mod indexes;
mod integrations;
mod markdown;
pub(crate) mod moment;
pub(crate) mod page;
mod progress;
mod reconnections;
mod runs;
mod schedules;
mod search;
mod session;
mod set_up;
mod sign_in;
mod story;
#[cfg(test)]
mod tests;

/// The largest form: a thousand spaces or two hundred documents, each with an id of a hundred characters, and room.
const BODY_BYTES_MAX: usize = 256 << 10;

pub fn routes() -> Router<Door> {
    Router::new()
        .route("/", get(indexes::home))
        .route("/set-up", get(set_up::show).post(set_up::create))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-in/demo", get(sign_in::demo))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/indexes", get(indexes::list))
        .route("/indexes/new", get(indexes::new).post(indexes::create))
        .route("/search", get(search::of_several))
        .route("/indexes/{index}", get(search::of_index))
        .route("/indexes/{index}/documents", get(documents::list))
        .route("/indexes/{index}/documents/delete", post(documents::delete))
        .route("/indexes/{index}/documents/{document}", get(documents::show))
        .route("/indexes/{index}/documents/{document}/retry", post(explain::retry))
        .route("/indexes/{index}/explain", get(explain::show))
        .route("/indexes/{index}/integrations", get(integrations::list))
        .route("/indexes/{index}/integrations/new", get(integrations::new))
        .route(
            "/indexes/{index}/integrations/confluence",
            get(connect::show).post(connect::begin),
        )
        .route("/indexes/{index}/agents", get(agents::show).post(agents::create_key))
        .route("/indexes/{index}/settings", get(indexes::settings).post(indexes::save))
        .route(
            "/indexes/{index}/delete",
            get(indexes::confirm_delete).post(indexes::delete),
        )
        .route("/connect/callback", get(connect::callback))
        .route("/feeds/{feed}", get(feeds::show))
        .route("/feeds/{feed}/events", get(progress::events))
        .route("/feeds/{feed}/site", get(feeds::sites).post(feeds::choose_site))
        .route("/feeds/{feed}/spaces", get(feeds::spaces).post(feeds::add_spaces))
        .route("/feeds/{feed}/estimate", post(feeds::estimate))
        .route("/feeds/{feed}/resync", post(feeds::resync))
        .route("/feeds/{feed}/verify", post(feeds::verify))
        .route("/feeds/{feed}/pause", post(feeds::pause))
        .route("/feeds/{feed}/resume", post(feeds::resume))
        .route(
            "/feeds/{feed}/reconnect",
            get(connect::show_again).post(connect::reconnect),
        )
        .route(
            "/feeds/{feed}/reconnection",
            get(reconnections::show).post(reconnections::accept),
        )
        .route("/feeds/{feed}/reconnection/refuse", post(reconnections::refuse))
        .route("/feeds/{feed}/schedule", get(schedules::show).post(schedules::save))
        .route("/feeds/{feed}/remove", get(feeds::confirm_remove).post(feeds::remove))
        .route(
            "/feeds/{feed}/delete-documents",
            get(feeds::confirm_delete_documents).post(feeds::delete_documents),
        )
        .route("/feeds/{feed}/runs/{run}", get(runs::show))
        .route("/account", get(account::show))
        .route("/account/keys", post(account::create_key))
        .route("/account/keys/{key}/revoke", post(account::revoke_key))
        .route("/admin/atlassian", get(admin::show).post(admin::save))
        .route("/assets/{name}", get(assets::asset))
        .fallback(error::no_page)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response(guard::guarded))
}
