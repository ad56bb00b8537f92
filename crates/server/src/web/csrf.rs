//! Given a POST, tells whether it was sent from one of our own pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Secret;
use http::{HeaderMap, header::HOST, header::ORIGIN};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hidden field of every form.
pub const FIELD: &str = "csrf";

/// What the forms of this session carry: known to whoever holds the session's cookie and to nobody else, and of no use
/// to find the cookie.
pub fn of_session(session: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(b"circuit form of session ");
    hash.update(session.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Whether the two are equal, in a time that does not tell where they differ.
pub fn same(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

/// Whether the browser says that another site made it send this. Programs without a browser say nothing and pass: they
/// hold no cookie that could be abused.
pub fn from_elsewhere(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return false;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    let ours = origin == public_url || host.is_some() && host == text(HOST.as_str());
    !ours
}
