//! `circuit eval`: given documents, queries and judgements in the BEIR layout, gives how well the search engine finds what
//! was judged. Documents go the way of pages: storage format, passages, one commit after another; queries are asked as
//! people ask them. It needs no data directory and leaves nothing behind.

mod corpus;
mod measure;

use std::{collections::BTreeMap, path::Path};

use domain::{
    DocumentId, Error, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    access::Access,
    cursor::Watermark,
    document::{Body, Document, DocumentKind, Held},
    embedder::{EMBEDDED_AT_ONCE, Embedder, Meaning, Purpose},
    engine::{EngineBatch, SearchEngine},
    query::Query,
};
use serde_json::{Value, json};

pub use corpus::{Corpus, Entry, Judged};
pub use measure::{Mean, Measured, Scores, measured};

use crate::cli::Eval;

/// How many hits of each query are looked at: recall is told at this depth.
pub const DEPTH: usize = 100;
/// Documents of one commit: as many as the indexer reads at once, roughly.
const BATCH_DOCUMENTS: usize = 500;
/// What is added to each rank before it is turned over: the usual number.
const RANKS_ADDED: f64 = 60.0;
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
    let by_words = answers(&engine, &corpus, None, Way::Words).await?;
    let mut lines = vec![(Way::Words, measured(&corpus, &by_words))];
    if let Some(directory) = &asked.model {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let embedder = embed::local::LocalEmbedder::load(directory, name, threads)?;
        learn(&engine, &embedder).await?;
        let by_meaning = answers(&engine, &corpus, Some(&embedder), Way::Meaning).await?;
        lines.push((Way::Meaning, measured(&corpus, &by_meaning)));
        lines.push((Way::Ranks, measured(&corpus, &by_ranks(&by_words, &by_meaning))));
        let by_both = answers(&engine, &corpus, Some(&embedder), Way::Both).await?;
        lines.push((Way::Both, measured(&corpus, &by_both)));
    }
    match asked.json {
        true => println!("{}", as_json(&asked.corpus, &corpus, &lines, asked.worst)),
        false => print!("{}", as_text(&corpus, &lines, asked.worst)),
    }
    Ok(())
}

/// How it is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Words,
    Meaning,
    /// The answers of both put together by reciprocal ranks: what people do not get, to measure beside what they get.
    Ranks,
    /// As people search.
    Both,
}

impl Way {
    const ALL: [Self; 4] = [Self::Words, Self::Meaning, Self::Ranks, Self::Both];

    fn name(self) -> &'static str {
        match self {
            Self::Words => "lexical",
            Self::Meaning => "semantic",
            Self::Ranks => "by ranks",
            Self::Both => "hybrid",
        }
    }
}

/// Gives every passage its meaning.
pub async fn learn(engine: &dyn SearchEngine, embedder: &dyn Embedder) -> Result<()> {
    loop {
        let unknown = engine.unembedded(INDEX, embedder.model(), EMBEDDED_AT_ONCE).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let (keys, texts): (Vec<u64>, Vec<String>) = unknown.into_iter().map(|one| (one.key, one.text)).unzip();
        let vectors = embedder.embed(Purpose::Passage, &texts).await?;
        let vectors = keys.into_iter().zip(vectors).collect();
        engine.embedded(INDEX, embedder.model(), vectors).await?;
    }
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
pub async fn answers(
    engine: &dyn SearchEngine,
    corpus: &Corpus,
    embedder: Option<&dyn Embedder>,
    way: Way,
) -> Result<Vec<Vec<String>>> {
    let access = Access {
        index: INDEX,
        hidden: Default::default(),
        hidden_documents: Default::default(),
    };
    let mut answers = Vec::with_capacity(corpus.queries.len());
    for judged in &corpus.queries {
        let meaning = match (way, embedder) {
            (Way::Words, _) | (_, None) => None,
            (Way::Meaning | Way::Ranks | Way::Both, Some(embedder)) => meaning(embedder, &judged.text).await?,
        };
        let query = Query {
            text: match way {
                Way::Words | Way::Ranks | Way::Both => judged.text.clone(),
                Way::Meaning => String::new(),
            },
            meaning,
            limit: DEPTH,
            ..Query::default()
        };
        let hits = engine.search(&access, &query).await?;
        let ids = hits.hits.into_iter().map(|hit| hit.passage.document.content.0);
        answers.push(ids.collect());
    }
    Ok(answers)
}

async fn meaning(embedder: &dyn Embedder, text: &str) -> Result<Option<Meaning>> {
    let mut vectors = embedder.embed(Purpose::Question, &[text.to_owned()]).await?;
    let vector = vectors.pop();
    Ok(vector.map(|vector| Meaning {
        model: embedder.model().fingerprint.clone(),
        vector,
    }))
}

/// Two answers to each query as one: each document scores one by each of its ranks (Cormack, Clarke and Büttcher, 2009).
fn by_ranks(one: &[Vec<String>], other: &[Vec<String>]) -> Vec<Vec<String>> {
    let fused = one.iter().zip(other).map(|(one, other)| {
        let mut scores: BTreeMap<&String, f64> = BTreeMap::new();
        for answer in [one, other] {
            for (rank, id) in (1_u32..).zip(answer) {
                *scores.entry(id).or_default() += 1.0 / (RANKS_ADDED + f64::from(rank));
            }
        }
        let mut order: Vec<(&String, f64)> = scores.into_iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        order.into_iter().take(DEPTH).map(|(id, _)| id.clone()).collect()
    });
    fused.collect()
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
        unread: None,
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

fn as_json(corpus_directory: &Path, corpus: &Corpus, lines: &[(Way, Measured)], worst: usize) -> Value {
    let mean = |mean: &Mean| json!({ "mean": mean.mean, "low": mean.low, "high": mean.high });
    let told = |way: Way| {
        let (_, measured) = lines.iter().find(|(measured, _)| *measured == way)?;
        Some(json!({
            "ndcg_at_10": mean(&measured.ndcg), "mrr_at_10": mean(&measured.reciprocal_rank),
            "recall_at_100": mean(&measured.recall),
        }))
    };
    let worst: Vec<Value> = worst_of(lines, worst)
        .map(|scores| {
            json!({
                "id": scores.id, "text": scores.text, "ndcg_at_10": scores.ndcg,
                "reciprocal_rank_at_10": scores.reciprocal_rank, "recall_at_100": scores.recall
            })
        })
        .collect();
    json!({
        "corpus": corpus_directory, "documents": corpus.documents.len(), "queries": corpus.queries.len(),
        "lexical": told(Way::Words), "semantic": told(Way::Meaning), "by_ranks": told(Way::Ranks),
        "hybrid": told(Way::Both),
        "worst": worst,
    })
}

/// The worst answered queries of the last line: what people get.
fn worst_of(lines: &[(Way, Measured)], count: usize) -> impl Iterator<Item = &Scores> {
    lines
        .last()
        .into_iter()
        .flat_map(move |(_, measured)| measured.worst(count))
}

fn as_text(corpus: &Corpus, lines: &[(Way, Measured)], worst: usize) -> String {
    let mean = |mean: &Mean| format!("{:.4} [{:.4}, {:.4}]", mean.mean, mean.low, mean.high);
    let mut out = format!(
        "{} documents, {} judged queries; in brackets the 95 % confidence interval\n\n{:10}{:26}{:26}{}\n",
        corpus.documents.len(),
        corpus.queries.len(),
        "",
        "nDCG@10",
        "MRR@10",
        "recall@100",
    );
    for way in Way::ALL {
        out += &match lines.iter().find(|(measured, _)| *measured == way) {
            Some((_, measured)) => format!(
                "{:10}{:26}{:26}{}\n",
                way.name(),
                mean(&measured.ndcg),
                mean(&measured.reciprocal_rank),
                mean(&measured.recall),
            ),
            None => format!("{:10}not measured: name a model with --model\n", way.name()),
        };
    }
    if worst > 0 {
        out.push_str("\nworst answered, by nDCG@10:\n");
    }
    for scores in worst_of(lines, worst) {
        let text: String = scores.text.chars().take(100).collect();
        out.push_str(&format!("{:.4}  {}  {}\n", scores.ndcg, scores.id, text));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_ranks_what_both_found_stands_above_what_one_found_and_equals_by_their_ids() {
        let answer = |ids: &[&str]| vec![ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()];
        let fused = by_ranks(&answer(&["a", "b", "c"]), &answer(&["d", "c"]));
        assert_eq!(fused, answer(&["c", "a", "d", "b"]));
    }
}
