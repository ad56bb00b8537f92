//! A new connection of a feed that is another account's, or sees less: a person is asked first.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use domain::{FeedId, space::Space};

use super::{
    error::Shown,
    feeds::{FeedHead, head},
    guard::leaving,
    page::{Page, counted, id, ok, readable_key},
    session::{Posted, SignedIn},
};
use crate::Door;

#[derive(Template)]
#[template(path = "feed_reconnection.html")]
struct ReconnectionPage {
    page: Page,
    feed: FeedHead,
    /// Who connected now.
    name: String,
    /// Who connected before, when that was somebody else.
    before: Option<String>,
    spaces: String,
    seen: usize,
    hidden: Vec<HiddenSpace>,
}

struct HiddenSpace {
    name: String,
    key: String,
}

impl From<Space> for HiddenSpace {
    fn from(space: Space) -> Self {
        Self {
            key: readable_key(&space.key).to_owned(),
            name: space.name,
        }
    }
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let Some(question) = door.app.reconnection(&who.caller, feed.id).await? else {
        return Ok(Redirect::to(&format!("/feeds/{}", feed.id)).into_response());
    };
    let another = question.another_account();
    let before = question.present.and_then(|present| present.account_name);
    let hidden = question.reconnection.hidden;
    Ok(leaving(ok(&ReconnectionPage {
        page: Page::new(&who, "Go on with this connection?"),
        feed: head(&door, &who, &feed).await?,
        name: question.reconnection.person.name,
        before: before.filter(|_| another),
        spaces: counted(question.spaces as u64, "space", "spaces"),
        seen: question.spaces.saturating_sub(hidden.len()),
        hidden: hidden.into_iter().map(HiddenSpace::from).collect(),
    })))
}

pub async fn accept(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    door.app.accept_reconnection(&who.caller, feed).await?;
    Ok(Redirect::to(&format!("/feeds/{feed}?done=connected")).into_response())
}

pub async fn refuse(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    door.app.refuse_reconnection(&who.caller, feed).await?;
    Ok(Redirect::to(&format!("/feeds/{feed}?done=connection-kept")).into_response())
}
