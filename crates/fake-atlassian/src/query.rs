//! Given a query string or a form, gives its parameters by name.

use url::form_urlencoded;

/// Parameters in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parsed(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn every(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Repeated parameters and comma-separated ones, as v2 takes both.
    pub fn listed(&self, name: &str) -> Vec<&str> {
        self.every(name)
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The query again, without the parameters named, and with those given.
    pub fn rewritten(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (key, value) in self.pairs().filter(|(key, _)| !without.contains(key)) {
            out.append_pair(key, value);
        }
        for (key, value) in with {
            out.append_pair(key, value);
        }
        out.finish()
    }
}
