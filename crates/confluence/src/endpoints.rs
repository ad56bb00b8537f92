//! Where Atlassian is: two addresses, overridable for tests and the demo, and the URLs made from them.

use domain::{Error, Result, SiteId};
use url::{Host, Url};

/// Atlassian's two addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    auth: Url,
    api: Url,
}

impl Endpoints {
    /// Reads the addresses of the authority (`https://auth.atlassian.com`) and of the gateway
    /// (`https://api.atlassian.com`). `Invalid` unless both are https, or http to this very machine: tokens travel there.
    pub fn parse(auth: &str, api: &str) -> Result<Self> {
        Ok(Self {
            auth: address("sign-in", auth)?,
            api: address("API", api)?,
        })
    }

    pub(crate) fn authorize(&self) -> Url {
        below(&self.auth, &["authorize"])
    }
    pub(crate) fn token(&self) -> Url {
        below(&self.auth, &["oauth", "token"])
    }
    pub(crate) fn accessible_resources(&self) -> Url {
        below(&self.api, &["oauth", "token", "accessible-resources"])
    }

    /// A path of a site's Confluence, through the gateway. Each segment is encoded: no id can leave its place.
    pub(crate) fn confluence(&self, site: &SiteId, path: &[&str]) -> Url {
        let mut segments = vec!["ex", "confluence", site.as_str(), "wiki"];
        segments.extend(path);
        below(&self.api, &segments)
    }
}

fn address(what: &str, text: &str) -> Result<Url> {
    let wrong = |why: &str| Error::invalid(format!("Atlassian's {what} address {text:?} {why}"));
    let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(wrong("names no host")),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(wrong("must begin with https://, since tokens travel there")),
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only URLs that cannot be a base have no segments, and those have no host.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Adds parameters. A blank becomes `%20`, which every server reads alike.
pub(crate) fn with_query<'a>(mut url: Url, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Url {
    url.query_pairs_mut().extend_pairs(parameters);
    let query = url.query().unwrap_or_default().replace('+', "%20");
    url.set_query(Some(&query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_sent_over_plain_http_to_another_machine() {
        assert!(Endpoints::parse("http://auth.example", "https://api.example").is_err());
        assert!(Endpoints::parse("https://auth.example", "http://127.0.0.1:9").is_ok());
        assert!(Endpoints::parse("ftp://localhost", "https://api.example").is_err());
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let endpoints = Endpoints::parse("https://a.example", "https://b.example").unwrap();
        let url = endpoints.confluence(&SiteId::new("x/../y"), &["api", "v2", "spaces", "1/../2?z", "pages"]);
        assert_eq!(
            url.as_str(),
            "https://b.example/ex/confluence/x%2F..%2Fy/wiki/api/v2/spaces/1%2F..%2F2%3Fz/pages"
        );
    }
}
