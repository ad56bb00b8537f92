//! Answers that are odd, short, in circles or not there: a pass goes on without what it cannot have, and what could not be
//! read is not passed over.

use app::progress::FeedPicture;
use domain::{
    budget::Allowance,
    feed::{FeedState, Park},
    sync_run::{Outcome, RunKind},
};
use fake_atlassian::FakeAtlassian;
use serde_json::{Value, json};

use crate::{
    comparing::{asked, change, held, truth, world},
    setting::Setting,
    working::{Working, company, imported, space},
};

/// The next answers to calls of this path.
fn script(path: &str, n: u32, answer: Value) -> Value {
    let mut line = json!({ "path": path, "n": n });
    line.as_object_mut()
        .unwrap()
        .extend(answer.as_object().unwrap().clone());
    json!({ "next_n": line })
}

fn failed(picture: &FeedPicture) -> bool {
    let outcome = picture.last.as_ref().and_then(|run| run.outcome.clone());
    picture.running.is_none() && matches!(outcome, Some(Outcome::Failed { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_comment_whose_storage_format_fails_are_held_and_take_no_other_with_them() {
    let (setting, begun) = company().await;
    let remark = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>numbat</p>" });
    change(&setting.fake, "comment", remark).await;
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook.clone()).await;
    change(
        &setting.fake,
        "poison",
        json!({ "title": "Pump runbook", "space": "OPS" }),
    )
    .await;
    let path = format!(
        "/_world/truth?cloud_id={}&account={}&space=OPS",
        begun.site, setting.person
    );
    let rows = world(&setting.fake, &path).await;
    let comment = rows
        .as_array()
        .unwrap()
        .iter()
        .rfind(|row| row["kind"] == "comment")
        .unwrap();
    change(&setting.fake, "poison", json!({ "id": comment["id"] })).await;
    let circuit = Working::new(&setting, &begun).await;
    let picture = circuit.import(&begun, &["OPS"]).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    assert_eq!(picture.last.as_ref().unwrap().counts.failed, 0);
    assert_eq!(
        circuit.finds(&begun, "zyzzyva").await,
        1,
        "its text came in the other form"
    );
    assert!(circuit.finds(&begun, "numbat").await > 0);

    // Written on, it fails in the listing of changes and by id as well.
    let again = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>quokka</p>" });
    change(&setting.fake, "edit", again).await;
    let run = picture.last.unwrap().id;
    // Turned once: the pass takes its time, and its lease must not run out.
    circuit.later(&setting, 4).await;
    let read = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        last.is_some_and(|last| {
            last.kind == RunKind::Changes && last.id > run && last.outcome == Some(Outcome::Complete)
        }) && picture.searchable
    };
    circuit.until(begun.feed, "read again", read).await;
    assert_eq!(circuit.finds(&begun, "quokka").await, 1);
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_doc_that_comes_without_its_text_is_found_by_that_of_an_earlier_version() {
    let (setting, begun) = company().await;
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook).await;
    let live = json!({ "title": "Pump runbook", "space": "OPS", "live": true, "blank": true });
    change(&setting.fake, "live", live).await;
    let circuit = Working::new(&setting, &begun).await;
    circuit.import(&begun, &["OPS"]).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_refusals_in_the_midst_of_a_listing_end_nothing_and_remove_nothing() {
    let setting = Setting::new(|options| FakeAtlassian::generated(1_200, options)).await;
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    let key = begun.spaces[0].0.clone();
    circuit.import(&begun, &[&key]).await;
    // Of the answers after the first: three that pass, and so many that the walk gives up and goes on later.
    let later = |n: u32, status: u16| {
        let answer = json!({ "skip": 2, "status": status, "headers": { "retry-after": "1" }, "body": "" });
        script("sort=id&status=current&limit=250&cursor=", n, answer)
    };
    for (n, status) in [(3, 503), (3, 429), (7, 503)] {
        change(&setting.fake, "faults", later(n, status)).await;
        circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
        let run = circuit.last_run(&begun).await;
        let read = |picture: &FeedPicture| {
            let last = picture.last.as_ref();
            let done = last.is_some_and(|last| last.id >= run && last.outcome == Some(Outcome::Complete));
            done && picture.running.is_none() && picture.headline == "up to date"
        };
        let picture = circuit.until(begun.feed, "read to its end", read).await;
        assert_eq!(picture.last.unwrap().counts.removed, 0, "{n} times {status}");
        circuit.equals(&setting, &begun, &[&key]).await;
        change(&setting.fake, "faults", json!({ "clear": true })).await;
    }
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_of_changes_that_fails_leaves_its_bookmark_where_it_was() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let remark = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>numbat</p>" });
    change(&setting.fake, "comment", remark).await;
    // Pages are read to their end each time; the search fails for longer than passes overlap.
    change(
        &setting.fake,
        "faults",
        script("content/search", 1_000, json!({ "status": 503, "body": "" })),
    )
    .await;
    for _ in 0..3 {
        circuit.later(&setting, 9).await;
        let before = asked(&setting.fake).await.len();
        let asked_again = async {
            while !asked(&setting.fake).await[before..]
                .iter()
                .any(|path| path.contains("content/search"))
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), asked_again)
            .await
            .unwrap();
        circuit.until(begun.feed, "failed", failed).await;
    }
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    let run = circuit.last_run(&begun).await;
    circuit.passed(&setting, &begun, RunKind::Changes, run).await;
    assert_eq!(circuit.finds(&begun, "numbat").await, 1);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_goes_in_circles_or_ignores_its_place_ends_its_pass_and_imports_nothing_twice() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    // A search that answers with its beginning whatever is asked, as if more followed: the place is always another.
    let path = format!(
        "/_world/truth?cloud_id={}&account={}&space=OPS",
        begun.site, setting.person
    );
    let rows = world(&setting.fake, &path).await;
    let comment = rows.as_array().unwrap().iter().find(|row| row["kind"] == "comment");
    let comment = comment.unwrap();
    let row = json!({ "id": comment["id"], "type": "comment", "status": "current", "container": { "id": comment["container"] } });
    for place in 0..40 {
        let next = format!("/rest/api/content/search?cursor=place-{place}");
        let body = json!({ "results": [row], "_links": { "next": next } }).to_string();
        change(
            &setting.fake,
            "faults",
            script("type%3Dcomment", 1, json!({ "status": 200, "body": body })),
        )
        .await;
    }
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await
        .unwrap();
    let picture = circuit.until(begun.feed, "in circles", failed).await;
    let Some(Outcome::Failed { why }) = picture.last.unwrap().outcome else {
        panic!()
    };
    assert!(why.contains("circles"), "{why}");
    assert!(picture.spaces[0].imported_at.is_none());
    let searched = asked(&setting.fake)
        .await
        .iter()
        .filter(|path| path.contains("type%3Dcomment"))
        .count();
    assert!(searched < 40, "{searched} searches");

    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.later(&setting, 20).await;
    circuit.up_to_date(begun.feed).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_gives_fifty_at_once_and_a_wrong_total_loses_nothing() {
    let (setting, begun) = company().await;
    let remark = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>remark</p>" });
    for _ in 0..120 {
        change(&setting.fake, "comment", remark.clone()).await;
    }
    for total in [1, 1_000_000] {
        change(
            &setting.fake,
            "faults",
            json!({ "search_rows_max": 50, "search_total": total }),
        )
        .await;
        let circuit = Working::new(&setting, &begun).await;
        if total == 1 {
            circuit.import(&begun, &["OPS"]).await;
        } else {
            circuit.walked(&begun).await;
        }
        circuit.equals(&setting, &begun, &["OPS"]).await;
        circuit.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_refuses_the_token_costs_comments_and_attachments_and_nothing_else() {
    let (setting, begun) = company().await;
    let refused = json!({
        "status": 401, "headers": { "x-failure-category": "FAILURE_CLIENT_SCOPE_CHECK" },
        "body": "{\"code\":401,\"message\":\"Unauthorized; scope does not match\"}",
    });
    change(&setting.fake, "faults", script("content/search", 1_000, refused)).await;
    let circuit = Working::new(&setting, &begun).await;
    circuit.import(&begun, &["OPS"]).await;
    let pages = |all: std::collections::BTreeMap<String, String>| {
        let of = |what: &String| what.starts_with("page") || what.starts_with("blogpost");
        all.into_iter().filter(|(_, what)| of(what)).collect::<Vec<_>>()
    };
    let truth = truth(&setting, &begun, &["OPS"]).await;
    let held = held(&circuit.app, &circuit.caller, begun.index).await;
    assert_eq!(held.clone().into_iter().collect::<Vec<_>>(), pages(truth));
    circuit.walked(&begun).await;
    // Allowed again, they come with the next walk.
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.walked(&begun).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_that_cannot_be_listed_are_tried_again_while_pages_are_found() {
    let (setting, begun) = company().await;
    change(
        &setting.fake,
        "faults",
        script("type%3Dattachment", 14, json!({ "status": 503, "body": "" })),
    )
    .await;
    let circuit = Working::new(&setting, &begun).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await
        .unwrap();
    circuit.until(begun.feed, "failed", failed).await;
    circuit
        .until(begun.feed, "searchable", |picture| picture.searchable)
        .await;
    assert!(circuit.finds(&begun, "pump").await > 0);
    circuit.later(&setting, 20).await;
    circuit.up_to_date(begun.feed).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_later_lacks_what_reading_needs_stops_the_feed_and_names_the_scopes() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let documents = circuit
        .app
        .feed_picture(&circuit.caller, begun.feed)
        .await
        .unwrap()
        .documents;
    let four = "read:confluence-content.all read:confluence-space.summary read:confluence-user offline_access";
    let four: Vec<&str> = four.split(' ').collect();
    change(
        &setting.fake,
        "override-scopes",
        json!({ "account": setting.person, "scopes": four }),
    )
    .await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let stopped = |picture: &FeedPicture| picture.headline == "needs scopes" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "stopped", stopped).await;
    let FeedState::Parked(Park::NeedsScopes { missing }) = picture.feed.state else {
        panic!()
    };
    assert!(
        missing.iter().any(|scope| scope.ends_with(":confluence")),
        "{missing:?}"
    );
    assert_eq!(picture.documents, documents, "nothing is removed for it");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_holds_a_date_an_offset_or_a_page_of_people() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let run = circuit.last_run(&begun).await;
    circuit.passed(&setting, &begun, RunKind::Changes, run).await;
    circuit.walked(&begun).await;
    for path in asked(&setting.fake).await {
        for word in [
            "start=",
            "offset=",
            "%3E%3D",
            "%3E=",
            "spaceId=",
            "/children",
            "/restriction",
            "/folders",
            "email",
        ] {
            assert!(!path.contains(word), "{word} in {path}");
        }
    }
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_without_points_waits_for_the_next_hour_and_what_people_write_is_found_meanwhile() {
    let (mut setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    // The beginning of an hour, so that all of this happens within it.
    let into = domain::Clock::now(&*circuit.clock).0.rem_euclid(3_600_000);
    let to_the_hour = 60 - into / 60_000;
    circuit.later(&setting, to_the_hour).await;
    circuit.import(&begun, &["OPS"]).await;
    let spent = circuit
        .app
        .feed_picture(&circuit.caller, begun.feed)
        .await
        .unwrap()
        .points
        .budget
        .spent;
    let ahead = circuit.clock.0.load(std::sync::atomic::Ordering::SeqCst);
    circuit.end().await;
    // Enough for changes, and not for a walk, which leaves them a fifth.
    let budget = (spent + spent / 5 + 250).max(domain::budget::BUDGET_POINTS_MIN);
    setting.allowance = Allowance::new(budget, 100).unwrap();
    let circuit = Working::at(&setting, &begun, ahead).await;
    circuit.later(&setting, 46).await;
    let waits = |picture: &FeedPicture| picture.next.whole_waits.is_some() && picture.running.is_none();
    let picture = circuit.until(begun.feed, "waiting for points", waits).await;
    assert_eq!(
        (picture.headline, picture.feed.state),
        ("up to date", FeedState::Active)
    );
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook).await;
    let run = circuit.last_run(&begun).await;
    circuit.later(&setting, 4).await;
    let read = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        last.is_some_and(|last| last.kind == RunKind::Changes && last.id > run) && picture.searchable
    };
    circuit.until(begun.feed, "read again", read).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);

    // The budget is small: it may take more than one hour's.
    let walked = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        last.is_some_and(|last| last.kind == RunKind::Walk && last.outcome == Some(Outcome::Complete))
    };
    let in_time = std::time::Duration::from_secs(10);
    for _ in 0..5 {
        circuit.later(&setting, 60).await;
        let until = circuit.until(begun.feed, "walked in a later hour", walked);
        if tokio::time::timeout(in_time, until).await.is_ok() {
            return circuit.end().await;
        }
    }
    panic!("not walked");
}
