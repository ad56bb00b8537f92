//! What is held and found afterwards equals what the connected person can read, and nothing else was asked for.

use fake_atlassian::{FakeAtlassian, demo};
use serde_json::json;

use crate::{
    comparing::{asked, held, truth, up_to_date},
    process::{Circuit, serve},
    setting::Setting,
};

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
