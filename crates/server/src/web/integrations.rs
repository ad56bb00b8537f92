//! An index's third tab: what flows into it.

use app::progress::FeedPicture;
use askama::Template;
use axum::extract::{Path, State};
use domain::{FeedId, IndexId, feed::FeedState};

use super::{
    error::Shown,
    fields::Fields,
    moment::Moment,
    page::{IndexHead, Page, counted, id, ok, sentence},
    session::SignedIn,
};
use crate::Door;

#[derive(Template)]
#[template(path = "integrations.html")]
struct IntegrationsPage {
    page: Page,
    index: IndexHead,
    feeds: Vec<Row>,
}

struct Row {
    id: FeedId,
    name: String,
    site_url: String,
    state: String,
    tone: &'static str,
    spaces: String,
    documents: String,
    last: Option<Moment>,
}

pub async fn list(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let mut feeds = Vec::new();
    for feed in door.app.feeds(&who.caller, index).await? {
        feeds.push(row(door.app.feed_picture(&who.caller, feed.id).await?));
    }
    Ok(ok(&IntegrationsPage {
        page: Page::new(&who, format!("Integrations · {}", view.index.name)).noticing(&query),
        index: IndexHead::new(&view, "integrations"),
        feeds,
    }))
}

fn row(picture: FeedPicture) -> Row {
    let site = picture.feed.site.as_ref();
    Row {
        id: picture.feed.id,
        name: site.map_or("Confluence".to_owned(), |site| format!("Confluence: {}", site.name)),
        site_url: site.map(|site| site.url.clone()).unwrap_or_default(),
        state: sentence(picture.headline).trim_end_matches('.').to_owned(),
        tone: tone(&picture),
        spaces: counted(picture.spaces.len() as u64, "space", "spaces"),
        documents: counted(picture.documents, "document", "documents"),
        last: picture.last.and_then(|run| run.ended_at).map(Moment::new),
    }
}

/// How the state is coloured: `good`, `busy`, `bad` or `quiet`.
pub fn tone(picture: &FeedPicture) -> &'static str {
    match &picture.feed.state {
        FeedState::Parked(_) => "bad",
        FeedState::Paused | FeedState::Removed => "quiet",
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => "busy",
        FeedState::Active => match picture.headline {
            "up to date" => "good",
            "stopped after failures" => "bad",
            _ => "busy",
        },
    }
}

#[derive(Template)]
#[template(path = "integration_new.html")]
struct NewPage {
    page: Page,
    index: IndexHead,
}

pub async fn new(State(door): State<Door>, who: SignedIn, Path(index): Path<String>) -> Shown {
    let view = door.app.index(&who.caller, id(&index)?).await?;
    Ok(ok(&NewPage {
        page: Page::new(&who, format!("New integration · {}", view.index.name)),
        index: IndexHead::new(&view, "integrations"),
    }))
}
