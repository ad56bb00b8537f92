//! One call to a site's Confluence: a token that works, patience with what passes, an error for what does not.

use std::{sync::Arc, time::Duration};

use ::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use domain::{
    Clock, Error, ErrorKind, Result, Secret, Timestamp,
    authority::Tokens,
    budget::Budget,
    connection::Ending,
    source::{Pace, Reach},
    sync_run::Spent,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{
    Endpoints,
    endpoints::with_query,
    http::{Http, Unanswered},
    limits::{self, PAUSE_MAX},
    oauth::granted_sites,
    pace::{Came, Gate, Weight},
};

/// How often a call that failed in passing is made before it is given up.
const ATTEMPTS_MAX: u32 = 5;
/// And one that may well fail for good.
const ATTEMPTS_HASTY: u32 = 2;
/// The wait before the second attempt; it doubles with each.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// What Atlassian is left in peace for after it asked for short waits again and again.
const PEACE: Duration = Duration::from_secs(60);
/// A call that may cost this many points brings many rows.
const HEAVY_POINTS: u64 = 25;

/// Makes calls. Knows no endpoint.
pub struct Client {
    http: Arc<dyn Http>,
    endpoints: Endpoints,
    tokens: Arc<dyn Tokens>,
    budget: Arc<dyn Budget>,
    pub clock: Arc<dyn Clock>,
    gate: Gate,
}

/// A read, named: what it is for people, where it is, and the scopes that allow it (any of).
pub struct Call<'a> {
    pub what: &'a str,
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
    pub scopes: &'a [&'a str],
    pub price: Price,
}

/// How often a call that fails in passing is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    Long,
    /// For what has failed before in another way, and may fail for good.
    Short,
}

impl Patience {
    fn attempts(self) -> u32 {
        match self {
            Self::Long => ATTEMPTS_MAX,
            Self::Short => ATTEMPTS_HASTY,
        }
    }
}

/// What a call costs: a point, and some for each row that comes (facts.md §4).
#[derive(Clone, Copy)]
pub struct Price {
    /// Of a row: 1 for a page, space or attachment, 2 for a person, nothing for others.
    pub each: u64,
    /// The most rows that can come.
    pub rows: u64,
}

impl Price {
    /// One point, whatever comes.
    pub const CALL: Self = Self { each: 0, rows: 0 };

    pub fn of_rows(each: u64, rows: u32) -> Self {
        Self {
            each,
            rows: u64::from(rows),
        }
    }

    fn most(self) -> u64 {
        self.of(self.rows)
    }

    fn of(self, rows: u64) -> u64 {
        1 + self.each * rows
    }
}

/// An answer that knows how many rows it has.
pub trait Rows {
    fn rows(&self) -> u64;
}

/// What an answer with a good status is read as.
pub trait Readable: Sized {
    /// Whether an answer of this status is read at all; any other is a failure.
    fn is_good(status: StatusCode) -> bool;
    fn read(answer: &Response<Bytes>, what: &str) -> Result<Self>;
    fn paid_rows(&self) -> u64;
}

impl<T: DeserializeOwned + Rows> Readable for T {
    fn is_good(status: StatusCode) -> bool {
        status == StatusCode::OK
    }

    fn read(answer: &Response<Bytes>, what: &str) -> Result<Self> {
        serde_json::from_slice(answer.body()).map_err(|error| {
            // The place, not the text: bodies are people's content.
            Error::unavailable(format!(
                "Atlassian's answer for {what} could not be read (line {}, column {})",
                error.line(),
                error.column()
            ))
        })
    }

    fn paid_rows(&self) -> u64 {
        self.rows()
    }
}

/// What was read, and what it cost, failed attempts included.
pub struct Answered<T> {
    pub value: T,
    pub spent: Spent,
    /// What time it was at Atlassian, by the answer's `Date`.
    pub at: Option<Timestamp>,
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
    pub fn new(
        http: Arc<dyn Http>,
        endpoints: Endpoints,
        tokens: Arc<dyn Tokens>,
        budget: Arc<dyn Budget>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            endpoints,
            tokens,
            budget,
            clock,
            gate: Gate::default(),
        }
    }

    /// Sends what is no call to Confluence: without a token, a price or patience.
    pub async fn send_bare(&self, url: &Url) -> Result<Response<Bytes>> {
        let request = Request::get(url.as_str())
            .body(Bytes::new())
            .map_err(|error| Error::internal("a request for a file could not be made").because(error))?;
        self.http.send(request).await.map_err(Error::from)
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub fn pace(&self) -> Pace {
        self.gate.pace()
    }

    /// Reads JSON. Passing failures (5xx, cut or unreadable answers, short waits) are tried again a few times.
    pub async fn get<T: Readable>(&self, reach: &Reach, call: &Call<'_>) -> Result<Answered<T>, Refused> {
        self.asked(reach, call, None, Patience::Long).await
    }

    /// The same, with as much patience.
    pub async fn get_with<T: Readable>(
        &self,
        reach: &Reach,
        call: &Call<'_>,
        patience: Patience,
    ) -> Result<Answered<T>, Refused> {
        self.asked(reach, call, None, patience).await
    }

    /// Reads JSON that is asked for with a body; nothing is changed by it at Atlassian, so it may be asked again.
    pub async fn post<T: Readable>(
        &self,
        reach: &Reach,
        call: &Call<'_>,
        body: &Value,
    ) -> Result<Answered<T>, Refused> {
        self.asked(reach, call, Some(Bytes::from(body.to_string())), Patience::Long)
            .await
    }

    async fn asked<T: Readable>(
        &self,
        reach: &Reach,
        call: &Call<'_>,
        body: Option<Bytes>,
        patience: Patience,
    ) -> Result<Answered<T>, Refused> {
        let url = self.endpoints.confluence(&reach.site.id, call.path);
        let question = Question {
            url: with_query(url, call.query.iter().copied()),
            body,
        };
        let mut token = self.tokens.access_token(reach.connection, None).await?;
        let mut refused_once = false;
        let mut spent = Spent::default();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let answer = match self.attempt::<T>(reach, &question, &token, call, &mut spent).await? {
                Attempt::TokenRefused if refused_once => {
                    return Err(self.ended(reach, Ending::Revoked).await.into());
                }
                Attempt::TokenRefused => {
                    refused_once = true;
                    token = self.tokens.access_token(reach.connection, Some(&token)).await?;
                    continue;
                }
                Attempt::Read(answer) => answer,
            };
            let error = match answer.read {
                Ok(value) => {
                    return Ok(Answered {
                        value,
                        spent,
                        at: answer.at,
                    });
                }
                Err(Refused::TooMuch) => return Err(Refused::TooMuch),
                Err(Refused::Because(error)) => error,
            };
            if limits::is_shut_out(&error) {
                return Err(self.ended(reach, Ending::NoConfluence).await.into());
            }
            match self.pause(&error, attempt, answer.asked_to_wait) {
                Some(pause) if attempt < patience.attempts() => self.clock.sleep(pause).await,
                Some(_) | None => return Err(given_up(error).into()),
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

    /// One call: priced, made, and settled by what came.
    async fn attempt<T: Readable>(
        &self,
        reach: &Reach,
        question: &Question,
        token: &Secret,
        call: &Call<'_>,
        spent: &mut Spent,
    ) -> Result<Attempt<T>> {
        let reservation = self.budget.reserve(call.price.most(), reach.urgency).await?;
        let answer = self.sent(question, token, call.price).await;
        let now = self.clock.now();
        let told = answer
            .as_ref()
            .map(|answer| limits::told(answer, now))
            .unwrap_or_default();
        // What came and cannot be read, or was lost on its way, may have been paid for in full.
        let was_made = match &answer {
            Ok(answer) => T::is_good(answer.status()),
            Err(Unanswered::Lost(_)) => true,
            Err(Unanswered::NeverSent(_)) => false,
        };
        let attempt: Attempt<T> = match answer {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !limits::lacks_scope(&answer) => {
                Attempt::TokenRefused
            }
            Ok(answer) => Attempt::Read(Answer {
                asked_to_wait: limits::retry_after(answer.headers(), now),
                at: limits::date(answer.headers()),
                read: self.read(&answer, call),
            }),
            Err(Unanswered::Lost(error) | Unanswered::NeverSent(error)) => Attempt::Read(Answer::none(unread(error))),
        };
        let points = match &attempt {
            Attempt::Read(Answer { read: Ok(value), .. }) => call.price.of(value.paid_rows()),
            Attempt::Read(Answer { read: Err(_), .. }) if was_made => call.price.most(),
            // It was made: nobody knows that Atlassian takes nothing for it.
            Attempt::Read(Answer { read: Err(_), .. }) | Attempt::TokenRefused => 1,
        };
        let price = Spent { calls: 1, points };
        *spent = spent.plus(price);
        reach.meter.add(price);
        self.budget.settle(reservation, points, told).await?;
        Ok(attempt)
    }

    async fn sent(&self, question: &Question, token: &Secret, price: Price) -> Result<Response<Bytes>, Unanswered> {
        let request = match &question.body {
            None => Request::get(question.url.as_str()),
            Some(_) => Request::post(question.url.as_str()).header(header::CONTENT_TYPE, "application/json"),
        };
        let bearer = limits::bearer(token).map_err(Unanswered::NeverSent)?;
        let request = request
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, bearer)
            .body(question.body.clone().unwrap_or_default())
            .map_err(|error| Error::internal("a request to Atlassian could not be made").because(error))
            .map_err(Unanswered::NeverSent)?;
        let place = self.gate.place().await.map_err(Unanswered::NeverSent)?;
        let began = self.clock.now();
        let answer = self.http.send(request).await;
        let came = match &answer {
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => Came::PushedBack,
            Ok(answer) if answer.status().is_server_error() => Came::Badly,
            Ok(_) => Came::Well,
            Err(_) => Came::Badly,
        };
        let weight = match price.most() {
            points if points < HEAVY_POINTS => Weight::Light,
            _ => Weight::Heavy,
        };
        self.gate.answered(place, weight, self.clock.now().since(began), came);
        answer
    }

    fn read<T: Readable>(&self, answer: &Response<Bytes>, call: &Call<'_>) -> Result<T, Refused> {
        match answer.status() {
            status if T::is_good(status) => T::read(answer, call.what).map_err(Refused::Because),
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
    fn pause(&self, error: &Error, attempt: u32, asked_to_wait: Option<Duration>) -> Option<Duration> {
        match error.kind {
            ErrorKind::RateLimited { retry_after } => (retry_after <= PAUSE_MAX).then_some(retry_after),
            ErrorKind::Unavailable => {
                let full = PAUSE_MIN.saturating_mul(1 << attempt.min(6)).min(PAUSE_MAX);
                // Between half of it and all: feeds that failed together do not come back together.
                let share = u32::try_from(self.clock.now().0.rem_euclid(1_000)).unwrap_or(0);
                let own = full / 2 + full / 2 * share / 1_000;
                Some(own.max(asked_to_wait.unwrap_or_default()))
            }
            ErrorKind::Invalid | ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound => None,
            ErrorKind::Ended { .. } | ErrorKind::Misconfigured => None,
            ErrorKind::Conflict | ErrorKind::Gone | ErrorKind::MissingScope { .. } | ErrorKind::Internal => None,
        }
    }
}

/// Where a call goes, and the JSON that it is asked with, if any.
struct Question {
    url: Url,
    body: Option<Bytes>,
}

/// What one call came to.
enum Attempt<T> {
    /// The token is no longer accepted.
    TokenRefused,
    Read(Answer<T>),
}

struct Answer<T> {
    read: Result<T, Refused>,
    asked_to_wait: Option<Duration>,
    /// What time it was at Atlassian.
    at: Option<Timestamp>,
}

impl<T> Answer<T> {
    fn none(refused: Refused) -> Self {
        Self {
            read: Err(refused),
            asked_to_wait: None,
            at: None,
        }
    }
}

/// `Invalid` is the port's word for an answer that is too large.
fn unread(error: Error) -> Refused {
    match error.kind {
        ErrorKind::Invalid => Refused::TooMuch,
        _ => Refused::Because(error),
    }
}

/// Short waits that never helped are followed by a long one: whoever parks is not back in a second.
fn given_up(mut error: Error) -> Error {
    if let ErrorKind::RateLimited { retry_after } = &mut error.kind
        && *retry_after <= PAUSE_MAX
    {
        *retry_after = PEACE;
    }
    error
}
