//! Given a request, gives its parts in the app's words, or the problem with them: ids, parameters, body.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    sync::Arc,
};

use axum::{
    extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::Error;
use http::{Method, StatusCode, header::CONTENT_TYPE, request::Parts};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::api::problem::{Failed, NOT_JSON, TOO_LARGE};

/// The most parameters that are read of one request.
const PARAMETERS_MAX: usize = 500;
/// The most that is repeated of what a request held, in characters.
const REPEATED_CHARS_MAX: usize = 200;

/// The one id in the address.
pub struct Id<T>(pub T);

impl<T: FromStr<Err = Error>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Failed;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failed::invalid("the id in the address is not text in UTF-8"))?;
        Ok(Self(text.parse()?))
    }
}

/// The two ids in the address, the outer one first.
pub struct Ids<A, B>(pub A, pub B);

impl<A: FromStr<Err = Error>, B: FromStr<Err = Error>, S: Send + Sync> FromRequestParts<S> for Ids<A, B> {
    type Rejection = Failed;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path((outer, inner)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failed::invalid("the ids in the address are not text in UTF-8"))?;
        Ok(Self(outer.parse()?, inner.parse()?))
    }
}

/// A body of JSON.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Failed;
    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let media_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Failed::new(
                &NOT_JSON,
                "the body must come with Content-Type: application/json",
            ));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|refused| match refused.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Failed::new(&TOO_LARGE, "the body has more than 1 MiB"),
                    _ => Failed::invalid("the body could not be read to its end"),
                })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let why: String = without_value(&error.to_string())
                .chars()
                .take(REPEATED_CHARS_MAX)
                .collect();
            match error.is_data() {
                true => Failed::invalid(format!("the body is JSON of another shape: {why}")),
                false => Failed::invalid(format!("the body is not JSON: {why}")),
            }
        })
    }
}

/// What the reader says of a body, without the value that it met: that may be a secret in the wrong place. Names of fields
/// are told.
fn without_value(said: &str) -> String {
    match said.split_once(", expected ") {
        Some((what, expected)) if !what.starts_with("unknown field") => format!("expected {expected}"),
        _ => said.to_owned(),
    }
}

/// What stands behind the question mark, decoded, in order.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failed;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failed> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .take(PARAMETERS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        match pairs.len() {
            n if n > PARAMETERS_MAX => Err(Failed::invalid(format!("at most {PARAMETERS_MAX} parameters are read"))),
            _ => Ok(Self(pairs)),
        }
    }
}

impl Parameters {
    /// Every value of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The value of a parameter that stands once or not at all.
    pub fn one(&self, name: &str) -> Result<Option<String>, Failed> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Failed::invalid(format!("{name}: is given more than once"))),
        }
    }

    pub fn id<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>, Failed> {
        let id = self.one(name)?.map(|text| text.parse()).transpose();
        id.map_err(|error: Error| Failed::from(error).about(name))
    }

    pub fn number(&self, name: &str) -> Result<Option<usize>, Failed> {
        let number = self.one(name)?.map(|text| text.parse()).transpose();
        number.map_err(|_| Failed::invalid(format!("{name}: is a whole number, 0 or more")))
    }
}

/// The parameters that the description names, by method and address.
pub type Declared = BTreeMap<(Method, String), BTreeSet<String>>;

/// A parameter that the description does not name is a mistake, and better told than passed over: `?spaces=…` for
/// `?space=…` would search everywhere.
pub async fn refuse_undeclared(State(declared): State<Arc<Declared>>, request: Request, next: Next) -> Response {
    match undeclared(&declared, &request) {
        Some(failed) => failed.into_response(),
        None => next.run(request).await,
    }
}

fn undeclared(declared: &Declared, request: &Request) -> Option<Failed> {
    let matched = request.extensions().get::<MatchedPath>()?;
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        ref method => method.clone(),
    };
    let names = declared.get(&(method, matched.as_str().to_owned()))?;
    let query = request.uri().query()?;
    let (name, _) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| !names.contains(name.as_ref()))?;
    let name: String = name.chars().take(REPEATED_CHARS_MAX).collect();
    let known = match names.is_empty() {
        true => "it takes none".to_owned(),
        false => format!("it takes {}", names.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    Some(Failed::invalid(format!(
        "{name:?} is not a parameter of this address; {known}"
    )))
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[allow(dead_code)]
            code: Vec<u8>,
        }
        let said = |body: &str| without_value(&serde_json::from_str::<Body>(body).unwrap_err().to_string());
        let why = said(r#"{"code": "hunter2"}"#);
        assert!(
            why.starts_with("expected a sequence") && !why.contains("hunter2"),
            "{why}"
        );
        assert!(said(r#"{"kode": 1}"#).contains("kode"));
    }
}
