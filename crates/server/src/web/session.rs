//! Given a request, gives who sends it: the cookie becomes a caller, a form one that is proven to be ours.

use app::{App, Caller};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use domain::{Error, Secret, user::Role};
use http::{HeaderMap, HeaderValue, Method, header::COOKIE, header::SET_COOKIE, request::Parts};
use url::form_urlencoded::byte_serialize;

use super::{csrf, error::Failed, fields::Fields};
use crate::Door;

const NAME: &str = "circuit_session";
/// As long as the session itself lives: thirty days.
const LIFE_SECONDS: u64 = 30 * 24 * 3600;
/// A longer cookie is none of ours.
const TOKEN_BYTES_MAX: usize = 200;
/// The longest way back after signing in.
const NEXT_BYTES_MAX: usize = 2_000;

/// A person with a session. Whoever has none is sent to sign in, or to set up a Circuit that nobody has an account of.
pub struct SignedIn {
    pub caller: Caller,
    pub csrf: String,
    session: Secret,
}

impl SignedIn {
    /// The session of this request, if it has a living one.
    pub async fn find(app: &App, headers: &HeaderMap) -> domain::Result<Option<Self>> {
        let Some(session) = cookie(headers) else {
            return Ok(None);
        };
        let caller = app.caller_by_session(session.expose()).await?;
        Ok(caller.map(|caller| Self {
            caller,
            csrf: csrf::of_session(&session),
            session,
        }))
    }

    /// Whether the session lives still, for what outlasts a request.
    pub async fn lives(&self, app: &App) -> bool {
        matches!(app.caller_by_session(self.session.expose()).await, Ok(Some(_)))
    }

    pub fn manages(&self) -> bool {
        match self.caller.user.role {
            Role::Admin => true,
            Role::Reader => false,
        }
    }
}

impl FromRequestParts<Door> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Response> {
        let found = Self::find(&door.app, &parts.headers).await;
        match found.map_err(|error| Failed(error).into_response())? {
            Some(signed_in) => Ok(signed_in),
            None => Err(to_sign_in(&door.app, parts).await),
        }
    }
}

async fn to_sign_in(app: &App, parts: &Parts) -> Response {
    match app.needs_set_up().await {
        Err(error) => Failed(error).into_response(),
        Ok(true) => Redirect::to("/set-up").into_response(),
        Ok(false) => {
            // Only what was read can be gone on with after signing in; what was sent has to be sent again.
            let way = parts.uri.path_and_query().map_or("/", |way| way.as_str());
            match parts.method == Method::GET && way != "/" && way != "/indexes" {
                true => {
                    let next: String = byte_serialize(way.as_bytes()).collect();
                    Redirect::to(&format!("/sign-in?next={next}")).into_response()
                }
                false => Redirect::to("/sign-in").into_response(),
            }
        }
    }
}

/// Where to go after signing in: a page of ours, whatever the link says.
pub fn next(fields: &Fields) -> &str {
    let next = fields.one("next");
    let ours = next.starts_with('/') && !next.starts_with("//") && next.len() <= NEXT_BYTES_MAX;
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain { next } else { "/indexes" }
}

/// A form that a signed-in person sent from one of our pages.
pub struct Posted {
    pub who: SignedIn,
    pub fields: Fields,
}

impl FromRequest<Door> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let who = SignedIn::from_request_parts(&mut parts, door).await?;
        let fields = fields_of(Request::from_parts(parts, body), door).await?;
        match csrf::same(&who.csrf, fields.one(csrf::FIELD)) {
            true => Ok(Self { who, fields }),
            false => Err(not_from_here().into_response()),
        }
    }
}

/// A form of somebody without a session: it must not have been sent by another site's page.
pub struct Knocked(pub Fields);

impl FromRequest<Door> for Knocked {
    type Rejection = Response;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Response> {
        fields_of(request, door).await.map(Self)
    }
}

async fn fields_of(request: Request, door: &Door) -> Result<Fields, Response> {
    if csrf::from_elsewhere(request.headers(), door.app.public_url()) {
        return Err(not_from_here().into_response());
    }
    let body = Bytes::from_request(request, door).await.map_err(|_| {
        Failed(Error::invalid("this form is too large or broke off; send less at once")).into_response()
    })?;
    Ok(Fields::read(&body))
}

fn not_from_here() -> Failed {
    Failed(Error::forbidden(
        "this form was not sent from a page of your present session, so nothing was done; load the page again and repeat it",
    ))
}

fn cookie(headers: &HeaderMap) -> Option<Secret> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, token)| *name == NAME && !token.is_empty() && token.len() <= TOKEN_BYTES_MAX)
        .map(|(_, token)| Secret::new(token))
}

/// Goes there with this session.
pub fn opened(door: &Door, session: &Secret, way: &str) -> Response {
    with_cookie(door, session.expose(), LIFE_SECONDS, way)
}

/// Goes there without a session.
pub fn closed(door: &Door, way: &str) -> Response {
    with_cookie(door, "", 0, way)
}

fn with_cookie(door: &Door, token: &str, seconds: u64, way: &str) -> Response {
    let secure = if door.options.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    match HeaderValue::try_from(cookie) {
        Ok(cookie) => {
            let mut response = Redirect::to(way).into_response();
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(error) => Failed(Error::internal("a session's token is not a cookie").because(error)).into_response(),
    }
}
