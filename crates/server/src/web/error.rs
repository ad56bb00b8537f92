//! Given an error, gives the page that says it: what happened, what it means, what to do.

use askama::Template;
use axum::response::{IntoResponse, Response};
use domain::{Error, ErrorKind};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use tracing::error;

use super::page::{Page, html, sentence};

/// What a page's handler gives.
pub type Shown = Result<Response, Failed>;

/// A failure on its way to becoming a page.
pub struct Failed(pub Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    heading: &'static str,
    message: String,
    advice: &'static str,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let heading = heading(&self.0.kind);
        self.headed(heading)
    }
}

impl Failed {
    /// The page under another heading.
    pub fn headed(self, heading: &'static str) -> Response {
        let Failed(failed) = self;
        let message = told(&failed);
        let page = ErrorPage {
            page: Page::of_nobody(heading),
            heading,
            message,
            advice: advice(&failed.kind),
        };
        let mut response = html(status(&failed.kind), &page);
        if let ErrorKind::RateLimited { retry_after } = failed.kind {
            let seconds = HeaderValue::from(retry_after.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// The message as a sentence for people; a defect is logged and not described.
pub fn told(failed: &Error) -> String {
    match failed.kind {
        ErrorKind::Internal => {
            error!(error = ?failed, "A page failed");
            "Something broke inside Circuit. The log says what.".into()
        }
        ErrorKind::Invalid
        | ErrorKind::Unauthenticated
        | ErrorKind::Ended { .. }
        | ErrorKind::Misconfigured
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Gone
        | ErrorKind::MissingScope { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable => sentence(&failed.message),
    }
}

pub fn status(kind: &ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict | ErrorKind::Gone | ErrorKind::MissingScope { .. } => StatusCode::CONFLICT,
        ErrorKind::Ended { .. } | ErrorKind::Misconfigured => StatusCode::CONFLICT,
        ErrorKind::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn heading(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "That cannot be done",
        ErrorKind::Unauthenticated => "Access was refused",
        ErrorKind::Ended { .. } => "Atlassian refused the connection",
        ErrorKind::Misconfigured => "Atlassian refuses Circuit's app",
        ErrorKind::Forbidden => "This is not allowed",
        ErrorKind::NotFound => "Not found",
        ErrorKind::Conflict => "That does not fit what is there",
        ErrorKind::Gone => "Atlassian withdrew this",
        ErrorKind::MissingScope { .. } => "A permission is missing",
        ErrorKind::RateLimited { .. } => "Too much at once",
        ErrorKind::Unavailable => "Not answering now",
        ErrorKind::Internal => "Something went wrong",
    }
}

fn advice(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "Go back, change what you entered, and try again.",
        ErrorKind::Unauthenticated => {
            "Sign in again; if it was Atlassian that refused, open the integration and choose Reconnect."
        }
        ErrorKind::Ended { .. } => "Open the integration: its page says what ended and what mends it.",
        ErrorKind::Misconfigured => {
            "Nobody has to reconnect. An operator of this Circuit puts it right under \"Atlassian app\" or in the configuration."
        }
        ErrorKind::Forbidden => "Go back and begin again, or ask an administrator of this Circuit.",
        ErrorKind::NotFound => "It may have been deleted, or the address has a slip of the pen.",
        ErrorKind::Conflict => "Load the page again to see how things are now.",
        ErrorKind::Gone => "A newer version of Circuit may know another way.",
        ErrorKind::MissingScope { .. } => {
            "Open the integration, choose Reconnect, and accept everything that is asked."
        }
        ErrorKind::RateLimited { .. } => "Wait a little and try again.",
        ErrorKind::Unavailable => "Nothing was lost. Try again in a moment.",
        ErrorKind::Internal => "Try again; if it stays, please report it with the lines of the log.",
    }
}

pub async fn no_page() -> Failed {
    Failed(Error::not_found("there is no such page"))
}

/// A form's address that was opened as a page, or the other way round.
pub async fn no_method() -> Response {
    let mut response = no_page().await.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
