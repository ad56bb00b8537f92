//! The real all-MiniLM-L6-v2 against what `sentence-transformers` gives. The model is not in the repository:
//! `TESTED_MODEL` names its directory (`.ci/run` fetches it).

use std::{path::Path, time::Instant};

use domain::embedder::{Embedder, Purpose};
use embed::local::LocalEmbedder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    text: String,
    vector: Vec<f32>,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../data/all-MiniLM-L6-v2.json")).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn the_vectors_are_those_of_sentence_transformers() {
    let Ok(directory) = std::env::var("TESTED_MODEL") else {
        println!("SKIPPED: TESTED_MODEL names no model");
        return;
    };
    let embedder = LocalEmbedder::load(Path::new(&directory), "all-MiniLM-L6-v2", 2).unwrap();
    let rows = rows();
    let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
    for purpose in [Purpose::Question, Purpose::Passage] {
        let began = Instant::now();
        let vectors = embedder.embed(purpose, &texts).await.unwrap();
        println!("{} texts in {:?}", texts.len(), began.elapsed());
        assert_eq!(vectors.len(), rows.len());
        for (row, vector) in rows.iter().zip(&vectors) {
            let furthest = row
                .vector
                .iter()
                .zip(vector)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(furthest < 1e-4, "{furthest} for {:?}", row.text);
            assert!((cosine(&row.vector, vector) - 1.0).abs() < 1e-4, "{:?}", row.text);
        }
    }
}
