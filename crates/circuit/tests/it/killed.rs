//! `kill -9` at any moment: nothing recorded is lost or fetched again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    cursor::{Checkpoint, Mark, Stream},
    document::DocumentKind,
};
use fake_atlassian::FakeAtlassian;
use store::{SealingKey, SealingKeys, SqlStore};
use url::Url;

use crate::{
    comparing::{asked, held, truth, up_to_date},
    process::{Circuit, serve},
    setting::Setting,
};

const PAGES: u64 = 2_000;
const KILLS: usize = 20;
const LATENCY: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_twenty_times_ends_with_what_the_person_sees_and_fetches_no_recorded_answer_twice() {
    let setting = Setting::new(|options| {
        FakeAtlassian::generated(
            PAGES,
            fake_atlassian::Options {
                latency: LATENCY,
                ..options
            },
        )
    })
    .await;
    let begun = setting.begun().await;
    let keys: Vec<&str> = begun.spaces.iter().map(|(key, _)| key.as_str()).collect();
    let ids: Vec<domain::SpaceId> = begun.spaces.iter().map(|(_, id)| id.clone()).collect();
    {
        let wired = setting.wired().await;
        let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
        wired.app.add_spaces(&caller, begun.feed, &ids).await.unwrap();
    }

    let mut checked = asked(&setting.fake).await.len();
    let mut before = Checkpoint::default();
    let mut killed_midway = 0;
    for _ in 0..KILLS {
        let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
        tokio::time::sleep(Duration::from_millis(rand::random_range(50..800))).await;
        circuit.kill();
        // What the dead process asked is in the fake's log once it was answered.
        tokio::time::sleep(LATENCY * 3).await;
        let requests = asked(&setting.fake).await;
        nothing_twice(&requests[checked..], &before, &keys, &begun.spaces);
        checked = requests.len();
        before = checkpoint(&setting, begun.feed).await;
        let done = before.0.values().filter(|mark| **mark == Mark::Done).count();
        killed_midway += usize::from(done < begun.spaces.len() * DocumentKind::ALL.len());
    }
    // Some forty answers of a tenth of a second each do not fit into four lives of less than a second.
    assert!(killed_midway >= 4, "the import was over too soon: {killed_midway}");

    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let requests = asked(&setting.fake).await;
    nothing_twice(&requests[checked..], &before, &keys, &begun.spaces);
    assert!(circuit.stop().success());
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let truth = truth(&setting, &begun, &keys).await;
    assert!(truth.values().filter(|what| what.starts_with("page ")).count() as u64 >= PAGES * 9 / 10);
    assert_eq!(held(&wired.app, &caller, begun.index).await, truth);
}

async fn checkpoint(setting: &Setting, feed: domain::FeedId) -> Checkpoint {
    use domain::store::Feeds;
    let keys = SealingKeys::new(SealingKey::generate());
    let database = circuit::data_dir::DataDir::open(&setting.data_dir).unwrap().database();
    SqlStore::open(&database, keys)
        .await
        .unwrap()
        .checkpoint(feed)
        .await
        .unwrap()
}

/// Within one life no listing is asked twice; and each stream goes on exactly where the checkpoint before it stood.
fn nothing_twice(requests: &[String], before: &Checkpoint, keys: &[&str], spaces: &[(String, domain::SpaceId)]) {
    let mut unique = BTreeSet::new();
    let mut first: BTreeMap<Stream, Option<String>> = BTreeMap::new();
    for request in requests {
        let Some((stream, cursor)) = listing(request, keys, spaces) else {
            continue;
        };
        assert!(unique.insert(request), "asked twice in one life: {request}");
        first.entry(stream).or_insert(cursor);
    }
    for (stream, cursor) in first {
        let expected = match before.0.get(&stream) {
            None => None,
            Some(Mark::At(cursor)) => Some(cursor.0.clone()),
            Some(Mark::Done) => panic!("{stream:?} was read to its end and is read again"),
        };
        assert_eq!(cursor, expected, "{stream:?} did not go on where it was");
    }
}

/// The stream and the cursor of a request that lists documents.
fn listing(request: &str, keys: &[&str], spaces: &[(String, domain::SpaceId)]) -> Option<(Stream, Option<String>)> {
    let url = Url::parse("http://localhost").unwrap().join(request).unwrap();
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let path: Vec<&str> = url.path_segments()?.collect();
    let (space, kind) = match path.as_slice() {
        [.., "v2", "spaces", space, "pages"] => (domain::SpaceId::new(*space), DocumentKind::Page),
        [.., "v2", "spaces", space, "blogposts"] => (domain::SpaceId::new(*space), DocumentKind::BlogPost),
        [.., "content", "search"] => {
            let cql = parameter("cql").filter(|cql| !cql.contains("label in"))?;
            let at = keys.iter().position(|key| cql.contains(&format!("space=\"{key}\"")))?;
            let comment = cql.contains("type=comment");
            (
                spaces[at].1.clone(),
                if comment {
                    DocumentKind::Comment
                } else {
                    DocumentKind::Attachment
                },
            )
        }
        _ => return None,
    };
    Some((Stream { space, kind }, parameter("cursor")))
}
