//! The real binary killed at random instants, again and again: in an import, in a re-sync, in a token's refresh. Ten times
//! each, or as often as `TESTED_KILLS` says; `TESTED_SEED` repeats the instants of a failure.

use std::{
    collections::BTreeMap,
    process::Stdio,
    time::{Duration, Instant},
};

use domain::{FeedId, store::Store};
use fake_atlassian::{FakeAtlassian, demo};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    comparing::{change, held, truth, up_to_date, world},
    process::{Circuit, serve},
    setting::{Begun, Setting},
};

const KILLS: usize = 10;

fn set<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

fn kills() -> usize {
    set("TESTED_KILLS").unwrap_or(KILLS)
}

fn seeded() -> StdRng {
    let seed = set("TESTED_SEED").unwrap_or_else(|| rand::rng().next_u64());
    // Shown when the test fails.
    println!("the seed is {seed}: TESTED_SEED repeats it");
    StdRng::seed_from_u64(seed)
}

/// Started, and killed so long after: in the midst of starting as well.
async fn lived(setting: &Setting, life: Duration) {
    let mut command = lavish(setting);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(life).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Started, and killed so long after Atlassian gave it a token, or in time when it asks for none.
async fn lived_until_a_token(setting: &Setting, life_max: Duration, after: Duration) {
    let calls = setting.fake.calls();
    let given = || {
        let asked = setting.fake.journal_after(calls);
        asked.iter().any(|row| row.path == "/oauth/token")
    };
    let mut command = lavish(setting);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + life_max;
    while Instant::now() < until && !given() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(after).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Circuit, with points to spare: what a killed process had set aside counts as spent until the hour ends.
fn lavish(setting: &Setting) -> std::process::Command {
    let mut command = serve(&setting.data_dir, &setting.settings());
    command.env("CIRCUIT_ATLASSIAN_QUOTA_POINTS", "10000000");
    command
}

/// How long it takes until it works.
async fn start_time(setting: &Setting) -> Duration {
    let began = Instant::now();
    let circuit = Circuit::start(lavish(setting));
    let took = began.elapsed();
    circuit.kill();
    took
}

/// The demo's company, a feed, and more spaces with a page each.
async fn company(latency: Duration, more_spaces: usize) -> (Setting, Begun) {
    let setting = Setting::new(|options| {
        let options = fake_atlassian::Options { latency, ..options };
        FakeAtlassian::new(demo::sites(), options)
    })
    .await;
    for number in 0..more_spaces {
        let (key, name) = (format!("MORE{number}"), format!("More {number}"));
        change(&setting.fake, "create-space", json!({ "key": key, "name": name })).await;
        let page = json!({ "space": key, "title": format!("Page {number}"), "body": "<p>pump</p>" });
        change(&setting.fake, "create", page).await;
    }
    let begun = setting.begun().await;
    (setting, begun)
}

fn keys(begun: &Begun, so: impl Fn(&str) -> bool) -> Vec<&str> {
    let keys = begun.spaces.iter().map(|(key, _)| key.as_str());
    keys.filter(|key| so(key)).collect()
}

async fn add_spaces(setting: &Setting, begun: &Begun, keys: &[&str]) {
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let chosen = begun.spaces.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    let ids: Vec<_> = chosen.map(|(_, id)| id.clone()).collect();
    wired.app.add_spaces(&caller, begun.feed, &ids).await.unwrap();
}

/// Every pass of the feed began after the one before it had ended, and at most the last is open.
async fn one_pass_at_a_time(store: &dyn Store, feed: FeedId) {
    let mut runs = store.runs(feed, 10_000).await.unwrap();
    runs.reverse();
    for pair in runs.windows(2) {
        let (first, second) = (&pair[0], &pair[1]);
        let ended = first
            .ended_at
            .unwrap_or_else(|| panic!("{first:?} is open beside {second:?}"));
        assert!(ended <= second.started_at, "{first:?} and {second:?}");
    }
}

/// What is held and what can be found, read while Circuit does not run.
async fn held_now(setting: &Setting, begun: &Begun) -> BTreeMap<String, String> {
    let wired = setting.wired().await;
    one_pass_at_a_time(&*wired.store, begun.feed).await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    held(&wired.app, &caller, begun.index).await
}

async fn sees(setting: &Setting, begun: &Begun, keys: &[&str], circuit: Circuit) {
    let (_, hits) = circuit
        .get(&begun.key, &format!("/api/v1/indexes/{}/search", begun.index))
        .await;
    assert!(circuit.stop().success());
    let truth = truth(setting, begun, keys).await;
    assert_eq!(hits["total"].as_u64(), Some(truth.len() as u64), "searchable");
    assert_eq!(held_now(setting, begun).await, truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_at_random_instants_ends_with_what_the_person_sees() {
    let (mut rng, kills) = (seeded(), kills());
    let (setting, begun) = company(Duration::from_millis(100), 4 + kills / 2).await;
    let keys = keys(&begun, |key| key.starts_with("MORE") || key == "OPS");
    add_spaces(&setting, &begun, &keys).await;
    let start = start_time(&setting).await;
    let mut midway = 0;
    for _ in 0..kills {
        lived(
            &setting,
            rng.random_range(start / 2..start + Duration::from_millis(300)),
        )
        .await;
        let wired = setting.wired().await;
        one_pass_at_a_time(&*wired.store, begun.feed).await;
        let spaces = wired.store.feed_spaces(begun.feed).await.unwrap();
        midway += usize::from(spaces.iter().any(|space| space.imported_at.is_none()));
    }
    assert!(midway >= kills / 2, "the import was over too soon: {midway} of {kills}");
    println!("{midway} of {kills} kills hit the import");
    let circuit = Circuit::start(lavish(&setting));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    sees(&setting, &begun, &keys, circuit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resync_killed_at_random_instants_removes_what_is_gone_and_nothing_else() {
    let (mut rng, kills) = (seeded(), kills());
    let (setting, begun) = company(Duration::from_millis(40), 0).await;
    let keys = keys(&begun, |key| ["OPS", "ENG", "HR"].contains(&key));
    add_spaces(&setting, &begun, &keys).await;
    let circuit = Circuit::start(lavish(&setting));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    let untouched = truth(&setting, &begun, &keys).await;

    let resync = format!("/api/v1/feeds/{}/resync", begun.feed);
    for number in 0..kills {
        // One comes, and one of those that came goes: the others must stay whatever happens.
        let page = json!({ "space": "OPS", "title": format!("Passing {number}"), "body": "<p>zyzzyva</p>" });
        change(&setting.fake, "create", page).await;
        if number > 1 {
            let gone = json!({ "space": "OPS", "title": format!("Passing {}", number - 2) });
            change(&setting.fake, "trash", gone).await;
        }
        let circuit = Circuit::start(lavish(&setting));
        let (status, answer) = circuit.post(&begun.key, &resync, &Value::Null).await;
        assert!(status.is_success(), "{status} {answer}");
        tokio::time::sleep(rng.random_range(Duration::ZERO..Duration::from_millis(400))).await;
        circuit.kill();
        let held = held_now(&setting, &begun).await;
        let lost: Vec<_> = untouched.iter().filter(|(id, _)| !held.contains_key(*id)).collect();
        assert!(lost.is_empty(), "removed by the {number}th kill: {lost:?}");
    }
    let circuit = Circuit::start(lavish(&setting));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let run = |picture: &Value| picture["last_run"]["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/v1/feeds/{}", begun.feed);
    let before = run(&circuit.get(&begun.key, &path).await.1);
    circuit.post(&begun.key, &resync, &Value::Null).await;
    let ended = async { while run(&up_to_date(&circuit, &begun.key, begun.feed).await) == before {} };
    tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    up_to_date(&circuit, &begun.key, begun.feed).await;
    sees(&setting, &begun, &keys, circuit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_killed_at_random_instants_loses_no_grant() {
    let (mut rng, kills) = (seeded(), kills());
    let (setting, begun) = company(Duration::from_millis(60), 0).await;
    let keys = keys(&begun, |key| key == "HR");
    add_spaces(&setting, &begun, &keys).await;
    let circuit = Circuit::start(lavish(&setting));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    let start = start_time(&setting).await;
    let mut refreshes = asked_for_tokens(&setting).await;
    let (mut lives, mut hit, mut lost) = (true, 0, 0);
    for number in 0..kills {
        // The token dies; but not while an answer was lost, which Atlassian gives once more for ten minutes.
        if lives {
            change(&setting.fake, "clock", json!({ "advance_ms": 3_700_000 })).await;
        }
        // Something to do that needs a token.
        resync(&setting, &begun).await;
        // Any instant, and those about the one between Atlassian's answer and its being kept.
        match number % 2 {
            0 => {
                lived(
                    &setting,
                    rng.random_range(start / 2..start + Duration::from_millis(300)),
                )
                .await
            }
            _ => {
                let after = rng.random_range(Duration::ZERO..Duration::from_millis(8));
                lived_until_a_token(&setting, start + Duration::from_millis(300), after).await
            }
        }
        // What the dead process asked is in the fake's log once it was answered.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = asked_for_tokens(&setting).await;
        lives = token_lives(&setting, &begun).await;
        hit += usize::from(now > refreshes);
        lost += usize::from(now > refreshes && !lives);
        refreshes = now;
    }
    println!("{hit} of {kills} lives were given a token, and {lost} were killed before they had kept it");
    assert!(
        hit >= kills / 5,
        "the token was hardly ever asked for: {hit} of {kills}"
    );
    let circuit = Circuit::start(lavish(&setting));
    let resync = format!("/api/v1/feeds/{}/resync", begun.feed);
    let (status, answer) = circuit.post(&begun.key, &resync, &Value::Null).await;
    assert!(status.is_success(), "{status} {answer}");
    up_to_date(&circuit, &begun.key, begun.feed).await;
    sees(&setting, &begun, &keys, circuit).await;
}

/// Asks for a pass while Circuit does not run: it begins with the next start.
async fn resync(setting: &Setting, begun: &Begun) {
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    wired.app.resync(&caller, begun.feed).await.unwrap();
}

/// Whether Atlassian takes the token that is kept.
async fn token_lives(setting: &Setting, begun: &Begun) -> bool {
    let wired = setting.wired().await;
    let feed = wired.store.feed(begun.feed).await.unwrap();
    let grant = wired.store.grant(feed.connection.unwrap()).await.unwrap();
    let me = format!(
        "{}/ex/confluence/{}/wiki/rest/api/user/current",
        setting.fake_base, begun.site
    );
    let request = reqwest::Client::new().get(me).bearer_auth(grant.access_token.expose());
    request.send().await.unwrap().status() == 200
}

/// Requests for a token so far; each of them must have been answered with one.
async fn asked_for_tokens(setting: &Setting) -> usize {
    let log = world(&setting.fake, "/_world/log").await;
    let asked = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["path"] == "/oauth/token");
    let asked: Vec<&Value> = asked.collect();
    let refused: Vec<_> = asked.iter().filter(|row| row["status"] != 200).collect();
    assert!(refused.is_empty(), "a grant was lost: {refused:?}");
    asked.len()
}
