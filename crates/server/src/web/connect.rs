//! The way to Atlassian and back.

use app::{connections::Callback, indexes::IndexView, users::AtlassianAppState};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Error, FeedId, IndexId, Secret};
use http::HeaderMap;

use super::{
    error::{Failed, Shown},
    fields::Fields,
    guard::leaving,
    page::{Page, id, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

/// The longest code or state that Atlassian may send; real ones are below two thousand.
const ANSWER_BYTES_MAX: usize = 8_192;

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    page: Page,
    index: IndexId,
    index_name: String,
    /// Whether the feed exists and only its connection is made anew.
    again: bool,
    /// Where the button leads.
    action: String,
    /// Where Cancel leads.
    back: String,
    scopes: Vec<(String, String)>,
    has_app: bool,
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(index): Path<String>) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    let index = view.index.id;
    let action = format!("/indexes/{index}/integrations/confluence");
    shown(
        &door,
        &who,
        view,
        false,
        action,
        format!("/indexes/{index}/integrations"),
    )
    .await
}

pub async fn show_again(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let view = door.app.index(&who.caller, feed.index).await?;
    let action = format!("/feeds/{}/reconnect", feed.id);
    shown(&door, &who, view, true, action, format!("/feeds/{}", feed.id)).await
}

async fn shown(door: &Door, who: &SignedIn, view: IndexView, again: bool, action: String, back: String) -> Shown {
    let has_app = door.app.atlassian_app(&who.caller).await? != AtlassianAppState::Missing;
    Ok(leaving(ok(&ConnectPage {
        page: Page::new(who, format!("Import from Confluence · {}", view.index.name)),
        index: view.index.id,
        index_name: view.index.name,
        again,
        action,
        back,
        scopes: door.app.scopes().requested.clone(),
        has_app,
    })))
}

pub async fn begin(State(door): State<Door>, Path(index): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let index: IndexId = id(&index)?;
    let start = door.app.begin_connect(&who.caller, index).await?;
    Ok(Redirect::to(&start.url).into_response())
}

pub async fn reconnect(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    let start = door.app.reconnect(&who.caller, feed).await?;
    Ok(Redirect::to(&start.url).into_response())
}

/// Atlassian sends the person back here.
pub async fn callback(State(door): State<Door>, headers: HeaderMap, query: Fields) -> Response {
    match finished(&door, &headers, &query).await {
        Ok(Finished::Connected(feed)) => Redirect::to(&format!("/feeds/{feed}?done=connected")).into_response(),
        Ok(Finished::Asks(feed)) => Redirect::to(&format!("/feeds/{feed}/reconnection")).into_response(),
        Err(error) => Failed(error).headed("Circuit was not connected"),
    }
}

enum Finished {
    Connected(FeedId),
    /// The new connection waits for an answer.
    Asks(FeedId),
}

async fn finished(door: &Door, headers: &HeaderMap, query: &Fields) -> domain::Result<Finished> {
    let Some(who) = SignedIn::find(&door.app, headers).await? else {
        return Err(Error::unauthenticated(
            "you are not signed in to Circuit in this browser; sign in and begin again from the index's Integrations",
        ));
    };
    let (code, error) = (query.one("code"), query.one("error"));
    if code.len() > ANSWER_BYTES_MAX || query.one("state").len() > ANSWER_BYTES_MAX {
        return Err(Error::invalid(
            "this is longer than any answer of Atlassian; begin again",
        ));
    }
    let code = Some(Secret::new(code)).filter(|code| !code.expose().is_empty());
    let callback = Callback {
        state: query.one("state"),
        code: code.as_ref(),
        error: Some(error).filter(|error| !error.is_empty()),
    };
    let feed = door.app.finish_connect(&who.caller, callback).await?;
    Ok(match door.app.reconnection(&who.caller, feed).await? {
        Some(_) => Finished::Asks(feed),
        None => Finished::Connected(feed),
    })
}
