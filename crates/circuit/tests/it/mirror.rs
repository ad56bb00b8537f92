//! What is held and found afterwards equals what the connected person can read, and nothing else was asked for.

use std::{collections::BTreeMap, time::Duration};

use app::App;
use bytes::Bytes;
use domain::{FeedId, IndexId, store::DocumentFilter};
use fake_atlassian::{FakeAtlassian, demo};
use http::Request;
use serde_json::{Value, json};

use crate::{
    process::{Circuit, serve},
    setting::{Begun, Setting},
};

/// How long an import in a debug build on a busy machine may take.
const IMPORT_TIME_MAX: Duration = Duration::from_secs(240);

/// Asks the fake's control door.
pub async fn world(fake: &FakeAtlassian, path: &str) -> Value {
    let answer = fake.answer(Request::get(path).body(Bytes::new()).unwrap()).await;
    assert!(
        answer.status().is_success(),
        "{path}: {} {:?}",
        answer.status(),
        answer.body()
    );
    serde_json::from_slice(answer.body()).unwrap()
}

/// What the person sees in these spaces: kind and version of each content id.
pub async fn truth(setting: &Setting, begun: &Begun, spaces: &[&str]) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for space in spaces {
        let path = format!(
            "/_world/truth?cloud_id={}&account={}&space={space}",
            begun.site, setting.person
        );
        for row in world(&setting.fake, &path).await.as_array().unwrap() {
            let what = format!("{} v{}", row["kind"].as_str().unwrap(), row["version"]);
            seen.insert(row["id"].as_str().unwrap().to_owned(), what);
        }
    }
    seen
}

/// What the index holds, the same way.
pub async fn held(app: &App, caller: &app::Caller, index: IndexId) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    loop {
        let filter = DocumentFilter {
            offset: held.len(),
            limit: 200,
            ..DocumentFilter::default()
        };
        let (rows, total) = app.documents(caller, index, &filter).await.unwrap();
        held.extend(rows.into_iter().map(|row| {
            (
                row.id.content.to_string(),
                format!("{} v{}", row.kind.word(), row.version),
            )
        }));
        if held.len() as u64 >= total {
            return held;
        }
    }
}

/// Waits until the feed is up to date and everything can be found.
pub async fn up_to_date(circuit: &Circuit, key: &str, feed: FeedId) -> Value {
    let until = tokio::time::Instant::now() + IMPORT_TIME_MAX;
    loop {
        let (status, picture) = circuit.get(key, &format!("/api/v1/feeds/{feed}")).await;
        assert_eq!(status, 200, "{picture}");
        if picture["headline"] == "up to date" && picture["searchable"] == true {
            return picture;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "still {picture}; log: {}",
            circuit.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every request that the fake was asked, path and query.
pub async fn asked(fake: &FakeAtlassian) -> Vec<String> {
    let log = world(fake, "/_world/log").await;
    let rows = log.as_array().unwrap();
    rows.iter()
        .map(|row| row["path"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_equals_what_the_person_sees_and_only_the_chosen_spaces_were_asked_for() {
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let begun = setting.begun().await;
    assert!(begun.spaces.len() >= 4, "{:?}", begun.spaces);
    let chosen: Vec<&(String, domain::SpaceId)> = begun.spaces.iter().take(2).collect();
    let keys: Vec<&str> = chosen.iter().map(|(key, _)| key.as_str()).collect();
    let ids: Vec<&str> = chosen.iter().map(|(_, id)| id.as_str()).collect();

    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    let before = asked(&setting.fake).await.len();
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let (status, answer) = circuit.post(&begun.key, &path, &json!({ "ids": ids })).await;
    assert!(status.is_success(), "{status} {answer}");
    up_to_date(&circuit, &begun.key, begun.feed).await;

    let (status, hits) = circuit
        .get(&begun.key, &format!("/api/v1/indexes/{}/search?q=pump", begun.index))
        .await;
    assert_eq!(status, 200, "{hits}");
    assert!(hits["total"].as_u64().unwrap() > 0, "{hits}");

    // Every request after the choice: the spaces' list (choosing), people, or one of the chosen spaces by name.
    for asked in asked(&setting.fake).await.into_iter().skip(before) {
        let choosing = asked.contains("/api/v2/spaces?");
        let people = asked.contains("/rest/api/user/");
        let chosen = ids.iter().any(|id| asked.contains(&format!("/api/v2/spaces/{id}/")))
            || keys.iter().any(|key| {
                asked.contains(&format!("space%3D%22{key}%22"))
                    || asked.contains(&format!("space%20in%20%28%22{key}%22%29"))
            });
        let oauth = asked.starts_with("/oauth/");
        assert!(choosing || people || chosen || oauth, "asked for {asked}");
    }

    let log = circuit.log();
    assert!(circuit.stop().success());
    for secret in ["hunter2", "Bearer", begun.key.as_str()] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let held = held(&wired.app, &caller, begun.index).await;
    let truth = truth(&setting, &begun, &keys).await;
    assert!(truth.len() > 50, "{}", truth.len());
    assert_eq!(held, truth);
}
