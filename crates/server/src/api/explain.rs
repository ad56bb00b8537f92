//! Why is this page missing?

use app::explain::{Explanation, Offer};
use axum::{Json, extract::State};
use domain::{DocumentId, IndexId};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        feeds::FeedJson,
        problem::{Answer, Failed},
        request::{Id, Ids, Parameters},
        runs::SpentJson,
    },
    explained::words,
};

/// Why something is found or not, and what can be done.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationJson {
    /// For programs: `not_an_address`, `nothing_connected`, `other_site`, `nothing_named`, `not_carried`, `not_selected`,
    /// `carried`, `found`, `doubted`, `space_hidden`, `deleted_here`, `removed`, `failed`, `importing`, `archived_space`,
    /// `only_its_page`, `no_such_title`, `put_away`, `not_visible`, `not_seen_yet`, `waiting`, `budget_spent`,
    /// `connection_ended` or `no_answer`. More may come.
    pub reason: &'static str,
    /// The answer, for people.
    pub said: String,
    /// What to do, for people.
    pub todo: Option<&'static str>,
    /// What one call may do about it.
    pub offer: Option<OfferJson>,
    /// The feed that it is about.
    pub feed_id: Option<String>,
    /// The document, where this index knows it; or the one to be read with `retry`.
    pub document_id: Option<String>,
    /// The run that removed it or failed to read it.
    pub run_id: Option<String>,
    /// What asking Atlassian cost.
    pub spent: SpentJson,
}

/// `retry`: POST …/documents/{document}/retry. `resync`: POST /feeds/{id}/resync. `add_spaces`: choose the space.
/// `see_feed`: the feed waits for somebody.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Offer)]
pub enum OfferJson {
    Retry,
    Resync,
    AddSpaces,
    SeeFeed,
}

impl From<Offer> for OfferJson {
    fn from(offer: Offer) -> Self {
        match offer {
            Offer::Retry => Self::Retry,
            Offer::Resync => Self::Resync,
            Offer::AddSpaces => Self::AddSpaces,
            Offer::SeeFeed => Self::SeeFeed,
        }
    }
}

impl From<Explanation> for ExplanationJson {
    fn from(explanation: Explanation) -> Self {
        let words = words(&explanation.because);
        Self {
            reason: words.reason,
            said: words.said,
            todo: words.todo,
            offer: explanation.offer.map(OfferJson::from),
            feed_id: explanation.feed.map(|feed| feed.to_string()),
            document_id: explanation.document.map(|document| document.to_string()),
            run_id: explanation.because.run().map(|run| run.to_string()),
            spent: explanation.spent.into(),
        }
    }
}

/// Explain why a page is found or missing
///
/// For administrators. Takes any address of Confluence. What stands outside the chosen spaces is not asked for; Atlassian is
/// asked only when nothing is known here, for a few points.
#[utoipa::path(get, path = "/indexes/{id}/explain", tag = "documents",
    params(("id" = String, Path, description = "Id of the index"),
        ("url" = String, Query, description = "The address as a browser shows it, a tiny link, or an id")),
    responses((status = 200, description = "Why", body = ExplanationJson)))]
pub async fn explain(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<ExplanationJson>> {
    let url = parameters
        .one("url")?
        .ok_or_else(|| Failed::invalid("url: is missing"))?;
    Ok(Json(door.app.explain(&caller, index, &url).await?.into()))
}

/// Read one document now
///
/// For one that could not be read or is not here yet. The next pass begins at once and reads it, or lists among its failures
/// why it cannot. Comments and attachments are read with everything of their feed.
#[utoipa::path(post, path = "/indexes/{id}/documents/{document}/retry", tag = "documents",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("document" = String, Path, description = "Id of the document: site:content"),
    ),
    responses((status = 202, description = "Queued; the feed's runs tell the rest", body = FeedJson)))]
pub async fn retry_document(
    State(door): State<Door>,
    Asker(caller): Asker,
    Ids(index, document): Ids<IndexId, DocumentId>,
) -> Answer<(StatusCode, Json<FeedJson>)> {
    let feed = door.app.retry(&caller, index, &document).await?;
    Ok((StatusCode::ACCEPTED, Json(feed.into())))
}
