//! Who sees what.

use serde_json::json;

use super::world::{ANNA, BERT, CARA, Client, OTHER, acme, ids, titles, truth, world};

#[tokio::test]
async fn a_restriction_hides_the_page_everything_below_it_and_what_belongs_to_it() {
    let fake = acme();
    let (anna, bert) = (Client::of(&fake, ANNA), Client::of(&fake, BERT));
    let space = anna.all("/wiki/api/v2/spaces?keys=ENG").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let pages = format!("/wiki/api/v2/spaces/{space}/pages?status=current&sort=id");
    assert_eq!(
        titles(&anna.all(&pages).await),
        ["Home", "Release notes", "Secret plans", "Secret details"]
    );
    assert_eq!(titles(&bert.all(&pages).await), ["Home", "Release notes"]);
    let secret = anna.page_id("Secret plans").await;
    let details = anna.page_id("Secret details").await;
    for id in [&secret, &details] {
        let missing = bert.get(&format!("/wiki/api/v2/pages/{id}")).await;
        assert_eq!(missing.status, 404);
        assert_eq!(
            missing.json()["errors"][0]["title"],
            format!("Cannot find a page with id [{id}]")
        );
    }
    let comments = r#"space="ENG" and type=comment"#;
    assert_eq!(
        anna.searched(comments, 100, "").await.len() - 1,
        bert.searched(comments, 100, "").await.len()
    );
    let own = anna
        .get(&format!(
            "/wiki/rest/api/content/{details}/restriction/byOperation/read"
        ))
        .await
        .json();
    assert_eq!(
        own["restrictions"]["user"]["size"], 0,
        "what is inherited is the ancestor's to tell"
    );
    let named = anna
        .get(&format!("/wiki/rest/api/content/{secret}/restriction/byOperation/read"))
        .await
        .json();
    assert_eq!(named["restrictions"]["user"]["results"][0]["accountId"], ANNA);
}

#[tokio::test]
async fn a_space_is_seen_by_whoever_its_permissions_name() {
    let fake = acme();
    let (bert, cara) = (Client::of(&fake, BERT), Client::of(&fake, CARA));
    assert_eq!(bert.all("/wiki/api/v2/spaces").await.len(), 1);
    assert_eq!(cara.all("/wiki/api/v2/spaces").await.len(), 2);
    let id = cara.all("/wiki/api/v2/spaces?keys=OPS").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(bert.get(&format!("/wiki/api/v2/spaces/{id}/pages")).await.status, 404);
    world(&fake, "grant", json!({ "space": "OPS", "accounts": [BERT] })).await;
    assert_eq!(bert.get(&format!("/wiki/api/v2/spaces/{id}/pages")).await.status, 200);
    world(&fake, "revoke", json!({ "space": "OPS", "groups": ["operators"] })).await;
    assert_eq!(cara.get(&format!("/wiki/api/v2/spaces/{id}")).await.status, 404);
    world(&fake, "revoke", json!({ "space": "ENG", "accounts": [CARA] })).await;
    assert!(cara.all("/wiki/api/v2/spaces").await.is_empty());
    assert!(truth(&fake, CARA, "ENG").await.is_empty());
}

#[tokio::test]
async fn listings_leave_out_the_trash_and_drafts_and_the_search_leaves_out_the_archive() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let listed = titles(&anna.all("/wiki/api/v2/pages?sort=id").await);
    assert!(listed.contains(&"Old ways".to_owned()));
    assert!(!listed.contains(&"Thrown away".to_owned()) && !listed.contains(&"Half written".to_owned()));
    let found = titles(&anna.searched("type = page", 50, "").await);
    assert!(!found.contains(&"Old ways".to_owned()));
    assert_eq!(anna.get("/wiki/api/v2/pages?status=draft").await.status, 400);
    let trashed = anna.all("/wiki/api/v2/pages?status=trashed").await;
    let by_id = anna
        .get(&format!(
            "/wiki/api/v2/pages/{}",
            trashed[0]["id"].as_str().expect("an id")
        ))
        .await;
    assert_eq!((by_id.status, by_id.json()["parentId"].is_null()), (200, true));
}

#[tokio::test]
async fn an_account_outside_the_site_is_refused_and_an_unauthorized_site_answers_as_to_nobody() {
    let fake = acme();
    let mut bert = Client::of(&fake, BERT);
    bert.cloud_id = OTHER.into();
    assert_eq!(bert.get("/wiki/rest/api/user/current").await.status, 403);
    assert_eq!(
        bert.get("/wiki/api/v2/spaces").await.json()["errors"][0]["title"],
        "Not Found"
    );
    let anna = Client::of(&fake, ANNA);
    let id = anna.page_id("Home").await;
    let granted = super::journeys::connected(&fake, ANNA, "read:space:confluence read:page:confluence", &[OTHER]).await;
    let stranger = Client {
        token: granted,
        ..Client::of(&fake, ANNA)
    };
    for cloud_id in [
        stranger.cloud_id.clone(),
        "33333333-3333-4333-8333-333333333333".to_owned(),
    ] {
        let stranger = Client {
            cloud_id,
            token: stranger.token.clone(),
            ..Client::of(&fake, ANNA)
        };
        assert!(stranger.all("/wiki/api/v2/spaces").await.is_empty());
        assert_eq!(stranger.get(&format!("/wiki/api/v2/pages/{id}")).await.status, 404);
    }
}

#[tokio::test]
async fn ids_convert_to_types_and_to_null_when_hidden_or_unknown() {
    let fake = acme();
    let (anna, bert) = (Client::of(&fake, ANNA), Client::of(&fake, BERT));
    let secret = anna.page_id("Secret plans").await;
    let home = anna.page_id("Home").await;
    let asked = json!({ "contentIds": [secret, home, "5"] });
    let seen = bert
        .post("/wiki/api/v2/content/convert-ids-to-types", &asked)
        .await
        .json();
    assert!(seen["results"][&secret].is_null() && seen["results"]["5"].is_null());
    assert_eq!(seen["results"][&home], "page");
}

#[tokio::test]
async fn the_space_id_parameter_must_be_spelled_with_a_hyphen() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let space = anna.all("/wiki/api/v2/spaces?keys=OPS").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let right = anna.all(&format!("/wiki/api/v2/pages?space-id={space}")).await;
    let ignored = anna.all(&format!("/wiki/api/v2/pages?spaceId={space}")).await;
    assert_eq!(titles(&right), ["Runbook"]);
    assert_eq!(ids(&ignored), ids(&anna.all("/wiki/api/v2/pages").await));
}
