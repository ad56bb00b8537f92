//! Search over a generated site, beside raw tantivy, SQLite's FTS5 and a search server over the same texts: how fast it is
//! filled, how large it is, how fast it answers, also while it is written, and what memory that takes. Questions are asked by a
//! process of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{
    AccountId, DocumentId, FeedId, IndexId, SiteId, SpaceId, Timestamp,
    access::Access,
    cursor::Watermark,
    document::{Body, Document, DocumentKind, Held, Person},
    engine::{EngineBatch, SearchEngine},
    passage::Passage,
    query::Query,
};
use fake_atlassian::{FakeAtlassian, Options};
use search::EmbeddedEngine;
use serde_json::Value;

use crate::{meaning, rivals};

/// The process that asks.
pub const COMMAND: &str = "searches";
const INDEX: IndexId = IndexId(1);
/// How many questions of each kind are asked.
const ASKED: usize = 2_000;
const CLIENTS: usize = 8;
const CLIENTS_FOR: Duration = Duration::from_secs(60);
/// Pages of the site that is imported while questions are asked: more than are written meanwhile.
const IMPORTED: u64 = 100_000;
/// After so long an index is at rest, with some to spare.
const REST: Duration = Duration::from_secs(25);

/// Pages.
pub async fn measure(numbers: &[u64]) {
    let pages = numbers.first().copied().unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("search");
    let engine = EmbeddedEngine::open(directory.clone()).unwrap();
    let mut rivals = rivals::Rivals::new(folder.path()).await;
    let (mut text, mut count, mut indexing, mut reached) = (0_u64, 0_u64, Duration::ZERO, 0);
    let mut words: BTreeMap<String, u64> = BTreeMap::new();
    let mut site = Site::new(pages);
    let mut one = EngineBatch::default();
    while let Some(batch) = site.next().await {
        reached += 1;
        one = first_of(&batch);
        for passage in &batch.passages {
            count += 1;
            text += (passage.text.len() + passage.title.len()) as u64;
            passage.headings.iter().for_each(|heading| text += heading.len() as u64);
            if count.is_multiple_of(97) {
                let found = passage.text.split(|c: char| !c.is_alphanumeric());
                found.for_each(|word| *words.entry(word.to_lowercase()).or_default() += 1);
            }
        }
        rivals.add(&batch.passages).await;
        let begun = Instant::now();
        engine.commit(INDEX, batch, Watermark(reached)).await.unwrap();
        indexing += begun.elapsed();
    }
    drop(site);
    at_rest(&engine, one, Watermark(reached + 1), &directory).await;
    let bytes = engine.figures(INDEX).await.unwrap().bytes;
    let keys = folder.path().join("keys");
    meaning::learn(&engine, INDEX, &keys).await;
    drop(engine);
    let rivals = rivals.done().await;
    println!("| figure | value |\n|---|---|");
    println!(
        "| pages, passages, megabytes of text | {pages}, {count}, {} |",
        text >> 20
    );
    println!(
        "| passages indexed a second | {:.0} |",
        count as f64 / indexing.as_secs_f64()
    );
    println!("| index by text | {:.2} |", bytes as f64 / text as f64);
    let questions = folder.path().join("questions");
    std::fs::write(&questions, questions_of(&words).join("\n")).unwrap();
    let asking = Command::new(std::env::current_exe().unwrap())
        .arg(COMMAND)
        .arg(&directory)
        .arg(&questions)
        .arg(&keys)
        .stdout(Stdio::inherit())
        .status()
        .unwrap();
    assert!(asking.success());
    rivals.measured(&std::fs::read_to_string(&questions).unwrap()).await;
}

/// The first document of a batch.
fn first_of(batch: &EngineBatch) -> EngineBatch {
    let first = &batch.documents[..batch.documents.len().min(1)];
    let its = |passage: &&Passage| first.iter().any(|(_, document)| passage.document == *document);
    EngineBatch {
        documents: first.to_vec(),
        passages: batch.passages.iter().filter(its).cloned().collect(),
        ..EngineBatch::default()
    }
}

/// Something is written when nothing was written for a while, as on every site that is worked on: segments grow then.
async fn at_rest(engine: &EmbeddedEngine, one: EngineBatch, reached: Watermark, directory: &Path) {
    tokio::time::sleep(REST).await;
    engine.commit(INDEX, one, reached).await.unwrap();
    let mut before = 0;
    let segments = loop {
        tokio::time::sleep(REST / 2).await;
        let now = stores_in(directory);
        if now == before {
            break now;
        }
        before = now;
    };
    println!("| segments at rest | {segments} |");
}

/// Segments, each of which has a store of passages.
fn stores_in(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    entries
        .map(|entry| match entry.path() {
            folder if folder.is_dir() => stores_in(&folder),
            file => usize::from(file.extension().is_some_and(|extension| extension == "store")),
        })
        .sum()
}

/// Questions of one to six words, frequent and rare ones, always the same.
fn questions_of(words: &BTreeMap<String, u64>) -> Vec<String> {
    let mut by_frequency: Vec<(&String, &u64)> = words.iter().filter(|(word, _)| word.len() > 2).collect();
    by_frequency.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut state: u64 = 88_172_645_463_325_252;
    let mut drawn = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let frequent = by_frequency.len().min(200);
    let mut questions = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let length = [1, 2, 2, 3, 3, 4, 6][drawn(7)];
        let words = (0..length).map(|_| match drawn(3) {
            0 => by_frequency[drawn(by_frequency.len())].0.as_str(),
            _ => by_frequency[drawn(frequent)].0.as_str(),
        });
        questions.push(words.collect::<Vec<_>>().join(" "));
    }
    questions
}

/// The process that asks: index and questions.
pub async fn asked(rest: &[String]) {
    let [directory, questions, keys] = rest else {
        panic!("searches DIRECTORY QUESTIONS KEYS")
    };
    let engine = Arc::new(EmbeddedEngine::open(PathBuf::from(directory)).unwrap());
    let questions = std::fs::read_to_string(Path::new(questions)).unwrap();
    let questions: Arc<Vec<String>> = Arc::new(questions.lines().map(str::to_owned).collect());
    // Warm: each once.
    for question in questions.iter() {
        ask(&engine, question).await;
    }
    let mut times = Vec::new();
    for question in questions.iter() {
        let begun = Instant::now();
        ask(&engine, question).await;
        times.push(begun.elapsed());
    }
    told("lexical, with facets and snippets", times.clone());
    by_length(&questions, &times);
    let quiet = at(times, 0.99);
    let mut times = Vec::new();
    for question in questions.iter().take(ASKED / 5) {
        let letters: Vec<char> = question.chars().collect();
        for end in (3..=letters.len()).step_by(3) {
            let typed: String = letters[..end].iter().collect();
            let begun = Instant::now();
            ask(&engine, &typed).await;
            times.push(begun.elapsed());
        }
    }
    told("as one types", times);
    let answered = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + CLIENTS_FOR;
    let clients = (0..CLIENTS).map(|client| {
        let (engine, questions, answered) = (engine.clone(), questions.clone(), answered.clone());
        tokio::spawn(async move {
            let mut at = client * questions.len() / CLIENTS;
            while Instant::now() < until {
                ask(&engine, &questions[at % questions.len()]).await;
                answered.fetch_add(1, Ordering::Relaxed);
                at += 1;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let rate = answered.load(Ordering::Relaxed) as f64 / CLIENTS_FOR.as_secs_f64();
    println!("| {CLIENTS} clients for a minute: questions a second | {rate:.0} |");
    memory("lexical");
    meaning::asked(&engine, INDEX, &questions, Path::new(keys)).await;
    memory("with vectors");
    while_written(&engine, &questions, quiet).await;
}

/// Asks while an import of another feed writes as fast as it can, on the same two cores.
async fn while_written(engine: &Arc<EmbeddedEngine>, questions: &[String], quiet: Duration) {
    let asked = Arc::new(AtomicBool::new(false));
    let import = tokio::spawn({
        let (engine, asked) = (engine.clone(), asked.clone());
        async move {
            let (begun, mut passages) = (Instant::now(), 0);
            let mut reached = engine.watermark(INDEX).await.unwrap().0;
            let mut site = Site::of(IMPORTED, FeedId(2));
            while !asked.load(Ordering::Relaxed) {
                let Some(batch) = site.next().await else { break };
                passages += batch.passages.len();
                reached += 1;
                engine.commit(INDEX, batch, Watermark(reached)).await.unwrap();
            }
            assert!(asked.load(Ordering::Relaxed), "the import ended before the questions");
            passages as f64 / begun.elapsed().as_secs_f64()
        }
    });
    let mut times = Vec::new();
    for question in questions {
        let begun = Instant::now();
        ask(engine, question).await;
        times.push(begun.elapsed());
    }
    asked.store(true, Ordering::Relaxed);
    let rate = import.await.unwrap();
    told("lexical, while an import writes", times.clone());
    let slower = at(times, 0.99).as_secs_f64() / quiet.as_secs_f64();
    println!("| … passages written a second meanwhile; p99 by that of before | {rate:.0}; {slower:.1} |");
}

fn memory(of: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for line in ["RssAnon", "VmRSS", "VmHWM"] {
        let value = status.lines().find(|found| found.starts_with(line)).unwrap_or_default();
        let kilobytes: u64 = value
            .split_whitespace()
            .nth(1)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        println!("| memory, {of}, {line} | {} MB |", kilobytes >> 10);
    }
}

async fn ask(engine: &EmbeddedEngine, text: &str) {
    let access = Access {
        index: INDEX,
        hidden: Default::default(),
        hidden_documents: Default::default(),
    };
    let query = Query {
        text: text.to_owned(),
        limit: 20,
        ..Query::default()
    };
    engine.search(&access, &query).await.unwrap();
}

/// Median, and what one in a hundred takes.
pub fn told(what: &str, times: Vec<Duration>) {
    let [half, most, all] = [0.5, 0.99, 1.0].map(|share| at(times.clone(), share).as_secs_f64() * 1_000.0);
    println!(
        "| {what}: p50, p99, most (of {}) | {half:.1} ms, {most:.1} ms, {all:.1} ms |",
        times.len()
    );
}

/// What this share of them takes at most.
fn at(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize]
}

fn by_length(questions: &[String], times: &[Duration]) {
    let mut lengths: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    for (question, time) in questions.iter().zip(times) {
        let length = question.split(' ').count();
        lengths.entry(length).or_default().push(*time);
    }
    for (length, times) in lengths {
        told(&format!("… of {length} words"), times);
    }
}

/// The generated site, read listing by listing.
struct Site {
    fake: FakeAtlassian,
    token: String,
    cloud: String,
    feed: FeedId,
    next: Option<String>,
}

impl Site {
    fn new(pages: u64) -> Self {
        Self::of(pages, FeedId(1))
    }

    fn of(pages: u64, feed: FeedId) -> Self {
        let fake = FakeAtlassian::generated(pages, Options::default());
        let token = fake.token_for(&fake.people()[0].account_id);
        let cloud = fake.sites().remove(0).cloud_id;
        let next = Some("/wiki/api/v2/pages?body-format=storage&limit=250".to_owned());
        Self {
            fake,
            token,
            cloud,
            feed,
            next,
        }
    }

    async fn next(&mut self) -> Option<EngineBatch> {
        let path = self.next.take()?;
        let request = http::Request::get(format!("http://fake/ex/confluence/{}{path}", self.cloud))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::new())
            .unwrap();
        let answer = self.fake.answer(request).await;
        assert!(answer.status().is_success(), "{}", answer.status());
        let listing: Value = serde_json::from_slice(answer.body()).unwrap();
        self.next = listing["_links"]["next"].as_str().map(str::to_owned);
        let mut batch = EngineBatch::default();
        for page in listing["results"].as_array().unwrap() {
            let held = held(page, self.feed);
            batch.documents.push((held.feed, held.document.id.clone()));
            batch.passages.extend(extract::passages(&held));
        }
        Some(batch)
    }
}

fn held(page: &Value, feed: FeedId) -> Held {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let author = text(&page["authorId"]);
    let modified = Timestamp::parse(page["version"]["createdAt"].as_str().unwrap_or_default()).unwrap_or(Timestamp(0));
    let space = text(&page["spaceId"]);
    Held {
        feed,
        document: Document {
            id: DocumentId::new(&SiteId::new("site"), text(&page["id"])),
            kind: DocumentKind::Page,
            space: SpaceId::new(&space),
            parent: None,
            title: text(&page["title"]),
            version: 1,
            created_at: modified,
            modified_at: modified,
            author: Some(AccountId::new(&author)),
            editor: None,
            labels: Vec::new(),
            url: format!("https://site.example/wiki/{}", text(&page["id"])),
            body: Body::Storage(text(&page["body"]["storage"]["value"])),
            comment: None,
            file: None,
        },
        space_key: format!("S{space}"),
        space_name: format!("Space {space}"),
        breadcrumb: vec!["Home".into(), "Handbook".into()],
        author: Some(Person {
            name: format!("Person {}", author.chars().rev().take(6).collect::<String>()),
            account: AccountId::new(author),
        }),
        editor: None,
        sequence: 0,
        first_seen_at: Timestamp(0),
        seen_run: None,
        unread: None,
        removed: None,
        removed_at: None,
    }
}

/// The text of a passage, as rivals index it.
pub fn text_of(passage: &Passage) -> String {
    format!("{}\n{}\n{}", passage.title, passage.headings.join("\n"), passage.text)
}
