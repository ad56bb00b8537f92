//! What the gateway refuses, in which order, and what goes wrong on request.

use serde_json::json;

use super::world::{ACME, ANNA, Client, acme, ids, sent, world};
use crate::{FakeAtlassian, Options, tests::journeys::connected};

#[tokio::test]
async fn the_token_is_judged_first_then_the_scope_and_only_then_whether_the_endpoint_lives() {
    let fake = acme();
    let nobody = Client {
        token: "wrong".into(),
        ..Client::of(&fake, ANNA)
    };
    let seen = nobody.get("/wiki/rest/api/space").await;
    assert_eq!(
        (seen.status, seen.json()),
        (401, json!({ "code": 401, "message": "Unauthorized" }))
    );
    let four = "read:confluence-content.all read:confluence-space.summary read:confluence-user offline_access";
    let token = connected(&fake, ANNA, four, &[ACME]).await;
    let anna = Client {
        token,
        ..Client::of(&fake, ANNA)
    };
    for path in [
        "/wiki/api/v2/spaces",
        "/wiki/api/v2/pages/1",
        "/wiki/rest/api/content/search?cql=type=page",
        "/wiki/rest/api/content/1",
    ] {
        let seen = anna.get(path).await;
        assert_eq!(seen.status, 401, "{path}");
        assert_eq!(seen.json()["message"], "Unauthorized; scope does not match");
        assert_eq!(seen.header("x-failure-category"), "FAILURE_CLIENT_SCOPE_CHECK");
    }
    let gone = anna.get("/wiki/rest/api/space").await;
    assert_eq!((gone.status, gone.json()["statusCode"].clone()), (410, json!(410)));
    assert!(
        gone.json()["message"]
            .as_str()
            .expect("a message")
            .ends_with("GoneException: This deprecated endpoint has been removed.")
    );
    assert_eq!(anna.get("/wiki/rest/api/user/current").await.json()["accountId"], ANNA);
    let full = Client::of(&fake, ANNA);
    for path in [
        "/wiki/rest/api/content",
        "/wiki/rest/api/content/1/child/attachment",
        "/wiki/rest/api/space/ENG/content",
    ] {
        assert_eq!(full.get(path).await.status, 410, "{path}");
    }
    assert_eq!(
        full.post("/wiki/api/v2/pages", &json!({})).await.status,
        401,
        "nobody here may write"
    );
}

#[tokio::test]
async fn a_file_is_downloaded_from_a_signed_address_by_whoever_shows_no_token() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    let attachment = anna.all(&format!("/wiki/api/v2/pages/{page}/attachments")).await[0].clone();
    let path = format!(
        "/wiki/rest/api/content/{page}/child/attachment/{}/download",
        attachment["id"].as_str().expect("an id")
    );
    let sent_on = anna.get(&path).await;
    assert_eq!(sent_on.status, 302);
    let location = sent_on.header("location").to_owned();
    let bearer = format!("Bearer {}", anna.token);
    assert_eq!(
        sent(&fake, "GET", &location, &[("authorization", &bearer)], "")
            .await
            .status,
        400
    );
    let file = sent(&fake, "GET", &location, &[], "").await;
    assert_eq!(
        (file.status, &file.body[..], file.header("content-type")),
        (200, &b"the plan"[..], "text/plain")
    );
    assert_eq!(attachment["fileSize"], 8);
    assert_eq!(
        sent(&fake, "GET", &location.replace("token=", "token=x"), &[], "")
            .await
            .status,
        403
    );
    world(&fake, "clock", json!({ "advance_minutes": 11 })).await;
    assert_eq!(sent(&fake, "GET", &location, &[], "").await.status, 403);
    let log = sent(&fake, "GET", "/_world/log", &[], "").await;
    assert!(!String::from_utf8_lossy(&log.body).contains("token="));
}

#[tokio::test]
async fn media_is_on_another_host_than_the_api() {
    for (base, media) in [
        ("http://localhost:81", "http://127.0.0.1:81/"),
        ("http://127.0.0.1:81", "http://localhost:81/"),
    ] {
        let options = Options {
            base_url: base.into(),
            ..Options::default()
        };
        let anna = Client::of(&FakeAtlassian::new(super::world::sites(), options), ANNA);
        let file = anna.searched("type = attachment", 1, "").await[0].clone();
        let location = anna
            .get(&format!(
                "/wiki{}",
                file["_links"]["download"].as_str().expect("a link")
            ))
            .await;
        assert!(
            location.header("location").starts_with(media),
            "{}",
            location.header("location")
        );
    }
}

#[tokio::test]
async fn a_spent_quota_answers_429_with_every_header_until_the_hour_turns() {
    let fake = FakeAtlassian::new(
        super::world::sites(),
        Options {
            quota_points: 10,
            ..Options::default()
        },
    );
    let anna = Client::of(&fake, ANNA);
    let first = anna.get("/wiki/api/v2/pages?limit=250").await;
    assert_eq!((first.status, first.header("x-ratelimit-limit")), (200, "10"));
    let second = anna.get("/wiki/api/v2/pages?limit=250").await;
    assert_eq!(second.header("x-ratelimit-nearlimit"), "true");
    let refused = anna.get("/wiki/api/v2/spaces").await;
    assert_eq!(refused.status, 429);
    for name in [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-nearlimit",
        "ratelimit-reason",
        "ratelimit-policy",
        "ratelimit",
    ] {
        assert_ne!(refused.header(name), "", "{name}");
    }
    let wait: i64 = refused.header("retry-after").parse().expect("seconds");
    world(&fake, "clock", json!({ "advance_seconds": wait })).await;
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 200);
    let log = sent(&fake, "GET", "/_world/log", &[], "").await.json();
    assert_eq!(log[0]["points"], 7, "one for the call, one for each of six pages");
}

#[tokio::test]
async fn limits_sorts_cursors_and_queries_that_are_wrong_are_refused_with_the_reason() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    for path in [
        "/wiki/api/v2/pages?limit=0",
        "/wiki/api/v2/pages?limit=251",
        "/wiki/api/v2/pages?limit=many",
        "/wiki/api/v2/pages?sort=colour",
        "/wiki/api/v2/pages?cursor=nonsense",
        "/wiki/api/v2/pages?body-format=view",
        "/wiki/api/v2/pages?space-id=ENG",
        "/wiki/api/v2/pages/x",
        "/wiki/api/v2/spaces?status=lost",
        "/wiki/rest/api/content/search?cql=colour+%3D+red",
        "/wiki/rest/api/content/search?cql=lastmodified+%3E+%22someday%22",
        "/wiki/rest/api/content/search",
    ] {
        let seen = anna.get(path).await;
        assert_eq!(seen.status, 400, "{path}");
        assert!(seen.json().is_object(), "{path}");
    }
}

#[tokio::test]
async fn what_shall_go_wrong_goes_wrong_and_can_be_stopped() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let scripted = json!({ "next_n": { "path": "/spaces", "n": 2, "status": 429, "body": "{\"oops\":", "headers": { "Retry-After": "7" } } });
    world(&fake, "faults", scripted).await;
    assert_eq!(anna.get("/wiki/api/v2/pages").await.status, 200);
    for _ in 0..2 {
        let seen = anna.get("/wiki/api/v2/spaces").await;
        assert_eq!(
            (seen.status, seen.header("retry-after"), &seen.body[..]),
            (429, "7", &b"{\"oops\":"[..])
        );
    }
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 200);
    world(&fake, "faults", json!({ "fail_rate": 1.0, "fail_status": 504 })).await;
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 504);
    world(&fake, "faults", json!({ "clear": true, "cut_rate": 1.0 })).await;
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 502);
    world(&fake, "faults", json!({ "clear": true, "duplicate_rate": 1.0 })).await;
    let rows = ids(&anna.all("/wiki/api/v2/spaces").await);
    assert_eq!(rows.len(), 3);
    world(&fake, "faults", json!({ "clear": true, "vanish_rate": 1.0 })).await;
    assert_eq!(anna.all("/wiki/api/v2/spaces").await.len(), 1);
    world(&fake, "faults", json!({ "clear": true })).await;
    let next = anna.get("/wiki/api/v2/pages?limit=2").await.json()["_links"]["next"]
        .as_str()
        .expect("a next page")
        .to_owned();
    world(&fake, "faults", json!({ "expire_cursors": true })).await;
    assert_eq!(anna.get(&next).await.status, 400);
    let refused = sent(&fake, "POST", "/_world/faults", &[], r#"{"fail_rate": 2}"#).await;
    assert_eq!(refused.status, 400);
    let refused = sent(&fake, "POST", "/_world/faults", &[], r#"{"fail_rat": 1}"#).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn an_answer_that_is_cut_ends_in_the_middle_on_the_wire() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let fake = acme();
    let token = fake.token_for(ANNA);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(fake.clone().serve(listener, async {
        let _ = stopped.await;
    }));
    let request = format!(
        "GET /ex/confluence/{ACME}/wiki/api/v2/pages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    let mut seen = Vec::new();
    for cut in [false, true] {
        world(&fake, "faults", json!({ "cut_rate": f64::from(u8::from(cut)) })).await;
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        seen.push(String::from_utf8_lossy(&answer).into_owned());
    }
    assert!(
        seen[0].starts_with("HTTP/1.1 200") && seen[0].ends_with('}'),
        "{}",
        seen[0]
    );
    assert!(
        seen[1].starts_with("HTTP/1.1 200") && !seen[1].trim_end().ends_with("0"),
        "{}",
        seen[1]
    );
    assert!(seen[1].len() < seen[0].len());
    stop.send(()).expect("it serves");
    serving.await.expect("it ends").expect("well");
}
