//! One's own account and its API keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    ApiKeyId, IndexId, Result, Timestamp,
    user::{ApiKey, KeyLimits, KeyRight},
};

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
    indexes: Vec<Choice>,
    problem: Option<String>,
}

struct KeyRow {
    id: ApiKeyId,
    name: String,
    prefix: String,
    /// What it may do, and where: `Read Handbook`.
    reach: String,
    expires: Option<Moment>,
    over: bool,
    created: Moment,
    used: Option<Moment>,
}

/// An index that a key may be for.
struct Choice {
    id: IndexId,
    name: String,
    chosen: bool,
}

/// For how many days a new key may be good; none: without an end.
pub const KEY_DAYS: [(&str, Option<u64>); 4] = [("30", Some(30)), ("90", Some(90)), ("365", Some(365)), ("", None)];

async fn account(door: &Door, who: &SignedIn) -> Result<AccountPage> {
    let keys = door.app.api_keys(&who.caller).await?;
    let names: BTreeMap<IndexId, String> = door
        .app
        .indexes(&who.caller)
        .await?
        .into_iter()
        .map(|view| (view.index.id, view.index.name))
        .collect();
    let user = &who.caller.user;
    Ok(AccountPage {
        page: Page::new(who, "Account"),
        name: user.name.clone(),
        email: user.email.clone(),
        role: if who.manages() { "Administrator" } else { "Reader" },
        keys: keys
            .into_iter()
            .map(|key| key_row(key, &names, door.app.now()))
            .collect(),
        made: None,
        key_name: String::new(),
        indexes: names
            .into_iter()
            .map(|(id, name)| Choice {
                id,
                name,
                chosen: false,
            })
            .collect(),
        problem: None,
    })
}

fn key_row(key: ApiKey, names: &BTreeMap<IndexId, String>, now: Timestamp) -> KeyRow {
    KeyRow {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        reach: reach(&key.limits, names),
        over: key.limits.are_over(now),
        expires: key.limits.expires_at.map(Moment::new),
        created: Moment::new(key.created_at),
        used: key.last_used_at.map(Moment::new),
    }
}

fn reach(limits: &KeyLimits, names: &BTreeMap<IndexId, String>) -> String {
    let right = match limits.right {
        KeyRight::Read => "Read",
        KeyRight::Manage => "Manage",
    };
    let Some(indexes) = &limits.indexes else {
        return format!("{right} everything");
    };
    let named: Vec<&str> = indexes
        .iter()
        .filter_map(|id| names.get(id).map(String::as_str))
        .collect();
    match named.is_empty() {
        true => format!("{right} nothing: its index was deleted"),
        false => format!("{right} {}", named.join(", ")),
    }
}

/// What the form asks for.
fn limits(fields: &Fields, now: Timestamp) -> Result<KeyLimits> {
    let days = KEY_DAYS.iter().find(|(word, _)| *word == fields.one("days"));
    let days = days.and_then(|(_, days)| *days);
    let indexes = fields.filled("index");
    let indexes = indexes
        .iter()
        .map(|text| id(text))
        .collect::<Result<BTreeSet<IndexId>>>()?;
    Ok(KeyLimits {
        indexes: Some(indexes).filter(|indexes| !indexes.is_empty()),
        right: match fields.one("right") {
            "" => KeyRight::Read,
            word => KeyRight::from_word(word)?,
        },
        expires_at: days.map(|days| now.plus(Duration::from_secs(days * 24 * 3600))),
    })
}

pub async fn show(State(door): State<Door>, who: SignedIn, query: Fields) -> Shown {
    let mut shown = account(&door, &who).await?;
    shown.page = shown.page.noticing(&query);
    Ok(ok(&shown))
}

pub async fn create_key(State(door): State<Door>, Posted { who, fields }: Posted) -> Shown {
    let made = match limits(&fields, door.app.now()) {
        Ok(limits) => door.app.create_api_key(&who.caller, fields.one("name"), &limits).await,
        Err(error) => Err(error),
    };
    let mut shown = account(&door, &who).await?;
    Ok(match made {
        Ok((_, key)) => {
            shown.made = Some(key.expose().to_owned());
            ok(&shown)
        }
        Err(error) => {
            shown.problem = Some(told(&error));
            fields.one("name").clone_into(&mut shown.key_name);
            for choice in &mut shown.indexes {
                choice.chosen = fields.all("index").any(|id| id == choice.id.to_string());
            }
            html(status(&error.kind), &shown)
        }
    })
}

pub async fn revoke_key(State(door): State<Door>, Path(key): Path<String>, Posted { who, .. }: Posted) -> Shown {
    door.app.delete_api_key(&who.caller, id(&key)?).await?;
    let back: Response = Redirect::to("/account?done=key-revoked").into_response();
    Ok(back)
}
