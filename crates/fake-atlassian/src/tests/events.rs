//! What happens to spaces, pages and what is on them, and all that a mirror could notice of it.

use std::sync::{Arc, atomic::AtomicI64};

use serde_json::{Value, json};

use super::world::{ANNA, BERT, Client, acme, ids, titles};
use crate::{FakeAtlassian, Kind, Options, TruthRow};

fn done(fake: &FakeAtlassian, name: &str, body: Value) -> Value {
    fake.control(name, body.clone())
        .unwrap_or_else(|reason| panic!("{name} {body}: {reason}"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn seen(fake: &FakeAtlassian, account: &str, space: &str) -> Vec<TruthRow> {
    let cloud_id = fake.sites()[0].cloud_id.clone();
    fake.truth(account, &cloud_id, space)
}

async fn space_id(client: &Client, key: &str) -> String {
    text(&client.all(&format!("/wiki/api/v2/spaces?keys={key}")).await[0]["id"])
}

#[tokio::test]
async fn an_archived_page_keeps_its_children_and_comes_back_where_it_was() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let (secret, details) = (anna.page_id("Secret plans").await, anna.page_id("Secret details").await);
    done(&fake, "archive", json!({ "id": secret }));
    let path = format!("/wiki/api/v2/pages/{secret}");
    let archived = anna.get(&path).await.json();
    assert_eq!(
        (archived["status"].as_str(), archived["version"]["number"].as_u64()),
        (Some("archived"), Some(2))
    );
    assert!(archived["parentId"].is_string());
    let child = anna.get(&format!("/wiki/api/v2/pages/{details}")).await.json();
    assert_eq!(
        (&child["parentId"], &child["status"]),
        (&json!(secret), &json!("current"))
    );
    let listed = |rows: &[Value]| ids(rows).contains(&secret);
    assert!(listed(&anna.all("/wiki/api/v2/pages").await));
    assert!(!listed(&anna.all("/wiki/api/v2/pages?status=current").await));
    assert!(!listed(&anna.searched("type = page", 50, "").await));
    let psst = |rows: &[TruthRow]| rows.iter().any(|row| row.container.as_ref() == Some(&secret));
    assert!(!psst(&seen(&fake, ANNA, "ENG")));
    done(&fake, "unarchive", json!({ "id": secret }));
    assert_eq!(anna.get(&path).await.json()["parentId"], archived["parentId"]);
    assert!(psst(&seen(&fake, ANNA, "ENG")));
}

#[tokio::test]
async fn a_page_restored_from_the_trash_stands_at_the_top_of_its_space_with_its_version() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let release = anna.page_id("Release notes").await;
    let before = seen(&fake, ANNA, "ENG");
    done(&fake, "trash", json!({ "id": release }));
    let ids_of = |rows: &[TruthRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(
        before.len() - seen(&fake, ANNA, "ENG").len(),
        6,
        "with four comments and a file"
    );
    let trashed = anna.all("/wiki/api/v2/pages?status=trashed").await;
    assert!(ids(&trashed).contains(&release));
    let by_id = anna
        .all(&format!(
            "/wiki/api/v2/pages?id={release}&status=current,archived,trashed"
        ))
        .await;
    assert_eq!(by_id[0]["status"], "trashed");
    done(&fake, "restore", json!({ "id": release }));
    let page = anna.get(&format!("/wiki/api/v2/pages/{release}")).await.json();
    assert!(page["parentId"].is_null() && page["version"]["number"] == 2 && page["status"] == "current");
    assert_eq!(ids_of(&seen(&fake, ANNA, "ENG")), ids_of(&before));
    done(&fake, "purge", json!({ "id": release }));
    let gone = anna.get(&format!("/wiki/api/v2/pages/{release}")).await;
    assert_eq!(gone.status, 404);
    assert_eq!(
        gone.json()["errors"][0]["title"],
        format!("Cannot find a page with id [{release}]")
    );
    assert_eq!(before.len() - seen(&fake, ANNA, "ENG").len(), 6);
}

#[tokio::test]
async fn a_subtree_moves_between_spaces_below_a_parent_there_and_keeps_every_version() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let (secret, runbook) = (anna.page_id("Secret plans").await, anna.page_id("Runbook").await);
    let of_secret = |rows: Vec<TruthRow>| -> Vec<TruthRow> {
        rows.into_iter().filter(|row| row.title.contains("Secret")).collect()
    };
    let before = of_secret(seen(&fake, ANNA, "ENG"));
    assert_eq!(before.len(), 3, "two pages and a comment");
    let wrong = fake.control("move", json!({ "id": secret, "parent": runbook, "to_space": "ENG" }));
    assert!(wrong.expect_err("refused").contains("another space"));
    done(&fake, "move", json!({ "id": secret, "parent": runbook }));
    assert!(of_secret(seen(&fake, ANNA, "ENG")).is_empty());
    let after = of_secret(seen(&fake, ANNA, "OPS"));
    let told = |rows: &[TruthRow]| {
        rows.iter()
            .map(|row| (row.id.clone(), row.version, row.modified_at))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&after), told(&before));
    assert_ne!(after[0].space_id, before[0].space_id);
    assert_eq!(after[0].parent.as_deref(), Some(runbook.as_str()));
    assert_eq!(anna.searched("space = OPS and type = comment", 9, "").await.len(), 1);
    let home = anna.page_id("Home").await;
    done(&fake, "move", json!({ "id": home, "to_space": "OPS" }));
    let space = space_id(&anna, "ENG").await;
    let seen = anna.get(&format!("/wiki/api/v2/spaces/{space}")).await.json();
    assert!(seen["homepageId"].is_null(), "a homepage that left is none any more");
}

#[tokio::test]
async fn a_space_with_a_new_key_is_the_same_space_and_its_old_key_names_nothing() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let id = space_id(&anna, "ENG").await;
    let told = done(&fake, "rename-space-key", json!({ "space": "ENG", "to": "BUILD" }));
    assert_eq!(told["id"], id);
    done(&fake, "rename-space", json!({ "space": "BUILD", "name": "Builders" }));
    let space = anna.get(&format!("/wiki/api/v2/spaces/{id}")).await.json();
    assert_eq!((&space["key"], &space["name"]), (&json!("BUILD"), &json!("Builders")));
    assert!(anna.all("/wiki/api/v2/spaces?keys=ENG").await.is_empty());
    assert!(anna.searched("space = ENG", 5, "").await.is_empty());
    assert_eq!(anna.searched("space = BUILD and type = page", 50, "").await.len(), 4);
    assert!(seen(&fake, ANNA, "ENG").is_empty() && !seen(&fake, ANNA, "BUILD").is_empty());
    assert!(
        fake.control("rename-space-key", json!({ "space": "BUILD", "to": "OPS" }))
            .is_err()
    );
}

#[tokio::test]
async fn archived_spaces_are_listed_with_their_status_and_left_out_of_searches_and_deleted_ones_are_gone() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let id = space_id(&anna, "OPS").await;
    let path = format!("/wiki/api/v2/spaces?ids={id},999");
    done(&fake, "archive-space", json!({ "space": "OPS" }));
    let listed = anna.all(&path).await;
    assert_eq!((listed.len(), &listed[0]["status"]), (1, &json!("archived")));
    assert_eq!(anna.all(&format!("{path}&status=current")).await.len(), 0);
    assert_eq!(anna.all(&format!("{path}&status=current,archived")).await.len(), 1);
    assert!(anna.searched("space = OPS", 5, "").await.is_empty());
    let found = |query: &'static str| {
        let anna = &anna;
        async move { anna.get(&format!("/wiki/rest/api/{query}")).await.json()["size"].clone() }
    };
    assert_eq!(found("search?cql=space=OPS&includeArchivedSpaces=true").await, 1);
    assert_eq!(
        found("content/search?cql=space=OPS&includeArchivedSpaces=true").await,
        0,
        "a parameter it does not have"
    );
    assert_eq!(anna.all(&format!("/wiki/api/v2/spaces/{id}/pages")).await.len(), 1);
    done(&fake, "restore-space", json!({ "space": "OPS" }));
    assert_eq!(anna.searched("space = OPS", 5, "").await.len(), 1);
    done(&fake, "delete-space", json!({ "space": "OPS" }));
    assert!(anna.all(&path).await.is_empty());
    assert_eq!(anna.get(&format!("/wiki/api/v2/spaces/{id}")).await.status, 404);
    done(&fake, "restore-space", json!({ "space": id }));
    assert_eq!(anna.all(&path).await.len(), 1);
    let many: Vec<String> = (0..251).map(|id| id.to_string()).collect();
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/spaces?ids={}", many.join(",")))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn an_app_access_rule_hides_what_is_in_a_space_and_leaves_the_space() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let (page, id) = (anna.page_id("Release notes").await, space_id(&anna, "ENG").await);
    done(&fake, "app-access-rule", json!({ "space": "ENG" }));
    let space = anna.get(&format!("/wiki/api/v2/spaces/{id}")).await;
    assert_eq!(
        (space.status, space.json()["name"].clone()),
        (200, json!("Engineering"))
    );
    assert!(anna.all(&format!("/wiki/api/v2/spaces/{id}/pages")).await.is_empty());
    assert_eq!(anna.get(&format!("/wiki/api/v2/pages/{page}")).await.status, 404);
    assert!(anna.searched("space = ENG", 5, "").await.is_empty());
    let asked = json!({ "contentIds": [page] });
    let types = anna
        .post("/wiki/api/v2/content/convert-ids-to-types", &asked)
        .await
        .json();
    assert!(types["results"][&page].is_null());
    assert!(seen(&fake, ANNA, "ENG").is_empty());
    let policies = anna.all("/wiki/api/v2/data-policies/spaces").await;
    assert_eq!(policies[0]["dataPolicy"]["anyContentBlocked"], true);
    assert_eq!(policies[1]["dataPolicy"]["anyContentBlocked"], false);
    let policy = anna.get("/wiki/api/v2/data-policies/metadata").await.json();
    assert_eq!(policy, json!({ "anyContentBlocked": true }));
    done(&fake, "app-access-rule", json!({ "space": "ENG", "blocked": false }));
    assert_eq!(anna.get(&format!("/wiki/api/v2/pages/{page}")).await.status, 200);
}

#[tokio::test]
async fn a_live_doc_edited_offline_has_an_empty_body_and_an_earlier_version_with_the_text() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let home = anna.page_id("Home").await;
    done(&fake, "edit", json!({ "id": home, "body": "<p>all the words</p>" }));
    let told = done(&fake, "live", json!({ "id": home, "blank": true }));
    assert_eq!(told["version"], 4);
    let listed = anna.all("/wiki/api/v2/pages?subtype=live&body-format=storage").await;
    assert_eq!(titles(&listed), ["Home"]);
    assert_eq!(
        (&listed[0]["subtype"], &listed[0]["body"]["storage"]["value"]),
        (&json!("live"), &json!(""))
    );
    let version = |number: u32| {
        let (anna, home) = (&anna, &home);
        async move {
            anna.get(&format!(
                "/wiki/api/v2/pages/{home}?version={number}&body-format=storage"
            ))
            .await
        }
    };
    let three = version(3).await.json();
    assert_eq!(three["body"]["storage"]["value"], "<p>all the words</p>");
    assert_eq!(
        (&three["version"]["number"], &three["status"]),
        (&json!(3), &json!("historical"))
    );
    assert!(text(&version(1).await.json()["body"]["storage"]["value"]).contains("All about"));
    let four = version(4).await.json();
    assert_eq!(
        (&four["status"], &four["body"]["storage"]["value"]),
        (&json!("current"), &json!(""))
    );
    assert_eq!((version(0).await.status, version(5).await.status), (404, 404));
    let cloud_id = fake.sites()[0].cloud_id.clone();
    assert_eq!(fake.body(&cloud_id, &home).as_deref(), Some("<p>all the words</p>"));
    let versions = anna
        .all(&format!(
            "/wiki/api/v2/pages/{home}/versions?body-format=storage&limit=2"
        ))
        .await;
    let words: Vec<Value> = versions
        .iter()
        .map(|row| row["page"]["body"]["storage"]["value"].clone())
        .collect();
    assert_eq!(
        (words.len(), &words[0], &words[1]),
        (4, &json!(""), &json!("<p>all the words</p>"))
    );
    assert_eq!(anna.all("/wiki/api/v2/pages?subtype=page").await.len(), 5);
}

#[tokio::test]
async fn comments_are_edited_resolved_reopened_and_deleted_with_their_replies_and_the_page_stays_as_it_is() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    let inline = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/inline-comments")).await[0]["id"]);
    let footer = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/footer-comments")).await[0]["id"]);
    let at = |id: &str, kind: &str| format!("/wiki/api/v2/{kind}-comments/{id}?body-format=storage");
    for (resolution, version) in [("reopened", 2), ("resolved", 3)] {
        done(&fake, "resolve", json!({ "id": inline, "resolution": resolution }));
        let comment = anna.get(&at(&inline, "inline")).await.json();
        assert_eq!(
            (&comment["resolutionStatus"], &comment["version"]["number"]),
            (&json!(resolution), &json!(version))
        );
    }
    done(
        &fake,
        "resolve",
        json!({ "id": inline, "resolution": "reopened", "keep_version": true }),
    );
    assert_eq!(anna.get(&at(&inline, "inline")).await.json()["version"]["number"], 3);
    done(&fake, "edit", json!({ "id": footer, "body": "<p>I do not</p>" }));
    let comment = anna.get(&at(&footer, "footer")).await.json();
    assert_eq!(comment["body"]["storage"]["value"], "<p>I do not</p>");
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/pages/{page}")).await.json()["version"]["number"],
        2
    );
    let comments = || {
        seen(&fake, ANNA, "ENG")
            .iter()
            .filter(|row| row.kind == Kind::Comment)
            .count()
    };
    let before = comments();
    done(&fake, "trash", json!({ "id": footer }));
    assert_eq!(anna.get(&at(&footer, "footer")).await.json()["status"], "trashed");
    assert_eq!(before - comments(), 2, "its reply goes with it");
    assert_eq!(
        anna.searched("type = comment and space = ENG", 50, "").await.len(),
        comments()
    );
    done(&fake, "restore", json!({ "id": footer }));
    assert_eq!(comments(), before);
    done(&fake, "purge", json!({ "id": footer }));
    assert_eq!(before - comments(), 2);
    let gone = anna.get(&at(&footer, "footer")).await;
    let title = gone.json()["errors"][0]["title"].clone();
    assert_eq!(
        (gone.status, title),
        (404, json!(format!("Cannot find a comment with id [{footer}]")))
    );
}

#[tokio::test]
async fn labels_and_files_change_without_a_version_of_the_page_and_a_namesake_is_another_thing() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    let path = format!("/wiki/api/v2/pages/{page}/attachments");
    let old = anna.all(&path).await;
    done(
        &fake,
        "attach",
        json!({ "id": page, "file_name": "plan & notes.txt", "text": "a new plan" }),
    );
    done(&fake, "label", json!({ "id": page, "labels": ["old"] }));
    let new = anna.all(&path).await;
    assert_eq!(ids(&new), ids(&old));
    assert_eq!(
        (&new[0]["version"]["number"], &new[0]["fileSize"]),
        (&json!(2), &json!(10))
    );
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/pages/{page}")).await.json()["version"]["number"],
        2
    );
    let id = text(&new[0]["id"]);
    done(&fake, "trash", json!({ "id": id }));
    assert_eq!(
        anna.get(&format!("/wiki/api/v2/attachments/{id}")).await.json()["status"],
        "trashed"
    );
    assert!(anna.all(&path).await.is_empty());
    done(&fake, "purge", json!({ "id": id }));
    assert_eq!(anna.get(&format!("/wiki/api/v2/attachments/{id}")).await.status, 404);
    let post = done(
        &fake,
        "create",
        json!({ "space": "ENG", "kind": "blogpost", "title": "Release notes" }),
    );
    let posts = anna
        .all(&format!("/wiki/api/v2/blogposts?id={},{page}", text(&post["id"])))
        .await;
    assert_eq!(titles(&posts), ["Release notes"]);
    assert_eq!(
        anna.searched(r#"title = "Release notes" and type in (page, blogpost)"#, 9, "")
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_restriction_is_inherited_and_taken_back_and_nothing_else_of_the_pages_changes() {
    let fake = acme();
    let bert = Client::of(&fake, BERT);
    let before = seen(&fake, BERT, "ENG");
    done(&fake, "restrict", json!({ "title": "Home", "accounts": [ANNA] }));
    let left: Vec<String> = seen(&fake, BERT, "ENG").into_iter().map(|row| row.title).collect();
    assert_eq!(left, ["We have moved", "Re: We have moved"]);
    assert!(bert.all("/wiki/api/v2/pages").await.is_empty());
    done(&fake, "unrestrict", json!({ "title": "Home" }));
    assert_eq!(seen(&fake, BERT, "ENG"), before);
    done(&fake, "revoke", json!({ "space": "ENG", "accounts": [BERT] }));
    assert!(seen(&fake, BERT, "ENG").is_empty());
    done(&fake, "grant", json!({ "space": "ENG", "everyone": true }));
    assert_eq!(seen(&fake, BERT, "ENG"), before);
}

#[tokio::test]
async fn a_person_is_renamed_and_deactivated_by_name() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    done(&fake, "rename-person", json!({ "account": BERT, "name": "Robert" }));
    done(&fake, "deactivate", json!({ "account": BERT }));
    let path = format!("/wiki/rest/api/user?accountId={BERT}");
    assert_eq!(anna.get(&path).await.json()["displayName"], "Robert (Deactivated)");
    let bulk = anna
        .post("/wiki/api/v2/users-bulk", &json!({ "accountIds": [BERT] }))
        .await
        .json();
    assert_eq!(bulk["results"][0]["accountStatus"], "inactive");
    done(&fake, "deactivate", json!({ "account": BERT, "active": true }));
    assert_eq!(anna.get(&path).await.json()["displayName"], "Robert");
}

#[tokio::test]
async fn a_search_that_lags_shows_new_changed_moved_and_deleted_content_as_it_was() {
    let clock = Arc::new(AtomicI64::new(1_760_000_000_000));
    let options = Options {
        clock: Some(clock),
        ..Options::default()
    };
    let fake = FakeAtlassian::new(super::world::sites(), options);
    let anna = Client::of(&fake, ANNA);
    done(&fake, "faults", json!({ "search_lag_ms": 60_000 }));
    let (home, runbook) = (anna.page_id("Home").await, anna.page_id("Runbook").await);
    let pages = r#"type = page and space in ("ENG", "OPS") order by id"#;
    let told = |rows: Vec<Value>| -> Vec<Value> {
        let told = |row: &Value| json!([row["id"], row["version"]["number"], row["body"], row["space"]["key"]]);
        rows.iter().map(told).collect()
    };
    let before = told(anna.searched(pages, 50, "version,body.storage,space").await);
    done(&fake, "edit", json!({ "id": home, "body": "<p>new</p>" }));
    done(&fake, "create", json!({ "space": "ENG", "title": "Brand new" }));
    done(&fake, "move", json!({ "id": runbook, "to_space": "ENG" }));
    done(&fake, "purge", json!({ "title": "Secret details" }));
    done(&fake, "clock", json!({ "advance_ms": 59_000 }));
    let late = told(anna.searched(pages, 50, "version,body.storage,space").await);
    assert_eq!(late, before);
    assert_eq!(anna.searched("space = OPS", 5, "").await.len(), 1);
    assert_eq!(seen(&fake, ANNA, "OPS").len(), 0, "the truth does not lag");
    let bert = Client::of(&fake, BERT);
    done(&fake, "restrict", json!({ "title": "Home", "accounts": [ANNA] }));
    assert!(
        bert.searched("type = page", 50, "").await.is_empty(),
        "permissions do not lag"
    );
    done(&fake, "clock", json!({ "advance_ms": 1_000 }));
    let after = anna.searched(pages, 50, "version").await;
    assert_eq!(
        titles(&after),
        ["Home", "Release notes", "Secret plans", "Runbook", "Brand new"]
    );
    assert_eq!(after[0]["version"]["number"], 3);
    done(&fake, "edit", json!({ "id": home, "body": "<p>newer</p>" }));
    done(&fake, "clock", json!({ "advance_days": -1 }));
    assert_eq!(
        anna.searched(pages, 50, "version").await[0]["version"]["number"],
        4,
        "what lies ahead is indexed"
    );
}

#[tokio::test]
async fn ids_are_converted_a_hundred_at_a_time() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let path = "/wiki/api/v2/content/convert-ids-to-types";
    for (count, status) in [(0, 400), (100, 200), (101, 400)] {
        let asked: Vec<u32> = (0..count).collect();
        assert_eq!(
            anna.post(path, &json!({ "contentIds": asked })).await.status,
            status,
            "{count}"
        );
    }
    let costs: Vec<u64> = fake.journal().iter().map(|row| row.points).collect();
    assert_eq!(costs, [1, 1, 1]);
}

#[tokio::test]
async fn a_call_costs_one_point_one_for_each_page_space_and_file_and_nothing_for_comments() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let page = anna.page_id("Release notes").await;
    let comment = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/footer-comments")).await[0]["id"]);
    let file = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/attachments")).await[0]["id"]);
    for (path, points) in [
        ("/wiki/api/v2/spaces".to_owned(), 3),
        ("/wiki/api/v2/data-policies/spaces".to_owned(), 3),
        ("/wiki/api/v2/pages?limit=4".to_owned(), 5),
        ("/wiki/api/v2/pages?limit=4&body-format=storage".to_owned(), 5),
        (format!("/wiki/api/v2/pages/{page}"), 2),
        ("/wiki/api/v2/pages/1".to_owned(), 1),
        (format!("/wiki/api/v2/attachments/{file}"), 2),
        (format!("/wiki/api/v2/pages/{page}/attachments"), 2),
        (format!("/wiki/api/v2/pages/{page}/footer-comments"), 1),
        (format!("/wiki/api/v2/footer-comments/{comment}"), 1),
        ("/wiki/rest/api/content/search?cql=type=comment".to_owned(), 1),
        ("/wiki/rest/api/content/search?cql=type=attachment".to_owned(), 2),
        ("/wiki/rest/api/user/current".to_owned(), 3),
    ] {
        let before = fake.points_this_hour();
        anna.get(&path).await;
        assert_eq!(fake.points_this_hour() - before, points, "{path}");
    }
}
