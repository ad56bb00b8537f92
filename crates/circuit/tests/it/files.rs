//! Attached files: found by what stands in them, with their place; and what goes wrong with one is said of that one.

use std::io::{Cursor, Write};

use app::progress::FeedPicture;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    DocumentId, RunId,
    query::Query,
    store::DocumentFilter,
    sync_run::{Failure, Outcome, RunKind, SyncRun},
};
use fake_atlassian::{FakeAtlassian, demo};
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    comparing::{asked, change},
    process::{Circuit, serve},
    setting::{Begun, Setting},
    working::{Working, space},
};

const PAGE: &str = "Pump runbook";

/// A setting in which files are read, and a feed whose person has chosen a site.
async fn reading() -> (Setting, Begun) {
    let mut setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    setting.files = true;
    let begun = setting.begun().await;
    (setting, begun)
}

async fn attach(setting: &Setting, name: &str, media_type: &str, bytes: &[u8]) {
    let base64 = STANDARD.encode(bytes);
    let file = json!({ "title": PAGE, "space": "OPS", "file_name": name, "media_type": media_type, "base64": base64 });
    change(&setting.fake, "attach", file).await;
}

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn docx(paragraph: &str) -> Vec<u8> {
    let document = format!(
        "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body><w:p><w:r><w:t>\
         {paragraph}</w:t></w:r></w:p></w:body></w:document>"
    );
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    zipped(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

/// A PDF with a line on each page.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..lines.len()).map(|at| format!("{} 0 R", 4 + 2 * at)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), lines.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (at, line) in lines.iter().enumerate() {
        let content = format!("BT /F1 11 Tf 72 770 Td ({line}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * at
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut out = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (object, number) in objects.iter().zip(1..) {
        table += &format!("{:010} 00000 n \n", out.len());
        out += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let start = out.len();
    format!(
        "{out}{table}trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    )
    .into_bytes()
}

/// A zip whose headers say that it is locked.
fn locked() -> Vec<u8> {
    let mut locked = zipped(&[("a.txt", b"secret")]);
    locked[6] |= 1;
    let central = locked.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    locked[central + 8] |= 1;
    locked
}

/// A small document that unpacks to far more than anybody reads.
fn bomb() -> Vec<u8> {
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", &vec![b' '; 300 << 20]),
    ])
}

async fn all_read(circuit: &Working, begun: &Begun) -> FeedPicture {
    let done =
        |picture: &FeedPicture| picture.headline == "up to date" && picture.files_waiting == 0 && picture.searchable;
    circuit.until(begun.feed, "read", done).await
}

async fn imported(setting: &Setting, begun: &Begun, keys: &[&str]) -> Working {
    let circuit = Working::new(setting, begun).await;
    circuit.import(begun, keys).await;
    all_read(&circuit, begun).await;
    circuit
}

/// Runs of files, the newest first.
async fn runs(circuit: &Working, begun: &Begun) -> Vec<SyncRun> {
    let runs = circuit.app.runs(&circuit.caller, begun.feed).await.unwrap();
    runs.into_iter().filter(|run| run.kind == RunKind::Files).collect()
}

/// Title and path of headings of the one hit.
async fn hit(circuit: &Working, begun: &Begun, text: &str) -> (String, Vec<String>) {
    let hits = found(circuit, begun, text).await;
    assert_eq!(hits.len(), 1, "{text}: {hits:?}");
    hits.into_iter().next().unwrap()
}

async fn found(circuit: &Working, begun: &Begun, text: &str) -> Vec<(String, Vec<String>)> {
    let query = Query {
        text: text.into(),
        limit: 10,
        ..Query::default()
    };
    let found = circuit.app.search(&circuit.caller, begun.index, &query).await.unwrap();
    let hits = found.hits.into_iter();
    hits.map(|hit| (hit.passage.title, hit.passage.headings)).collect()
}

async fn failures(circuit: &Working, begun: &Begun) -> Vec<Failure> {
    let mut failures = Vec::new();
    for run in runs(circuit, begun).await {
        failures.extend(circuit.app.failures(&circuit.caller, run.id).await.unwrap());
    }
    failures
}

async fn reason(circuit: &Working, begun: &Begun, name: &str) -> String {
    let failures = failures(circuit, begun).await;
    let of: Vec<&Failure> = failures.iter().filter(|failure| failure.title == name).collect();
    assert_eq!(of.len(), 1, "{name}: {failures:?}");
    of[0].why.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_in_an_attached_document_is_found_and_its_place_is_said() {
    let (setting, begun) = reading().await;
    attach(
        &setting,
        "plan.docx",
        "application/msword",
        &docx("The zyzzyva valve opens first."),
    )
    .await;
    attach(
        &setting,
        "handbook.pdf",
        "application/pdf",
        &pdf(&["Nothing here.", "The quokka gasket."]),
    )
    .await;
    attach(
        &setting,
        "prices.csv",
        "text/csv",
        b"part,price\nwombat ring,12\nbilby nut,3\n",
    )
    .await;
    attach(
        &setting,
        "old.zip",
        "application/zip",
        &zipped(&[("letters/may.txt", b"Dear numbat.")]),
    )
    .await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;

    assert_eq!(hit(&circuit, &begun, "zyzzyva").await, ("plan.docx".into(), vec![]));
    assert_eq!(
        hit(&circuit, &begun, "quokka").await,
        ("handbook.pdf".into(), vec!["page 2".into()])
    );
    assert_eq!(hit(&circuit, &begun, "wombat").await.0, "prices.csv");
    assert_eq!(
        hit(&circuit, &begun, "numbat").await,
        ("old.zip".into(), vec!["letters/may.txt".into()])
    );

    let runs = runs(&circuit, &begun).await;
    assert!(
        runs.iter().all(|run| run.outcome == Some(Outcome::Complete)),
        "{runs:?}"
    );
    assert!(runs.iter().map(|run| run.counts.changed).sum::<u64>() >= 4);
    assert_eq!(failures(&circuit, &begun).await, []);
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_found_by_its_new_text_and_a_listing_again_keeps_it() {
    let (setting, begun) = reading().await;
    attach(&setting, "plan.docx", "application/msword", &docx("zyzzyva")).await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;
    // A walk sees the file as it is held: its text stays, and it is not read again.
    let before = runs(&circuit, &begun).await[0].id;
    circuit.walked(&begun).await;
    all_read(&circuit, &begun).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    assert_eq!(runs(&circuit, &begun).await[0].id, before);

    attach(&setting, "plan.docx", "application/msword", &docx("quokka")).await;
    circuit.walked(&begun).await;
    all_read(&circuit, &begun).await;
    assert_eq!(circuit.finds(&begun, "quokka").await, 1);
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 0);

    // One that nobody can read any more has no text left.
    attach(&setting, "plan.docx", "application/zip", &locked()).await;
    circuit.walked(&begun).await;
    all_read(&circuit, &begun).await;
    assert_eq!(circuit.finds(&begun, "quokka").await, 0);
    assert_eq!(reason(&circuit, &begun, "plan.docx").await, "password-protected");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_listed_with_its_reason_and_the_others_are_read() {
    let (setting, begun) = reading().await;
    attach(&setting, "locked.zip", "application/zip", &locked()).await;
    attach(&setting, "bomb.docx", "application/msword", &bomb()).await;
    attach(
        &setting,
        "broken.docx",
        "application/msword",
        b"PK\x03\x04 and then nothing",
    )
    .await;
    attach(&setting, "film.mp4", "video/mp4", b"\0\0\0\x18ftypmp42").await;
    attach(&setting, "plan.docx", "application/msword", &docx("zyzzyva")).await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;

    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    assert_eq!(reason(&circuit, &begun, "locked.zip").await, "password-protected");
    assert!(reason(&circuit, &begun, "broken.docx").await.starts_with("damaged"));
    let bomb = reason(&circuit, &begun, "bomb.docx").await;
    assert!(!bomb.is_empty(), "{bomb}");
    let runs = runs(&circuit, &begun).await;
    assert!(
        runs.iter().all(|run| run.outcome == Some(Outcome::Complete)),
        "{runs:?}"
    );
    let notes = circuit
        .app
        .notes(&circuit.caller, runs.last().unwrap().id)
        .await
        .unwrap();
    assert!(notes.iter().any(|note| note.contains("video/mp4 1")), "{notes:?}");
    let named = DocumentFilter {
        title: Some("film.mp4".into()),
        limit: 1,
        ..DocumentFilter::default()
    };
    let film = circuit
        .app
        .documents(&circuit.caller, begun.index, &named)
        .await
        .unwrap()
        .0
        .remove(0);
    let download = format!("/{}/download", film.id.content);
    assert!(!asked(&setting.fake).await.iter().any(|path| path.contains(&download)));
    let film = circuit
        .app
        .document(&circuit.caller, begun.index, &film.id)
        .await
        .unwrap();
    assert_eq!(film.unread.as_deref(), Some("type not read: video/mp4"));

    // The document says it too, also after a walk has seen it again.
    let locked = failures(&circuit, &begun)
        .await
        .into_iter()
        .find(|failure| failure.title == "locked.zip")
        .unwrap();
    circuit.walked(&begun).await;
    let id: DocumentId = locked.document.unwrap();
    let story = circuit
        .app
        .document_story(&circuit.caller, begun.index, &id)
        .await
        .unwrap();
    assert_eq!(story.failures.len(), 1, "{story:?}");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_crashes_costs_its_file_and_neither_the_run_nor_the_next_one() {
    let (mut setting, begun) = reading().await;
    // Reads as Circuit does, unless the question says that it is this one file.
    let program = setting.data_dir.with_file_name("reader.sh");
    let script = format!(
        "#!/bin/sh\nIFS= read -r question\ncase \"$question\" in *crash.docx*) kill -SEGV $$;; esac\n\
         {{ printf '%s\\n' \"$question\"; cat; }} | {} \"$@\"\n",
        env!("CARGO_BIN_EXE_circuit")
    );
    std::fs::write(&program, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    setting.reader = Some(program);
    attach(&setting, "crash.docx", "application/msword", &docx("quokka")).await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;
    assert!(
        reason(&circuit, &begun, "crash.docx")
            .await
            .contains("stopped unexpectedly")
    );
    let runs = runs(&circuit, &begun).await;
    assert!(
        runs.iter().all(|run| run.outcome == Some(Outcome::Complete)),
        "{runs:?}"
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_found_by_the_words_that_a_program_reads_in_it() {
    let (mut setting, begun) = reading().await;
    setting.ocr = Some("case \"$(tr -cd a-z)\" in *quokka*) exit 1;; *gauge*) echo it shows zyzzyva;; esac");
    let picture = |last: &str| [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x02\0", last.as_bytes()].concat();
    attach(&setting, "gauge.png", "image/png", &picture("gauge")).await;
    attach(&setting, "odd.png", "image/png", &picture("quokka")).await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;
    assert_eq!(hit(&circuit, &begun, "zyzzyva").await.0, "gauge.png");
    let why = reason(&circuit, &begun, "odd.png").await;
    assert!(why.contains("the program that reads pictures"), "{why}");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_restricted_page_is_not_found_after_the_walk() {
    let (setting, begun) = reading().await;
    attach(&setting, "plan.docx", "application/msword", &docx("zyzzyva")).await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 1);
    change(
        &setting.fake,
        "restrict",
        json!({ "title": PAGE, "space": "OPS", "accounts": [] }),
    )
    .await;
    circuit.walked(&begun).await;
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 0);
    circuit.equals(&setting, &begun, &["OPS"]).await;
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_names_a_file_whose_page_was_moved_out_of_the_chosen_spaces() {
    let (setting, begun) = reading().await;
    let circuit = imported(&setting, &begun, &["OPS"]).await;
    // Listed while its page is here, and not yet downloaded: the first try fails, and the page moves before the second.
    let trouble = json!({ "path": "/download", "n": 100, "status": 503 });
    change(&setting.fake, "faults", json!({ "next_n": trouble })).await;
    attach(&setting, "plan.docx", "application/msword", &docx("zyzzyva")).await;
    circuit.walked(&begun).await;
    let waits = |picture: &FeedPicture| picture.files_waiting == 1 && picture.headline == "up to date";
    circuit.until(begun.feed, "put off", waits).await;
    change(
        &setting.fake,
        "move",
        json!({ "title": PAGE, "space": "OPS", "to_space": "ENG", "parent": null }),
    )
    .await;
    change(&setting.fake, "faults", json!({ "clear": true })).await;
    let before = asked(&setting.fake).await.len();
    let last = runs(&circuit, &begun).await[0].id;
    // Only files are due by then: no walk finds out first.
    circuit.later(&setting, 15).await;
    circuit.app.take_up_again().await.unwrap();
    circuit.passed(&setting, &begun, RunKind::Files, last).await;
    let since = asked(&setting.fake).await.split_off(before);
    assert!(!since.iter().any(|path| path.contains("/download")), "{since:?}");
    assert_eq!(circuit.finds(&begun, "zyzzyva").await, 0);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_quota_parks_the_files_and_they_go_on_when_it_is_renewed() {
    let (setting, begun) = reading().await;
    let spent = json!({ "path": "/download", "n": 1, "skip": 3, "status": 429, "headers": { "retry-after": "1800" } });
    change(&setting.fake, "faults", json!({ "next_n": spent })).await;
    let circuit = Working::new(&setting, &begun).await;
    circuit.import(&begun, &["OPS"]).await;
    let waits = |picture: &FeedPicture| picture.next.whole_waits.is_some() && picture.running.is_none();
    let picture = circuit.until(begun.feed, "waiting for points", waits).await;
    assert!(picture.files_waiting > 0, "{picture:?}");
    let parked = runs(&circuit, &begun).await.remove(0);
    assert!(matches!(parked.outcome, Some(Outcome::Parked { .. })), "{parked:?}");
    circuit.later(&setting, 31).await;
    circuit.app.take_up_again().await.unwrap();
    all_read(&circuit, &begun).await;
    let ended = circuit.app.run(&circuit.caller, parked.id).await.unwrap();
    assert_eq!(ended.outcome, Some(Outcome::Complete), "it goes on as the same run");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_address_is_in_no_log_and_a_killed_circuit_reads_the_rest_of_the_files() {
    let (setting, begun) = reading().await;
    attach(&setting, "plan.docx", "application/msword", &docx("zyzzyva")).await;
    let mut settings = setting.settings().to_vec();
    settings.push(("CIRCUIT_LOG", "trace"));
    let circuit = Circuit::start(serve(&setting.data_dir, &settings));
    let path = format!("/api/v1/feeds/{}/spaces", begun.feed);
    let ids = json!({ "ids": [space(&begun, "OPS")[0].as_str()] });
    let (status, _) = circuit.post(&begun.key, &path, &ids).await;
    assert!(status.is_success());
    let log = until_downloading(&setting, &circuit).await;
    circuit.kill();
    let circuit = Circuit::start(serve(&setting.data_dir, &settings));
    let found = format!("/api/v1/indexes/{}/search?q=zyzzyva", begun.index);
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(120);
    while circuit.get(&begun.key, &found).await.1["total"] != 1 {
        assert!(tokio::time::Instant::now() < until, "{}", circuit.log());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for log in [log, circuit.log()] {
        assert!(!log.contains("/media/file/") && !log.contains("binary?token="), "{log}");
    }
    assert!(circuit.stop().success());
}

/// Waits for the first download; what the log says by then.
async fn until_downloading(setting: &Setting, circuit: &Circuit) -> String {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(120);
    while !asked(&setting.fake).await.iter().any(|path| path.contains("/download")) {
        assert!(tokio::time::Instant::now() < until, "{}", circuit.log());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    circuit.log()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_may_not_download_is_said_once_and_pages_go_on() {
    let (setting, begun) = reading().await;
    let refusal = json!({ "code": 401, "message": "Unauthorized; scope does not match" }).to_string();
    let refused = json!({ "path": "/download", "n": 1000, "status": 401, "body": refusal });
    change(&setting.fake, "faults", json!({ "next_n": refused })).await;
    let circuit = Working::new(&setting, &begun).await;
    circuit.import(&begun, &["OPS"]).await;
    let ended = |runs: &[SyncRun]| runs.first().is_some_and(|run| run.outcome.is_some());
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !ended(&runs(&circuit, &begun).await) {
        assert!(tokio::time::Instant::now() < until);
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let runs = runs(&circuit, &begun).await;
    let (run, id): (&SyncRun, RunId) = (&runs[0], runs[0].id);
    assert_eq!(
        (run.outcome.as_ref(), run.counts.failed),
        (Some(&Outcome::Complete), 0),
        "{run:?}"
    );
    let notes = circuit.app.notes(&circuit.caller, id).await.unwrap();
    assert!(notes[0].contains("not read for now"), "{notes:?}");
    let picture = circuit.up_to_date(begun.feed).await;
    assert!(picture.files_waiting > 0);
    circuit.end().await;
}
