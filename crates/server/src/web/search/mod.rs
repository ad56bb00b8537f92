//! The search page: of one index, or of several at once. A question, filters, hits, and what helps when there are none.
//!
//! The page works without a script: every filter, chip and suggestion is a form's field or a link. With one, `search.js` asks
//! the same addresses and puts the parts of the answer in their places.

mod asked;
mod help;
mod hits;
mod narrowing;
mod pages;
mod scope;

use app::{
    search_several::{HitsOfSeveral, OFFSET_OF_SEVERAL_MAX},
    widened::Widened,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use domain::{
    Error, ErrorKind, Timestamp,
    hit::Also,
    query::{OFFSET_MAX, Query, TEXT_BYTES_MAX},
};
use http::StatusCode;

pub use self::pages::Pages;
use self::{
    help::Help,
    hits::{HITS_SHOWN, HitShown, Seen},
    narrowing::{Chip, Facet},
    scope::{Scope, Standing},
};
use super::{
    error::{Shown, told},
    fields::Fields,
    page::{IndexHead, Page, counted, html, id},
    session::SignedIn,
};
use crate::Door;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Page,
    /// Of an index's own page; none where all are searched.
    index: Option<IndexHead>,
    /// The page's address without its query.
    way: String,
    text: String,
    text_bytes_max: usize,
    /// The indexes whose words complete the question, divided by blanks.
    completing: String,
    /// The same question to every index.
    everywhere: Option<String>,
    from: String,
    before: String,
    newest_first: bool,
    facets: Vec<Facet>,
    chips: Vec<Chip>,
    /// The question without its filters.
    cleared: String,
    filtered: bool,
    /// `42 documents`, `more than 10,000 documents`.
    total: String,
    /// What was searched beside words that may be mistyped: `“pmup”: pump`.
    also: Vec<String>,
    /// Names of indexes that could not answer.
    unanswered: Vec<String>,
    hits: Vec<HitShown>,
    help: Help,
    /// Nothing can be searched: there is no index, or nothing in it.
    vacant: Option<Vacant>,
    /// Where the import's progress is shown.
    importing: Option<String>,
    problem: Option<String>,
    pages: Pages,
}

/// Why there is nothing to search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vacant {
    NoIndex,
    NoDocument,
}

/// What was found, and what would be with a filter less.
#[derive(Default)]
struct Answer {
    hits: HitsOfSeveral,
    widened: Vec<Widened>,
}

pub async fn of_index(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    shown(&door, &who, Scope::of_index(view), &query).await
}

pub async fn of_several(State(door): State<Door>, who: SignedIn, query: Fields) -> Shown {
    let views = door.app.indexes(&who.caller).await?;
    shown(&door, &who, Scope::of_several(views, &query)?, &query).await
}

async fn shown(door: &Door, who: &SignedIn, scope: Scope, fields: &Fields) -> Shown {
    let now = door.app.now();
    let number = Pages::asked(fields, HITS_SHOWN).min(pages_max(&scope));
    let answered = match asked::query(fields, number, HITS_SHOWN, now) {
        Ok(query) => answer(door, who, &scope, &query).await.map(|answer| (query, answer)),
        Err(error) => Err(error),
    };
    let (query, answer, problem) = match answered {
        Ok((query, answer)) => (query, answer, None),
        Err(error) if error.kind == ErrorKind::Invalid => (Query::default(), Answer::default(), Some(error)),
        Err(error) => return Err(error.into()),
    };
    let pages = Pages::new(&scope.way, fields, number, answer.hits.total, HITS_SHOWN).at_most(pages_max(&scope));
    if problem.is_none()
        && let Some(end) = pages.past_the_end(&scope.way, fields)
    {
        return Ok(end);
    }
    let standing = Standing::of(door, who, &scope).await?;
    let help = help::of(door, who, &scope, fields, (&query, &answer), &standing).await?;
    let page = Page::new(who, scope.title()).noticing(fields);
    Ok(page_of(
        page,
        scope,
        fields,
        (answer, problem),
        pages,
        help,
        standing,
        now,
    ))
}

/// A deeper page of several indexes would cost all that is before it.
fn pages_max(scope: &Scope) -> usize {
    let deepest = match scope.searched.len() {
        0 | 1 => OFFSET_MAX,
        _ => OFFSET_OF_SEVERAL_MAX,
    };
    deepest / HITS_SHOWN + 1
}

async fn answer(door: &Door, who: &SignedIn, scope: &Scope, query: &Query) -> Result<Answer, Error> {
    if scope.searched.is_empty() {
        return Ok(Answer::default());
    }
    let (hits, widened) = tokio::join!(
        door.app.search_several(&who.caller, &scope.searched, query, None),
        door.app.widened(&who.caller, &scope.searched, query),
    );
    Ok(Answer {
        hits: hits?,
        widened: widened?,
    })
}

#[expect(clippy::too_many_arguments, reason = "all that one page shows")]
fn page_of(
    page: Page,
    scope: Scope,
    fields: &Fields,
    (answer, problem): (Answer, Option<Error>),
    pages: Pages,
    help: Help,
    standing: Standing,
    now: Timestamp,
) -> Response {
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let facets = narrowing::facets(&scope, fields, &answer, &standing, now);
    let chips = narrowing::chips(&scope, fields, &facets);
    let hits = answer.hits;
    let completing: Vec<String> = scope.searched.iter().map(ToString::to_string).collect();
    let seen = Seen {
        several: scope.searched.len() > 1,
        now,
    };
    let vacant = match (scope.all.is_empty(), scope.documents(), standing.importing.is_some()) {
        (true, ..) => Some(Vacant::NoIndex),
        (false, 0, false) => Some(Vacant::NoDocument),
        (false, ..) => None,
    };
    let text = fields.one("q");
    let question = Fields::default().having("q", text);
    let shown = SearchPage {
        page,
        text: text.to_owned(),
        text_bytes_max: TEXT_BYTES_MAX,
        completing: completing.join(" "),
        everywhere: scope.index.is_some().then(|| question.after("/search")),
        from: fields.one("from").to_owned(),
        before: fields.one("before").to_owned(),
        newest_first: fields.one("sort") == "modified",
        filtered: !chips.is_empty(),
        cleared: question.after(&scope.way),
        facets,
        chips,
        total: match hits.uncounted {
            true => format!("more than {}", counted(hits.total, "document", "documents")),
            false => counted(hits.total, "document", "documents"),
        },
        also: hits.also.iter().map(also).collect(),
        unanswered: hits.unanswered.into_iter().map(|index| index.index_name).collect(),
        hits: hits.hits.into_iter().map(|found| hits::shown(found, seen)).collect(),
        help,
        vacant,
        importing: standing.importing,
        problem: problem.as_ref().map(told),
        pages,
        way: scope.way,
        index: scope.index.as_ref().map(|view| IndexHead::new(view, "search")),
    };
    html(status, &shown)
}

fn also(also: &Also) -> String {
    format!("“{}”: {}", also.asked, also.searched.join(", "))
}
