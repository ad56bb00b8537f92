//! How an app loses what it was let do, and how each loss looks.

use serde_json::{Value, json};

use super::world::{ACME, ANNA, Client, OTHER, Seen, acme, sent};
use crate::FakeAtlassian;

const SCOPES: &str = "offline_access read:space:confluence read:page:confluence read:confluence-user";

/// An app with tokens of Anna's for both of her sites.
struct App {
    fake: FakeAtlassian,
    access: String,
    refresh: String,
}

impl App {
    async fn connected(fake: &FakeAtlassian) -> Self {
        let address = url::Url::parse_with_params(
            "http://atlassian.test/authorize",
            [
                ("audience", "api.atlassian.com"),
                ("client_id", "circuit"),
                ("scope", SCOPES),
                ("redirect_uri", "http://localhost/back"),
                ("state", "s"),
                ("response_type", "code"),
            ],
        );
        let (code, _) = fake
            .consent(address.expect("an address").as_str(), ANNA)
            .await
            .expect("a code");
        let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost/back" });
        let tokens = exchanged(fake, more).await.json();
        let word = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        Self {
            fake: fake.clone(),
            access: word("access_token"),
            refresh: word("refresh_token"),
        }
    }

    async fn refreshed(&self) -> Seen {
        exchanged(
            &self.fake,
            json!({ "grant_type": "refresh_token", "refresh_token": self.refresh }),
        )
        .await
    }

    fn refresh_lives(&self) -> bool {
        self.fake.refresh_token_lives(&self.refresh)
    }

    async fn get(&self, path: &str) -> Seen {
        let client = Client {
            token: self.access.clone(),
            ..Client::of(&self.fake, ANNA)
        };
        client.get(path).await
    }

    async fn sites(&self) -> Vec<String> {
        let bearer = format!("Bearer {}", self.access);
        let seen = sent(
            &self.fake,
            "GET",
            "/oauth/token/accessible-resources",
            &[("authorization", &bearer)],
            "",
        )
        .await;
        let id = |site: &Value| site["id"].as_str().expect("an id").to_owned();
        seen.json()
            .as_array()
            .map(|sites| sites.iter().map(id).collect())
            .unwrap_or_default()
    }

    fn does(&self, name: &str, body: Value) {
        self.fake.control(name, body).expect("done");
    }
}

async fn exchanged(fake: &FakeAtlassian, more: Value) -> Seen {
    let mut asked = json!({ "client_id": "circuit", "client_secret": "circuit-secret" });
    for (name, value) in more.as_object().expect("an object") {
        asked[name] = value.clone();
    }
    sent(fake, "POST", "/oauth/token", &[], &asked.to_string()).await
}

const SPACES: &str = "/wiki/api/v2/spaces";

#[tokio::test]
async fn a_person_takes_the_app_back_at_once_or_with_an_hour_left() {
    let app = App::connected(&acme()).await;
    app.does("revoke-grant", json!({ "account": ANNA, "linger": true }));
    assert_eq!(app.get(SPACES).await.status, 200, "an access token lives out its hour");
    assert!(!app.refresh_lives());
    assert_eq!(app.refreshed().await.status, 403);
    app.does("clock", json!({ "advance_minutes": 61 }));
    assert_eq!(app.get(SPACES).await.status, 401);
    let app = App::connected(&app.fake).await;
    app.does("revoke-grant", json!({ "account": ANNA }));
    assert_eq!((app.get(SPACES).await.status, app.refreshed().await.status), (401, 403));
    assert!(app.sites().await.is_empty());
}

#[tokio::test]
async fn an_admin_removes_the_app_from_a_site_which_then_answers_as_to_nobody() {
    let app = App::connected(&acme()).await;
    assert_eq!(app.sites().await, [ACME, OTHER]);
    app.does("remove-app", json!({ "cloud_id": ACME }));
    assert_eq!(app.sites().await, [OTHER]);
    let spaces = app.get(SPACES).await;
    assert_eq!((spaces.status, spaces.json()["results"].clone()), (200, json!([])));
    let user = app.get("/wiki/rest/api/user/current").await.json();
    assert_eq!(user["type"], "anonymous");
    assert!(app.refresh_lives(), "the grant lives on for the other site");
    let again = App::connected(&app.fake).await;
    assert_eq!(
        again.get(SPACES).await.json()["results"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_blocked_site_may_answer_tokens_that_are_there_as_nobodys() {
    let app = App::connected(&acme()).await;
    app.does("block-site", json!({ "cloud_id": ACME }));
    assert_eq!(
        app.get(SPACES).await.json()["results"].as_array().map(Vec::len),
        Some(2)
    );
    app.does("block-site", json!({ "cloud_id": ACME, "anonymous": true }));
    assert_eq!(app.get(SPACES).await.json()["results"], json!([]));
    assert_eq!(app.sites().await, [ACME, OTHER], "it is still listed");
    app.does("unblock-site", json!({ "cloud_id": ACME }));
    assert_eq!(
        app.get(SPACES).await.json()["results"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_person_who_lost_confluence_is_told_so_by_v1_and_finds_nothing_in_v2() {
    let app = App::connected(&acme()).await;
    app.does("lose-access", json!({ "account": ANNA }));
    let user = app.get("/wiki/rest/api/user/current").await;
    assert_eq!(user.status, 403);
    let message = user.json()["message"].as_str().expect("a message").to_owned();
    assert!(
        message.ends_with("Current user not permitted to use Confluence"),
        "{message}"
    );
    let spaces = app.get(SPACES).await;
    assert_eq!(
        (spaces.status, spaces.json()["errors"][0]["title"].clone()),
        (404, json!("Not Found"))
    );
    assert_eq!(
        app.sites().await,
        [ACME, OTHER],
        "the list of sites says nothing about permissions"
    );
    assert!(app.fake.truth(ANNA, ACME, "ENG").is_empty());
    app.does("regain-access", json!({ "account": ANNA }));
    assert_eq!(app.get(SPACES).await.status, 200);
}

#[tokio::test]
async fn a_later_consent_with_other_scopes_overrides_those_of_the_tokens() {
    let app = App::connected(&acme()).await;
    app.does(
        "override-scopes",
        json!({ "account": ANNA, "scopes": ["offline_access", "read:confluence-user"] }),
    );
    let spaces = app.get(SPACES).await;
    assert_eq!(
        (spaces.status, spaces.header("x-failure-category")),
        (401, "FAILURE_CLIENT_SCOPE_CHECK")
    );
    let refreshed = app.refreshed().await;
    assert_eq!(refreshed.json()["scope"], "offline_access read:confluence-user");
}

#[tokio::test]
async fn a_secret_that_was_changed_is_the_operators_error_and_costs_no_token() {
    let app = App::connected(&acme()).await;
    app.does("client-secret", json!({ "secret": "another" }));
    let refused = app.refreshed().await;
    let expected = json!({ "error": "access_denied", "error_description": "Unauthorized" });
    assert_eq!((refused.status, refused.json()), (401, expected));
    assert!(app.refresh_lives());
    app.does("client-secret", json!({ "secret": "circuit-secret" }));
    assert_eq!(app.refreshed().await.status, 200);
}

#[tokio::test]
async fn refresh_tokens_die_after_ninety_idle_days_and_after_a_year_however_well_they_are_used() {
    let mut app = App::connected(&acme()).await;
    for _ in 0..4 {
        app.does("clock", json!({ "advance_days": 89 }));
        assert!(app.refresh_lives());
        app.refresh = app.refreshed().await.json()["refresh_token"]
            .as_str()
            .expect("a token")
            .to_owned();
    }
    app.does("clock", json!({ "advance_days": 10 }));
    assert!(!app.refresh_lives(), "366 days");
    assert_eq!(app.refreshed().await.status, 403);
    let app = App::connected(&app.fake).await;
    app.does("clock", json!({ "advance_days": 91 }));
    assert_eq!((app.refresh_lives(), app.refreshed().await.status), (false, 403));
}
