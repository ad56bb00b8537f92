//! What Circuit believes of a site that shows less than before: nothing goes without proof, and what is there again is
//! found again.

use app::progress::FeedPicture;
use domain::{
    connection::Ending,
    feed::{FeedState, Park},
    sync_run::{RunKind, Trigger},
};
use fake_atlassian::{FakeAtlassian, demo};
use serde_json::{Value, json};

use crate::{
    comparing::{asked, change, held, truth, world},
    setting::{Begun, Setting},
    working::{Working, imported},
};

/// What Circuit asks for by itself, and what a probe needs.
const SCOPES_WITH_PROBE: [&str; 10] = [
    "read:confluence-content.all",
    "read:confluence-space.summary",
    "read:confluence-user",
    "offline_access",
    "read:space:confluence",
    "read:page:confluence",
    "read:comment:confluence",
    "read:attachment:confluence",
    "search:confluence",
    "read:content.metadata:confluence",
];

async fn rows(setting: &Setting, begun: &Begun, space: &str) -> Vec<Value> {
    let path = format!(
        "/_world/truth?cloud_id={}&account={}&space={space}",
        begun.site, setting.person
    );
    world(&setting.fake, &path).await.as_array().unwrap().clone()
}

fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_access_rule_that_empties_every_listing_empties_no_index_and_heals_by_itself() {
    let (setting, begun, circuit) = imported(&["OPS", "HR"]).await;
    let before = circuit.app.feed_picture(&circuit.caller, begun.feed).await.unwrap();
    let found = circuit.finds(&begun, "pump").await;
    for space in ["OPS", "HR"] {
        change(
            &setting.fake,
            "app-access-rule",
            json!({ "space": space, "blocked": true }),
        )
        .await;
    }
    // However often it is looked at: a rule hides content from looks by id as from listings.
    for _ in 0..3 {
        circuit.later(&setting, 11).await;
        let picture = circuit.walked(&begun).await;
        let run = picture.last.unwrap();
        assert_eq!(run.counts.removed, 0);
        assert_eq!(picture.documents, before.documents, "kept");
        assert_eq!(circuit.finds(&begun, "pump").await, 0, "and not found");
        let notes = circuit.app.notes(&circuit.caller, run.id).await.unwrap();
        assert!(notes.iter().any(|note| note.contains("app access rule")), "{notes:?}");
    }
    for space in ["OPS", "HR"] {
        change(
            &setting.fake,
            "app-access-rule",
            json!({ "space": space, "blocked": false }),
        )
        .await;
    }
    let run = circuit.last_run(&begun).await;
    circuit.passed(&setting, &begun, RunKind::Walk, run).await;
    circuit.equals(&setting, &begun, &["OPS", "HR"]).await;
    assert_eq!(circuit.finds(&begun, "pump").await, found);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_to_the_last_page_keeps_no_text_once_a_second_walk_agrees_and_no_rule_hides_it() {
    let (setting, begun, circuit) = imported(&["OPS", "HR"]).await;
    for space in ["OPS", "HR"] {
        for row in rows(&setting, &begun, space).await {
            if ["page", "blogpost"].contains(&row["kind"].as_str().unwrap()) {
                change(&setting.fake, "purge", json!({ "id": id(&row) })).await;
            }
        }
    }
    let first = circuit.walked(&begun).await;
    assert_eq!(first.last.unwrap().counts.removed, 0, "one walk is not believed");
    assert_eq!(circuit.finds(&begun, "pump").await, 0);
    let texts = async || {
        let held = circuit.store.changed_after(begun.index, 0, 5_000).await.unwrap();
        let with_text = |held: &&domain::document::Held| !held.document.body.text().is_empty();
        held.iter().filter(with_text).count()
    };
    assert!(texts().await > 0);

    circuit.later(&setting, 11).await;
    let second = circuit.walked(&begun).await;
    let run = second.last.unwrap();
    assert!(run.counts.removed > 0, "{run:?}");
    assert_eq!((second.documents, texts().await), (0, 0));
    let notes = circuit.app.notes(&circuit.caller, run.id).await.unwrap();
    assert!(notes.iter().any(|note| note.contains("a second time")), "{notes:?}");

    // What is written there later is found again.
    let new = json!({ "space": "OPS", "title": "Bilby notes", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "create", new).await;
    circuit.walked(&begun).await;
    circuit.up_to_date(begun.feed).await;
    circuit.equals(&setting, &begun, &["OPS", "HR"]).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_pages_of_a_space_that_are_trashed_go_since_atlassian_says_so() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    for row in rows(&setting, &begun, "OPS").await {
        if ["page", "blogpost"].contains(&row["kind"].as_str().unwrap()) {
            change(&setting.fake, "trash", json!({ "id": id(&row) })).await;
        }
    }
    let picture = circuit.walked(&begun).await;
    assert_eq!(picture.documents, 0);
    assert!(picture.last.unwrap().counts.removed > 0);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_as_to_nobody_in_the_midst_of_a_walk_remove_nothing_and_move_no_bookmark() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let before = held(&circuit.app, &circuit.caller, begun.index).await;
    let empty = json!({ "results": [], "_links": {} }).to_string();
    let nobody = json!({ "type": "anonymous", "displayName": "Anonymous" }).to_string();
    let answers = [
        ("/pages?", &empty),
        ("/blogposts?", &empty),
        ("content/search", &empty),
        ("user/current", &nobody),
    ];
    let as_to_nobody = || async {
        for (path, body) in answers {
            let line = json!({ "next_n": { "path": path, "n": 100, "status": 200, "body": body } });
            change(&setting.fake, "faults", line).await;
        }
    };
    let lost = |picture: &FeedPicture| picture.headline == "needs reconnect" && picture.running.is_none();
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook).await;

    // A walk, and a pass of changes: the space is seen, and then all is answered as to nobody.
    for trigger in [Trigger::Person, Trigger::Schedule] {
        as_to_nobody().await;
        match trigger {
            Trigger::Person => circuit.app.resync(&circuit.caller, begun.feed).await.unwrap(),
            Trigger::Schedule => circuit.later(&setting, 4).await,
        };
        let picture = circuit.until(begun.feed, "lost", lost).await;
        let FeedState::Parked(Park::NeedsReconnect { ending, .. }) = picture.feed.state else {
            panic!("{:?}", picture.feed.state)
        };
        assert_eq!(ending, Ending::Anonymous);
        assert_eq!(picture.last.unwrap().counts.removed, 0);
        assert_eq!(picture.documents as usize, before.len(), "all of it is kept");
        assert!(circuit.finds(&begun, "onboarding or pump").await > 0 || trigger == Trigger::Schedule);
        change(&setting.fake, "faults", json!({ "clear": true })).await;
        circuit.taken_up(&begun).await;
    }
    circuit.equals(&setting, &begun, &["OPS"]).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_that_a_parent_gets_later_is_inherited_by_all_below() {
    let (setting, begun, circuit) = imported(&["ENG"]).await;
    let all = rows(&setting, &begun, "ENG").await;
    let below = |parent: &Value| all.iter().filter(|row| row["parent"] == parent["id"]).count();
    let parent = all
        .iter()
        .filter(|row| row["kind"] == "page")
        .max_by_key(|page| below(page))
        .unwrap();
    assert!(below(parent) > 1);
    change(&setting.fake, "restrict", json!({ "id": id(parent), "accounts": [] })).await;
    circuit.walked(&begun).await;
    let left = held(&circuit.app, &circuit.caller, begun.index).await;
    assert_eq!(left, truth(&setting, &begun, &["ENG"]).await);
    assert!(left.len() + below(parent) < all.len(), "it, and what is below it");
    change(&setting.fake, "unrestrict", json!({ "id": id(parent) })).await;
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["ENG"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_removes_what_it_can_no_longer_see_and_what_is_seen_again_comes_back() {
    let mut setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    setting.scopes = Some(SCOPES_WITH_PROBE.map(str::to_owned).to_vec());
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    let run = circuit.import(&begun, &["OPS"]).await.last.unwrap().id;
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "accounts": [] });
    assert!(circuit.finds(&begun, "\"pump runbook\"").await > 0);
    change(&setting.fake, "restrict", runbook.clone()).await;
    circuit.later(&setting, 10).await;
    let probe = circuit
        .passed(&setting, &begun, RunKind::Probe, run)
        .await
        .last
        .unwrap();
    assert!(probe.counts.removed > 0, "{probe:?}");
    circuit.equals(&setting, &begun, &["OPS"]).await;
    let walks = |runs: Vec<domain::sync_run::SyncRun>| runs.iter().filter(|run| run.kind == RunKind::Walk).count();
    assert_eq!(
        walks(circuit.app.runs(&circuit.caller, begun.feed).await.unwrap()),
        0,
        "no walk was needed"
    );
    change(&setting.fake, "unrestrict", runbook).await;
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_comes_back_brings_its_comments_and_attachments_in_the_same_pass() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let (fake, page) = (&setting.fake, json!({ "title": "Pump runbook", "space": "OPS" }));
    let with = |more: Value| {
        let mut all = page.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    change(fake, "comment", with(json!({ "body": "<p>numbat</p>" }))).await;
    change(
        fake,
        "attach",
        with(json!({ "file_name": "wombat.txt", "media_type": "text/plain", "text": "x" })),
    )
    .await;
    circuit.walked(&begun).await;
    assert_eq!(circuit.finds(&begun, "numbat").await, 1);
    let runbook = rows(&setting, &begun, "OPS")
        .await
        .into_iter()
        .find(|row| row["title"] == "Pump runbook")
        .unwrap();
    change(fake, "trash", page.clone()).await;
    let walk = circuit.walked(&begun).await.last.unwrap().id;
    assert_eq!(circuit.finds(&begun, "numbat").await, 0);

    // Restored and written on, so that a pass of changes is told of it; its comments are as old as they were.
    change(fake, "clock", json!({ "advance_hours": 1 })).await;
    change(fake, "restore", json!({ "id": id(&runbook) })).await;
    change(fake, "edit", json!({ "id": id(&runbook), "body": "<p>zyzzyva</p>" })).await;
    let calls = asked(fake).await.len();
    let back = circuit.passed(&setting, &begun, RunKind::Changes, walk).await;
    assert_eq!(circuit.finds(&begun, "numbat").await, 1, "{:?}", back.last);
    circuit.equals(&setting, &begun, &["OPS"]).await;
    let listings = asked(fake).await.split_off(calls);
    assert!(
        listings.iter().all(|path| !path.contains("/spaces/")),
        "no listing of the space: {listings:?}"
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_than_a_thousand_missing_pages_each_is_looked_at_before_it_goes() {
    let setting = Setting::new(|options| FakeAtlassian::generated(3_000, options)).await;
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    let mut sizes = Vec::new();
    for (key, _) in &begun.spaces {
        sizes.push((rows(&setting, &begun, key).await.len(), key.clone()));
    }
    let key = sizes.into_iter().max().unwrap().1;
    let first = circuit.import(&begun, &[&key]).await;
    let pages: Vec<Value> = rows(&setting, &begun, &key).await;
    let pages: Vec<&Value> = pages.iter().filter(|row| row["kind"] == "page").collect();
    assert!(pages.len() > 1_310, "{}", pages.len());
    // All but the beginning is closed, and one page in its midst is not; the listing ends after its first answer.
    let open = pages[777];
    for page in pages[300..].iter().filter(|page| id(page) != id(open)) {
        change(&setting.fake, "restrict", json!({ "id": id(page), "accounts": [] })).await;
    }
    change(
        &setting.fake,
        "edit",
        json!({ "id": id(open), "body": "<p>zyzzyva</p>" }),
    )
    .await;
    change(&setting.fake, "move", json!({ "id": id(open), "parent": null })).await;
    change(&setting.fake, "faults", json!({ "drop_next_rate": 1.0 })).await;
    circuit.walked(&begun).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1, "one of them is there");
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    // A second walk agrees about the others.
    let second = circuit.walked(&begun).await;
    assert!(second.last.unwrap().counts.removed > 1_000);
    assert!(second.documents < first.documents - 1_000);
    circuit.equals(&setting, &begun, &[&key]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_deleted_by_the_hundred_go_over_some_walks_and_no_walk_looks_at_more_than_it_may() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let remark = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>remark</p>" });
    for _ in 0..350 {
        change(&setting.fake, "comment", remark.clone()).await;
    }
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    // Replies first: whatever is purged takes them along.
    let rows = rows(&setting, &begun, "OPS").await;
    for row in rows.iter().rev().filter(|row| row["kind"] == "comment") {
        change(&setting.fake, "purge", json!({ "id": id(row) })).await;
    }
    let first = circuit.walked(&begun).await.last.unwrap();
    assert_eq!(first.counts.removed, 300);
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}
