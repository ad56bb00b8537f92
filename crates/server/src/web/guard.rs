//! Given an answer, gives it with the headers that keep a page to itself.

use axum::response::Response;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
};

/// Nothing from elsewhere, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The same for the page whose form leads to Atlassian: browsers hold a form to `form-action` through its redirects, and
/// where Atlassian's page is, is configuration.
const POLICY_LEAVING: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                              connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

pub async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    unless_set(headers, CONTENT_SECURITY_POLICY, POLICY);
    unless_set(headers, CACHE_CONTROL, "no-store");
    unless_set(headers, VARY, "Cookie");
    unless_set(headers, REFERRER_POLICY, "same-origin");
    unless_set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(headers, X_FRAME_OPTIONS, "DENY");
    unless_set(headers, OPENER_POLICY, "same-origin");
    response
}

/// A page whose form may lead away from here.
pub fn leaving(mut response: Response) -> Response {
    unless_set(response.headers_mut(), CONTENT_SECURITY_POLICY, POLICY_LEAVING);
    response
}

fn unless_set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
