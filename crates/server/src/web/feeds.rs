//! A feed's page, by its state: waiting for Atlassian, choosing a site, choosing spaces, running.

use std::collections::BTreeSet;

use app::progress::FeedPicture;
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    Error, FeedId, IndexId, Result, SiteId, SpaceId,
    feed::{Feed, FeedState, Park},
    price::{Forecast, Quote},
    site::Site,
    space::{Estimate, Space},
};
use serde_json::json;

use super::{
    error::{Shown, status, told},
    fields::Fields,
    moment::span,
    page::{IndexHead, Page, counted, grouped, html, id, ok, readable_key},
    progress::Progress,
    runs::RunList,
    schedules::ScheduleList,
    session::{Posted, SignedIn},
    story::is_dead,
};
use crate::Door;

/// The way up from a feed's pages.
pub struct FeedHead {
    pub id: FeedId,
    pub name: String,
    pub index: IndexId,
    pub index_name: String,
}

pub async fn head(door: &Door, who: &SignedIn, feed: &Feed) -> Result<FeedHead> {
    let view = door.app.index(&who.caller, feed.index).await?;
    Ok(FeedHead {
        id: feed.id,
        name: match &feed.site {
            Some(site) => format!("Confluence: {}", site.name),
            None => "Confluence".to_owned(),
        },
        index: view.index.id,
        index_name: view.index.name,
    })
}

#[derive(Template)]
#[template(path = "feed.html")]
struct FeedPage {
    page: Page,
    feed: FeedHead,
    progress: Progress,
    runs: RunList,
    site_url: String,
    account: Option<String>,
    schedule: ScheduleList,
    /// A new connection waits for an answer.
    asks: bool,
    can_sync: bool,
    can_try_again: bool,
    can_pause: bool,
    can_resume: bool,
    can_reconnect: bool,
    must_reconnect: bool,
    removed: bool,
    has_documents: bool,
    /// What a verify costs, where one may be asked for.
    verify_price: Option<String>,
    /// For the form that asks why a page is missing.
    index: IndexHead,
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>, query: Fields) -> Shown {
    let picture = door.app.feed_picture(&who.caller, id(&feed)?).await?;
    match picture.feed.state {
        FeedState::Connecting { .. } => connecting(&door, &who, &picture).await,
        FeedState::ChoosingSite => site_page(&door, &who, &picture.feed, None).await,
        FeedState::ChoosingSpaces => space_page(&door, &who, &picture.feed, &BTreeSet::new(), None).await,
        FeedState::Active | FeedState::Paused | FeedState::Parked(_) | FeedState::Removed => {
            running(&door, &who, picture, &query).await
        }
    }
}

async fn running(door: &Door, who: &SignedIn, picture: FeedPicture, query: &Fields) -> Shown {
    let feed = head(door, who, &picture.feed).await?;
    let runs = door.app.runs(&who.caller, picture.feed.id).await?;
    let state = &picture.feed.state;
    let dead = is_dead(&picture);
    let asks = who.manages() && door.app.reconnection(&who.caller, picture.feed.id).await?.is_some();
    Ok(ok(&FeedPage {
        page: Page::new(who, feed.name.clone()).noticing(query),
        runs: RunList::new(picture.feed.id, &runs),
        site_url: picture
            .feed
            .site
            .as_ref()
            .map(|site| site.url.clone())
            .unwrap_or_default(),
        account: picture
            .connection
            .as_ref()
            .and_then(|connection| connection.account_name.clone()),
        schedule: ScheduleList::new(&picture, who.manages()),
        asks,
        can_sync: can_sync(&picture) && !dead,
        can_try_again: can_try_again(state) || dead,
        can_pause: can_pause(state),
        can_resume: *state == FeedState::Paused,
        can_reconnect: *state != FeedState::Removed,
        must_reconnect: matches!(
            state,
            FeedState::Parked(Park::NeedsReconnect { .. } | Park::NeedsScopes { .. })
        ),
        has_documents: picture.documents > 0,
        verify_price: verify_price(&picture),
        index: IndexHead::new(&door.app.index(&who.caller, picture.feed.index).await?, "integrations"),
        removed: *state == FeedState::Removed,
        progress: Progress::new(&picture),
        feed,
    }))
}

/// A verify reads what a walk reads.
fn verify_price(picture: &FeedPicture) -> Option<String> {
    let points = picture.points.next.walk.points;
    can_sync(picture).then(|| counted(points, "point", "points"))
}

fn can_sync(picture: &FeedPicture) -> bool {
    match picture.feed.state {
        FeedState::Active => true,
        FeedState::Parked(Park::QuotaSpent { .. }) => picture.points.budget.serves_people(),
        _ => false,
    }
}

fn can_try_again(state: &FeedState) -> bool {
    match state {
        FeedState::Parked(Park::QuotaSpent { .. }) => false,
        FeedState::Parked(park) => park.may_mend(),
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => false,
        FeedState::Active | FeedState::Paused | FeedState::Removed => false,
    }
}

fn can_pause(state: &FeedState) -> bool {
    matches!(
        state,
        FeedState::Active | FeedState::Parked(Park::QuotaSpent { .. } | Park::Misconfigured { .. })
    )
}

#[derive(Template)]
#[template(path = "feed_connecting.html")]
struct ConnectingPage {
    page: Page,
    feed: FeedHead,
    progress: Progress,
    too_long: bool,
}

async fn connecting(door: &Door, who: &SignedIn, picture: &FeedPicture) -> Shown {
    Ok(ok(&ConnectingPage {
        page: Page::new(who, "Connecting to Atlassian"),
        feed: head(door, who, &picture.feed).await?,
        progress: Progress::new(picture),
        too_long: picture.connecting_too_long,
    }))
}

#[derive(Template)]
#[template(path = "feed_site.html")]
struct SitePage {
    page: Page,
    feed: FeedHead,
    sites: Vec<Site>,
    /// The one that is ticked.
    chosen: String,
    problem: Option<String>,
}

/// The page shows what Atlassian answers; when it does not, it says so and offers to connect again.
async fn site_page(door: &Door, who: &SignedIn, feed: &Feed, problem: Option<Error>) -> Shown {
    let (sites, problem) = match door.app.sites(&who.caller, feed.id).await {
        Ok(sites) => (sites, problem),
        Err(error) => (Vec::new(), Some(error)),
    };
    let chosen = match (&feed.site, sites.as_slice()) {
        (Some(site), _) => site.id.0.clone(),
        (None, [only]) => only.id.0.clone(),
        // Among several, a person chooses.
        (None, _) => String::new(),
    };
    let shown = SitePage {
        page: Page::new(who, "Choose a site"),
        feed: head(door, who, feed).await?,
        sites,
        chosen,
        problem: problem.as_ref().map(told),
    };
    Ok(answered(&shown, problem.as_ref()))
}

fn answered(page: &impl Template, problem: Option<&Error>) -> Response {
    match problem {
        Some(error) => html(status(&error.kind), page),
        None => ok(page),
    }
}

pub async fn sites(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    match feed.state {
        FeedState::ChoosingSite | FeedState::ChoosingSpaces => site_page(&door, &who, &feed, None).await,
        FeedState::Connecting { .. }
        | FeedState::Active
        | FeedState::Paused
        | FeedState::Parked(_)
        | FeedState::Removed => Ok(to(feed.id)),
    }
}

pub async fn choose_site(State(door): State<Door>, Path(feed): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let site = SiteId::new(fields.one("site"));
    let chosen = match site.as_str().is_empty() {
        true => Err(Error::invalid("choose one of the sites first")),
        false => door.app.choose_site(&who.caller, feed.id, &site).await,
    };
    match chosen {
        Ok(feed) => Ok(to(feed.id)),
        Err(error) => site_page(&door, &who, &feed, Some(error)).await,
    }
}

#[derive(Template)]
#[template(path = "feed_spaces.html")]
struct SpacesPage {
    page: Page,
    feed: FeedHead,
    spaces: Vec<SpaceRow>,
    /// Whether another site can be chosen still.
    first_time: bool,
    problem: Option<String>,
}

struct SpaceRow {
    id: SpaceId,
    /// Empty when it says nothing: a personal space's is an account's id.
    key: String,
    name: String,
    /// What is special about it: `personal`, …
    kind: &'static str,
    chosen: bool,
    /// It is imported already.
    taken: bool,
}

async fn space_page(
    door: &Door,
    who: &SignedIn,
    feed: &Feed,
    chosen: &BTreeSet<SpaceId>,
    problem: Option<Error>,
) -> Shown {
    let picture = door.app.feed_picture(&who.caller, feed.id).await?;
    let taken: BTreeSet<SpaceId> = picture.spaces.into_iter().map(|held| held.space.id).collect();
    let (spaces, problem) = match door.app.spaces(&who.caller, feed.id).await {
        Ok(spaces) => (spaces, problem),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut rows: Vec<SpaceRow> = spaces
        .into_iter()
        .map(|space| space_row(space, chosen, &taken))
        .collect();
    rows.sort_by_key(|row| (row.kind == "personal", row.name.to_lowercase(), row.key.clone()));
    let shown = SpacesPage {
        page: Page::new(who, "Choose spaces"),
        feed: head(door, who, feed).await?,
        spaces: rows,
        first_time: feed.state == FeedState::ChoosingSpaces,
        problem: problem.as_ref().map(told),
    };
    Ok(answered(&shown, problem.as_ref()))
}

fn space_row(space: Space, chosen: &BTreeSet<SpaceId>, taken: &BTreeSet<SpaceId>) -> SpaceRow {
    SpaceRow {
        kind: match space.kind.as_str() {
            "personal" => "personal",
            _ => "",
        },
        chosen: chosen.contains(&space.id),
        taken: taken.contains(&space.id),
        id: space.id,
        key: readable_key(&space.key).to_owned(),
        name: space.name,
    }
}

pub async fn spaces(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    match feed.state {
        FeedState::ChoosingSpaces | FeedState::Active | FeedState::Paused | FeedState::Parked(_) => {
            space_page(&door, &who, &feed, &BTreeSet::new(), None).await
        }
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::Removed => Ok(to(feed.id)),
    }
}

pub async fn add_spaces(State(door): State<Door>, Path(feed): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let chosen = chosen(&fields);
    match door.app.add_spaces(&who.caller, feed.id, &chosen).await {
        Ok(feed) => Ok(done(feed.id, "spaces-added")),
        Err(error) => {
            let chosen = chosen.into_iter().collect();
            space_page(&door, &who, &feed, &chosen, Some(error)).await
        }
    }
}

fn chosen(fields: &Fields) -> Vec<SpaceId> {
    fields.filled("space").into_iter().map(SpaceId).collect()
}

/// About how much the ticked spaces hold, for the script beside the list.
pub async fn estimate(State(door): State<Door>, Path(feed): Path<String>, Posted { who, fields }: Posted) -> Response {
    match estimated(&door, &who, &feed, &chosen(&fields)).await {
        Ok(quote) => Json(json!({
            "pages": quote.estimate.pages,
            "blog_posts": quote.estimate.blog_posts,
            "comments": quote.estimate.comments,
            "attachments": quote.estimate.attachments,
            "text": format!("{} {}", about(&quote.estimate), costs(&quote.import)),
        }))
        .into_response(),
        Err(error) => (status(&error.kind), Json(json!({ "text": told(&error) }))).into_response(),
    }
}

async fn estimated(door: &Door, who: &SignedIn, feed: &str, spaces: &[SpaceId]) -> Result<Quote> {
    door.app.estimate(&who.caller, id(feed)?, spaces).await
}

fn about(estimate: &Estimate) -> String {
    format!(
        "About {}, {}, {} and {}.",
        counted(estimate.pages, "page", "pages"),
        counted(estimate.blog_posts, "blog post", "blog posts"),
        counted(estimate.comments, "comment", "comments"),
        counted(estimate.attachments, "attachment", "attachments"),
    )
}

/// What the import will take.
fn costs(import: &Forecast) -> String {
    let price = format!(
        "The import takes about {} and {} of Atlassian's points",
        counted(import.price.calls, "call", "calls"),
        grouped(import.price.points),
    );
    let time = span(import.time);
    match import.waits {
        0 => format!("{price}, about {time}."),
        1 => format!("{price}: more than this hour allows, so it waits for the next one, about {time} in all."),
        waits => format!(
            "{price}: more than an hour allows, so it waits {waits} times for the next one, about {time} in all."
        ),
    }
}

pub async fn resync(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    door.app.resync(&who.caller, feed).await?;
    Ok(done(feed, "resync"))
}

pub async fn verify(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    let run = door.app.verify(&who.caller, feed).await?;
    Ok(Redirect::to(&format!("/feeds/{feed}/runs/{}", run.id)).into_response())
}

pub async fn pause(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    door.app.pause(&who.caller, feed).await?;
    Ok(done(feed, "paused"))
}

pub async fn resume(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    door.app.resume(&who.caller, feed).await?;
    Ok(done(feed, "resumed"))
}

#[derive(Template)]
#[template(path = "feed_remove.html")]
struct RemovePage {
    page: Page,
    feed: FeedHead,
    documents: String,
}

pub async fn confirm_remove(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let picture = door.app.feed_picture(&who.caller, id(&feed)?).await?;
    Ok(ok(&RemovePage {
        page: Page::new(&who, "Remove integration"),
        feed: head(&door, &who, &picture.feed).await?,
        documents: counted(picture.documents, "document", "documents"),
    }))
}

pub async fn remove(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    door.app.remove_feed(&who.caller, feed.id).await?;
    let way = format!("/indexes/{}/integrations?done=feed-removed", feed.index);
    Ok(Redirect::to(&way).into_response())
}

#[derive(Template)]
#[template(path = "feed_delete_documents.html")]
struct DeleteDocumentsPage {
    page: Page,
    feed: FeedHead,
    documents: String,
}

pub async fn confirm_delete_documents(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let picture = door.app.feed_picture(&who.caller, id(&feed)?).await?;
    Ok(ok(&DeleteDocumentsPage {
        page: Page::new(&who, "Delete documents"),
        feed: head(&door, &who, &picture.feed).await?,
        documents: counted(picture.documents, "document", "documents"),
    }))
}

pub async fn delete_documents(State(door): State<Door>, Path(feed): Path<String>, Posted { who, .. }: Posted) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let gone = door.app.delete_feed_documents(&who.caller, feed.id).await?;
    let way = format!("/indexes/{}/documents?done=documents-deleted&count={gone}", feed.index);
    Ok(Redirect::to(&way).into_response())
}

fn to(feed: FeedId) -> Response {
    Redirect::to(&format!("/feeds/{feed}")).into_response()
}

fn done(feed: FeedId, what: &str) -> Response {
    Redirect::to(&format!("/feeds/{feed}?done={what}")).into_response()
}
