//! Search by meaning, by the real binary with an endpoint on loopback.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::{
    comparing::{change, up_to_date},
    process::{Circuit, serve},
    setting::{Begun, Setting},
    working::company,
};

const KEY: &str = "sk-hunter2";
/// Words that mean the same here.
const MEANINGS: [&[&str]; 3] = [
    &["wallaby", "quokka", "marsupial"],
    &["zyzzyva", "weevil", "beetle"],
    &["sprocket", "gearwheel"],
];
/// After the axes of meanings, words by their letters.
const AXES: usize = 61;
const TIME_MAX: Duration = Duration::from_secs(60);

/// An endpoint whose vectors are counts of meanings, and what it was asked.
#[derive(Default)]
struct Endpoint {
    /// Texts by model.
    asked: Mutex<BTreeMap<String, Vec<String>>>,
    /// Models that are out of order for all but single texts.
    ill: Mutex<Vec<String>>,
}

impl Endpoint {
    async fn begun() -> (Arc<Self>, String) {
        let endpoint = Arc::new(Self::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/v1/embeddings", post(embeddings))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (endpoint, url)
    }

    fn ill(&self, models: &[&str]) {
        *self.ill.lock().unwrap() = models.iter().map(|model| (*model).to_owned()).collect();
    }

    fn asked_of(&self, model: &str) -> Vec<String> {
        self.asked.lock().unwrap().get(model).cloned().unwrap_or_default()
    }
}

async fn embeddings(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    if headers
        .get("authorization")
        .is_none_or(|value| value != &format!("Bearer {KEY}"))
    {
        return (StatusCode::UNAUTHORIZED, format!("{headers:?}")).into_response();
    }
    let model = asked["model"].as_str().unwrap().to_owned();
    let texts: Vec<String> = serde_json::from_value(asked["input"].clone()).unwrap();
    if texts.len() > 1 && endpoint.ill.lock().unwrap().contains(&model) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // The other model has other dimensions.
    let axes = if model == "small" { AXES } else { AXES + 10 };
    let data: Vec<Value> = texts
        .iter()
        .zip(0..)
        .map(|(text, index)| json!({"index": index, "embedding": vector(text, axes)}))
        .collect();
    endpoint.asked.lock().unwrap().entry(model).or_default().extend(texts);
    Json(json!({ "data": data })).into_response()
}

fn vector(text: &str, axes: usize) -> Vec<f32> {
    let mut vector = vec![0.0; axes];
    vector[axes - 1] = 0.01;
    for word in text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()) {
        let meaning = MEANINGS.iter().position(|words| words.contains(&word));
        let letters = word
            .bytes()
            .fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let (axis, weight) = match meaning {
            Some(meaning) => (meaning, 20.0),
            None => (MEANINGS.len() + letters % (axes - MEANINGS.len() - 1), 1.0),
        };
        vector[axis] += weight;
    }
    vector
}

fn started(setting: &Setting, semantic: &[(&str, &str)]) -> Circuit {
    let settings: Vec<(&str, &str)> = setting.settings().into_iter().chain(semantic.iter().copied()).collect();
    Circuit::start(serve(&setting.data_dir, &settings))
}

async fn semantic_of(circuit: &Circuit, begun: &Begun) -> Value {
    let (status, index) = circuit
        .get(&begun.key, &format!("/api/v1/indexes/{}", begun.index))
        .await;
    assert_eq!(status, 200, "{index}");
    index["semantic"].clone()
}

/// The titles of what is found.
async fn found(circuit: &Circuit, begun: &Begun, words: &str) -> Vec<String> {
    let (status, hits) = circuit
        .get(&begun.key, &format!("/api/v1/indexes/{}/search?q={words}", begun.index))
        .await;
    assert_eq!(status, 200, "{hits}");
    let hits = hits["hits"].as_array().unwrap();
    hits.iter()
        .map(|hit| hit["title"].as_str().unwrap().to_owned())
        .collect()
}

async fn until<F: AsyncFnMut() -> Option<T>, T>(circuit: &Circuit, what: &str, mut done: F) -> T {
    let until = tokio::time::Instant::now() + TIME_MAX;
    loop {
        if let Some(done) = done().await {
            return done;
        }
        assert!(tokio::time::Instant::now() < until, "{what}; log: {}", circuit.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn all_read(circuit: &Circuit, begun: &Begun, model: &str) {
    until(circuit, "not all is read", async || {
        let semantic = semantic_of(circuit, begun).await;
        (semantic["model"] == model && semantic["passages"] != 0 && semantic["known"] == semantic["passages"])
            .then_some(())
    })
    .await;
}

/// A company whose space OPS holds a page about small animals.
async fn world() -> (Setting, Begun) {
    let (setting, begun) = company().await;
    let page = json!({ "space": "OPS", "title": "On the island", "body": "<p>The quokka is small and smiles.</p>" });
    change(&setting.fake, "create", page).await;
    (setting, begun)
}

async fn imported(circuit: &Circuit, begun: &Begun) {
    let ids: Vec<&str> = begun
        .spaces
        .iter()
        .filter(|(key, _)| key == "OPS")
        .map(|(_, id)| id.as_str())
        .collect();
    let (status, answer) = circuit
        .post(
            &begun.key,
            &format!("/api/v1/feeds/{}/spaces", begun.feed),
            &json!({ "ids": ids }),
        )
        .await;
    assert!(status.is_success(), "{answer}");
    up_to_date(circuit, &begun.key, begun.feed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_found_by_what_it_means_and_a_new_model_takes_over_when_it_has_read_everything() {
    let (setting, begun) = world().await;
    let (endpoint, url) = Endpoint::begun().await;
    let model = |name: &'static str| {
        [
            ("CIRCUIT_SEMANTIC_URL", url.as_str()),
            ("CIRCUIT_SEMANTIC_MODEL", name),
            ("CIRCUIT_SEMANTIC_KEY", KEY),
        ]
    };
    let circuit = started(&setting, &model("small"));
    imported(&circuit, &begun).await;
    all_read(&circuit, &begun, "small").await;
    assert_eq!(found(&circuit, &begun, "marsupial").await, ["On the island"]);
    assert_eq!(
        found(&circuit, &begun, "%22marsupial%22").await,
        [""; 0],
        "what is in quotes is exact"
    );
    let questions = endpoint
        .asked_of("small")
        .iter()
        .filter(|text| *text == "marsupial")
        .count();
    found(&circuit, &begun, "marsupial").await;
    let again = endpoint
        .asked_of("small")
        .iter()
        .filter(|text| *text == "marsupial")
        .count();
    assert_eq!((questions, again), (1, 1), "a question is remembered");

    let log = circuit.log();
    assert!(!log.contains("hunter2") && !log.contains("marsupial"), "{log}");
    assert!(circuit.stop().success());

    // The new model answers, and takes no passages yet: the former one serves.
    endpoint.ill(&["large"]);
    let circuit = started(&setting, &model("large"));
    let serves = async || (found(&circuit, &begun, "marsupial").await == ["On the island"]).then_some(());
    until(&circuit, "the former model does not serve", serves).await;
    let semantic = semantic_of(&circuit, &begun).await;
    assert_eq!(semantic["model"], "large");
    assert!(semantic["known"].as_u64() < semantic["passages"].as_u64(), "{semantic}");
    endpoint.ill(&[]);
    all_read(&circuit, &begun, "large").await;
    let serves = async || {
        let words = "wallaby";
        let found = found(&circuit, &begun, words).await;
        (found == ["On the island"] && endpoint.asked_of("large").iter().any(|text| text == words)).then_some(())
    };
    until(&circuit, "the new model does not take over", serves).await;
    assert!(circuit.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_model_circuit_serves_by_words_and_says_so() {
    let (setting, begun) = world().await;
    let (_endpoint, url) = Endpoint::begun().await;
    let semantic = [
        ("CIRCUIT_SEMANTIC_URL", url.as_str()),
        ("CIRCUIT_SEMANTIC_MODEL", "small"),
        ("CIRCUIT_SEMANTIC_KEY", "sk-other-hunter2"),
    ];
    let circuit = started(&setting, &semantic);
    imported(&circuit, &begun).await;
    assert_eq!(found(&circuit, &begun, "quokka").await, ["On the island"]);
    assert_eq!(found(&circuit, &begun, "marsupial").await, [""; 0]);
    let trouble = until(&circuit, "no trouble is told", async || {
        semantic_of(&circuit, &begun).await["trouble"]
            .as_str()
            .map(str::to_owned)
    })
    .await;
    assert!(trouble.contains("CIRCUIT_SEMANTIC_KEY"), "{trouble}");
    let log = circuit.log();
    assert!(
        log.contains("Search is by words alone") && !log.contains("hunter2"),
        "{log}"
    );
    assert!(circuit.stop().success());

    let circuit = started(&setting, &[("CIRCUIT_SEMANTIC_MODEL", "/nowhere/model")]);
    assert_eq!(found(&circuit, &begun, "quokka").await, ["On the island"]);
    let told = until(&circuit, "no trouble is told", async || {
        semantic_of(&circuit, &begun).await["trouble"]
            .as_str()
            .map(str::to_owned)
    })
    .await;
    assert!(told.contains("/nowhere/model/config.json"), "{told}");
    assert!(circuit.stop().success());

    let circuit = started(&setting, &[]);
    assert_eq!(semantic_of(&circuit, &begun).await, Value::Null);
    assert!(circuit.stop().success());
}
