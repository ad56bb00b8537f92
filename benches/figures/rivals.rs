//! Raw tantivy, SQLite's FTS5 and a search server over the texts of the same passages: title, headings and text in one field,
//! English stems, the ten best by BM25. They give ids and nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use domain::passage::Passage;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tantivy::{
    Index, IndexWriter, TantivyDocument,
    collector::TopDocs,
    query::QueryParser,
    schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
};

use crate::{
    search::{text_of, told},
    sphinx::Sphinx,
};

/// All of them, while they are filled.
pub struct Rivals {
    index: Index,
    writer: IndexWriter,
    text: Field,
    /// For tantivy, which writes on a thread of its own: it is filled when nothing else works.
    texts: Vec<String>,
    sphinx: Option<Sphinx>,
    sqlite: SqliteConnection,
    count: u64,
    tantivy_took: Duration,
    sqlite_took: Duration,
}

/// What a hit of these is worth.
const HITS: usize = 10;
/// SQLite is asked fewer questions: it takes its time.
const ASKED_OF_SQLITE: usize = 300;

impl Rivals {
    pub async fn new(folder: &Path) -> Self {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("en_stem")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let text = schema.add_text_field("text", TextOptions::default().set_indexing_options(indexing));
        schema.add_u64_field("id", STORED);
        let directory = folder.join("tantivy");
        std::fs::create_dir(&directory).unwrap();
        let index = Index::create_in_dir(&directory, schema.build()).unwrap();
        let writer = index.writer_with_num_threads(1, 50_000_000).unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.join("fts.db"))
            .create_if_missing(true);
        let mut sqlite = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("create virtual table passages using fts5(text, content='', tokenize='porter unicode61')")
            .execute(&mut sqlite)
            .await
            .unwrap();
        Self {
            index,
            writer,
            text,
            texts: Vec::new(),
            sphinx: Sphinx::new(folder),
            sqlite,
            count: 0,
            tantivy_took: Duration::ZERO,
            sqlite_took: Duration::ZERO,
        }
    }

    pub async fn add(&mut self, passages: &[Passage]) {
        let texts: Vec<String> = passages.iter().map(text_of).collect();
        if let Some(sphinx) = &mut self.sphinx {
            texts.iter().for_each(|text| sphinx.add(text));
        }
        let begun = Instant::now();
        let mut transaction = self.sqlite.begin().await.unwrap();
        for text in &texts {
            self.count += 1;
            sqlx::query("insert into passages (rowid, text) values ($1, $2)")
                .bind(i64::try_from(self.count).unwrap())
                .bind(text)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        self.sqlite_took += begun.elapsed();
        self.texts.extend(texts);
    }

    pub async fn done(mut self) -> Self {
        let begun = Instant::now();
        for text in std::mem::take(&mut self.texts) {
            let mut document = TantivyDocument::new();
            document.add_text(self.text, text);
            self.writer.add_document(document).unwrap();
        }
        self.writer.commit().unwrap();
        self.tantivy_took += begun.elapsed();
        self
    }

    /// Tells how fast they were filled and how fast they answer, any word being enough.
    pub async fn measured(mut self, questions: &str) {
        let rate = |took: Duration| self.count as f64 / took.as_secs_f64();
        println!(
            "| raw tantivy: passages indexed a second | {:.0} |",
            rate(self.tantivy_took)
        );
        println!(
            "| SQLite FTS5: passages indexed a second | {:.0} |",
            rate(self.sqlite_took)
        );
        let reader = self.index.reader().unwrap();
        let searcher = reader.searcher();
        let parser = QueryParser::for_index(&self.index, vec![self.text]);
        let mut times = Vec::new();
        for round in 0..2 {
            times.clear();
            for question in questions.lines() {
                let begun = Instant::now();
                let query = parser.parse_query_lenient(question).0;
                searcher
                    .search(&query, &TopDocs::with_limit(HITS).order_by_score())
                    .unwrap();
                times.push(begun.elapsed());
            }
            if round == 1 {
                told("raw tantivy, any of the words, ids only", times.clone());
            }
        }
        match self.sphinx.take() {
            Some(sphinx) => sphinx.measured(questions),
            None => println!("| Sphinx: not installed | |"),
        }
        let mut times = Vec::new();
        for question in questions.lines().take(ASKED_OF_SQLITE) {
            let words: Vec<String> = question.split(' ').map(|word| format!("\"{word}\"")).collect();
            let begun = Instant::now();
            let rows = sqlx::query("select rowid from passages where passages match $1 order by rank limit 10")
                .bind(words.join(" OR "))
                .fetch_all(&mut self.sqlite)
                .await
                .unwrap();
            times.push(begun.elapsed());
            assert!(rows.len() <= HITS);
        }
        told("SQLite FTS5, any of the words, ids only", times);
    }
}
