//! Atlassian refuses, breaks off, runs dry and is revoked: the feed says so, keeps what it has and goes on.

use std::sync::atomic::Ordering;

use app::progress::FeedPicture;
use domain::{
    RunId,
    connection::{ConnectionState, Ending},
    feed::{FeedState, Park},
    query::Query,
};
use fake_atlassian::demo;
use serde_json::json;

use crate::{
    comparing::{asked, change, held, truth},
    working::{Working, company, imported, space},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_quota_parks_the_feed_and_the_next_hour_goes_on_where_it_was() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    // Enough for the pages, not for all of it.
    change(&setting.fake, "quota", json!({ "points": 330 })).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await
        .unwrap();
    let parked = |picture: &FeedPicture| picture.headline == "paused by quota";
    let picture = circuit.until(begun.feed, "parked", parked).await;
    assert!(matches!(picture.feed.state, FeedState::Parked(Park::QuotaSpent { .. })));
    assert!(picture.documents > 0, "the pages came before it was spent");
    let pages = |requests: &[String]| requests.iter().filter(|path| path.contains("/pages?")).count();
    let before = pages(&asked(&setting.fake).await);

    change(&setting.fake, "quota", json!({ "points": null })).await;
    circuit.clock.0.store(3_600_000, Ordering::SeqCst);
    circuit.up_to_date(begun.feed).await;
    let again = pages(&asked(&setting.fake).await) - before;
    assert!(again <= 1, "what was recorded is not fetched again: {again}");
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_consent_keeps_what_is_there_and_goes_on_after_a_reconnect() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await
        .unwrap();
    let documents = circuit.up_to_date(begun.feed).await.documents;

    change(&setting.fake, "revoke-consent", json!({ "account": setting.person })).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let lost = |picture: &FeedPicture| picture.headline == "needs reconnect" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "asking for a reconnect", lost).await;
    assert_eq!(picture.documents, documents, "nothing is removed for a lost grant");
    assert!(circuit.finds(&begun, "pump").await > 0);

    let reconnected = circuit.reconnected(&setting, &begun, &setting.person).await;
    reconnected.unwrap();
    circuit.up_to_date(begun.feed).await;
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_takes_over_after_a_question_and_until_then_nothing_changes() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    let (app, caller) = (&circuit.app, &circuit.caller);
    let both = [space(&begun, "HR"), space(&begun, "OPS")].concat();
    app.add_spaces(caller, begun.feed, &both).await.unwrap();
    circuit.up_to_date(begun.feed).await;
    let people = &demo::sites()[0].people;
    let colleague = people
        .iter()
        .find(|person| person.active && person.account_id != setting.person)
        .unwrap();
    change(
        &setting.fake,
        "revoke",
        json!({ "space": "HR", "accounts": [colleague.account_id] }),
    )
    .await;
    circuit
        .reconnected(&setting, &begun, &colleague.account_id)
        .await
        .unwrap();
    let question = app.reconnection(caller, begun.feed).await.unwrap().unwrap();
    assert!(question.another_account());
    assert_eq!(question.reconnection.person.name, colleague.name);
    let hidden: Vec<&str> = question
        .reconnection
        .hidden
        .iter()
        .map(|space| space.key.as_str())
        .collect();
    assert_eq!(
        hidden,
        ["HR"],
        "only the chosen spaces are asked for, and what is not seen is named"
    );
    let picture = app.feed_picture(caller, begun.feed).await.unwrap();
    assert_eq!(picture.connection.unwrap().account.unwrap().as_str(), setting.person);

    app.accept_reconnection(caller, begun.feed).await.unwrap();
    assert!(circuit.finds(&begun, "onboarding").await == 0, "out of search at once");
    app.resync(caller, begun.feed).await.unwrap();
    let read = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        picture.headline == "up to date"
            && picture.searchable
            && last.is_some_and(|run| run.trigger == domain::sync_run::Trigger::Person && run.counts.seen > 0)
    };
    let picture = circuit.until(begun.feed, "read by the colleague", read).await;
    assert_eq!(
        picture.connection.unwrap().account.unwrap().as_str(),
        colleague.account_id
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_address_is_named_and_tried_again_by_a_person() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    let gone = json!({ "next_n": { "path": "/pages?", "n": 1, "status": 410, "body": "{}" } });
    change(&setting.fake, "faults", gone).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "HR"))
        .await
        .unwrap();
    let withdrawn = |picture: &FeedPicture| picture.headline == "withdrawn by Atlassian" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "withdrawn", withdrawn).await;
    let FeedState::Parked(Park::Withdrawn { why }) = picture.feed.state else {
        panic!("{:?}", picture.feed.state)
    };
    assert!(why.contains("pages"), "{why}");
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    circuit.up_to_date(begun.feed).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_may_no_longer_use_confluence_is_told_from_a_lost_consent() {
    let (setting, begun, circuit) = imported(&["HR"]).await;
    let body = json!({ "message": "Current user not permitted to use Confluence" }).to_string();
    let shut_out = json!({ "next_n": { "path": "/wiki/", "n": 20, "status": 403, "body": body } });
    change(&setting.fake, "faults", shut_out).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let lost = |picture: &FeedPicture| picture.headline == "access lost" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "shut out", lost).await;
    let FeedState::Parked(Park::AccessLost { ending, .. }) = picture.feed.state else {
        panic!("{:?}", picture.feed.state)
    };
    assert_eq!(ending, Ending::NoConfluence);
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    circuit.up_to_date(begun.feed).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_is_shown_while_its_content_is_hidden_waits_for_the_sites_admin() {
    let (setting, begun, circuit) = imported(&["HR"]).await;
    // An app access rule: content is not there for apps, the space's name is (facts.md §6).
    let hidden = json!({ "next_n": { "path": "/pages?", "n": 20, "status": 404, "body": "{}" } });
    change(&setting.fake, "faults", hidden).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let lost = |picture: &FeedPicture| picture.headline == "access lost" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "hidden", lost).await;
    let FeedState::Parked(Park::AccessLost { ending, why }) = picture.feed.state else {
        panic!("{:?}", picture.feed.state)
    };
    assert_eq!(ending, Ending::HiddenFromApp);
    assert!(why.contains("HR"), "{why}");
    assert_eq!(circuit.finds(&begun, "onboarding").await, 0, "kept, and not found");
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let back = |picture: &FeedPicture| {
        picture.headline == "up to date" && picture.searchable && picture.spaces[0].suspended_at.is_none()
    };
    circuit.until(begun.feed, "seen again", back).await;
    assert!(circuit.finds(&begun, "onboarding").await > 0);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_atlassian_refuses_is_the_operators_and_no_person_reconnects() {
    let (setting, begun, circuit) = imported(&["HR"]).await;
    let refused = json!({ "error": "access_denied", "error_description": "Unauthorized" }).to_string();
    let wrong = json!({ "next_n": { "path": "/oauth/token", "n": 20, "status": 401, "body": refused } });
    change(&setting.fake, "faults", wrong).await;
    // The access token is an hour old: it must be refreshed.
    circuit.later(&setting, 61).await;
    let operator = |picture: &FeedPicture| picture.headline == "needs the operator" && picture.running.is_none();
    let picture = circuit.until(begun.feed, "waiting for the operator", operator).await;
    assert_eq!(
        picture.connection.unwrap().state,
        ConnectionState::Active,
        "the connection lives"
    );
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.later(&setting, 6).await;
    circuit.up_to_date(begun.feed).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnect_with_an_account_that_does_not_reach_the_site_leaves_the_connection_as_it_was() {
    let (setting, begun, circuit) = imported(&["HR"]).await;
    let [main, .., other] = &demo::sites()[..] else {
        panic!("the company has several sites")
    };
    let here = |person: &str| main.people.iter().any(|other| other.account_id == person);
    let stranger = other
        .people
        .iter()
        .find(|person| person.active && !here(&person.account_id))
        .unwrap();
    let reconnected = circuit.reconnected(&setting, &begun, &stranger.account_id).await;
    let refused = reconnected.unwrap_err();
    assert!(refused.message.contains("does not reach"), "{refused}");
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let again = |picture: &FeedPicture| {
        picture.headline == "up to date" && picture.last.as_ref().is_some_and(|run| run.counts.unchanged > 0)
    };
    circuit
        .until(begun.feed, "synced again with the first connection", again)
        .await;
    circuit.app.remove_feed(&circuit.caller, begun.feed).await.unwrap();
    assert!(
        circuit.app.reconnect(&circuit.caller, begun.feed).await.is_err(),
        "a removed integration stays removed"
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_trashed_or_restricted_is_not_found_after_the_pass_that_noticed() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    assert!(circuit.finds(&begun, "\"pump runbook\"").await > 0);
    let documents = held(&circuit.app, &circuit.caller, begun.index).await.len();
    let another = &demo::sites()[0].people[1].account_id;
    let closed = json!({ "title": "Failure codes", "space": "OPS", "accounts": [another] });
    change(
        &setting.fake,
        "trash",
        json!({ "title": "Pump runbook", "space": "OPS" }),
    )
    .await;
    change(&setting.fake, "restrict", closed).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let noticed = |picture: &FeedPicture| {
        picture.headline == "up to date" && picture.searchable && picture.documents < documents as u64
    };
    circuit.until(begun.feed, "noticed", noticed).await;
    let held = held(&circuit.app, &circuit.caller, begun.index).await;
    let truth = truth(&setting, &begun, &["OPS"]).await;
    assert_eq!(held, truth);
    assert!(held.len() < documents);
    let found = circuit
        .app
        .search(
            &circuit.caller,
            begun.index,
            &Query {
                text: "pump".into(),
                limit: 100,
                ..Query::default()
            },
        )
        .await
        .unwrap();
    assert!(
        found
            .hits
            .iter()
            .all(|hit| truth.contains_key(hit.passage.document.content.as_str()))
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_is_lost_is_not_found_does_not_hold_up_the_others_and_comes_back() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    let both = [space(&begun, "HR"), space(&begun, "OPS")].concat();
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &both)
        .await
        .unwrap();
    let first = circuit.up_to_date(begun.feed).await;
    let word = "onboarding";
    let found = circuit.finds(&begun, word).await;
    assert!(found > 0);

    change(&setting.fake, "revoke", json!({ "space": "HR", "everyone": true })).await;
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let later = |after: RunId| {
        move |picture: &FeedPicture| {
            let last = picture.last.as_ref();
            last.is_some_and(|run| run.id > after) && picture.running.is_none() && picture.searchable
        }
    };
    let lost = circuit
        .until(begun.feed, "read again", later(first.last.unwrap().id))
        .await;
    let suspended = |picture: &FeedPicture| -> Vec<String> {
        let spaces = picture.spaces.iter().filter(|space| space.suspended_at.is_some());
        spaces.map(|space| space.space.key.clone()).collect()
    };
    assert_eq!(suspended(&lost), ["HR"]);
    assert_eq!(lost.documents, first.documents, "kept");
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1, "the other space was read");
    let query = Query {
        limit: 100,
        ..Query::default()
    };
    let all = circuit.app.search(&circuit.caller, begun.index, &query).await.unwrap();
    assert!(all.hits.iter().all(|hit| hit.passage.space_key == "OPS"));
    assert_eq!(all.facets.spaces.len(), 1);
    circuit.equals(&setting, &begun, &["OPS"]).await;

    change(&setting.fake, "grant", json!({ "space": "HR", "everyone": true })).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let back = circuit
        .until(begun.feed, "read again", later(lost.last.unwrap().id))
        .await;
    assert!(suspended(&back).is_empty());
    assert_eq!(circuit.finds(&begun, word).await, found);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_fail_break_off_repeat_themselves_and_make_no_sense_cost_no_document() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    let faults = json!({
        "seed": 7, "fail_rate": 0.1, "fail_status": 503, "cut_rate": 0.05, "duplicate_rate": 0.1,
        "next_n": { "path": "/blogposts", "n": 1, "status": 200, "body": "{\"results\": [{\"id\":" },
    });
    change(&setting.fake, "faults", faults).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "ENG"))
        .await
        .unwrap();
    circuit.up_to_date(begun.feed).await;
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    circuit.equals(&setting, &begun, &["ENG"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_twenty_megabytes_is_found_by_its_title_and_listed_with_the_reason() {
    let (setting, begun) = company().await;
    let large =
        json!({ "title": "Pump runbook", "space": "OPS", "body": format!("<p>{}</p>", "zyzzyva ".repeat(20 << 17)) });
    change(&setting.fake, "edit", large).await;
    let circuit = Working::new(&setting, &begun).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await
        .unwrap();
    let picture = circuit.up_to_date(begun.feed).await;
    assert!(circuit.finds(&begun, "\"pump runbook\"").await > 0);
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 0);
    let run = picture.last.unwrap();
    assert_eq!(run.counts.failed, 1);
    let failures = circuit.app.failures(&circuit.caller, run.id).await.unwrap();
    assert_eq!(failures[0].title, "Pump runbook");
    assert!(failures[0].why.contains("bytes"), "{}", failures[0].why);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_search_index_is_built_anew_from_the_store_and_not_from_atlassian() {
    let (setting, begun, circuit) = imported(&["OPS"]).await;
    let before = circuit.finds(&begun, "pump").await;
    circuit.end().await;
    let calls = asked(&setting.fake).await.len();
    std::fs::remove_dir_all(setting.data_dir.join("search")).unwrap();
    let circuit = Working::new(&setting, &begun).await;
    circuit.up_to_date(begun.feed).await;
    assert_eq!(circuit.finds(&begun, "pump").await, before);
    // A look at what changed meanwhile may be among them; a listing of a space is not.
    let listings = asked(&setting.fake).await.split_off(calls);
    assert!(listings.iter().all(|path| !path.contains("/spaces/")), "{listings:?}");
    circuit.end().await;
}
