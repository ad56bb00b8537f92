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

    /// The same fields, but for one value of this name.
    pub fn without(&self, name: &str, value: &str) -> Self {
        let is_it = |given: &String, said: &String| given == name && said.trim() == value;
        let kept = self.0.iter().filter(|(given, said)| !is_it(given, said));
        Self(kept.cloned().collect())
    }

    /// The same fields, but for those of these names.
    pub fn without_any(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(given, _)| !names.contains(&given.as_str()));
        Self(kept.cloned().collect())
    }

    /// The same fields, but for those of this name, in whose place this one stands.
    pub fn having(&self, name: &str, value: &str) -> Self {
        let mut fields = self.without_any(&[name]);
        fields.0.push((name.to_owned(), value.to_owned()));
        fields
    }

    /// The address of this page with these fields; what is empty is left out.
    pub fn after(&self, way: &str) -> String {
        let said = self.0.iter().filter(|(_, value)| !value.trim().is_empty());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(said)
            .finish();
        match query.is_empty() {
            true => way.to_owned(),
            false => format!("{way}?{query}"),
        }
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
