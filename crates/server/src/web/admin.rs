//! Circuit's registration with Atlassian.

use app::users::AtlassianAppState;
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect},
};

use super::{
    error::{Shown, status, told},
    fields::Fields,
    page::{Page, html, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

#[derive(Template)]
#[template(path = "admin_atlassian.html")]
struct AtlassianPage {
    page: Page,
    configured: bool,
    /// Whether an administrator entered it here before.
    kept: bool,
    client_id: String,
    redirect_uri: String,
    scopes: Vec<(String, String)>,
    problem: Option<String>,
}

async fn page(door: &Door, who: &SignedIn) -> domain::Result<AtlassianPage> {
    let state = door.app.atlassian_app(&who.caller).await?;
    Ok(AtlassianPage {
        page: Page::new(who, "Atlassian app"),
        configured: state == AtlassianAppState::Configured,
        kept: matches!(state, AtlassianAppState::Kept { .. }),
        client_id: match state {
            AtlassianAppState::Kept { client_id } => client_id,
            AtlassianAppState::Configured | AtlassianAppState::Missing => String::new(),
        },
        redirect_uri: door.app.redirect_uri(),
        scopes: door.app.scopes().requested.clone(),
        problem: None,
    })
}

pub async fn show(State(door): State<Door>, who: SignedIn, query: Fields) -> Shown {
    let mut shown = page(&door, &who).await?;
    shown.page = shown.page.noticing(&query);
    Ok(ok(&shown))
}

pub async fn save(State(door): State<Door>, Posted { who, fields }: Posted) -> Shown {
    let client_id = fields.one("client_id");
    let saved = door
        .app
        .set_atlassian_app(&who.caller, client_id, &fields.secret("client_secret"))
        .await;
    match saved {
        Ok(()) => Ok(Redirect::to("/admin/atlassian?done=atlassian-saved").into_response()),
        Err(error) => {
            let mut shown = page(&door, &who).await?;
            client_id.clone_into(&mut shown.client_id);
            shown.problem = Some(told(&error));
            Ok(html(status(&error.kind), &shown))
        }
    }
}
