//! `circuit backup` and `circuit restore`: what comes back is what was there, whole or not at all.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use fake_atlassian::{FakeAtlassian, demo};
use serde_json::{Value, json};

use crate::{
    comparing::{asked, change, held, truth, up_to_date},
    process::{Circuit, ended, serve},
    setting::{Begun, Setting},
};

/// `circuit` with these words.
fn circuit(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_circuit"));
    command.args(words);
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn backup(data: &Path, to: &Path, more: &[&str]) -> Output {
    let words = [&["backup", text(to), "--data-dir", text(data)], more].concat();
    circuit(&words).output().unwrap()
}

fn restore(from: &Path, data: &Path, more: &[&str]) -> Output {
    let words = [&["restore", text(from), "--data-dir", text(data)], more].concat();
    circuit(&words).output().unwrap()
}

/// What it said when it ended well.
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it said when it did not.
fn refused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn company() -> (Setting, Begun) {
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let begun = setting.begun().await;
    (setting, begun)
}

fn started(setting: &Setting, data: &Path) -> Circuit {
    Circuit::start(serve(data, &setting.settings()))
}

async fn add_spaces(circuit: &Circuit, begun: &Begun, keys: &[&str]) {
    let spaces = begun.spaces.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    let ids: Vec<&str> = spaces.map(|(_, id)| id.as_str()).collect();
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let (status, answer) = circuit.post(&begun.key, &path, &json!({ "ids": ids })).await;
    assert!(status.is_success(), "{status} {answer}");
}

async fn feed(circuit: &Circuit, begun: &Begun) -> Value {
    let (status, picture) = circuit.get(&begun.key, &format!("/api/v1/feeds/{}", begun.feed)).await;
    assert_eq!(status, 200, "{picture}");
    picture
}

/// Waits until the feed's picture is so.
async fn until(circuit: &Circuit, begun: &Begun, so: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            let picture = feed(circuit, begun).await;
            if so(&picture) {
                return picture;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(120), wait).await;
    match found {
        Ok(picture) => picture,
        Err(_) => panic!("still {}; log: {}", feed(circuit, begun).await, circuit.log()),
    }
}

async fn finds(circuit: &Circuit, begun: &Begun, word: &str) -> u64 {
    let path = format!("/api/v1/indexes/{}/search?q={word}", begun.index);
    let (status, hits) = circuit.get(&begun.key, &path).await;
    assert_eq!(status, 200, "{hits}");
    hits["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_in_the_midst_of_an_import_goes_on_from_there_when_it_is_restored() {
    let setting = Setting::new(|options| {
        let latency = Duration::from_millis(150);
        FakeAtlassian::generated(1_500, fake_atlassian::Options { latency, ..options })
    })
    .await;
    let begun = setting.begun().await;
    let keys: Vec<&str> = begun.spaces.iter().map(|(key, _)| key.as_str()).collect();
    let folder = tempfile::tempdir().unwrap();
    let (copy, data) = (folder.path().join("monday"), folder.path().join("data"));

    let circuit = started(&setting, &setting.data_dir);
    add_spaces(&circuit, &begun, &keys).await;
    until(&circuit, &begun, |feed| feed["documents"].as_u64() > Some(0)).await;
    let told = said(&backup(&setting.data_dir, &copy, &[]));
    let importing = feed(&circuit, &begun).await;
    assert_ne!(importing["headline"], "up to date", "the import was over too soon");
    assert!(told.contains("with the key"), "{told}");
    assert_eq!(names(&copy), ["SHA256SUMS", "circuit.db", "secret.key"]);
    assert_eq!(names(folder.path()), ["monday"], "nothing else is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&copy), 0o700);
        for name in names(&copy) {
            assert_eq!(mode(&copy.join(&name)), 0o600, "{name}");
        }
    }
    circuit.kill();

    said(&restore(&copy, &data, &[]));
    assert_eq!(names(&data), ["circuit.db", "lock", "secret.key"]);
    let first_pages = |path: &&String| path.contains("/pages?") && !path.contains("cursor=");
    let before = asked(&setting.fake).await.iter().filter(first_pages).count();
    let circuit = started(&setting, &data);
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let again = asked(&setting.fake).await.iter().filter(first_pages).count() - before;
    assert!(
        again < keys.len(),
        "streams that were begun before the backup are not begun again: {again}"
    );
    assert!(circuit.stop().success());
    let wired = setting.wired_in(&data).await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let truth = truth(&setting, &begun, &keys).await;
    assert!(truth.len() > 1_000, "{}", truth.len());
    assert_eq!(held(&wired.app, &caller, begun.index).await, truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_killed_circuit_holds_what_it_had_acknowledged_and_an_old_token_asks_for_a_reconnect() {
    let (setting, begun) = company().await;
    let folder = tempfile::tempdir().unwrap();
    let (copy, data) = (folder.path().join("copy"), folder.path().join("data"));
    let circuit = started(&setting, &setting.data_dir);
    add_spaces(&circuit, &begun, &["OPS"]).await;
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let (documents, found) = (
        feed(&circuit, &begun).await["documents"].clone(),
        finds(&circuit, &begun, "pump").await,
    );
    assert!(found > 0);
    circuit.kill();
    said(&backup(&setting.data_dir, &copy, &[]));

    // Its token is refreshed after the backup, and the old one dies for good.
    let hours = json!({ "advance_ms": 2 * 3_600_000 });
    change(&setting.fake, "clock", hours.clone()).await;
    let circuit = started(&setting, &setting.data_dir);
    let path = format!("/api/v1/feeds/{}/resync", begun.feed);
    let resync = |circuit: &Circuit| {
        let (base, key, path) = (circuit.base.clone(), begun.key.clone(), path.clone());
        async move {
            let request = reqwest::Client::new().post(format!("{base}{path}")).bearer_auth(key);
            let status = request.send().await.unwrap().status();
            assert!(status.is_success(), "{status} {path}");
        }
    };
    let refreshed = |paths: Vec<String>| paths.iter().filter(|path| path.contains("/oauth/token")).count();
    let before = refreshed(asked(&setting.fake).await);
    resync(&circuit).await;
    let wait = async {
        while refreshed(asked(&setting.fake).await) == before {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    change(&setting.fake, "clock", hours).await;

    let told = said(&restore(&copy, &data, &[]));
    assert!(told.contains("needs reconnect"), "{told}");
    let circuit = started(&setting, &data);
    resync(&circuit).await;
    let parked = until(&circuit, &begun, |feed| feed["headline"] == "needs reconnect").await;
    assert_eq!(parked["documents"], documents, "they are kept");
    until(&circuit, &begun, |feed| feed["searchable"] == true).await;
    assert_eq!(finds(&circuit, &begun, "pump").await, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_put_back_by_hand_beside_a_newer_search_index_serves_nothing_that_it_does_not_hold() {
    let (setting, begun) = company().await;
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.db");
    let database = setting.data_dir.join("circuit.db");
    let circuit = started(&setting, &setting.data_dir);
    add_spaces(&circuit, &begun, &["HR"]).await;
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    std::fs::copy(&database, &old).unwrap();

    let circuit = started(&setting, &setting.data_dir);
    add_spaces(&circuit, &begun, &["OPS"]).await;
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(finds(&circuit, &begun, "pump").await > 0);
    assert!(circuit.stop().success());

    std::fs::copy(&old, &database).unwrap();
    let circuit = started(&setting, &setting.data_dir);
    up_to_date(&circuit, &begun.key, begun.feed).await;
    let path = format!("/api/v1/indexes/{}/search?q=pump", begun.index);
    let (_, hits) = circuit.get(&begun.key, &path).await;
    let spaces = hits["hits"].as_array().unwrap().iter().map(|hit| &hit["space"]["key"]);
    assert!(spaces.clone().all(|key| key == "HR"), "{hits}");
    assert!(circuit.stop().success());
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    assert_eq!(
        held(&wired.app, &caller, begun.index).await,
        truth(&setting, &begun, &["HR"]).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_be_kept_apart_and_another_key_is_refused() {
    let (setting, begun) = company().await;
    let folder = tempfile::tempdir().unwrap();
    let (copy, data, other) = (
        folder.path().join("copy"),
        folder.path().join("data"),
        folder.path().join("other"),
    );
    let told = said(&backup(&setting.data_dir, &copy, &["--without-key"]));
    assert!(told.contains("without the key"), "{told}");
    assert_eq!(names(&copy), ["SHA256SUMS", "circuit.db"]);

    let wrong = folder.path().join("wrong.key");
    std::fs::write(&wrong, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE").unwrap();
    let why = refused(&restore(&copy, &data, &["--key", text(&wrong)]));
    assert!(why.contains("another key"), "{why}");
    let told = said(&restore(&copy, &other, &[]));
    assert!(
        told.contains("holds no key") && told.contains("CIRCUIT_SECRET_KEY_FILE"),
        "{told}"
    );
    // A key that is lost for good costs a new consent, and no document.
    std::fs::copy(&wrong, other.join("secret.key")).unwrap();
    {
        let wired = setting.wired_in(&other).await;
        let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
        let sealed = wired.app.spaces(&caller, begun.feed).await.unwrap_err();
        assert!(sealed.message.contains("another key"), "{sealed}");
        let start = wired.app.reconnect(&caller, begun.feed).await.unwrap();
        let (code, state) = setting.fake.consent(&start.url, &setting.person).await.unwrap();
        let code = domain::Secret::new(code);
        let callback = app::connections::Callback {
            state: &state,
            code: Some(&code),
            error: None,
        };
        wired.app.finish_connect(&caller, callback).await.unwrap();
        assert!(!wired.app.spaces(&caller, begun.feed).await.unwrap().is_empty());
    }
    let right = setting.data_dir.join("secret.key");
    said(&restore(&copy, &data, &["--key", text(&right)]));
    let wired = setting.wired_in(&data).await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    wired.app.spaces(&caller, begun.feed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_restored_without_tokens_takes_nobodys_connection() {
    let (setting, begun) = company().await;
    let folder = tempfile::tempdir().unwrap();
    let (copy, data) = (folder.path().join("copy"), folder.path().join("data"));
    said(&backup(&setting.data_dir, &copy, &[]));
    let told = said(&restore(&copy, &data, &["--without-tokens"]));
    assert!(told.contains("reconnect each"), "{told}");
    let wired = setting.wired_in(&data).await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let calls = asked(&setting.fake).await.len();
    let error = wired.app.spaces(&caller, begun.feed).await.unwrap_err();
    assert!(error.message.contains("reconnect"), "{error}");
    assert_eq!(asked(&setting.fake).await.len(), calls, "Atlassian was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_whole_backup_is_refused_and_what_is_there_is_not_touched() {
    let (setting, _) = company().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let nothing = refused(&backup(&path("nothing"), &path("copy"), &[]));
    assert!(nothing.contains("--data-dir"), "{nothing}");
    assert!(!path("nothing").exists());
    let nowhere = refused(&backup(&setting.data_dir, &path("no/such/copy"), &[]));
    assert!(nowhere.contains("no/such"), "{nowhere}");

    said(&backup(&setting.data_dir, &path("copy"), &[]));
    let twice = refused(&backup(&setting.data_dir, &path("copy"), &[]));
    assert!(twice.contains("exists already"), "{twice}");

    let full = refused(&restore(&path("copy"), &setting.data_dir, &[]));
    assert!(full.contains("not empty"), "{full}");
    let data_dir = refused(&restore(&setting.data_dir, &path("data"), &[]));
    assert!(data_dir.contains("SHA256SUMS"), "{data_dir}");

    // One bit, anywhere.
    let database = path("copy").join("circuit.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&database, &bytes).unwrap();
    let damaged = refused(&restore(&path("copy"), &path("data"), &[]));
    assert!(damaged.contains("checksum"), "{damaged}");
    // What was not restored is not served either.
    let half = refused(&ended(serve(&path("data"), &setting.settings())));
    assert!(half.contains("circuit restore"), "{half}");

    // And the next one finds the way free.
    bytes[middle] ^= 1;
    std::fs::write(&database, &bytes).unwrap();
    said(&restore(&path("copy"), &path("data"), &[]));
    setting.wired_in(&path("data")).await;
}
