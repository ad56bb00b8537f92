//! Indexes: listed, made, renamed, deleted.

use app::{indexes::IndexView, meanings::SemanticView};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    IndexId,
    index::{DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX},
};

use super::{
    error::{Shown, status, told},
    fields::Fields,
    page::{IndexHead, Page, counted, html, id, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

#[derive(Template)]
#[template(path = "indexes.html")]
struct IndexesPage {
    page: Page,
    indexes: Vec<Row>,
}

struct Row {
    id: IndexId,
    name: String,
    description: String,
    documents: String,
    feeds: String,
    /// How much a model has read, while that is not all.
    meaning: Option<String>,
}

pub async fn home(_who: SignedIn) -> Redirect {
    Redirect::to("/indexes")
}

pub async fn list(State(door): State<Door>, who: SignedIn, query: Fields) -> Shown {
    let views = door.app.indexes(&who.caller).await?;
    Ok(ok(&IndexesPage {
        page: Page::new(&who, "Indexes").noticing(&query),
        indexes: views.into_iter().map(row).collect(),
    }))
}

fn row(view: IndexView) -> Row {
    Row {
        id: view.index.id,
        name: view.index.name,
        description: view.index.description,
        documents: counted(view.documents, "document", "documents"),
        feeds: counted(view.feeds, "integration", "integrations"),
        meaning: view.semantic.as_ref().and_then(read_so_far),
    }
}

fn read_so_far(semantic: &SemanticView) -> Option<String> {
    semantic
        .percent()
        .map(|percent| format!("Meaning: {percent} % of passages read"))
}

#[derive(Template)]
#[template(path = "index_new.html")]
struct NewPage {
    page: Page,
    name: String,
    description: String,
    name_chars_max: usize,
    description_chars_max: usize,
    problem: Option<String>,
}

pub async fn new(who: SignedIn) -> Response {
    ok(&filled(&who, &Fields::default(), None))
}

pub async fn create(State(door): State<Door>, Posted { who, fields }: Posted) -> Response {
    let made = door
        .app
        .create_index(&who.caller, fields.one("name"), fields.one("description"))
        .await;
    match made {
        Ok(index) => Redirect::to(&format!("/indexes/{}?done=index-created", index.id)).into_response(),
        Err(error) => html(status(&error.kind), &filled(&who, &fields, Some(told(&error)))),
    }
}

fn filled(who: &SignedIn, fields: &Fields, problem: Option<String>) -> NewPage {
    NewPage {
        page: Page::new(who, "New index"),
        name: fields.one("name").to_owned(),
        description: fields.one("description").to_owned(),
        name_chars_max: NAME_CHARS_MAX,
        description_chars_max: DESCRIPTION_CHARS_MAX,
        problem,
    }
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    page: Page,
    index: IndexHead,
    semantic: Option<Semantic>,
    name: String,
    description: String,
    name_chars_max: usize,
    description_chars_max: usize,
    problem: Option<String>,
}

/// Search by meaning, as a person reads of it.
struct Semantic {
    model: String,
    read: String,
    trouble: Option<String>,
}

impl From<&SemanticView> for Semantic {
    fn from(view: &SemanticView) -> Self {
        Self {
            model: view.model.clone(),
            read: read_so_far(view).unwrap_or_else(|| "Meaning: all passages read".to_owned()),
            trouble: view.trouble.clone(),
        }
    }
}

fn settings_page(
    who: &SignedIn,
    view: &IndexView,
    name: &str,
    description: &str,
    problem: Option<String>,
) -> SettingsPage {
    SettingsPage {
        page: Page::new(who, format!("Settings · {}", view.index.name)),
        index: IndexHead::new(view, "settings"),
        semantic: view.semantic.as_ref().map(Semantic::from),
        name: name.to_owned(),
        description: description.to_owned(),
        name_chars_max: NAME_CHARS_MAX,
        description_chars_max: DESCRIPTION_CHARS_MAX,
        problem,
    }
}

pub async fn settings(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    let mut shown = settings_page(&who, &view, &view.index.name, &view.index.description, None);
    shown.page = shown.page.noticing(&query);
    Ok(ok(&shown))
}

pub async fn save(State(door): State<Door>, Path(index): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let (name, description) = (fields.one("name"), fields.one("description"));
    match door.app.update_index(&who.caller, index, name, description).await {
        Ok(_) => Ok(Redirect::to(&format!("/indexes/{index}/settings?done=index-saved")).into_response()),
        Err(error) => {
            let shown = settings_page(&who, &view, name, description, Some(told(&error)));
            Ok(html(status(&error.kind), &shown))
        }
    }
}

#[derive(Template)]
#[template(path = "index_delete.html")]
struct DeletePage {
    page: Page,
    index: IndexHead,
    documents: String,
    problem: Option<String>,
}

fn delete_page(who: &SignedIn, view: &IndexView, problem: Option<String>) -> DeletePage {
    DeletePage {
        page: Page::new(who, format!("Delete {}", view.index.name)),
        index: IndexHead::new(view, "settings"),
        documents: counted(view.documents, "document", "documents"),
        problem,
    }
}

pub async fn confirm_delete(State(door): State<Door>, who: SignedIn, Path(index): Path<String>) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    Ok(ok(&delete_page(&who, &view, None)))
}

pub async fn delete(State(door): State<Door>, Path(index): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    if fields.one("name") != view.index.name {
        let problem = "This is not the name of the index, so nothing was deleted.".to_owned();
        let shown = delete_page(&who, &view, Some(problem));
        return Ok(html(http::StatusCode::BAD_REQUEST, &shown));
    }
    door.app.delete_index(&who.caller, view.index.id).await?;
    Ok(Redirect::to("/indexes?done=index-deleted").into_response())
}
