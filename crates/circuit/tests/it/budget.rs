//! Points: what Circuit says it spent is what Atlassian counted, the budget of an hour is kept, and what an import will
//! cost is said before.

use std::{
    process::{Command, Output},
    sync::atomic::Ordering,
};

use app::progress::FeedPicture;
use domain::{
    Clock,
    budget::Allowance,
    feed::{FeedState, Park},
    query::Query,
    sync_run::{Outcome, RunKind, SyncRun},
};
use fake_atlassian::{FakeAtlassian, demo};
use serde_json::{Value, json};

use crate::{
    comparing::{change, held, truth, world},
    process::{Circuit, serve},
    setting::{Begun, Setting},
    working::{Working, company, space},
};

const DAY_MS: i64 = 24 * 3_600_000;
/// Hours that an import of some hundred pages may take on the smallest budget.
const HOURS_MAX: usize = 12;

/// Turns the clock to ten in the morning, far from where hours and days turn.
pub fn at_ten(circuit: &Working) {
    let now = circuit.clock.now().0;
    circuit
        .clock
        .0
        .fetch_add(10 * 3_600_000 - now.rem_euclid(DAY_MS), Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_circuit_says_it_spent_is_what_atlassian_counted() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    at_ten(&circuit);
    let before = world(&setting.fake, "/_world/stats").await;
    let charged = circuit.app.feed_picture(&circuit.caller, begun.feed).await.unwrap();
    let chosen = [space(&begun, "OPS"), space(&begun, "ENG")].concat();
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &chosen)
        .await
        .unwrap();
    circuit.up_to_date(begun.feed).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let again = |picture: &app::progress::FeedPicture| {
        picture.headline == "up to date" && picture.last.as_ref().is_some_and(|run| run.counts.unchanged > 0)
    };
    let picture = circuit.until(begun.feed, "synced again", again).await;

    let after = world(&setting.fake, "/_world/stats").await;
    let counted = |name: &str| after[name].as_u64().unwrap() - before[name].as_u64().unwrap();
    let today = picture.points.today.minus(charged.points.today);
    assert_eq!((today.calls, today.points), (counted("calls"), counted("points")));
    assert_eq!(
        picture.points.budget.spent,
        counted("points"),
        "nothing is left reserved"
    );

    circuit.end().await;
}

/// Within a tenth of each other.
fn agree(said: u64, took: u64) -> bool {
    said.abs_diff(took) * 10 <= took
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_a_walk_and_a_verify_are_said_to_cost_is_within_a_tenth_of_what_they_cost() {
    let generated = |options| FakeAtlassian::generated(1_000, options);
    for setting in [
        Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await,
        Setting::new(generated).await,
    ] {
        let begun = setting.begun().await;
        let circuit = Working::new(&setting, &begun).await;
        at_ten(&circuit);
        let spaces: Vec<_> = begun.spaces.iter().map(|(_, id)| id.clone()).collect();
        let (app, caller, feed) = (&circuit.app, &circuit.caller, begun.feed);
        let quote = app.estimate(caller, feed, &spaces).await.unwrap();
        app.add_spaces(caller, feed, &spaces).await.unwrap();
        let picture = circuit.up_to_date(feed).await;
        let import = picture.last.unwrap();
        assert_eq!(import.kind, RunKind::Import);
        let said = quote.import.price;
        assert!(
            agree(said.points, import.spent.points),
            "import: said {said:?}, took {:?}; {:?}",
            import.spent,
            quote.estimate
        );

        let said = [quote.later.walk, picture.points.next.walk];
        let walk = circuit.walked(&begun).await.last.unwrap();
        let verify = app.verify(caller, feed).await.unwrap().id;
        let complete = |picture: &FeedPicture| {
            let last = picture.last.as_ref();
            last.is_some_and(|last| last.id == verify && last.outcome == Some(Outcome::Complete))
        };
        let verify = circuit.until(feed, "compared", complete).await.last.unwrap();
        for (run, said) in [&walk, &verify]
            .into_iter()
            .flat_map(|run| said.map(|said| (run, said)))
        {
            assert!(
                agree(said.points, run.spent.points),
                "{}: said {said:?}, took {:?}",
                run.kind.word(),
                run.spent
            );
        }
        circuit.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_larger_than_the_budget_waits_for_the_next_hours_and_is_whole_at_the_end() {
    let mut setting = Setting::new(|options| FakeAtlassian::generated(600, options)).await;
    let smallest = Allowance::new(1_000, 60).unwrap();
    setting.allowance = smallest;
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    let spaces: Vec<_> = begun.spaces.iter().map(|(_, id)| id.clone()).collect();
    let keys: Vec<&str> = begun.spaces.iter().map(|(key, _)| key.as_str()).collect();
    circuit.later(&setting, 60).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &spaces)
        .await
        .unwrap();
    let mut waits = 0;
    loop {
        let now = circuit.clock.now();
        let rests = |picture: &app::progress::FeedPicture| match picture.feed.state {
            FeedState::Parked(Park::QuotaSpent { until }) => until > now,
            _ => picture.headline == "up to date" && picture.searchable,
        };
        let picture = circuit.until(begun.feed, "parked or done", rests).await;
        let spent = world(&setting.fake, "/_world/stats").await["points_this_hour"]
            .as_u64()
            .unwrap();
        assert!(spent <= smallest.points(), "{spent} points in one hour");
        if picture.headline == "up to date" {
            break;
        }
        waits += 1;
        assert!(waits < HOURS_MAX, "{picture:?}");
        circuit.later(&setting, 60).await;
    }
    assert!(waits > 0);
    assert_eq!(
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &keys).await
    );
    circuit.end().await;
}

/// Lets the next hour's points come, and waits until they are spent or nothing is left to be read.
async fn an_hour_later(setting: &Setting, circuit: &Working, begun: &Begun) -> FeedPicture {
    circuit.later(setting, 60).await;
    let now = circuit.clock.now();
    let waits = |picture: &FeedPicture| match picture.feed.state {
        FeedState::Parked(Park::QuotaSpent { until }) => until > now,
        _ => picture.running.is_none() && picture.last.as_ref().is_some_and(|run| run.ended_at >= Some(now)),
    };
    let rests = |picture: &FeedPicture| waits(picture) && picture.searchable;
    circuit.until(begun.feed, "parked or done", rests).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_restricted_while_its_space_was_out_of_sight_is_not_found_when_the_import_goes_on() {
    let mut setting = Setting::new(|options| FakeAtlassian::generated(2_000, options)).await;
    setting.allowance = Allowance::new(1_000, 60).unwrap();
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    let (key, id) = begun.spaces[0].clone();
    circuit.later(&setting, 60).await;
    circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, std::slice::from_ref(&id))
        .await
        .unwrap();
    let parked = an_hour_later(&setting, &circuit, &begun).await;
    assert!(matches!(parked.feed.state, FeedState::Parked(_)), "{parked:?}");
    let query = Query {
        limit: 1,
        ..Query::default()
    };
    let found = || circuit.app.search(&circuit.caller, begun.index, &query);
    let page = found().await.unwrap().hits[0].passage.document.clone();

    let everyone = json!({ "space": key, "everyone": true });
    change(&setting.fake, "revoke", everyone.clone()).await;
    let lost = an_hour_later(&setting, &circuit, &begun).await;
    assert!(lost.spaces[0].suspended_at.is_some() && lost.spaces[0].imported_at.is_none());
    assert_eq!(found().await.unwrap().total, 0);

    let nobody = json!({ "id": page.content.as_str(), "accounts": [] });
    change(&setting.fake, "restrict", nobody).await;
    change(&setting.fake, "grant", everyone).await;
    for hours in 0.. {
        let picture = an_hour_later(&setting, &circuit, &begun).await;
        let truth = truth(&setting, &begun, &[&key]).await;
        let held = held(&circuit.app, &circuit.caller, begun.index).await;
        let hidden = held.keys().filter(|id| !truth.contains_key(*id));
        assert_eq!(hidden.count(), 0, "found though they cannot be seen");
        if picture.headline == "up to date" {
            assert!(hours > 0, "all was read at once: nothing was shown");
            assert_eq!(held, truth);
            break;
        }
        assert!(hours < HOURS_MAX, "{picture:?}");
    }
    circuit.end().await;
}

/// The last walk.
async fn walk(circuit: &Working, begun: &Begun) -> SyncRun {
    let runs = circuit.app.runs(&circuit.caller, begun.feed).await.unwrap();
    runs.into_iter().find(|run| run.kind == RunKind::Walk).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_waits_for_the_next_hours_points_alone_and_what_is_written_is_found_meanwhile() {
    let mut setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let budget = Allowance::new(2_000, 50).unwrap();
    setting.allowance = budget;
    let begun = setting.begun().await;
    let circuit = Working::new(&setting, &begun).await;
    at_ten(&circuit);
    let ops = space(&begun, "OPS");
    circuit.app.add_spaces(&circuit.caller, begun.feed, &ops).await.unwrap();
    circuit.up_to_date(begun.feed).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    let walked = |picture: &FeedPicture| {
        let walk = picture.last.as_ref().is_some_and(|run| run.kind == RunKind::Walk);
        walk && picture.running.is_none() && picture.headline == "up to date"
    };
    let spent = circuit.until(begun.feed, "walked", walked).await.points.budget.spent;
    // A listing of 250 pages no longer fits beside what is kept for changes and people.
    assert!(spent > budget.points() * 4 / 5 - 251, "{spent}");

    circuit.later(&setting, 50).await;
    let waits = |picture: &FeedPicture| {
        picture
            .last
            .as_ref()
            .is_some_and(|run| run.kind == RunKind::Walk && parked(run))
    };
    circuit.until(begun.feed, "waiting with its walk", waits).await;
    let edit = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", edit).await;
    circuit.later(&setting, 4).await;
    while circuit.finds(&begun, "zyzzyva").await == 0 {
        let picture = circuit.app.feed_picture(&circuit.caller, begun.feed).await.unwrap();
        assert_eq!(picture.feed.state, FeedState::Active);
        tokio::task::yield_now().await;
    }
    let walk_now = walk(&circuit, &begun).await;
    assert_ne!(walk_now.outcome, Some(Outcome::Complete), "the hour has not turned");

    circuit.later(&setting, 10).await;
    while walk(&circuit, &begun).await.outcome != Some(Outcome::Complete) {
        tokio::task::yield_now().await;
    }
    circuit.end().await;
}

fn parked(run: &SyncRun) -> bool {
    matches!(run.outcome, Some(Outcome::Parked { .. }))
}

/// `circuit feed estimate` against this Circuit.
fn estimate(circuit: &Circuit, key: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_circuit"));
    command.args(["feed", "estimate"]).args(arguments);
    command.env("CIRCUIT_URL", &circuit.base).env("CIRCUIT_API_KEY", key);
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_what_an_import_will_cost() {
    let (setting, begun) = company().await;
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    let feed = begun.feed.to_string();

    let json = estimate(
        &circuit,
        &begun.key,
        &[&feed, "--space", "OPS", "--space", "ENG", "--json"],
    );
    assert_eq!(json.status.code(), Some(0), "{json:?}");
    let quote: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(quote["pages"].as_u64().unwrap() > 20, "{quote}");
    assert!(quote["import"]["points"].as_u64() > quote["pages"].as_u64(), "{quote}");
    let human = estimate(&circuit, &begun.key, &[&feed, "--space", "OPS"]);
    let told = String::from_utf8(human.stdout).unwrap();
    assert!(told.starts_with("Spaces       OPS\nThey hold    about "), "{told}");

    let complaint = |output: Output| (output.status.code(), String::from_utf8(output.stderr).unwrap());
    let (code, why) = complaint(estimate(&circuit, &begun.key, &[&feed]));
    assert_eq!(code, Some(1));
    assert!(
        why.contains("carries no space yet; name some with --space KEY"),
        "{why}"
    );
    let (code, why) = complaint(estimate(&circuit, &begun.key, &[&feed, "--space", "NOPE"]));
    assert!(code == Some(1) && why.contains("\"NOPE\""), "{why}");
    let (code, why) = complaint(estimate(&circuit, "wrong", &[&feed, "--space", "OPS"]));
    assert!(code == Some(1) && why.contains("does not accept the API key"), "{why}");
    assert_eq!(estimate(&circuit, &begun.key, &[]).status.code(), Some(2));
    assert!(circuit.stop().success());
}
