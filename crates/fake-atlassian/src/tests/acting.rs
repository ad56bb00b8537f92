//! What people do in Confluence and how it looks to a reader afterwards.

use serde_json::json;

use super::world::{ANNA, BERT, Client, acme, ids, sent, titles, truth, world};

#[tokio::test]
async fn a_move_changes_the_parent_and_no_version_and_a_circle_is_refused() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let (release, details) = (
        anna.page_id("Release notes").await,
        anna.page_id("Secret details").await,
    );
    world(&fake, "move", json!({ "title": "Secret details", "parent": release })).await;
    let moved = anna.get(&format!("/wiki/api/v2/pages/{details}")).await.json();
    assert_eq!(moved["parentId"], json!(release));
    assert_eq!(moved["version"]["number"], 2);
    let bert = Client::of(&fake, BERT);
    assert_eq!(
        bert.get(&format!("/wiki/api/v2/pages/{details}")).await.status,
        200,
        "nothing above hides it now"
    );
    let circle = json!({ "id": release, "parent": details }).to_string();
    assert_eq!(sent(&fake, "POST", "/_world/move", &[], &circle).await.status, 400);
    world(&fake, "move", json!({ "id": release, "to_space": "OPS" })).await;
    let moved: Vec<String> = truth(&fake, ANNA, "OPS")
        .await
        .iter()
        .map(|row| row["kind"].as_str().expect("a kind").to_owned())
        .collect();
    assert_eq!(moved.iter().filter(|kind| *kind == "page").count(), 3);
    assert_eq!(moved.iter().filter(|kind| *kind == "comment").count(), 4);
    assert_eq!(moved.iter().filter(|kind| *kind == "attachment").count(), 1);
    assert!(bert.get(&format!("/wiki/api/v2/pages/{release}")).await.status == 404);
}

#[tokio::test]
async fn a_trashed_page_leaves_its_children_to_its_parent_and_comes_back_when_restored() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let (home, secret, details) = (
        anna.page_id("Home").await,
        anna.page_id("Secret plans").await,
        anna.page_id("Secret details").await,
    );
    world(&fake, "trash", json!({ "id": secret })).await;
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/pages/{details}")).await.json()["parentId"],
        json!(home)
    );
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/pages/{secret}")).await.json()["status"],
        "trashed"
    );
    assert!(!ids(&truth(&fake, ANNA, "ENG").await).contains(&secret));
    world(&fake, "restore", json!({ "id": secret })).await;
    assert!(ids(&truth(&fake, ANNA, "ENG").await).contains(&secret));
    world(&fake, "purge", json!({ "id": secret })).await;
    assert_eq!(anna.get(&format!("/wiki/api/v2/pages/{secret}")).await.status, 404);
}

#[tokio::test]
async fn an_edit_a_comment_and_a_new_file_are_seen_at_once() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let edited = world(
        &fake,
        "edit",
        json!({ "title": "Home", "body": "<p>New words</p>", "account": BERT }),
    )
    .await;
    assert_eq!(edited["version"], 3);
    let newest = anna
        .get("/wiki/api/v2/pages?sort=-modified-date&limit=1&body-format=storage")
        .await
        .json();
    assert_eq!(newest["results"][0]["body"]["storage"]["value"], "<p>New words</p>");
    assert_eq!(newest["results"][0]["version"]["authorId"], BERT);
    let comment = world(&fake, "comment", json!({ "title": "Home", "body": "<p>Nice</p>" })).await;
    let reply = world(
        &fake,
        "comment",
        json!({ "reply_to": comment["id"], "body": "<p>Thanks</p>" }),
    )
    .await;
    let home = anna.page_id("Home").await;
    let roots = anna.all(&format!("/wiki/api/v2/pages/{home}/footer-comments")).await;
    assert_eq!(ids(&roots), [comment["id"].as_str().expect("an id")]);
    let replies = anna
        .all(&format!(
            "/wiki/api/v2/footer-comments/{}/children",
            comment["id"].as_str().expect("an id")
        ))
        .await;
    assert_eq!(ids(&replies), [reply["id"].as_str().expect("an id")]);
    for (text, version) in [("one", 1), ("two", 2)] {
        let attached = world(
            &fake,
            "attach",
            json!({ "title": "Home", "file_name": "a.txt", "text": text }),
        )
        .await;
        assert_eq!(attached["version"], version);
    }
    world(&fake, "rename", json!({ "title": "Home", "to": "Front door" })).await;
    assert_eq!(
        titles(&anna.searched(r#"title = "front door""#, 5, "").await),
        ["Front door"]
    );
    world(&fake, "delete-space", json!({ "space": "ENG" })).await;
    assert_eq!(anna.get(&format!("/wiki/api/v2/pages/{home}")).await.status, 404);
}

#[tokio::test]
async fn a_search_finds_by_words_labels_people_times_and_place() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let home = anna.page_id("Home").await;
    for (cql, found) in [
        (
            r#"text ~ "about release" and type = page"#.to_owned(),
            vec!["Release notes"],
        ),
        (
            r#"title ~ "secret*" and type = page"#.to_owned(),
            vec!["Secret plans", "Secret details"],
        ),
        ("label = release".to_owned(), vec!["Release notes"]),
        (
            format!("ancestor = {home} and not title ~ secret and type = page"),
            vec!["Release notes"],
        ),
        (
            r#"type in (page, blogpost) and creator = currentUser() and space in ("OPS", "HR")"#.to_owned(),
            vec!["Runbook"],
        ),
        (
            r#"type = blogpost and lastmodified >= "2025-06-15 15:07""#.to_owned(),
            vec!["We have moved"],
        ),
        (
            r#"type = blogpost and lastmodified > "2025-06-15 15:07""#.to_owned(),
            vec![],
        ),
        (r#"type = page and lastmodified > now("-1d")"#.to_owned(), vec![]),
        ("type = page and space.type = collaboration".to_owned(), vec!["Runbook"]),
        (
            r#"space = ENG and type = page order by title desc"#.to_owned(),
            vec!["Secret plans", "Secret details", "Release notes", "Home"],
        ),
    ] {
        let rows = anna.searched(&cql, 3, "").await;
        assert_eq!(titles(&rows), found, "{cql}");
    }
    let comments = anna
        .searched(
            r#"space="ENG" and type=comment"#,
            50,
            "body.storage,container,ancestors,extensions.inlineProperties,extensions.resolution",
        )
        .await;
    let reply = comments
        .iter()
        .find(|row| row["body"]["storage"]["value"] == "<p>Done</p>")
        .expect("the reply");
    assert_eq!(reply["container"]["title"], "Release notes");
    assert_eq!(reply["ancestors"].as_array().expect("ancestors").len(), 1);
    let inline = comments
        .iter()
        .find(|row| row["extensions"]["resolution"]["status"] == "resolved")
        .expect("an inline comment");
    assert_eq!(
        inline["extensions"]["inlineProperties"]["originalSelection"],
        "All about"
    );
}

#[tokio::test]
async fn the_labels_in_use_in_a_space_are_those_of_what_the_reader_sees() {
    let fake = acme();
    let (anna, bert) = (Client::of(&fake, ANNA), Client::of(&fake, BERT));
    world(&fake, "label", json!({ "title": "Secret plans", "labels": ["hush"] })).await;
    let space = anna.all("/wiki/api/v2/spaces?keys=ENG").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/wiki/api/v2/spaces/{space}/content/labels?limit=1");
    let names = |rows: Vec<serde_json::Value>| -> Vec<String> {
        rows.iter()
            .map(|row| row["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(anna.all(&path).await), ["hush", "release"]);
    assert_eq!(names(bert.all(&path).await), ["release"]);
    let found = bert
        .searched(
            r#"space="ENG" and type in (page,blogpost) and label in ("release","hush") order by created asc"#,
            10,
            "space,metadata.labels",
        )
        .await;
    assert_eq!(titles(&found), ["Release notes"]);
    assert_eq!(found[0]["metadata"]["labels"]["results"][0]["name"], "release");
    assert_eq!(found[0]["space"]["id"].to_string(), space);
}
