//! `circuit eval`: given documents, queries and judgements in the BEIR layout, gives how well the search engine finds what
//! was judged. Documents go the way of pages: storage format, passages, one commit after another; queries are asked as
//! people ask them. It needs no data directory and leaves nothing behind.

mod corpus;
mod measure;

use std::path::Path;

use domain::{
    DocumentId, Error, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    access::Access,
    cursor::Watermark,
    document::{Body, Document, DocumentKind, Held},
    engine::{EngineBatch, SearchEngine},
    query::Query,
};
use serde_json::{Value, json};

pub use corpus::{Corpus, Entry, Judged};
pub use measure::{Mean, Measured, measured};

use crate::cli::Eval;

/// How many hits of each query are looked at: recall is told at this depth.
pub const DEPTH: usize = 100;
/// Documents of one commit: as many as the indexer reads at once, roughly.
const BATCH_DOCUMENTS: usize = 500;
const INDEX: IndexId = IndexId(1);
const FEED: FeedId = FeedId(1);

/// `circuit eval`.
pub async fn eval(asked: &Eval) -> Result<()> {
    let corpus = Corpus::read(&asked.corpus)?;
    let directory = tempfile::tempdir().map_err(|error| {
        Error::unavailable("no temporary directory can be made for the index; is the disk full?").because(error)
    })?;
    let engine = search::EmbeddedEngine::open(directory.path().to_owned())?;
    fill(&engine, &corpus).await?;
    let answers = answers(&engine, &corpus).await?;
    let lexical = measured(&corpus, &answers);
    match asked.json {
        true => println!("{}", as_json(&asked.corpus, &corpus, &lexical, asked.worst)),
        false => print!("{}", as_text(&corpus, &lexical, asked.worst)),
    }
    Ok(())
}

/// Indexes every document of the corpus as a page.
pub async fn fill(engine: &dyn SearchEngine, corpus: &Corpus) -> Result<()> {
    for (batch, entries) in (1..).zip(corpus.documents.chunks(BATCH_DOCUMENTS)) {
        let mut commit = EngineBatch::default();
        for entry in entries {
            let held = page(entry);
            commit.documents.push((FEED, held.document.id.clone()));
            commit.passages.extend(extract::passages(&held));
        }
        engine.commit(INDEX, commit, Watermark(batch)).await?;
    }
    Ok(())
}

/// What is found for each judged query, best first.
pub async fn answers(engine: &dyn SearchEngine, corpus: &Corpus) -> Result<Vec<Vec<String>>> {
    let access = Access {
        index: INDEX,
        hidden: Default::default(),
        hidden_documents: Default::default(),
    };
    let mut answers = Vec::with_capacity(corpus.queries.len());
    for judged in &corpus.queries {
        let query = Query {
            text: judged.text.clone(),
            limit: DEPTH,
            ..Query::default()
        };
        let hits = engine.search(&access, &query).await?;
        let ids = hits.hits.into_iter().map(|hit| hit.passage.document.content.0);
        answers.push(ids.collect());
    }
    Ok(answers)
}

/// The document as a page of one space that everybody may read.
fn page(entry: &Entry) -> Held {
    Held {
        feed: FEED,
        document: Document {
            id: DocumentId::new(&SiteId::new("corpus"), &entry.id),
            kind: DocumentKind::Page,
            space: SpaceId::new("1"),
            parent: None,
            title: entry.title.clone(),
            version: 1,
            created_at: Timestamp(0),
            modified_at: Timestamp(0),
            author: None,
            editor: None,
            labels: Vec::new(),
            url: String::new(),
            body: Body::Storage(storage_format(&entry.text)),
            comment: None,
            file: None,
        },
        space_key: String::new(),
        space_name: String::new(),
        breadcrumb: Vec::new(),
        author: None,
        editor: None,
        sequence: 0,
        first_seen_at: Timestamp(0),
        seen_run: None,
        removed: None,
        removed_at: None,
    }
}

/// Paragraphs are divided by empty lines.
fn storage_format(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = escaped.split("\n\n").map(|paragraph| format!("<p>{paragraph}</p>"));
    paragraphs.collect()
}

fn as_json(corpus_directory: &Path, corpus: &Corpus, lexical: &Measured, worst: usize) -> Value {
    let mean = |mean: &Mean| json!({ "mean": mean.mean, "low": mean.low, "high": mean.high });
    let worst: Vec<Value> = lexical
        .worst(worst)
        .map(|scores| {
            json!({
                "id": scores.id, "text": scores.text, "ndcg_at_10": scores.ndcg,
                "reciprocal_rank_at_10": scores.reciprocal_rank, "recall_at_100": scores.recall
            })
        })
        .collect();
    json!({
        "corpus": corpus_directory, "documents": corpus.documents.len(), "queries": corpus.queries.len(),
        "lexical": {
            "ndcg_at_10": mean(&lexical.ndcg), "mrr_at_10": mean(&lexical.reciprocal_rank),
            "recall_at_100": mean(&lexical.recall),
        },
        // Circuit searches by words only.
        "semantic": null, "hybrid": null,
        "worst": worst,
    })
}

fn as_text(corpus: &Corpus, lexical: &Measured, worst: usize) -> String {
    let mean = |mean: &Mean| format!("{:.4} [{:.4}, {:.4}]", mean.mean, mean.low, mean.high);
    let mut out = format!(
        "{} documents, {} judged queries; in brackets the 95 % confidence interval\n\n{:10}{:26}{:26}{}\n{:10}{:26}{:26}{}\n",
        corpus.documents.len(),
        corpus.queries.len(),
        "",
        "nDCG@10",
        "MRR@10",
        "recall@100",
        "lexical",
        mean(&lexical.ndcg),
        mean(&lexical.reciprocal_rank),
        mean(&lexical.recall),
    );
    for missing in ["semantic", "hybrid"] {
        out.push_str(&format!("{missing:10}not measured: Circuit searches by words only\n"));
    }
    if worst > 0 {
        out.push_str("\nworst answered, by nDCG@10:\n");
    }
    for scores in lexical.worst(worst) {
        let text: String = scores.text.chars().take(100).collect();
        out.push_str(&format!("{:.4}  {}  {}\n", scores.ndcg, scores.id, text));
    }
    out
}
