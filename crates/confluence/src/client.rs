//! One call to a site's Confluence: a token that works, patience with what passes, an error for what does not.

use std::{sync::Arc, time::Duration};

use ::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use domain::{Clock, Error, ErrorKind, Result, authority::Tokens, connection::Ending, source::Reach};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::Url;

use crate::{Endpoints, endpoints::with_query, http::Http, limits, oauth::granted_sites};

/// Calls at once over all feeds: Confluence answers 429 at twenty to thirty (facts.md §4).
const CALLS_AT_ONCE: usize = 6;
/// How often a call that failed in passing is made before it is given up.
const ATTEMPTS_MAX: u32 = 5;
/// The wait before the second attempt; it doubles with each.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// What Atlassian may ask to wait without the run being parked.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Makes calls. Knows no endpoint.
pub struct Client {
    http: Arc<dyn Http>,
    endpoints: Endpoints,
    tokens: Arc<dyn Tokens>,
    pub clock: Arc<dyn Clock>,
    places: Semaphore,
}

/// A read, named: what it is for people, where it is, and the scopes that allow it (any of).
pub struct Call<'a> {
    pub what: &'a str,
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
    pub scopes: &'a [&'a str],
}

/// What was read, and the calls it took.
pub struct Answered<T> {
    pub value: T,
    pub calls: u64,
}

/// Why a call gave nothing.
pub enum Refused {
    /// The answer took too long to make or was too large: ask for fewer rows.
    TooMuch,
    Because(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

impl Refused {
    /// As an error, for calls that cannot ask for less.
    pub fn into_error(self, what: &str) -> Error {
        match self {
            Self::Because(error) => error,
            Self::TooMuch => Error::unavailable(format!("Atlassian could not give {what} in time")),
        }
    }
}

impl Client {
    pub fn new(http: Arc<dyn Http>, endpoints: Endpoints, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self {
            http,
            endpoints,
            tokens,
            clock,
            places: Semaphore::new(CALLS_AT_ONCE),
        }
    }

    /// Reads JSON. Passing failures (5xx, cut or unreadable answers, short waits) are tried again a few times.
    pub async fn get<T: DeserializeOwned>(&self, reach: &Reach, call: &Call<'_>) -> Result<Answered<T>, Refused> {
        let url = self.endpoints.confluence(&reach.site.id, call.path);
        let url = with_query(url, call.query.iter().copied());
        let mut token = self.tokens.access_token(reach.connection, None).await?;
        let mut refused_once = false;
        let mut calls = 0;
        loop {
            calls += 1;
            let answer = match self.sent(&url, &token).await {
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !limits::lacks_scope(&answer) => {
                    if refused_once {
                        return Err(self.ended(reach, Ending::Revoked).await.into());
                    }
                    refused_once = true;
                    token = self.tokens.access_token(reach.connection, Some(&token)).await?;
                    continue;
                }
                other => other,
            };
            let error = match answer.map(|answer| self.read(&answer, call)) {
                Ok(Ok(value)) => return Ok(Answered { value, calls }),
                Ok(Err(Refused::TooMuch)) => return Err(Refused::TooMuch),
                Ok(Err(Refused::Because(error))) => error,
                // The port's word for an answer that is too large.
                Err(error) if error.kind == ErrorKind::Invalid => return Err(Refused::TooMuch),
                Err(error) => error,
            };
            if limits::is_shut_out(&error) {
                return Err(self.ended(reach, Ending::NoConfluence).await.into());
            }
            match self.pause(&error, calls) {
                Some(pause) => self.clock.sleep(pause).await,
                None => return Err(error.into()),
            }
        }
    }

    /// How the connection came to its end, when Confluence does not know the person any more. A grant that no longer
    /// reaches the site is told from one that does by asking for its sites; where even that cannot be asked, nothing is
    /// concluded and the error of asking is given.
    pub async fn ended(&self, reach: &Reach, otherwise: Ending) -> Error {
        let site = &reach.site.name;
        let token = match self.tokens.access_token(reach.connection, None).await {
            Ok(token) => token,
            Err(error) => return error,
        };
        let now = self.clock.now();
        match granted_sites(&*self.http, &self.endpoints, &token, now).await {
            Ok(sites) if sites.iter().any(|granted| granted.id == reach.site.id) => match otherwise {
                Ending::Anonymous => Error::ended(otherwise, format!("{site} answers as if nobody were signed in")),
                Ending::NoConfluence => Error::ended(
                    otherwise,
                    format!("the connected person may no longer use Confluence on {site}"),
                ),
                Ending::Revoked
                | Ending::Expired
                | Ending::SiteRemoved
                | Ending::OtherAccount
                | Ending::HiddenFromApp => Error::ended(
                    otherwise,
                    format!("Atlassian no longer lets this connection read {site}"),
                ),
            },
            Ok(_) => Error::ended(
                Ending::SiteRemoved,
                format!(
                    "this connection no longer reaches {site}: an admin removed the app from the site, or the site was \
                     left out of the consent"
                ),
            ),
            Err(error) if error.kind == ErrorKind::Unauthenticated => Error::ended(
                Ending::Revoked,
                "Atlassian no longer accepts this connection: the consent was taken back, or the Atlassian password was \
                 changed",
            ),
            Err(error) => error,
        }
    }

    async fn sent(&self, url: &Url, token: &domain::Secret) -> Result<Response<Bytes>> {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, limits::bearer(token)?)
            .body(Bytes::new())
            .map_err(|error| Error::internal("a request to Atlassian could not be made").because(error))?;
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| Error::internal("no more calls are made"))?;
        self.http.send(request).await
    }

    fn read<T: DeserializeOwned>(&self, answer: &Response<Bytes>, call: &Call<'_>) -> Result<T, Refused> {
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body()).map_err(|error| {
                // The place, not the text: bodies are people's content.
                Refused::Because(Error::unavailable(format!(
                    "Atlassian's answer for {} could not be read (line {}, column {})",
                    call.what,
                    error.line(),
                    error.column()
                )))
            }),
            StatusCode::UNAUTHORIZED => Err(Refused::Because(Error::new(
                ErrorKind::MissingScope {
                    scopes: call.scopes.iter().take(1).map(|scope| (*scope).to_owned()).collect(),
                },
                format!("the grant lacks {} for {}", call.scopes.join(" or "), call.what),
            ))),
            StatusCode::GATEWAY_TIMEOUT => Err(Refused::TooMuch),
            _ => Err(Refused::Because(limits::failure(answer, self.clock.now(), call.what))),
        }
    }

    /// How long to wait before trying again; none when that would not help.
    fn pause(&self, error: &Error, calls: u64) -> Option<Duration> {
        let attempt = u32::try_from(calls).unwrap_or(u32::MAX);
        if attempt >= ATTEMPTS_MAX {
            return None;
        }
        match error.kind {
            ErrorKind::RateLimited { retry_after } => (retry_after <= PAUSE_MAX).then_some(retry_after),
            ErrorKind::Unavailable => {
                let full = PAUSE_MIN.saturating_mul(1 << attempt.min(6)).min(PAUSE_MAX);
                // Between half of it and all: feeds that failed together do not come back together.
                let share = u32::try_from(self.clock.now().0.rem_euclid(1_000)).unwrap_or(0);
                Some(full / 2 + full / 2 * share / 1_000)
            }
            ErrorKind::Invalid | ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound => None,
            ErrorKind::Ended { .. } | ErrorKind::Misconfigured => None,
            ErrorKind::Conflict | ErrorKind::Gone | ErrorKind::MissingScope { .. } | ErrorKind::Internal => None,
        }
    }
}
