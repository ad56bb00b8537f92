//! An endpoint that answers well, ill and not at all.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    Error, ErrorKind, Result, Secret,
    embedder::{Embedder, Purpose},
};
use embed::{
    http::Body,
    remote::{Endpoint, RemoteEmbedder},
};
use futures::{StreamExt, stream};
use http::{Request, Response};
use serde_json::{Value, json};

use crate::scripted::{Scripted, answer, boxed};

const KEY: &str = "sk-hunter2";

fn endpoint(model: &str) -> Endpoint {
    Endpoint::new("http://localhost:11434/v1", model, Some(Secret::new(KEY)), None).unwrap()
}

fn inputs(request: &Request<Bytes>) -> Vec<String> {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let input = body["input"].as_array().unwrap();
    input.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What a text's vector is here: its length and one, and the rows come last first.
fn well(request: &Request<Bytes>) -> Result<Response<Body>> {
    let texts = inputs(request);
    let rows = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": [text.len() as f32, 1.0]}));
    let body = json!({"object": "list", "data": rows.collect::<Vec<_>>(), "usage": {"total_tokens": 1}});
    answer(200, &[], body.to_string())
}

async fn connected(http: &Arc<Scripted>, model: &str) -> RemoteEmbedder {
    RemoteEmbedder::connect(http.clone(), endpoint(model)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn many_texts_are_sent_in_batches_and_their_vectors_come_in_order_and_of_length_one() {
    let http = Scripted::always(well);
    let embedder = connected(&http, "nomic-embed-text:latest").await;
    assert_eq!(embedder.model().dimensions, 2);
    assert_eq!(embedder.model().fingerprint.len(), 64);
    let texts: Vec<String> = (0..64).map(|n| "x".repeat(n)).collect();
    let vectors = embedder.embed(Purpose::Passage, &texts).await.unwrap();
    assert_eq!(http.calls(), 3, "one to connect, two of 32 texts");
    for (text, vector) in texts.iter().zip(&vectors) {
        let length = "search_document: ".len() + text.len().max(1);
        assert!(
            (vector[0] / vector[1] - length as f32).abs() < 1e-2,
            "{vector:?} {length}"
        );
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let asked = http.asked.lock().unwrap();
    assert_eq!(asked[1].uri(), "http://localhost:11434/v1/embeddings");
    assert_eq!(asked[1].headers()["authorization"], format!("Bearer {KEY}"));
    assert!(
        !format!("{:?}", asked[1].headers()).contains("hunter2"),
        "it is marked as secret"
    );
}

#[tokio::test(start_paused = true)]
async fn passages_are_tried_again_and_a_wish_to_wait_is_kept() {
    for status in [429, 500, 503] {
        let busy = move |_: &Request<Bytes>| answer(status, &[("retry-after", "7")], "busy");
        let http = Scripted::first(vec![boxed(well), boxed(busy), boxed(busy)], well);
        let embedder = connected(&http, "m").await;
        let began = tokio::time::Instant::now();
        embedder.embed(Purpose::Passage, &["a".into()]).await.unwrap();
        assert_eq!(http.calls(), 4);
        let waited = began.elapsed();
        match status {
            429 => assert!(
                waited >= Duration::from_secs(14) && waited < Duration::from_secs(29),
                "{waited:?}"
            ),
            _ => assert!(
                waited >= Duration::from_millis(1_500) && waited < Duration::from_secs(4),
                "{waited:?}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tries_have_an_end_questions_are_asked_once_and_long_waits_are_left_to_the_caller() {
    let down = |_: &Request<Bytes>| answer(500, &[], "down");
    let http = Scripted::first(vec![boxed(well)], down);
    let embedder = connected(&http, "m").await;
    let failed = embedder.embed(Purpose::Passage, &["a".into()]).await.unwrap_err();
    assert_eq!((failed.kind, http.calls()), (ErrorKind::Unavailable, 5));
    let failed = embedder.embed(Purpose::Question, &["a".into()]).await.unwrap_err();
    assert_eq!((failed.kind, http.calls()), (ErrorKind::Unavailable, 6));

    let later = |_: &Request<Bytes>| answer(429, &[("retry-after", "99999999")], "");
    let http = Scripted::first(vec![boxed(well)], later);
    let embedder = connected(&http, "m").await;
    let failed = embedder.embed(Purpose::Passage, &["a".into()]).await.unwrap_err();
    let retry_after = Duration::from_secs(3_600);
    assert_eq!((failed.kind, http.calls()), (ErrorKind::RateLimited { retry_after }, 2));

    let silent = |_: &Request<Bytes>| Err(Error::unavailable("localhost could not be reached"));
    let failed = RemoteEmbedder::connect(Scripted::always(silent), endpoint("m"))
        .await
        .err()
        .unwrap();
    assert_eq!(failed.kind, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_ends_its_answer_is_left() {
    let slow = |_: &Request<Bytes>| Ok(Response::new(stream::pending().boxed()));
    let http = Scripted::first(vec![boxed(well)], slow);
    let embedder = connected(&http, "m").await;
    let failed = embedder.embed(Purpose::Question, &["a".into()]).await.unwrap_err();
    assert_eq!(failed.kind, ErrorKind::Unavailable);
    let endless = |_: &Request<Bytes>| {
        Ok(Response::new(
            stream::repeat_with(|| Ok(Bytes::from(vec![b' '; 1 << 20]))).boxed(),
        ))
    };
    let http = Scripted::first(vec![boxed(well)], endless);
    let embedder = connected(&http, "m").await;
    let why = embedder
        .embed(Purpose::Question, &["a".into()])
        .await
        .unwrap_err()
        .message;
    assert!(why.contains("more than 8388608 bytes"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_contradicts_itself_is_refused_whole_and_no_key_is_told() {
    let rows = |rows: Value| json!({"data": rows}).to_string();
    let fine = json!({"index": 0, "embedding": [3.0, 4.0]});
    for (status, body, said) in [
        (200, "not json".to_owned(), "holds no vectors"),
        (200, "{}".to_owned(), "holds no vectors"),
        (200, rows(json!([fine])), "answered 1 vectors to 2 texts"),
        (200, rows(json!([fine, fine, fine])), "answered 3 vectors to 2 texts"),
        (200, rows(json!([fine, fine])), "out of order"),
        (
            200,
            rows(json!([fine, {"index": 7, "embedding": [1.0, 1.0]}])),
            "out of order",
        ),
        (
            200,
            rows(json!([fine, {"index": 1, "embedding": [1.0]}])),
            "1 dimensions",
        ),
        (200, rows(json!([fine, {"index": 1, "embedding": []}])), "0 dimensions"),
        (
            200,
            rows(json!([fine, {"index": 1, "embedding": [0.0, 0.0]}])),
            "without direction",
        ),
        (
            200,
            r#"{"data": [{"index": 0, "embedding": [NaN, 1]}, {"index": 1, "embedding": [1, 1]}]}"#.to_owned(),
            "holds no vectors",
        ),
        (
            200,
            r#"{"data": [{"index": 0, "embedding": [1e39, 1]}, {"index": 1, "embedding": [1, 1]}]}"#.to_owned(),
            "",
        ),
        (200, "[".repeat(100_000), "holds no vectors"),
        (401, format!("your key {KEY} is wrong"), "CIRCUIT_SEMANTIC_KEY"),
        (404, String::new(), "semantic.model"),
        (302, String::new(), "semantic.url"),
        (400, format!("{KEY} sent too much"), "semantic.dimensions"),
    ] {
        let ill = body.clone();
        let http = Scripted::first(vec![boxed(well)], move |_| {
            answer(status, &[("location", "http://elsewhere/")], ill.clone())
        });
        let embedder = connected(&http, "m").await;
        let failed = embedder
            .embed(Purpose::Question, &["a".into(), "b".into()])
            .await
            .unwrap_err();
        assert!(failed.message.contains(said), "{}: {body}", failed.message);
        assert!(failed.message.contains("localhost"), "{}", failed.message);
        let told = format!("{failed:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_too_long_for_an_endpoint_is_sent_shorter() {
    let strict = |request: &Request<Bytes>| match inputs(request).iter().all(|text| text.len() <= 5_000) {
        true => well(request),
        false => answer(413, &[], "too long"),
    };
    let http = Scripted::always(strict);
    let embedder = connected(&http, "m").await;
    let long = "ü".repeat(50_000);
    let vectors = embedder.embed(Purpose::Passage, &[long, "b".into()]).await.unwrap();
    assert_eq!((vectors.len(), http.calls()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_fingerprint_is_of_the_server_the_model_and_its_dimensions() {
    let fingerprint = async |url: &str, model: &str, dimensions: Option<usize>| {
        let endpoint = Endpoint::new(url, model, None, dimensions).unwrap();
        let embedder = RemoteEmbedder::connect(Scripted::always(well), endpoint).await.unwrap();
        embedder.model().fingerprint.clone()
    };
    let first = fingerprint("http://a.example/v1", "m", None).await;
    assert_eq!(first, fingerprint("http://a.example/v1/embeddings", "m", Some(2)).await);
    assert_ne!(first, fingerprint("http://b.example/v1", "m", None).await);
    assert_ne!(first, fingerprint("http://a.example/v1", "n", None).await);
    let other = Endpoint::new("http://a.example/v1", "m", None, Some(3)).unwrap();
    assert!(
        RemoteEmbedder::connect(Scripted::always(well), other).await.is_err(),
        "it gives two"
    );
}
