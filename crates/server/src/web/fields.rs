//! Given a query or a form, gives its fields by name; a name may come more than once.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::Secret;
use http::request::Parts;
use url::form_urlencoded;

/// The most fields that are read: more than a thousand spaces or two hundred documents.
const FIELDS_MAX: usize = 2_000;

/// What a person filled in or what a link asks for.
#[derive(Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().take(FIELDS_MAX).collect())
    }

    /// The first of this name, without surrounding space; empty when it is not there.
    pub fn one(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("").trim()
    }

    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The values of this name that say something.
    pub fn filled(&self, name: &str) -> Vec<String> {
        self.all(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// As it was typed, spaces included.
    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.all(name).next().unwrap_or(""))
    }

    /// The same fields as a query, one of them set anew.
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(given, value)| given != name && !value.is_empty());
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(name, value)
            .finish()
    }
}

/// The fields of the query.
impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or("").as_bytes()))
    }
}
