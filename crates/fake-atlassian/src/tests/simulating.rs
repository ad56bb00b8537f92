//! What a simulation relies on: its own clock, one seed, no waiting, and little time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::{Value, json};

use super::world::{ANNA, Client, acme, ids, sent};
use crate::{Detail, FakeAtlassian, Kind, Options, small::SmallWorld};

const NOW: i64 = 1_760_000_000_000;

fn kept(clock: &Arc<AtomicI64>, seed: u64) -> FakeAtlassian {
    let options = Options {
        clock: Some(clock.clone()),
        seed,
        quota_points: 1_000,
        ..Options::default()
    };
    FakeAtlassian::new(vec![SmallWorld::new(seed).site()], options)
}

async fn asked(fake: &FakeAtlassian) -> Vec<String> {
    let main = Client::of(fake, &SmallWorld::account(0));
    let consent = "http://atlassian.test/authorize?audience=api.atlassian.com&client_id=circuit&state=s&response_type=code\
                   &redirect_uri=http://localhost/back&scope=offline_access%20read:page:confluence";
    let (code, _) = fake.consent(consent, &main.account).await.expect("a code");
    let exchange = json!({
        "grant_type": "authorization_code", "client_id": "circuit", "client_secret": "circuit-secret",
        "code": code, "redirect_uri": "http://localhost/back",
    });
    let mut seen = vec![sent(fake, "POST", "/oauth/token", &[], &exchange.to_string()).await];
    fake.control(
        "faults",
        json!({ "fail_rate": 0.2, "duplicate_rate": 0.2, "cut_rate": 0.1 }),
    )
    .expect("faults");
    for turn in 0..20 {
        fake.control("edit", json!({ "title": "Page 1", "body": format!("<p>{turn}</p>") }))
            .expect("an edit");
        seen.push(
            main.get("/wiki/api/v2/pages?sort=-modified-date&body-format=storage&limit=4")
                .await,
        );
        seen.push(
            main.get("/wiki/rest/api/content/search?cql=type+in+(comment,attachment)")
                .await,
        );
    }
    let told = |seen: super::world::Seen| format!("{} {:?} {:?}", seen.status, seen.headers, seen.body);
    seen.into_iter().map(told).collect()
}

#[tokio::test]
async fn one_seed_and_the_same_calls_give_the_same_answers_tokens_and_faults_included() {
    let mut told = Vec::new();
    for seed in [7, 7, 8] {
        let clock = Arc::new(AtomicI64::new(NOW));
        told.push(asked(&kept(&clock, seed)).await);
    }
    assert_eq!(told[0], told[1]);
    assert_ne!(told[0], told[2]);
}

#[tokio::test]
async fn a_simulation_keeps_the_time_forward_and_back_and_nobody_waits() {
    let clock = Arc::new(AtomicI64::new(NOW));
    let fake = kept(&clock, 1);
    let main = Client::of(&fake, &SmallWorld::account(0));
    assert_eq!(fake.now(), NOW);
    main.get("/wiki/api/v2/spaces").await;
    let spent = fake.points_this_hour();
    assert!(spent > 0);
    let hour = 3_600_000;
    clock.fetch_add(hour, Ordering::Relaxed);
    assert_eq!((fake.points_this_hour(), fake.points_ever()), (0, spent));
    let created = fake
        .control("create", json!({ "space": "S1", "title": "Later", "body": "<p>x</p>" }))
        .expect("a page");
    clock.store(NOW - 30 * hour, Ordering::Relaxed);
    fake.control("edit", json!({ "id": created["id"], "body": "<p>y</p>" }))
        .expect("an edit");
    let row = fake
        .truth(&main.account, &main.cloud_id, "S1")
        .into_iter()
        .find(|row| row.title == "Later")
        .expect("the page");
    assert_eq!(
        (row.created_at, row.modified_at),
        (NOW + hour, NOW + hour),
        "a version is never older than the last"
    );
    fake.control("faults", json!({ "latency_ms": 86_400_000 }))
        .expect("faults");
    main.get("/wiki/api/v2/spaces").await;
    assert_eq!(fake.now(), NOW - 6 * hour, "latency passes on the simulation's clock");
    fake.control("clock", json!({ "set_ms": 5 })).expect("a clock");
    assert_eq!(fake.now(), 5);
}

#[tokio::test]
async fn the_truth_and_the_journal_are_typed_and_tell_what_http_tells() {
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let told = super::world::truth(&fake, ANNA, "ENG").await;
    let rows = fake.truth(ANNA, &anna.cloud_id, "ENG");
    let mut shown: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    shown.sort();
    assert_eq!(shown, ids(&told));
    let file = rows.iter().find(|row| row.kind == Kind::Attachment).expect("a file");
    let page = rows
        .iter()
        .find(|row| Some(&row.id) == file.container.as_ref())
        .expect("its page");
    assert_eq!(page.title, "Release notes");
    assert_eq!(fake.file(&anna.cloud_id, &file.id).expect("bytes"), "the plan");
    assert!(
        fake.body(&anna.cloud_id, &page.id)
            .expect("a body")
            .contains("All about")
    );
    assert!(fake.truth("nobody", &anna.cloud_id, "ENG").is_empty());
    let keys = |views: Vec<crate::SpaceView>| views.into_iter().map(|view| view.key).collect::<Vec<_>>();
    assert_eq!(keys(fake.spaces(&anna.cloud_id)), ["ENG", "OPS"]);
    assert_eq!(keys(fake.spaces_seen(super::world::BERT, &anna.cloud_id)), ["ENG"]);
    let before = fake.calls();
    anna.get("/wiki/api/v2/pages?limit=3").await;
    let noted = fake.journal_after(before);
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (
            noted[0].query.as_str(),
            noted[0].status,
            noted[0].points,
            noted[0].account.as_deref()
        ),
        ("limit=3", 200, 4, Some(ANNA))
    );
    assert!(noted[0].path.ends_with("/wiki/api/v2/pages"));
    assert_eq!(fake.journal().len() as u64, fake.calls());
    let refused = fake
        .control("edit", json!({ "title": "No such page" }))
        .expect_err("refused");
    assert!(refused.contains("no content"), "{refused}");
    assert!(fake.control("edit", Value::Null).is_err());
}

#[test]
fn a_small_world_has_something_of_everything_and_the_same_for_the_same_seed() {
    let told = |seed| format!("{:?}", SmallWorld::new(seed).site());
    assert_eq!(told(3), told(3));
    assert_ne!(told(3), told(4));
    let fake = FakeAtlassian::new(vec![SmallWorld::new(3).site()], Options::default());
    let account = SmallWorld::account(0);
    let cloud_id = SmallWorld::cloud_id("acme");
    let rows: Vec<_> = (0..3)
        .flat_map(|place| fake.truth(&account, &cloud_id, &SmallWorld::space_key(place)))
        .collect();
    let count = |kind: Kind| rows.iter().filter(|row| row.kind == kind).count();
    let counts = Kind::ALL.map(count);
    assert_eq!(counts, [15, 2, 8, 4]);
}

/// Says what `less` has that `value` has not.
fn more(less: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    match (less, value) {
        (Value::Object(less), Value::Object(full)) => {
            for (name, inner) in less {
                match full.get(name) {
                    Some(same) => more(inner, same, &format!("{at}.{name}"), found),
                    None => found.push(format!("{at}.{name}")),
                }
            }
        }
        (Value::Array(less), Value::Array(full)) if less.len() == full.len() => {
            for (one, other) in less.iter().zip(full) {
                more(one, other, at, found);
            }
        }
        (less, full) if less == full => {}
        // Of the address where people see a file, only the page is told.
        (Value::String(less), Value::String(full)) if full.starts_with(less.as_str()) => {}
        _ => found.push(format!("{at}: {less} is not {value}")),
    }
}

#[tokio::test]
async fn a_terse_answer_has_nothing_that_a_full_one_has_not_and_is_less_than_half_of_it() {
    let clock = Arc::new(AtomicI64::new(NOW));
    let made = |detail: Detail| {
        let options = Options {
            clock: Some(clock.clone()),
            detail,
            ..Options::default()
        };
        FakeAtlassian::new(vec![SmallWorld::new(2).site()], options)
    };
    let (full, terse) = (made(Detail::Full), made(Detail::Terse));
    let (full, terse) = (
        Client::of(&full, &SmallWorld::account(0)),
        Client::of(&terse, &SmallWorld::account(0)),
    );
    let search = "/wiki/rest/api/content/search?cql=type+in+(page,comment,attachment)&limit=100&expand=body.storage,version,\
                  container,ancestors,space,history.lastUpdated,metadata.labels,extensions.inlineProperties,extensions.resolution";
    let mut found = Vec::new();
    for path in [
        search,
        "/wiki/api/v2/spaces",
        "/wiki/api/v2/pages?body-format=storage&limit=100",
        "/wiki/rest/api/user/current",
    ] {
        let (one, other) = (terse.get(path).await, full.get(path).await);
        assert_eq!(one.status, 200);
        more(&one.json(), &other.json(), path, &mut found);
        assert!(path != search || one.body.len() * 2 < other.body.len());
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
