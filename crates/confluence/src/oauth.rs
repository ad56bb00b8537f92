//! OAuth 2.0 (3LO) as Atlassian does it (facts.md §3).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::http::{Method, Request, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Clock, Error, ErrorKind, Result, Secret, SiteId, Timestamp, authority::Authority, connection::Grant, site::Site,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use url::Url;

pub use crate::endpoints::Endpoints;
use crate::{endpoints::with_query, http::Http, limits, wire};

/// How long an access token lives when the answer does not say: an hour (facts.md §3).
const LIFE_DEFAULT: Duration = Duration::from_secs(3_600);
/// The longest life that is believed.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// The most sites of one grant.
const SITES_MAX: usize = 1_000;
/// The longest token that is believed, in bytes.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// Client id and secret of the Atlassian app.
#[async_trait]
pub trait ClientCredentials: Send + Sync {
    /// `Invalid`, with what to do, when Circuit was not told them yet.
    async fn credentials(&self) -> Result<(String, Secret)>;
}

/// Atlassian's authority.
pub struct Atlassian3lo {
    http: Arc<dyn Http>,
    endpoints: Endpoints,
    client: Arc<dyn ClientCredentials>,
    clock: Arc<dyn Clock>,
}

impl Atlassian3lo {
    pub fn new(
        http: Arc<dyn Http>,
        endpoints: Endpoints,
        client: Arc<dyn ClientCredentials>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            endpoints,
            client,
            clock,
        }
    }

    async fn token(&self, mut body: serde_json::Value, what: Asked) -> Result<Grant> {
        let (client_id, client_secret) = self.client.credentials().await?;
        body["client_id"] = client_id.into();
        body["client_secret"] = client_secret.expose().into();
        let request = request(Method::POST, &self.endpoints.token())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()));
        let answer = self.http.send(made(request)?).await?;
        if !answer.status().is_success() {
            return Err(refusal(&answer, what, self.clock.now()));
        }
        let token: TokenAnswer = read(answer.body())?;
        if token.access_token.is_empty() || token.access_token.len() > TOKEN_BYTES_MAX {
            return Err(Error::unavailable("Atlassian answered without a usable access token"));
        }
        let life = token.expires_in.map_or(LIFE_DEFAULT, Duration::from_secs).min(LIFE_MAX);
        Ok(Grant {
            access_token: Secret::new(token.access_token),
            expires_at: self.clock.now().plus(life),
            refresh_token: token.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
            scopes: token
                .scope
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }
}

#[async_trait]
impl Authority for Atlassian3lo {
    async fn authorize_url(&self, scopes: &[String], state: &str, redirect_uri: &str) -> Result<String> {
        let (client_id, _) = self.client.credentials().await?;
        let url = with_query(
            self.endpoints.authorize(),
            [
                ("audience", "api.atlassian.com"),
                ("client_id", &client_id),
                ("scope", &scopes.join(" ")),
                ("redirect_uri", redirect_uri),
                ("state", state),
                ("response_type", "code"),
                ("prompt", "consent"),
            ],
        );
        Ok(url.into())
    }

    async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<Grant> {
        let body = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri });
        self.token(body, Asked::Exchange).await
    }

    async fn refresh(&self, refresh_token: &Secret) -> Result<Grant> {
        let body = json!({ "grant_type": "refresh_token", "refresh_token": refresh_token.expose() });
        self.token(body, Asked::Refresh).await
    }

    async fn sites(&self, access_token: &Secret) -> Result<Vec<Site>> {
        granted_sites(&*self.http, &self.endpoints, access_token, self.clock.now()).await
    }
}

/// The Confluence sites that the token's grant reaches. `Unauthenticated` when the token is not accepted.
pub async fn granted_sites(
    http: &dyn Http,
    endpoints: &Endpoints,
    access_token: &Secret,
    now: Timestamp,
) -> Result<Vec<Site>> {
    let request = request(Method::GET, &endpoints.accessible_resources())
        .header(header::AUTHORIZATION, limits::bearer(access_token)?)
        .body(Bytes::new());
    let answer = http.send(made(request)?).await?;
    match answer.status() {
        status if status.is_success() => sites(read(answer.body())?),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::unauthenticated(
            "Atlassian no longer accepts this connection; reconnect to go on",
        )),
        _ => Err(limits::failure(&answer, now, "the list of sites")),
    }
}

/// The Confluence sites, each once. `id` may occur twice, for Jira and for Confluence: the scopes tell (facts.md §3).
fn sites(resources: Vec<serde_json::Value>) -> Result<Vec<Site>> {
    let mut sites: BTreeMap<String, Site> = BTreeMap::new();
    for resource in resources.into_iter().take(SITES_MAX) {
        let Ok(resource) = serde_json::from_value::<Resource>(resource) else {
            continue;
        };
        let confluence = resource.scopes.iter().any(|scope| scope.contains("confluence"));
        let Some(url) = wire::site_url(&resource.url) else {
            continue;
        };
        if !confluence || resource.id.is_empty() {
            continue;
        }
        let site = sites.entry(resource.id.clone()).or_insert_with(|| Site {
            id: SiteId::new(resource.id),
            name: wire::shortened(&resource.name),
            url,
            scopes: Default::default(),
        });
        site.scopes.extend(resource.scopes);
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    sites.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(sites)
}

#[derive(Clone, Copy)]
enum Asked {
    Exchange,
    Refresh,
}

/// Which of the documented and measured refusals this is (facts.md §3).
fn refusal(answer: &::http::Response<Bytes>, asked: Asked, now: Timestamp) -> Error {
    let said: Refused = serde_json::from_slice(answer.body()).unwrap_or_default();
    let status = answer.status();
    match (status.as_u16(), said.error.as_str(), asked) {
        (429, ..) => Error::new(
            ErrorKind::RateLimited {
                retry_after: limits::retry_after(answer.headers(), now).unwrap_or(limits::WAIT_DEFAULT),
            },
            "Atlassian's sign-in is asked too often",
        ),
        // The same word as for a person's Cancel, but here it is our secret that is wrong.
        (401, ..) | (_, "invalid_client", _) => Error::misconfigured(
            "Atlassian refuses Circuit's client id or secret; an operator must compare them with the app in Atlassian's \
             developer console",
        ),
        (_, "invalid_grant" | "unauthorized_client", Asked::Refresh) => {
            Error::unauthenticated("Atlassian no longer knows this connection; reconnect to go on")
        }
        (400..=499, _, Asked::Exchange) => Error::invalid(
            "Atlassian did not accept the code it sent; it is good for a few minutes and one use: connect again",
        ),
        _ => Error::unavailable(format!("Atlassian's sign-in answered {status}")),
    }
}

fn request(method: Method, url: &Url) -> ::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT, "application/json")
}

fn made(request: ::http::Result<Request<Bytes>>) -> Result<Request<Bytes>> {
    request.map_err(|error| Error::internal("a request to Atlassian could not be made").because(error))
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    // The parser's complaint names a place and no content: answers of this endpoint hold tokens.
    serde_json::from_slice(body).map_err(|error| {
        Error::unavailable(format!(
            "Atlassian's answer could not be read (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    scopes: Vec<String>,
}
