//! Faults of the machine: a full disk, a read-only one, a damaged file. Circuit says what is wrong, loses nothing that it
//! acknowledged, and goes on when it is mended.

use std::{path::Path, time::Duration};

use fake_atlassian::FakeAtlassian;
use serde_json::{Value, json};

use crate::{
    comparing::{held, truth, up_to_date},
    disk::Disk,
    process::{Circuit, ended, serve},
    setting::{Begun, Setting},
};

const WAIT_MAX: Duration = Duration::from_secs(150);

async fn generated(pages: u64) -> Setting {
    Setting::new(|options| FakeAtlassian::generated(pages, options)).await
}

async fn import_all(circuit: &Circuit, begun: &Begun) {
    let ids: Vec<&str> = begun.spaces.iter().map(|(_, id)| id.as_str()).collect();
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let (status, answer) = circuit.post(&begun.key, &path, &json!({ "ids": ids })).await;
    assert!(status.is_success(), "{status} {answer}");
}

async fn feed(circuit: &Circuit, begun: &Begun) -> Value {
    circuit
        .get(&begun.key, &format!("/api/v1/feeds/{}", begun.feed))
        .await
        .1
}

/// Asks until it is so.
async fn until<T>(circuit: &Circuit, what: &str, mut asked: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = asked().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(WAIT_MAX, wait).await {
        Ok(found) => found,
        Err(_) => panic!("not {what}; log: {}", circuit.log()),
    }
}

async fn readiness(circuit: &Circuit) -> (u16, String) {
    let answer = reqwest::get(format!("{}/readyz", circuit.base)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What is held after it stopped, and what the person can read, are the same; and all of it can be found.
async fn mirrored(setting: &Setting, begun: &Begun, circuit: Circuit) {
    assert!(circuit.stop().success());
    let wired = setting.wired().await;
    let caller = wired.app.caller_by_api_key(&begun.key).await.unwrap().unwrap();
    let keys: Vec<&str> = begun.spaces.iter().map(|(key, _)| key.as_str()).collect();
    let truth = truth(setting, begun, &keys).await;
    let query = domain::query::Query {
        limit: 1,
        ..domain::query::Query::default()
    };
    let found = wired.app.search(&caller, begun.index, &query).await.unwrap().total;
    assert_eq!(found, truth.len() as u64);
    assert_eq!(held(&wired.app, &caller, begun.index).await, truth);
}

fn count(log: &str, words: &str) -> usize {
    log.matches(words).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_on_a_disk_that_fills_up_says_so_and_goes_on_by_itself_when_there_is_room() {
    let setting = generated(900).await;
    let Some(disk) = Disk::of(&setting.data_dir, 64 << 10) else {
        return;
    };
    let begun = setting.begun().await;
    disk.fill(1_500);
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    import_all(&circuit, &begun).await;
    until(&circuit, "full", async || {
        circuit.log().contains("is full").then_some(())
    })
    .await;
    // What was searched before can be searched still, and the doors answer.
    let (status, _) = circuit
        .get(&begun.key, &format!("/api/v1/indexes/{}/search?q=pump", begun.index))
        .await;
    assert_eq!(status, 200);
    disk.make_room();
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert_eq!(readiness(&circuit).await, (200, "ready\n".to_owned()));
    mirrored(&setting, &begun, circuit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_index_whose_disk_is_full_is_said_once_and_follows_when_there_is_room() {
    let setting = generated(600).await;
    let begun = setting.begun().await;
    let Some(disk) = Disk::of(&setting.data_dir.join("search"), 32 << 10) else {
        return;
    };
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    disk.fill(200);
    import_all(&circuit, &begun).await;
    let picture = until(&circuit, "in trouble", async || {
        let picture = feed(&circuit, &begun).await;
        let said = picture["search_trouble"].is_string();
        (said && picture["headline"] == "up to date").then_some(picture)
    })
    .await;
    assert!(
        picture["search_trouble"].as_str().unwrap().contains("disk"),
        "{picture}"
    );
    assert_eq!(picture["searchable"], false);
    let (status, said) = readiness(&circuit).await;
    assert_eq!(status, 200);
    assert!(said.contains("does not follow"), "{said}");
    // Another pass rings the indexer again: it is tried, and said no second time.
    let path = format!("/api/v1/feeds/{}/resync", begun.feed);
    let (status, _) = circuit.post(&begun.key, &path, &Value::Null).await;
    assert!(status.is_success());
    let before = &picture["last_run"]["id"];
    until(&circuit, "read again", async || {
        let now = feed(&circuit, &begun).await;
        (&now["last_run"]["id"] != before && now["running"].is_null()).then_some(())
    })
    .await;
    assert_eq!(
        count(&circuit.log(), "does not follow the store"),
        1,
        "{}",
        circuit.log()
    );
    disk.make_room();
    let picture = up_to_date(&circuit, &begun.key, begun.feed).await;
    assert_eq!(picture["search_trouble"], Value::Null);
    until(&circuit, "over", async || {
        circuit.log().contains("follows the store again").then_some(())
    })
    .await;
    assert_eq!(
        count(&circuit.log(), "does not follow the store"),
        1,
        "{}",
        circuit.log()
    );
    mirrored(&setting, &begun, circuit).await;
}

/// Makes every write of this process beyond the first byte of a file fail, or lets it write again.
#[cfg(target_os = "linux")]
fn writes_fail(process: u32, fail: bool) {
    let limit = if fail {
        "--fsize=1:unlimited"
    } else {
        "--fsize=unlimited:unlimited"
    };
    let done = std::process::Command::new("prlimit")
        .args(["--pid", &process.to_string(), limit])
        .status();
    assert!(done.unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_while_circuit_runs_is_said_and_circuit_goes_on_when_it_is_mended() {
    let setting = generated(900).await;
    let begun = setting.begun().await;
    // The signal that comes with the failure is ignored, as for a disk there is none.
    let mut command = std::process::Command::new("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve", env!("CARGO_BIN_EXE_circuit")]);
    for (name, value) in serve(&setting.data_dir, &setting.settings()).get_envs() {
        command.env(name, value.unwrap());
    }
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    let circuit = Circuit::start(command);
    writes_fail(circuit.id(), true);
    let ids: Vec<&str> = begun.spaces.iter().map(|(_, id)| id.as_str()).collect();
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let (status, problem) = circuit.post(&begun.key, &path, &json!({ "ids": ids })).await;
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("disk"), "{problem}");
    let (status, said) = readiness(&circuit).await;
    assert_eq!(status, 503);
    assert!(said.contains("disk"), "{said}");

    writes_fail(circuit.id(), false);
    import_all(&circuit, &begun).await;
    until(&circuit, "arriving", async || {
        (feed(&circuit, &begun).await["documents"] != 0).then_some(())
    })
    .await;
    writes_fail(circuit.id(), true);
    until(&circuit, "failing", async || {
        circuit.log().contains("fails to read or write").then_some(())
    })
    .await;
    writes_fail(circuit.id(), false);
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert_eq!(readiness(&circuit).await.0, 200);
    mirrored(&setting, &begun, circuit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_said_and_the_backup_that_is_put_in_its_place_serves() {
    let setting = generated(60).await;
    let begun = setting.begun().await;
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    import_all(&circuit, &begun).await;
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let words = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_circuit"))
            .args(words)
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), said)
    };
    let data = setting.data_dir.to_str().unwrap();
    let (done, said) = words(&["backup", copy.to_str().unwrap(), "--data-dir", data]);
    assert!(done, "{said}");

    let database = setting.data_dir.join("circuit.db");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[..4_096].fill(0xa5);
    std::fs::write(&database, &bytes).unwrap();
    let said = refused(&setting.data_dir, &setting);
    assert!(said.contains("damaged") && said.contains("circuit restore"), "{said}");
    assert_eq!(std::fs::read(&database).unwrap(), bytes, "it is left as it is");
    let (done, said) = words(&[
        "backup",
        folder.path().join("bad").to_str().unwrap(),
        "--data-dir",
        data,
    ]);
    assert!(!done && said.contains("damaged"), "{said}");

    let away = folder.path().join("away");
    std::fs::rename(&setting.data_dir, &away).unwrap();
    let (done, said) = words(&["restore", copy.to_str().unwrap(), "--data-dir", data]);
    assert!(done, "{said}");
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    mirrored(&setting, &begun, circuit).await;
}

/// Runs it to its end, which must be an error in one sentence on standard error.
fn refused(data_dir: &Path, setting: &Setting) -> String {
    let output = ended(serve(data_dir, &setting.settings()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_data_directory_is_said_can_be_backed_up_and_serves_again_when_it_can_be_written() {
    let setting = generated(60).await;
    let begun = setting.begun().await;
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    import_all(&circuit, &begun).await;
    up_to_date(&circuit, &begun.key, begun.feed).await;
    assert!(circuit.stop().success());
    for killed in [false, true] {
        let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
        match killed {
            true => circuit.kill(),
            false => assert!(circuit.stop().success()),
        }
        let Some(disk) = Disk::read_only(&setting.data_dir) else {
            return;
        };
        let said = refused(&setting.data_dir, &setting);
        assert!(said.contains("read-only"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        let backup = std::process::Command::new(env!("CARGO_BIN_EXE_circuit"))
            .args([
                "backup",
                copy.to_str().unwrap(),
                "--data-dir",
                setting.data_dir.to_str().unwrap(),
            ])
            .output()
            .unwrap();
        assert!(backup.status.success(), "killed: {killed}: {backup:?}");
        assert_eq!(setting.data_dir.join("circuit.db-wal").exists(), killed);
        drop(disk);
    }
    let circuit = Circuit::start(serve(&setting.data_dir, &setting.settings()));
    up_to_date(&circuit, &begun.key, begun.feed).await;
    mirrored(&setting, &begun, circuit).await;
}
