//! Wrong surroundings and hostile requests: a clear error each, nothing lost, nothing crashed.

use std::{net::TcpListener, process::Output};

use fake_atlassian::{FakeAtlassian, demo};
use serde_json::json;

use crate::{
    process::{Circuit, serve},
    setting::{Setting, administrator},
};

/// Runs it to its end, which must be an error in one sentence on standard error.
fn refused(mut command: std::process::Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn a_wrong_setting_is_named_with_what_it_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let said = refused(serve(&data, &[("CIRCUIT_ADDRESS", "everywhere")]));
    assert!(said.contains("everywhere") && said.contains("127.0.0.1:8470"), "{said}");
    let said = refused(serve(&data, &[("CIRCUIT_ADRESS", "127.0.0.1:0")]));
    assert!(said.contains("CIRCUIT_ADRESS"), "{said}");
    let said = refused(serve(&data, &[("CIRCUIT_ATLASSIAN_CLIENT_ID", "x")]));
    assert!(said.contains("CIRCUIT_ATLASSIAN_CLIENT_SECRET"), "{said}");
    std::fs::write(folder.path().join("circuit.toml"), "adress = \"x\"").unwrap();
    let said = refused(serve(&data, &[]));
    assert!(said.contains("adress") && said.contains("circuit.toml"), "{said}");
}

#[test]
fn an_occupied_port_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(serve(&folder.path().join("data"), &[("CIRCUIT_ADDRESS", &address)]));
    assert!(said.contains(&address) && said.contains("--address"), "{said}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "a file, not a directory").unwrap();
    let mut command = serve(&file.join("data"), &[]);
    command.current_dir(folder.path());
    let said = refused(command);
    assert!(said.contains("data") && said.contains("--data-dir"), "{said}");
}

#[test]
fn a_second_process_on_the_same_data_directory_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Circuit::start(serve(&data, &[]));
    let said = refused(serve(&data, &[]));
    assert!(said.contains("another") || said.contains("already"), "{said}");
    assert!(first.stop().success());
}

/// A disk that is full, as far as that can be had without being root: a device that refuses every byte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // A limit on the size of files makes every write beyond it fail, in this process and no other.
    let mut command = std::process::Command::new("bash");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" serve"])
        .arg(env!("CARGO_BIN_EXE_circuit"));
    command
        .env("CIRCUIT_DATA_DIR", &data)
        .env("CIRCUIT_ADDRESS", "127.0.0.1:0")
        .current_dir(folder.path());
    let said = refused(command);
    assert!(
        said.contains("cannot be written") && said.contains("--data-dir"),
        "{said}"
    );
    let after = Circuit::start(serve(&data, &[]));
    assert!(after.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_get_a_problem_each_and_the_next_one_an_answer() {
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let begun = setting.begun().await;
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    let search = format!("/api/v1/indexes/{}/search", begun.index);
    for (path, status) in [
        (format!("{search}?q={}", "x".repeat(60_000)), 400),
        (format!("{search}?limit=1000000"), 400),
        (format!("{search}?kind=whiteboard"), 400),
        (format!("{search}?modified_from=yesterday"), 400),
        (format!("{search}?nonsense=1"), 400),
        ("/api/v1/indexes/9999".to_owned(), 404),
        ("/api/v1/indexes/%F0%9F%92%A9".to_owned(), 400),
        ("/api/v1/nothing".to_owned(), 404),
    ] {
        let (found, problem) = circuit.get(&begun.key, &path).await;
        // A request line beyond what HTTP servers read is refused before it has a meaning.
        let too_long = path.len() > 60_000 && matches!(found.as_u16(), 414 | 431);
        assert!(
            found == status || too_long,
            "{found} for {}: {problem}",
            &path[..path.len().min(100)]
        );
        assert!(problem["detail"].is_string() || too_long, "{problem}");
    }
    let (status, problem) = circuit
        .post(&begun.key, &search, &json!({ "q": "x".repeat(100_000) }))
        .await;
    assert_eq!(status, 400, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("bytes"), "{problem}");
    let (status, _) = circuit.get("circuit_wrong", "/api/v1/indexes").await;
    assert_eq!(status, 401);
    let (status, _) = circuit.get(&begun.key, &format!("{search}?q=pump")).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_replayed_callback_connects_nothing() {
    use app::connections::Callback;
    use domain::{ErrorKind, Secret, feed::FeedState};
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let wired = setting.wired().await;
    let (app, caller) = administrator(&wired).await;
    let index = app.create_index(&caller, "Knowledge", "").await.unwrap().id;
    let start = app.begin_connect(&caller, index).await.unwrap();
    let (code, state) = setting.fake.consent(&start.url, &setting.person).await.unwrap();
    let code = Secret::new(code);
    let callback = |state| Callback {
        state,
        code: Some(&code),
        error: None,
    };
    let forged = app.finish_connect(&caller, callback("forged")).await.unwrap_err();
    assert_eq!(forged.kind, ErrorKind::Forbidden);
    let state_of_feed = app.feed(&caller, start.feed).await.unwrap().state;
    assert!(matches!(state_of_feed, FeedState::Connecting { .. }));
    app.finish_connect(&caller, callback(&state)).await.unwrap();
    let replayed = app.finish_connect(&caller, callback(&state)).await.unwrap_err();
    assert_eq!(replayed.kind, ErrorKind::Forbidden);
    assert!(replayed.message.contains("begin again"), "{replayed}");
}
