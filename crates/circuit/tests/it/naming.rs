//! Whom a text mentions is found by name, however they are called.

use domain::sync_run::RunKind;
use serde_json::json;
use sqlx::Connection;

use crate::{
    budget::at_ten,
    comparing::{change, world},
    setting::{Begun, Setting},
    working::{Working, company},
};

/// Somebody of the company who is mentioned.
const FREJA: &str = "557058:7b41c9d2-0e8f-43a6-b5d7-f182a6ce3094";
const WEEK_AND_A_BIT_MINUTES: i64 = 8 * 24 * 60;

fn mention(account: &str) -> String {
    format!("<ac:link><ri:user ri:account-id=\"{account}\"/></ac:link>")
}

async fn created(setting: &Setting, title: &str, body: String) {
    change(
        &setting.fake,
        "create",
        json!({ "space": "OPS", "title": title, "body": body }),
    )
    .await;
}

/// A company in which Freja is called Quokka Wallaby, with its space OPS imported.
async fn imported() -> (Setting, Begun, Working) {
    let (setting, begun) = company().await;
    change(
        &setting.fake,
        "rename-person",
        json!({ "account": FREJA, "name": "Quokka Wallaby" }),
    )
    .await;
    let circuit = Working::new(&setting, &begun).await;
    at_ten(&circuit);
    circuit.import(&begun, &["OPS"]).await;
    (setting, begun, circuit)
}

/// Calls for people's names after the first `calls`.
fn names_asked(setting: &Setting, calls: u64) -> usize {
    let journal = setting.fake.journal_after(calls);
    journal.iter().filter(|row| row.path.contains("/user/bulk")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_found_by_whom_it_mentions_and_follows_their_new_name() {
    let (setting, begun, circuit) = imported().await;
    let run = circuit.last_run(&begun).await;
    created(&setting, "Whom to ask", format!("<p>Zyzzyva {}</p>", mention(FREJA))).await;
    let comment = json!({ "title": "Whom to ask", "space": "OPS", "body": format!("<p>Yabby {}</p>", mention(FREJA)) });
    change(&setting.fake, "comment", comment).await;
    let task = format!(
        "<ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Xerus {}</ac:task-body></ac:task>\
         </ac:task-list>",
        mention(FREJA)
    );
    created(&setting, "What to do", task).await;
    let brought = circuit
        .passed(&setting, &begun, RunKind::Changes, run)
        .await
        .last
        .unwrap();
    for word in ["zyzzyva", "yabby", "xerus"] {
        assert_eq!(circuit.finds(&begun, &format!("\"{word} quokka\"")).await, 1, "{word}");
    }

    change(
        &setting.fake,
        "rename-person",
        json!({ "account": FREJA, "name": "Numbat Bilby" }),
    )
    .await;
    let calls = setting.fake.calls();
    created(&setting, "Ask again", format!("<p>Vole {}</p>", mention(FREJA))).await;
    let again = circuit
        .passed(&setting, &begun, RunKind::Changes, brought.id)
        .await
        .last
        .unwrap();
    assert_eq!(
        names_asked(&setting, calls),
        0,
        "a name that is known is not asked for again"
    );
    assert_eq!(circuit.finds(&begun, "\"vole quokka\"").await, 1);

    circuit.later(&setting, WEEK_AND_A_BIT_MINUTES).await;
    created(&setting, "Ask later", format!("<p>Uakari {}</p>", mention(FREJA))).await;
    circuit.passed(&setting, &begun, RunKind::Changes, again.id).await;
    for word in ["zyzzyva", "yabby", "xerus", "vole", "uakari"] {
        assert_eq!(circuit.finds(&begun, &format!("\"{word} numbat\"")).await, 1, "{word}");
        assert_eq!(circuit.finds(&begun, &format!("\"{word} quokka\"")).await, 0, "{word}");
    }
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_whom_a_text_mentions_cost_points_once_and_accounts_without_a_name_are_remembered() {
    let (setting, begun, circuit) = imported().await;
    let run = circuit.last_run(&begun).await;
    let before = circuit.app.feed_picture(&circuit.caller, begun.feed).await.unwrap();
    let spent_there = points_of(&setting).await;
    let nobody = "712020:00000000-0000-0000-0000-000000000000";
    let calls = setting.fake.calls();
    let body = format!("<p>Zyzzyva {} and {}</p>", mention(FREJA), mention(nobody));
    created(&setting, "Whom to ask", body.clone()).await;
    let first = circuit.passed(&setting, &begun, RunKind::Changes, run).await;
    assert_eq!(names_asked(&setting, calls), 1, "all of them in one call");
    assert_eq!(circuit.finds(&begun, "\"quokka wallaby and someone\"").await, 1);
    let spent = first.points.today.minus(before.points.today).points;
    assert_eq!(spent, points_of(&setting).await - spent_there, "what Atlassian counted");

    created(&setting, "Whom else to ask", body).await;
    circuit
        .passed(&setting, &begun, RunKind::Changes, first.last.unwrap().id)
        .await;
    assert_eq!(names_asked(&setting, calls), 1, "neither is asked for again");
    circuit.end().await;
}

/// What Atlassian counted.
async fn points_of(setting: &Setting) -> u64 {
    world(&setting.fake, "/_world/stats").await["points"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_pages_of_an_older_circuit_mention_is_found_out_with_the_next_look_at_changes() {
    let (setting, begun, circuit) = imported().await;
    let run = circuit.last_run(&begun).await;
    created(&setting, "Whom to ask", format!("<p>Zyzzyva {}</p>", mention(FREJA))).await;
    let brought = circuit.passed(&setting, &begun, RunKind::Changes, run).await;
    assert_eq!(circuit.finds(&begun, "\"zyzzyva quokka\"").await, 1);

    // What it knew: neither whom a text mentions nor what they are called.
    let database = format!("sqlite:{}", setting.data_dir.join("circuit.db").display());
    let mut database = sqlx::SqliteConnection::connect(&database).await.unwrap();
    for sql in [
        "delete from mentions",
        "delete from people",
        "update feeds set mentions_after = ''",
    ] {
        sqlx::query(sql).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
    let named = json!({ "account": FREJA, "name": "Numbat Bilby" });
    change(&setting.fake, "rename-person", named).await;
    let last = brought.last.unwrap().id;
    circuit.passed(&setting, &begun, RunKind::Changes, last).await;
    assert_eq!(circuit.finds(&begun, "\"zyzzyva numbat\"").await, 1);
    circuit.end().await;
}
