//! Signing in, with a password or with the demo's link, and signing out.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::Error;
use http::HeaderMap;

use super::{
    csrf,
    error::{Failed, Shown, status, told},
    fields::Fields,
    page::{Page, html, ok},
    session::{Knocked, Posted, SignedIn, closed, next, opened},
};
use crate::Door;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    email: String,
    next: String,
    problem: Option<String>,
}

pub async fn show(State(door): State<Door>, headers: HeaderMap, query: Fields) -> Shown {
    if door.app.needs_set_up().await? {
        return Ok(Redirect::to("/set-up").into_response());
    }
    match SignedIn::find(&door.app, &headers).await? {
        Some(_) => Ok(Redirect::to(next(&query)).into_response()),
        None => Ok(ok(&filled(&query, None))),
    }
}

pub async fn sign_in(State(door): State<Door>, Knocked(fields): Knocked) -> Response {
    match door.app.sign_in(fields.one("email"), &fields.secret("password")).await {
        Ok(session) => opened(&door, &session, next(&fields)),
        Err(error) => html(status(&error.kind), &filled(&fields, Some(told(&error)))),
    }
}

fn filled(fields: &Fields, problem: Option<String>) -> SignInPage {
    SignInPage {
        page: Page::of_nobody("Sign in"),
        email: fields.one("email").to_owned(),
        next: next(fields).to_owned(),
        problem,
    }
}

/// The link that the demo prints: it holds a secret of this one run.
pub async fn demo(State(door): State<Door>, query: Fields) -> Response {
    match &door.options.demo_session {
        Some((link, session)) if csrf::same(link.expose(), query.one("token")) => opened(&door, session, "/"),
        Some(_) | None => Failed(Error::forbidden(
            "this sign-in link is not of the demo that runs now; use the link that it printed",
        ))
        .into_response(),
    }
}

pub async fn sign_out(State(door): State<Door>, posted: Posted) -> Shown {
    door.app.sign_out(&posted.who.caller).await?;
    Ok(closed(&door, "/sign-in"))
}
