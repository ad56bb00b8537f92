//! One's own account and its API keys.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{ApiKeyId, Result, user::ApiKey};

use super::{
    error::{Shown, status, told},
    fields::Fields,
    moment::Moment,
    page::{Page, html, id, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    name: String,
    email: String,
    role: &'static str,
    keys: Vec<KeyRow>,
    /// The key that was just made: shown this once.
    made: Option<String>,
    key_name: String,
    problem: Option<String>,
}

struct KeyRow {
    id: ApiKeyId,
    name: String,
    prefix: String,
    created: Moment,
    used: Option<Moment>,
}

async fn account(door: &Door, who: &SignedIn) -> Result<AccountPage> {
    let keys = door.app.api_keys(&who.caller).await?;
    let user = &who.caller.user;
    Ok(AccountPage {
        page: Page::new(who, "Account"),
        name: user.name.clone(),
        email: user.email.clone(),
        role: if who.manages() { "Administrator" } else { "Reader" },
        keys: keys.into_iter().map(key_row).collect(),
        made: None,
        key_name: String::new(),
        problem: None,
    })
}

fn key_row(key: ApiKey) -> KeyRow {
    KeyRow {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        created: Moment::new(key.created_at),
        used: key.last_used_at.map(Moment::new),
    }
}

pub async fn show(State(door): State<Door>, who: SignedIn, query: Fields) -> Shown {
    let mut shown = account(&door, &who).await?;
    shown.page = shown.page.noticing(&query);
    Ok(ok(&shown))
}

pub async fn create_key(State(door): State<Door>, Posted { who, fields }: Posted) -> Shown {
    let made = door.app.create_api_key(&who.caller, fields.one("name")).await;
    let mut shown = account(&door, &who).await?;
    Ok(match made {
        Ok((_, key)) => {
            shown.made = Some(key.expose().to_owned());
            ok(&shown)
        }
        Err(error) => {
            shown.problem = Some(told(&error));
            fields.one("name").clone_into(&mut shown.key_name);
            html(status(&error.kind), &shown)
        }
    })
}

pub async fn revoke_key(State(door): State<Door>, Path(key): Path<String>, Posted { who, .. }: Posted) -> Shown {
    door.app.delete_api_key(&who.caller, id(&key)?).await?;
    let back: Response = Redirect::to("/account?done=key-revoked").into_response();
    Ok(back)
}
