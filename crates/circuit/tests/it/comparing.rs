//! What is held, what the person can read, and what was asked for: to be compared.

use std::{collections::BTreeMap, time::Duration};

use app::App;
use bytes::Bytes;
use domain::{FeedId, IndexId, store::DocumentFilter};
use fake_atlassian::FakeAtlassian;
use http::Request;
use serde_json::Value;

use crate::{
    process::Circuit,
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

/// Changes the fake's world.
pub async fn change(fake: &FakeAtlassian, what: &str, body: Value) {
    let request = Request::post(format!("/_world/{what}"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let answer = fake.answer(request).await;
    assert!(
        answer.status().is_success(),
        "{what}: {} {:?}",
        answer.status(),
        answer.body()
    );
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
    up_to_date_within(circuit, key, feed, IMPORT_TIME_MAX).await
}

/// The same for as long as this.
pub async fn up_to_date_within(circuit: &Circuit, key: &str, feed: FeedId, time_max: Duration) -> Value {
    let until = tokio::time::Instant::now() + time_max;
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
