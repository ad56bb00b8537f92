//! From the authorize page to the first listing, as an app goes.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::world::{ACME, ANNA, BERT, Client, OTHER, Seen, acme, sent, sites, world};
use crate::{FakeAtlassian, Options, seed::SeedPerson};

const BACK: &str = "http://localhost:4567/callback?from=here";

fn authorize_query(scope: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("audience", "api.atlassian.com")
        .append_pair("client_id", "circuit")
        .append_pair("scope", scope)
        .append_pair("redirect_uri", BACK)
        .append_pair("state", "a \"state\"")
        .append_pair("response_type", "code")
        .append_pair("prompt", "consent")
        .finish()
}

async fn pressed(fake: &FakeAtlassian, action: &str, account: &str, scope: &str, sites: &[&str]) -> Seen {
    let mut form = form_urlencoded::Serializer::new(authorize_query(scope));
    form.append_pair("action", action).append_pair("account", account);
    for site in sites {
        form.append_pair("site", site);
    }
    sent(fake, "POST", "/authorize", &[], &form.finish()).await
}

async fn exchanged(fake: &FakeAtlassian, more: Value) -> Seen {
    let mut asked = json!({ "client_id": "circuit", "client_secret": "circuit-secret" });
    for (name, value) in more.as_object().expect("an object") {
        asked[name] = value.clone();
    }
    sent(
        fake,
        "POST",
        "/oauth/token",
        &[("content-type", "application/json")],
        &asked.to_string(),
    )
    .await
}

/// An access token by way of the page.
pub async fn connected(fake: &FakeAtlassian, account: &str, scope: &str, sites: &[&str]) -> String {
    let back = pressed(fake, "accept", account, scope, sites).await;
    assert_eq!(back.status, 302);
    let back = url::Url::parse(back.header("location")).expect("an address");
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1
        .into_owned();
    let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": BACK });
    let answer = exchanged(fake, more).await.json();
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_person_accepts_and_the_app_lists_the_sites_and_spaces_they_ticked() {
    let fake = acme();
    let shown = sent(
        &fake,
        "GET",
        &format!("/authorize?{}", authorize_query("read:space:confluence")),
        &[],
        "",
    )
    .await;
    let html = String::from_utf8_lossy(&shown.body).into_owned();
    assert_eq!(shown.status, 200);
    for part in [
        "Anna",
        "acme.atlassian.net",
        "<code>read:space:confluence</code>",
        "a &quot;state&quot;",
        "Accept",
        "Cancel",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let token = connected(&fake, ANNA, "read:space:confluence", &[ACME]).await;
    let bearer = format!("Bearer {token}");
    let sites = sent(
        &fake,
        "GET",
        "/oauth/token/accessible-resources",
        &[("authorization", &bearer)],
        "",
    )
    .await
    .json();
    assert_eq!(sites.as_array().expect("sites").len(), 1);
    assert_eq!(sites[0]["id"], ACME);
    assert_eq!(sites[0]["scopes"], json!(["read:space:confluence"]));
    let anna = Client {
        token,
        ..Client::of(&fake, ANNA)
    };
    assert_eq!(anna.all("/wiki/api/v2/spaces").await.len(), 2);
    // Another consent adds a site and overrides the scopes of the token already given.
    connected(&fake, ANNA, "read:page:confluence", &[OTHER]).await;
    let sites = sent(
        &fake,
        "GET",
        "/oauth/token/accessible-resources",
        &[("authorization", &bearer)],
        "",
    )
    .await
    .json();
    assert_eq!(sites.as_array().expect("sites").len(), 2);
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 401);
    world(&fake, "revoke-consent", json!({ "account": ANNA })).await;
    assert_eq!(
        anna.get("/wiki/api/v2/pages").await.json(),
        json!({ "code": 401, "message": "Unauthorized" })
    );
}

#[tokio::test]
async fn cancel_leads_back_with_an_error_and_the_state_and_an_admin_block_leads_nowhere() {
    let fake = acme();
    let back = pressed(&fake, "cancel", ANNA, "read:space:confluence", &[ACME]).await;
    assert_eq!(back.status, 302);
    let location = back.header("location");
    assert!(
        location.starts_with("http://localhost:4567/callback?from=here&error=access_denied"),
        "{location}"
    );
    assert!(location.ends_with("state=a+%22state%22"), "{location}");
    world(&fake, "block-site", json!({ "cloud_id": ACME })).await;
    let blocked = pressed(&fake, "accept", ANNA, "read:space:confluence", &[ACME]).await;
    assert_eq!(blocked.status, 200);
    let html = String::from_utf8_lossy(&blocked.body).into_owned();
    assert!(
        html.contains("Your site admin must authorize this app for the site &#39;acme.atlassian.net&#39;"),
        "{html}"
    );
    let address = format!(
        "https://auth.example/authorize?{}",
        authorize_query("read:space:confluence")
    );
    assert!(
        fake.consent(&address, ANNA)
            .await
            .expect_err("blocked")
            .contains("site admin")
    );
    world(&fake, "unblock-site", json!({ "cloud_id": ACME })).await;
    let (_, state) = fake.consent(&address, ANNA).await.expect("a code");
    assert_eq!(state, "a \"state\"");
}

#[tokio::test]
async fn an_authorize_address_that_is_wrong_shows_an_error_page() {
    let fake = acme();
    for (right, wrong) in [
        ("client_id=circuit", "client_id=other"),
        ("response_type=code", "response_type=token"),
        ("redirect_uri=http", "redirect_uri=ftp"),
        ("audience=api.atlassian.com", "audience=elsewhere"),
    ] {
        let query = authorize_query("read:space:confluence").replace(right, wrong);
        let shown = sent(&fake, "GET", &format!("/authorize?{query}"), &[], "").await;
        assert_eq!((shown.status, shown.header("location")), (400, ""), "{wrong}");
    }
}

#[tokio::test]
async fn tokens_rotate_by_form_as_well_and_the_clock_makes_them_expire() {
    let fake = acme();
    let back = pressed(&fake, "accept", ANNA, "offline_access read:space:confluence", &[ACME]).await;
    let back = url::Url::parse(back.header("location")).expect("an address");
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1
        .into_owned();
    let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": BACK });
    let first = exchanged(&fake, more).await.json();
    assert_eq!(first["expires_in"], 3600);
    let anna = Client {
        token: first["access_token"].as_str().expect("a token").into(),
        ..Client::of(&fake, ANNA)
    };
    world(&fake, "clock", json!({ "advance_minutes": 61 })).await;
    assert_eq!(anna.get("/wiki/api/v2/spaces").await.status, 401);
    let refresh = first["refresh_token"].as_str().expect("a token");
    let form =
        format!("grant_type=refresh_token&client_id=circuit&client_secret=circuit-secret&refresh_token={refresh}");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let second = sent(&fake, "POST", "/oauth/token", &kind, &form).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.json()["refresh_token"], first["refresh_token"]);
    world(&fake, "clock", json!({ "advance_minutes": 11 })).await;
    world(&fake, "faults", json!({ "refresh_error": "invalid_grant" })).await;
    let dead = sent(&fake, "POST", "/oauth/token", &kind, &form).await;
    let expected = json!({ "error": "invalid_grant", "error_description": "Unknown or invalid refresh token." });
    assert_eq!((dead.status, dead.json()), (403, expected));
}

#[tokio::test]
async fn a_person_can_open_only_their_own_sites_to_the_app() {
    let fake = acme();
    let token = connected(&fake, BERT, "read:space:confluence", &[ACME, OTHER]).await;
    let bearer = format!("Bearer {token}");
    let sites = sent(
        &fake,
        "GET",
        "/oauth/token/accessible-resources",
        &[("authorization", &bearer)],
        "",
    )
    .await
    .json();
    assert_eq!(sites.as_array().expect("sites").len(), 1);
    let refused = pressed(&fake, "accept", BERT, "read:space:confluence", &[OTHER]).await;
    assert_eq!((refused.status, refused.header("location")), (200, ""));
    world(&fake, "deactivate", json!({ "account": BERT })).await;
    let refused = pressed(&fake, "accept", BERT, "read:space:confluence", &[ACME]).await;
    assert!(String::from_utf8_lossy(&refused.body).contains("deactivated"));
    let bert = Client {
        token,
        ..Client::of(&fake, BERT)
    };
    assert_eq!(bert.get("/wiki/api/v2/spaces").await.status, 404);
}

#[tokio::test]
async fn an_author_of_one_site_keeps_the_name_they_have_on_another() {
    let mut sites = sites();
    sites[0].people.retain(|person| person.account_id != BERT);
    sites[1].people.push(SeedPerson {
        account_id: BERT.into(),
        name: "Bert".into(),
        active: true,
        ..SeedPerson::default()
    });
    sites[0].spaces[0].pages[0].editor = "712020:gone".into();
    let fake = FakeAtlassian::new(sites, Options::default());
    let named = |account: &str| {
        fake.people()
            .into_iter()
            .find(|person| person.account_id == account)
            .map(|person| (person.name, person.active))
    };
    assert_eq!(named(BERT), Some(("Bert".into(), true)));
    assert_eq!(named("712020:gone"), Some(("Former user".into(), false)));
}
