//! Why is this page missing? A form, and the answer below it.

use app::explain::{Explanation, Offer};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use domain::{FeedId, IndexId, RunId};

use super::{
    error::Shown,
    fields::Fields,
    page::{IndexHead, Page, id, ok},
    session::{Posted, SignedIn},
};
use crate::{
    Door,
    explained::{Words, words},
};

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    page: Page,
    index: IndexHead,
    asked: String,
    answer: Option<AnswerShown>,
}

struct AnswerShown {
    said: String,
    todo: &'static str,
    found: bool,
    feed: Option<FeedId>,
    run: Option<RunId>,
    /// A document that has a page here.
    document: Option<String>,
    retry: Option<String>,
    resync: bool,
    add_spaces: bool,
    see_feed: bool,
    points: u64,
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let asked = query.one("url").trim();
    let answer = match asked {
        "" => None,
        url => Some(shown(door.app.explain(&who.caller, index, url).await?)),
    };
    Ok(ok(&ExplainPage {
        page: Page::new(&who, "Why is a page missing?"),
        index: IndexHead::new(&view, "documents"),
        asked: asked.to_owned(),
        answer,
    }))
}

fn shown(explanation: Explanation) -> AnswerShown {
    let Words { reason, said, todo } = words(&explanation.because);
    let document = explanation.document.map(|document| document.to_string());
    let offers = |offer: Offer| explanation.offer == Some(offer);
    AnswerShown {
        said,
        todo: todo.unwrap_or_default(),
        found: matches!(reason, "found" | "carried"),
        feed: explanation.feed,
        run: explanation.because.run(),
        retry: document.clone().filter(|_| offers(Offer::Retry)),
        document: document.filter(|_| !matches!(reason, "not_seen_yet" | "failed")),
        resync: offers(Offer::Resync),
        add_spaces: offers(Offer::AddSpaces),
        see_feed: offers(Offer::SeeFeed),
        points: explanation.spent.points,
    }
}

pub async fn retry(
    State(door): State<Door>,
    Path((index, document)): Path<(String, String)>,
    Posted { who, .. }: Posted,
) -> Shown {
    let feed = door.app.retry(&who.caller, id(&index)?, &id(&document)?).await?;
    Ok(Redirect::to(&format!("/feeds/{}?done=retry", feed.id)).into_response())
}
