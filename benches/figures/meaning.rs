//! Search by words and meaning over the generated site: its passages get vectors that lie in clusters, as those of a model
//! do, drawn from their keys; questions get vectors near those of clusters.

use std::{path::Path, sync::LazyLock, time::Instant};

use domain::{
    IndexId,
    access::Access,
    embedder::{EmbeddingModel, Meaning},
    engine::SearchEngine,
    query::Query,
};
use search::EmbeddedEngine;

use crate::search::told;

/// As all-MiniLM-L6-v2 and e5-small have.
const DIMENSIONS: usize = 384;
const CLUSTERS: u64 = 2_000;
/// How far a vector lies from its cluster, beside the cluster's own length of one.
const SPREAD: f32 = 0.8;
/// Texts of one call: more than a model is given at once, since nothing is embedded here.
const AT_ONCE: usize = 4_096;
/// Questions whose answers are compared with those of an exact search, and how deep.
const COMPARED: usize = 50;
const COMPARED_TOP: usize = 10;
/// What a kept vector's similarity may differ from its own.
const ROUNDED: f32 = 0.002;

fn model() -> EmbeddingModel {
    EmbeddingModel {
        name: "clusters".into(),
        fingerprint: "c1".into(),
        dimensions: DIMENSIONS,
    }
}

static CENTRES: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| (1..=CLUSTERS).map(noise).collect());

/// A direction, always the same for a seed.
fn noise(seed: u64) -> Vec<f32> {
    let mut state = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1;
    let drawn = (0..DIMENSIONS).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    });
    normed(drawn.collect())
}

fn normed(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

fn vector(key: u64) -> Vec<f32> {
    let centre = &CENTRES[usize::try_from(key % CLUSTERS).unwrap()];
    let noise = noise(key);
    normed(
        centre
            .iter()
            .zip(noise)
            .map(|(centre, noise)| centre + SPREAD * noise)
            .collect(),
    )
}

fn meaning(text: &str) -> Meaning {
    let key = text
        .bytes()
        .fold(7_u64, |key, byte| key.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Meaning {
        model: model().fingerprint,
        vector: vector(key),
    }
}

/// Gives every passage its vector, and writes their keys.
pub async fn learn(engine: &EmbeddedEngine, index: IndexId, keys: &Path) {
    let mut all = Vec::new();
    loop {
        let unknown = engine.unembedded(index, &model(), AT_ONCE).await.unwrap();
        if unknown.is_empty() {
            break;
        }
        all.extend(unknown.iter().flat_map(|one| one.key.to_le_bytes()));
        let vectors = unknown.iter().map(|one| (one.key, vector(one.key)));
        engine.embedded(index, &model(), vectors.collect()).await.unwrap();
    }
    std::fs::write(keys, all).unwrap();
}

/// Asks every question by words and meaning, and some by meaning alone, beside an exact search.
pub async fn asked(engine: &EmbeddedEngine, index: IndexId, questions: &[String], keys: &Path) {
    let opening = Instant::now();
    ask(engine, index, &questions[0]).await;
    println!(
        "| first question by meaning after a start | {:.0} ms |",
        opening.elapsed().as_secs_f64() * 1_000.0
    );
    for question in questions.iter().take(questions.len() / 4) {
        ask(engine, index, question).await;
    }
    let mut times = Vec::new();
    for question in questions {
        let begun = Instant::now();
        ask(engine, index, question).await;
        times.push(begun.elapsed());
    }
    told("hybrid, without the question's embedding", times);
    println!(
        "| {COMPARED_TOP} nearest of codes among those of an exact search | {:.4} |",
        recall(engine, index, questions, keys).await
    );
}

/// What is drawn for a question takes no part in its time worth telling: some microseconds.
async fn ask(engine: &EmbeddedEngine, index: IndexId, text: &str) {
    answered(engine, index, text, meaning(text), 20).await;
}

/// Similarities of what is found.
async fn answered(engine: &EmbeddedEngine, index: IndexId, text: &str, meaning: Meaning, limit: usize) -> Vec<f32> {
    let access = Access {
        index,
        hidden: Default::default(),
        hidden_documents: Default::default(),
    };
    let query = Query {
        text: text.to_owned(),
        meaning: Some(meaning),
        limit,
        ..Query::default()
    };
    let hits = engine.search(&access, &query).await.unwrap();
    let fusions = hits.hits.iter().filter_map(|hit| hit.explanation.fusion);
    fusions.filter_map(|fusion| fusion.similarity).collect()
}

async fn recall(engine: &EmbeddedEngine, index: IndexId, questions: &[String], keys: &Path) -> f64 {
    let asked: Vec<Meaning> = questions.iter().take(COMPARED).map(|text| meaning(text)).collect();
    let mut nearest: Vec<Vec<f32>> = vec![Vec::new(); asked.len()];
    for key in std::fs::read(keys).unwrap().chunks_exact(8) {
        let vector = vector(u64::from_le_bytes(key.try_into().unwrap()));
        for (nearest, meaning) in nearest.iter_mut().zip(&asked) {
            let similarity: f32 = vector.iter().zip(&meaning.vector).map(|(a, b)| a * b).sum();
            if nearest.len() < COMPARED_TOP || similarity > nearest[COMPARED_TOP - 1] {
                nearest.push(similarity);
                nearest.sort_by(|a, b| b.total_cmp(a));
                nearest.truncate(COMPARED_TOP);
            }
        }
    }
    let mut found = 0;
    for (nearest, meaning) in nearest.iter().zip(&asked) {
        let last = nearest[nearest.len() - 1] - ROUNDED;
        let similarities = answered(engine, index, "", meaning.clone(), COMPARED_TOP).await;
        found += similarities
            .into_iter()
            .filter(|similarity| *similarity >= last)
            .count();
    }
    found as f64 / (asked.len() * COMPARED_TOP) as f64
}
