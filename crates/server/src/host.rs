//! Under which names a Circuit that was given no public URL answers: those of this machine and no other. A page from
//! elsewhere whose name was made to lead here (DNS rebinding) gets nothing.

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderMap, Method, StatusCode,
        header::{ACCEPT, HOST},
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Redirect, Response},
};
use url::{Host, Url};

/// Wraps the doors of a Circuit that is for this machine: other names are refused, and pages that are asked for by an
/// address lead to `public_url`, since the way back from Atlassian leads there and the session must be of that name.
pub fn local_only(doors: Router, public_url: &str) -> Router {
    let public_url = Url::parse(public_url).ok();
    doors.layer(from_fn(move |request: Request, next: Next| {
        let answer = misdirected(&request, public_url.as_ref());
        async move {
            match answer {
                Some(answer) => answer,
                None => next.run(request).await,
            }
        }
    }))
}

fn misdirected(request: &Request, public_url: Option<&Url>) -> Option<Response> {
    let asked = asked_host(request.headers())?;
    let public = public_url.and_then(Url::host);
    match &asked {
        Host::Domain(name) if name == "localhost" => None,
        asked if public.as_ref().is_some_and(|public| public.to_owned() == *asked) => None,
        Host::Domain(_) => {
            let words =
                "This Circuit is for this machine alone. Give it a public URL to reach it under another name.\n";
            Some((StatusCode::MISDIRECTED_REQUEST, words).into_response())
        }
        Host::Ipv4(_) | Host::Ipv6(_) => {
            let page = request.method() == Method::GET && wants_page(request.headers());
            let mut there = public_url.filter(|_| page)?.clone();
            there.set_path(request.uri().path());
            there.set_query(request.uri().query());
            Some(Redirect::temporary(there.as_str()).into_response())
        }
    }
}

fn asked_host(headers: &HeaderMap) -> Option<Host<String>> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let url = Url::parse(&format!("http://{host}/")).ok()?;
    url.host().map(|host| host.to_owned())
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn asked(host: &str, accept: &str) -> (u16, String) {
        let doors = local_only(Router::new().route("/x", get(async || "in")), "http://localhost:8470");
        let request = Request::get("/x?y=1").header(HOST, host).header(ACCEPT, accept);
        let answer = doors.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let location = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_name_that_was_made_to_lead_here_gets_nothing() {
        assert_eq!(asked("evil.example:8470", "text/html").await.0, 421);
        assert_eq!(asked("localhost:8470", "text/html").await.0, 200);
    }

    #[tokio::test]
    async fn pages_by_address_lead_to_where_atlassian_comes_back_and_programs_are_answered() {
        let there = "http://localhost:8470/x?y=1".to_owned();
        assert_eq!(asked("127.0.0.1:8470", "text/html,*/*").await, (307, there));
        assert_eq!(asked("127.0.0.1:8470", "application/json").await.0, 200);
        assert_eq!(asked("[::1]:8470", "*/*").await.0, 200);
    }
}
