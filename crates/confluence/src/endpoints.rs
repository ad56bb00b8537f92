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

    /// Where an answer of Atlassian sends a reader for a file: https to a named host, or, where the gateway itself is on
    /// this machine, here. None for what could lead into somebody's own network.
    pub(crate) fn elsewhere(&self, base: &Url, location: &str) -> Option<Url> {
        let url = base.join(location).ok()?;
        let named = matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'));
        let good = match url.scheme() {
            "https" => named || is_here(&self.api) && is_here(&url),
            "http" => is_here(&self.api) && is_here(&url),
            _ => false,
        };
        (good && url.username().is_empty() && url.password().is_none()).then_some(url)
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
    if url.host().is_none() {
        return Err(wrong("names no host"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here(&url) => Ok(url),
        _ => Err(wrong("must begin with https://, since tokens travel there")),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
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
    fn a_file_is_fetched_from_a_named_host_over_https_and_from_no_address_of_a_network() {
        let real = Endpoints::parse("https://auth.atlassian.com", "https://api.atlassian.com").unwrap();
        let base = Url::parse("https://api.atlassian.com/ex/confluence/1/wiki/rest/api/content/2").unwrap();
        let led = |location: &str| real.elsewhere(&base, location).map(String::from);
        let media = "https://api.media.atlassian.com/file/1/binary?token=t";
        assert_eq!(led(media).as_deref(), Some(media));
        assert_eq!(led("/file/1").as_deref(), Some("https://api.atlassian.com/file/1"));
        for bad in [
            "http://api.media.atlassian.com/file/1",
            "https://169.254.169.254/latest",
            "https://localhost/file",
            "https://[::1]/file",
            "https://intranet/file",
            "https://a:b@media.example.com/file",
            "file:///etc/passwd",
            "https://",
        ] {
            assert_eq!(led(bad), None, "{bad}");
        }
        let made = Endpoints::parse("http://127.0.0.1:1", "http://127.0.0.1:1").unwrap();
        assert!(made.elsewhere(&base, "http://127.0.0.1:1/media").is_some());
        assert!(made.elsewhere(&base, "http://10.0.0.1/media").is_none());
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
