//! The first visitor makes the administrator's account.

use app::users::PASSWORD_CHARS_MIN;
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::ErrorKind;

use super::{
    error::{Shown, status, told},
    fields::Fields,
    page::{Page, html, ok},
    session::{Knocked, opened},
};
use crate::Door;

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    page: Page,
    name: String,
    email: String,
    password_chars_min: usize,
    problem: Option<String>,
}

pub async fn show(State(door): State<Door>) -> Shown {
    match door.app.needs_set_up().await? {
        true => Ok(ok(&empty(None, &Fields::default()))),
        false => Ok(Redirect::to("/sign-in").into_response()),
    }
}

pub async fn create(State(door): State<Door>, Knocked(fields): Knocked) -> Response {
    let made = door
        .app
        .set_up(fields.one("email"), fields.one("name"), &fields.secret("password"))
        .await;
    match made {
        Ok(session) => opened(&door, &session, "/indexes"),
        // Somebody else was faster.
        Err(error) if error.kind == ErrorKind::Conflict => Redirect::to("/sign-in").into_response(),
        Err(error) => html(status(&error.kind), &empty(Some(told(&error)), &fields)),
    }
}

fn empty(problem: Option<String>, fields: &Fields) -> SetUpPage {
    SetUpPage {
        page: Page::of_nobody("Welcome"),
        name: fields.one("name").to_owned(),
        email: fields.one("email").to_owned(),
        password_chars_min: PASSWORD_CHARS_MIN,
        problem,
    }
}
