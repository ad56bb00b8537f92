//! Feeds: seen, run, paused, removed.

use app::progress::FeedPicture;
use axum::{Json, extract::State};
use domain::{
    FeedId, IndexId,
    feed::{Feed, FeedState, Park},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        connections::{ConnectionJson, EndingJson},
        documents::DeletedJson,
        points::FeedPointsJson,
        problem::{Answer, Failed},
        request::{Id, Parameters, Sent},
        runs::RunJson,
        schedules::{JobJson, NextJson, ScheduleJson},
        sites::SiteJson,
        spaces::FeedSpaceJson,
    },
};

/// Carries chosen spaces of one site into one index.
#[derive(Serialize, ToSchema)]
#[schema(as = Feed)]
pub struct FeedJson {
    pub id: String,
    pub index_id: String,
    pub state: FeedStateJson,
    /// Why it waits; of a parked feed only.
    pub parked: Option<ParkedJson>,
    pub site: Option<SiteJson>,
    pub schedule: ScheduleJson,
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// `connecting`: a person is at Atlassian. `choosing_site`, `choosing_spaces`: somebody must choose. `active`: it runs
/// on its schedule. `paused`: a person stopped it. `parked`: it cannot go on by itself now. `removed`: its documents
/// stay until somebody deletes them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FeedState)]
pub enum FeedStateJson {
    Connecting,
    ChoosingSite,
    ChoosingSpaces,
    Active,
    Paused,
    Parked,
    Removed,
}

/// Why a feed waits.
#[derive(Serialize, ToSchema)]
#[schema(as = Parked)]
pub struct ParkedJson {
    pub why: ParkJson,
    /// For people.
    pub detail: Option<String>,
    /// How reading came to its end; of `needs_reconnect` and `access_lost` only.
    pub ending: Option<EndingJson>,
    /// Whether POST /feeds/{id}/resync may help without a new consent.
    pub may_mend: bool,
    /// When it goes on by itself; of `quota_spent` and `misconfigured` only.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Of `needs_scopes` only.
    pub missing_scopes: Vec<String>,
}

/// `quota_spent`: this hour's points are spent. `misconfigured`: Atlassian refuses Circuit's own client id or secret, for
/// an operator to mend. `needs_reconnect`: the connection came to its end. `access_lost`: an admin of the site keeps the
/// person or the app from reading. `needs_scopes`: the grant lacks scopes. `withdrawn`: Atlassian withdrew what is needed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ParkedWhy)]
pub enum ParkJson {
    QuotaSpent,
    Misconfigured,
    NeedsReconnect,
    AccessLost,
    NeedsScopes,
    Withdrawn,
}

impl From<Feed> for FeedJson {
    fn from(feed: Feed) -> Self {
        let (state, parked) = match feed.state {
            FeedState::Connecting { .. } => (FeedStateJson::Connecting, None),
            FeedState::ChoosingSite => (FeedStateJson::ChoosingSite, None),
            FeedState::ChoosingSpaces => (FeedStateJson::ChoosingSpaces, None),
            FeedState::Active => (FeedStateJson::Active, None),
            FeedState::Paused => (FeedStateJson::Paused, None),
            FeedState::Parked(park) => (FeedStateJson::Parked, Some(park.into())),
            FeedState::Removed => (FeedStateJson::Removed, None),
        };
        Self {
            id: feed.id.to_string(),
            index_id: feed.index.to_string(),
            state,
            parked,
            site: feed.site.map(SiteJson::from),
            schedule: feed.schedule.into(),
            created_at: feed.created_at.to_string(),
        }
    }
}

impl From<Park> for ParkedJson {
    fn from(park: Park) -> Self {
        let of = |why: ParkJson| Self {
            why,
            detail: None,
            ending: None,
            may_mend: park.may_mend(),
            until: park.until().map(|until| until.to_string()),
            missing_scopes: Vec::new(),
        };
        match &park {
            Park::QuotaSpent { .. } => of(ParkJson::QuotaSpent),
            Park::Misconfigured { why, .. } => Self {
                detail: Some(why.clone()),
                ..of(ParkJson::Misconfigured)
            },
            Park::NeedsReconnect { ending, why } => Self {
                detail: Some(why.clone()),
                ending: Some((*ending).into()),
                ..of(ParkJson::NeedsReconnect)
            },
            Park::AccessLost { ending, why } => Self {
                detail: Some(why.clone()),
                ending: Some((*ending).into()),
                ..of(ParkJson::AccessLost)
            },
            Park::NeedsScopes { missing } => Self {
                missing_scopes: missing.clone(),
                ..of(ParkJson::NeedsScopes)
            },
            Park::Withdrawn { why } => Self {
                detail: Some(why.clone()),
                ..of(ParkJson::Withdrawn)
            },
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Feeds)]
pub struct FeedsJson {
    /// Oldest first.
    pub feeds: Vec<FeedJson>,
}

/// A feed as one watches it.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedPicture)]
pub struct FeedPictureJson {
    #[serde(flatten)]
    pub feed: FeedJson,
    /// The state in a few words, such as `importing`, `up to date` or `needs reconnect`.
    pub headline: String,
    pub connection: Option<ConnectionJson>,
    /// By key.
    pub spaces: Vec<FeedSpaceJson>,
    /// The run that is going on.
    pub running: Option<RunJson>,
    /// The run that ended last.
    pub last_run: Option<RunJson>,
    /// Documents that are held.
    pub documents: u64,
    /// Attached files whose text is still to be read.
    pub files_waiting: u64,
    /// Documents expected in all, as far as estimates are known.
    pub expected_documents: Option<u64>,
    /// In the present run.
    pub documents_per_second: Option<f64>,
    /// Until the present run's end, at that rate.
    pub seconds_left: Option<u64>,
    /// Whether everything that was brought can be found already.
    pub searchable: bool,
    /// Why what was brought cannot be found for the time being; null when all is well.
    pub search_trouble: Option<String>,
    /// What is not done for lack of a scope, in sentences.
    pub degraded: Vec<String>,
    /// The person has been at Atlassian for more than ten minutes: an admin of the site may have to approve first.
    pub connecting_too_long: bool,
    /// What it costs at Atlassian.
    pub points: FeedPointsJson,
    /// How its job stands in the queue; null when nothing is queued.
    pub job: Option<JobJson>,
    pub next: NextJson,
    /// When Atlassian may end the connection by its age, if that is soon: reconnect before.
    #[schema(format = DateTime)]
    pub connection_ends_at: Option<String>,
}

impl From<FeedPicture> for FeedPictureJson {
    fn from(picture: FeedPicture) -> Self {
        Self {
            feed: picture.feed.into(),
            headline: picture.headline.to_owned(),
            connection: picture.connection.map(ConnectionJson::from),
            spaces: picture.spaces.into_iter().map(FeedSpaceJson::from).collect(),
            running: picture.running.map(RunJson::from),
            last_run: picture.last.map(RunJson::from),
            documents: picture.documents,
            files_waiting: picture.files_waiting,
            expected_documents: picture.expected,
            documents_per_second: picture.rate,
            seconds_left: picture.seconds_left,
            searchable: picture.searchable,
            search_trouble: picture.search_trouble,
            degraded: picture.degraded,
            connecting_too_long: picture.connecting_too_long,
            points: picture.points.into(),
            job: picture.job.map(JobJson::from),
            next: picture.next.into(),
            connection_ends_at: picture.ends_soon.map(|at| at.to_string()),
        }
    }
}

/// What becomes of a removed feed's documents.
#[derive(ToSchema)]
#[schema(as = RemovedDocuments, rename_all = "snake_case")]
#[allow(dead_code)] // Named in the description only.
pub enum RemovedDocumentsJson {
    Keep,
    Delete,
}

/// List the feeds of an index
#[utoipa::path(get, path = "/indexes/{id}/feeds", tag = "feeds", params(("id" = String, Path, description = "Id of the index")),
    responses((status = 200, description = "Feeds", body = FeedsJson)))]
pub async fn list_feeds(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
) -> Answer<Json<FeedsJson>> {
    let feeds = door.app.feeds(&caller, index).await?;
    Ok(Json(FeedsJson {
        feeds: feeds.into_iter().map(FeedJson::from).collect(),
    }))
}

/// Read a feed, with its progress
#[utoipa::path(get, path = "/feeds/{id}", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "The feed now", body = FeedPictureJson)))]
pub async fn read_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedPictureJson>> {
    Ok(Json(door.app.feed_picture(&caller, feed).await?.into()))
}

/// What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedChange {
    /// All of it at once.
    pub schedule: Option<ScheduleJson>,
}

/// Change a feed's schedule
#[utoipa::path(patch, path = "/feeds/{id}", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    request_body = FeedChange, responses((status = 200, description = "The feed as it is now", body = FeedJson)))]
pub async fn change_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    Sent(change): Sent<FeedChange>,
) -> Answer<Json<FeedJson>> {
    let changed = match change.schedule {
        Some(schedule) => door.app.set_schedule(&caller, feed, schedule.into()).await?,
        None => door.app.feed(&caller, feed).await?,
    };
    Ok(Json(changed.into()))
}

/// Remove a feed
///
/// Stops it and deletes the stored Atlassian tokens unless another feed uses them.
#[utoipa::path(delete, path = "/feeds/{id}", tag = "feeds",
    params(
        ("id" = String, Path, description = "Id of the feed"),
        ("documents" = Option<RemovedDocumentsJson>, Query, description = "keep (when absent) or delete what it brought"),
    ),
    responses((status = 200, description = "It is removed", body = DeletedJson)))]
pub async fn remove_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    parameters: Parameters,
) -> Answer<Json<DeletedJson>> {
    let with_documents = match parameters.one("documents")?.as_deref() {
        None | Some("keep") => false,
        Some("delete") => true,
        Some(_) => return Err(Failed::invalid("documents: is keep or delete")),
    };
    // Removed first, so that the run that may be going on brings nothing back.
    door.app.remove_feed(&caller, feed).await?;
    let deleted = match with_documents {
        false => 0,
        true => match door.app.delete_feed_documents(&caller, feed).await {
            Ok(deleted) => deleted,
            // A feed that never carried anything is gone as a whole.
            Err(error) if error.is_not_found() => 0,
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Json(DeletedJson { deleted }))
}

/// Delete everything that a feed brought
///
/// The feed stays as it is; syncing does not bring the documents back.
#[utoipa::path(delete, path = "/feeds/{id}/documents", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "They are gone", body = DeletedJson)))]
pub async fn delete_feed_documents(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<DeletedJson>> {
    let deleted = door.app.delete_feed_documents(&caller, feed).await?;
    Ok(Json(DeletedJson { deleted }))
}

/// Read everything again now
///
/// Goes first in the queue, tries a parked feed again where that may help (`may_mend`), and revives a dead job.
#[utoipa::path(post, path = "/feeds/{id}/resync", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 202, description = "Queued; the feed's runs tell the rest", body = FeedJson)))]
pub async fn resync_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<(StatusCode, Json<FeedJson>)> {
    door.app.resync(&caller, feed).await?;
    Ok((StatusCode::ACCEPTED, Json(door.app.feed(&caller, feed).await?.into())))
}

/// Compare the site with the index
///
/// For administrators. Everything that the site shows is compared with what can be found, at the price of a walk, and
/// neither is changed. `GET /runs/{id}` tells when it is done, `GET /runs/{id}/differences` what differs. While one goes on
/// or waits, asking again gives that one.
#[utoipa::path(post, path = "/feeds/{id}/verify", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 202, description = "Queued", body = RunJson)))]
pub async fn verify_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<(StatusCode, Json<RunJson>)> {
    let run = door.app.verify(&caller, feed).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// Pause a feed
///
/// A run that goes on ends at its next answer. Pausing twice is pausing.
#[utoipa::path(post, path = "/feeds/{id}/pause", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "It is paused", body = FeedJson)))]
pub async fn pause_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedJson>> {
    door.app.pause(&caller, feed).await?;
    Ok(Json(door.app.feed(&caller, feed).await?.into()))
}

/// Resume a paused feed
///
/// It goes on where it was. Resuming what runs is no error.
#[utoipa::path(post, path = "/feeds/{id}/resume", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "It runs again", body = FeedJson)))]
pub async fn resume_feed(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<FeedJson>> {
    door.app.resume(&caller, feed).await?;
    Ok(Json(door.app.feed(&caller, feed).await?.into()))
}
