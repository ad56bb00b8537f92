//! What every page has: a title, who reads it, and a notice of what was just done.

use std::str::FromStr;

use app::indexes::IndexView;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use domain::{Error, IndexId};
use http::StatusCode;

use super::{assets, fields::Fields, session::SignedIn};

/// The frame around a page.
pub struct Page {
    pub title: String,
    /// The name of whoever is signed in.
    pub name: Option<String>,
    pub manages: bool,
    /// For the hidden field of forms.
    pub csrf: String,
    pub notice: Option<String>,
    /// Changes whenever a style or a script does.
    pub assets: &'static str,
}

impl Page {
    pub fn new(who: &SignedIn, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            name: Some(who.caller.user.name.clone()),
            manages: who.manages(),
            csrf: who.csrf.clone(),
            notice: None,
            assets: assets::version(),
        }
    }

    /// For whoever is not signed in, and where it is not known who reads.
    pub fn of_nobody(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            name: None,
            manages: false,
            csrf: String::new(),
            notice: None,
            assets: assets::version(),
        }
    }

    /// With the notice that the query's `done` names. Only our own sentences can be shown so.
    pub fn noticing(mut self, query: &Fields) -> Self {
        let done = query.one("done");
        self.notice = match (done, query.one("count").parse::<u64>()) {
            ("documents-deleted", Ok(1)) => Some("1 document deleted.".into()),
            ("documents-deleted", Ok(count)) => Some(format!("{} documents deleted.", grouped(count))),
            _ => NOTICES
                .iter()
                .find(|(code, _)| *code == done)
                .map(|(_, notice)| (*notice).to_owned()),
        };
        self
    }
}

const NOTICES: [(&str, &str); 15] = [
    ("index-created", "The index is ready. Bring something into it."),
    ("index-saved", "Saved."),
    ("index-deleted", "The index was deleted."),
    ("nothing-selected", "Nothing was selected, so nothing was deleted."),
    ("connected", "Connected to Atlassian."),
    ("spaces-added", "The import has begun."),
    (
        "connection-kept",
        "The new connection was dropped. Everything is as it was.",
    ),
    ("schedule-saved", "The schedule was saved."),
    ("resync", "The re-sync begins now."),
    (
        "retry",
        "The document is read now; the newest run tells what came of it.",
    ),
    ("paused", "Paused."),
    ("resumed", "Resumed."),
    (
        "feed-removed",
        "The integration was removed and its tokens were deleted. Its documents stayed.",
    ),
    ("key-revoked", "The API key was revoked."),
    ("atlassian-saved", "The Atlassian app was saved."),
];

/// The head of an index's pages.
pub struct IndexHead {
    pub id: IndexId,
    pub name: String,
    pub description: String,
    /// Which tab is open: `search`, `documents`, `integrations`, `agents` or `settings`.
    pub tab: &'static str,
}

impl IndexHead {
    pub fn new(view: &IndexView, tab: &'static str) -> Self {
        Self {
            id: view.index.id,
            name: view.index.name.clone(),
            description: view.index.description.clone(),
            tab,
        }
    }
}

/// The page as an answer.
pub fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "A page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The page as an answer to a question that went well.
pub fn ok(template: &impl Template) -> Response {
    html(StatusCode::OK, template)
}

/// An id of the path; what is none is not there.
pub fn id<T: FromStr<Err = Error>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::not_found("there is no such page"))
}

/// A message of `domain::Error` as people write sentences.
pub fn sentence(message: &str) -> String {
    let mut letters = message.trim_end_matches('.').chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// 12345 as 12,345.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 page`, `2 pages`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{} {many}", grouped(number)),
    }
}

/// The address if a browser may be sent there by a click; empty otherwise. What a site tells is not trusted to be one.
pub fn link(url: &str) -> String {
    match url.starts_with("https://") || url.starts_with("http://") {
        true => url.to_owned(),
        false => String::new(),
    }
}

/// A space's key if it tells a reader something: that of a personal space is an account's id, so none.
pub fn readable_key(key: &str) -> &str {
    match key.starts_with('~') {
        true => "",
        false => key,
    }
}

/// The kind of a document as people call it.
pub fn kind_name(word: &str) -> &str {
    match word {
        "page" => "Page",
        "blogpost" => "Blog post",
        "comment" => "Comment",
        "attachment" => "Attachment",
        other => other,
    }
}
