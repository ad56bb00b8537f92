//! Sites that a feed's connection reaches, and the one that it reads.

use axum::{Json, extract::State};
use domain::{FeedId, SiteId, site::Site};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        feeds::FeedJson,
        problem::Answer,
        request::{Id, Sent},
    },
};

/// A site of Atlassian Cloud.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub struct SiteJson {
    pub id: String,
    pub name: String,
    /// Where people open it.
    #[schema(format = "uri")]
    pub url: String,
    /// What the connection may do there.
    pub scopes: Vec<String>,
}

impl From<Site> for SiteJson {
    fn from(site: Site) -> Self {
        Self {
            id: site.id.to_string(),
            name: site.name,
            url: site.url,
            scopes: site.scopes.into_iter().collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Sites)]
pub struct SitesJson {
    pub sites: Vec<SiteJson>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteChoice {
    /// Id of one of the feed's sites.
    pub id: String,
}

/// List the sites that a feed's connection reaches
#[utoipa::path(get, path = "/feeds/{id}/sites", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    responses((status = 200, description = "Sites, asked of Atlassian now", body = SitesJson)))]
pub async fn list_sites(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
) -> Answer<Json<SitesJson>> {
    let sites = door.app.sites(&caller, feed).await?;
    Ok(Json(SitesJson {
        sites: sites.into_iter().map(SiteJson::from).collect(),
    }))
}

/// Choose a feed's site
///
/// It can be changed until spaces were chosen.
#[utoipa::path(put, path = "/feeds/{id}/site", tag = "feeds", params(("id" = String, Path, description = "Id of the feed")),
    request_body = SiteChoice, responses((status = 200, description = "Chosen; choose spaces next", body = FeedJson)))]
pub async fn choose_site(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(feed): Id<FeedId>,
    Sent(choice): Sent<SiteChoice>,
) -> Answer<Json<FeedJson>> {
    let feed = door.app.choose_site(&caller, feed, &SiteId::new(choice.id)).await?;
    Ok(Json(feed.into()))
}
