//! A hub that gives a model's files, and one that lies.

use std::path::Path;

use bytes::Bytes;
use domain::Result;
use embed::{
    http::Body,
    hub::{Hub, ModelId, downloaded, fetched},
    local::NEEDED,
};
use http::{Request, Response};

use crate::scripted::{Scripted, answer};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// SHA-256 of `weights`.
const DIGEST: &str = "\"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c\"";

fn id() -> ModelId {
    ModelId::parse("owner/model").unwrap()
}

fn hub() -> Hub {
    Hub::parse("https://hub.example/mirror").unwrap()
}

/// As the public hub does: the first answer tells the commit and sends to where the file is.
fn well(request: &Request<Bytes>) -> Result<Response<Body>> {
    let headers = [("x-repo-commit", COMMIT)];
    match request
        .uri()
        .to_string()
        .strip_prefix("https://hub.example/mirror/owner/model/resolve/")
    {
        Some("main/config.json") => answer(200, &headers, "{}"),
        Some(rest) => match rest.split_once('/') {
            Some((COMMIT, "config.json")) => answer(200, &headers, "{}"),
            Some((COMMIT, "tokenizer.json")) => answer(307, &[("location", "/files/tokenizer.json")], ""),
            Some((COMMIT, "model.safetensors")) => answer(
                302,
                &[("location", "https://cdn.example/a?b=c"), ("x-linked-etag", DIGEST)],
                "",
            ),
            Some((COMMIT, "1_Pooling/config.json")) => answer(200, &[], "{\"pooling\": 1}"),
            _ => answer(404, &[], "no such file"),
        },
        None => match request.uri().host() {
            Some("cdn.example") => answer(200, &[("content-length", "7")], "weights"),
            _ => answer(200, &[], "{\"tokenizer\": 1}"),
        },
    }
}

fn text(directory: &Path, file: &str) -> String {
    std::fs::read_to_string(directory.join(file)).unwrap()
}

#[tokio::test]
async fn a_model_is_downloaded_once_and_pinned_to_its_commit() {
    let models = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(models.path().join("owner/model/partial/junk")).unwrap();
    let http = Scripted::always(well);
    assert_eq!(downloaded(models.path(), &id()), None);
    let directory = fetched(&*http, &hub(), models.path(), &id()).await.unwrap();
    assert_eq!(directory, models.path().join("owner/model").join(COMMIT));
    assert_eq!(text(&directory, "model.safetensors"), "weights");
    assert_eq!(text(&directory, "tokenizer.json"), "{\"tokenizer\": 1}");
    assert_eq!(text(&directory, "1_Pooling/config.json"), "{\"pooling\": 1}");
    assert!(!directory.join("modules.json").exists() && !directory.join("junk").exists());
    assert!(NEEDED.iter().all(|file| directory.join(file).is_file()));

    let calls = http.calls();
    assert_eq!(fetched(&*http, &hub(), models.path(), &id()).await.unwrap(), directory);
    assert_eq!(http.calls(), calls, "what is there is not asked for");
}

#[tokio::test]
async fn a_hub_that_lies_leaves_nothing_that_passes_for_a_model() {
    let refusal = async |lie: fn(&Request<Bytes>) -> Result<Response<Body>>| {
        let models = tempfile::tempdir().unwrap();
        let failed = fetched(&*Scripted::always(lie), &hub(), models.path(), &id())
            .await
            .unwrap_err();
        assert_eq!(downloaded(models.path(), &id()), None);
        failed.message
    };
    let why = refusal(|_| answer(404, &[], "")).await;
    assert!(why.contains("semantic.model") && why.contains("hub.example"), "{why}");
    let why = refusal(|_| answer(200, &[("x-repo-commit", "../../etc")], "{}")).await;
    assert!(why.contains("commit"), "{why}");
    let why = refusal(|_| answer(302, &[("location", "/again")], "")).await;
    assert!(why.contains("without end"), "{why}");
    let why = refusal(|_| answer(302, &[("location", "http://plain.example/")], "")).await;
    assert!(why.contains("https"), "{why}");
    let why = refusal(|request| match request.uri().host() {
        Some("cdn.example") => answer(200, &[("content-length", "8")], "weights"),
        _ => well(request),
    })
    .await;
    assert!(why.contains("broke off model.safetensors"), "{why}");
    let why = refusal(|request| match request.uri().path().ends_with("model.safetensors") {
        true => answer(200, &[("x-linked-etag", &*"0".repeat(64))], "weights"),
        false => well(request),
    })
    .await;
    assert!(why.contains("not what it says"), "{why}");
    let why = refusal(
        |request| match request.uri().path().ends_with("1_Pooling/config.json") {
            true => answer(200, &[], vec![b' '; (1 << 20) + 1]),
            false => well(request),
        },
    )
    .await;
    assert!(why.contains("more than 1048576 bytes"), "{why}");
}
