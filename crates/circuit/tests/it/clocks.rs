//! A clock that is wrong, and put right: nothing waits for a time that never was.

use std::sync::atomic::Ordering;

use app::progress::FeedPicture;
use domain::{Secret, feed::FeedState};
use serde_json::json;

use crate::{
    comparing::{change, held, truth},
    setting::{Begun, PASSWORD, Setting},
    working::{Working, company, space},
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

async fn edited(setting: &Setting, word: &str) {
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": format!("<p>{word}</p>") });
    change(&setting.fake, "edit", runbook).await;
}

/// Waits until the word is found, without anybody asking for a pass.
async fn found(circuit: &Working, begun: &Begun, word: &str) {
    let found = async {
        while circuit.finds(begun, word).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(90), found).await;
    assert!(found.is_ok(), "{word} is not found");
}

async fn imported(circuit: &Working, begun: &Begun) {
    let added = circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(begun, "OPS"))
        .await;
    added.unwrap();
    circuit.up_to_date(begun.feed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_while_circuit_runs_delays_no_pass_and_locks_nobody_out() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    imported(&circuit, &begun).await;
    for (word, back) in [("zyzzyva", HOUR_MS), ("numbat", DAY_MS), ("quokka", YEAR_MS)] {
        // Guessed at just before.
        for _ in 0..10 {
            let guess = circuit
                .app
                .sign_in("ann@example.org", &Secret::new("wrong wrong wrong"))
                .await;
            guess.unwrap_err();
        }
        edited(&setting, word).await;
        circuit.clock.0.fetch_sub(back, Ordering::SeqCst);
        found(&circuit, &begun, word).await;
        circuit.app.ready().await.unwrap();
        let session = circuit
            .app
            .sign_in("ann@example.org", &Secret::new(PASSWORD))
            .await
            .unwrap();
        assert!(circuit.app.caller_by_session(session.expose()).await.unwrap().is_some());
    }
    let (held, truth) = (
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &["OPS"]).await,
    );
    assert_eq!(held, truth);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_by_a_clock_a_year_ahead_is_in_nobodys_way_once_it_is_right() {
    let (setting, begun) = company().await;
    let ahead = Working::at(&setting, &begun, YEAR_MS).await;
    imported(&ahead, &begun).await;
    let session = ahead
        .app
        .sign_in("ann@example.org", &Secret::new(PASSWORD))
        .await
        .unwrap();
    // Parked until a time that is a year away.
    change(&setting.fake, "quota", json!({ "points": 0 })).await;
    ahead.app.resync(&ahead.caller, begun.feed).await.unwrap();
    let parked =
        |picture: &FeedPicture| matches!(picture.feed.state, FeedState::Parked(_)) && picture.running.is_none();
    ahead.until(begun.feed, "parked", parked).await;
    ahead.end().await;
    change(&setting.fake, "quota", json!({ "points": null })).await;
    edited(&setting, "zyzzyva").await;

    let right = Working::new(&setting, &begun).await;
    found(&right, &begun, "zyzzyva").await;
    right.up_to_date(begun.feed).await;
    let caller = right.app.caller_by_session(session.expose()).await.unwrap();
    assert!(caller.is_none(), "a session does not live for a year and a month");
    right.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_leaps_ahead_and_back_in_the_midst_of_an_import_costs_no_document() {
    let (setting, begun) = company().await;
    change(&setting.fake, "faults", json!({ "latency_ms": 60 })).await;
    let circuit = Working::new(&setting, &begun).await;
    let added = circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await;
    added.unwrap();
    // Every lease of this process has run out by the clock, and none that it takes ends before next year.
    let arrived = |picture: &FeedPicture| picture.documents > 0;
    circuit.until(begun.feed, "arriving", arrived).await;
    circuit.clock.0.fetch_add(YEAR_MS, Ordering::SeqCst);
    let some = circuit.until(begun.feed, "arriving", arrived).await.documents;
    circuit
        .until(begun.feed, "arriving", |picture| {
            picture.documents > some || picture.running.is_none()
        })
        .await;
    circuit.clock.0.fetch_sub(YEAR_MS, Ordering::SeqCst);
    circuit.up_to_date(begun.feed).await;
    let (held, truth) = (
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &["OPS"]).await,
    );
    assert_eq!(held, truth);
    circuit.end().await;
}
