//! Given a directory in the BEIR layout, gives its documents and its judged queries: `corpus.jsonl`, `queries.jsonl`, and
//! `qrels.tsv` or `qrels/test.tsv`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use domain::{Error, Result};
use serde::Deserialize;

/// The most documents that are read: a benchmark of this size fits into memory.
const DOCUMENTS_MAX: usize = 1_000_000;
const QUERIES_MAX: usize = 100_000;
const JUDGEMENTS_MAX: usize = 10_000_000;
/// The longest line, in bytes: one document.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// The most that are read in all, in bytes.
const CORPUS_BYTES_MAX: u64 = 4 << 30;
/// The highest grade of a judgement: anything above is no grade.
const GRADE_MAX: f64 = 100.0;

/// A document of the corpus.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub text: String,
}

/// A query and what was judged to answer it: grades above zero, by document.
#[derive(Clone, Debug)]
pub struct Judged {
    pub id: String,
    pub text: String,
    pub grades: BTreeMap<String, f64>,
}

/// Documents and judged queries.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    pub documents: Vec<Entry>,
    /// In the order of the file; those that nothing answers are left out.
    pub queries: Vec<Judged>,
}

#[derive(Deserialize)]
struct Question {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

impl Corpus {
    /// Reads the directory. `Invalid` names the file and the line that cannot be read.
    pub fn read(directory: &Path) -> Result<Self> {
        let mut documents: Vec<Entry> = Vec::new();
        let mut ids = BTreeSet::new();
        lines(&directory.join("corpus.jsonl"), |line| {
            let entry: Entry = serde_json::from_str(line).map_err(|error| error.to_string())?;
            if documents.len() == DOCUMENTS_MAX {
                return Err(format!("more than {DOCUMENTS_MAX} documents"));
            }
            if entry.id.is_empty() || !ids.insert(entry.id.clone()) {
                return Err(format!("the id {:?} is empty or there twice", shortened(&entry.id)));
            }
            documents.push(entry);
            Ok(())
        })?;
        let mut questions: Vec<Question> = Vec::new();
        lines(&directory.join("queries.jsonl"), |line| {
            if questions.len() == QUERIES_MAX {
                return Err(format!("more than {QUERIES_MAX} queries"));
            }
            questions.push(serde_json::from_str(line).map_err(|error| error.to_string())?);
            Ok(())
        })?;
        let mut grades = judgements(directory)?;
        let queries = questions.into_iter().filter_map(|question| {
            let grades = grades.remove(&question.id)?;
            Some(Judged {
                id: question.id,
                text: question.text,
                grades,
            })
        });
        let queries: Vec<Judged> = queries.collect();
        match (documents.is_empty(), queries.is_empty()) {
            (true, _) => Err(Error::invalid("corpus.jsonl holds no document")),
            (_, true) => Err(Error::invalid(
                "no query of queries.jsonl has a judgement above zero in the qrels",
            )),
            (false, false) => Ok(Self { documents, queries }),
        }
    }
}

/// Grades above zero, by query and document.
fn judgements(directory: &Path) -> Result<BTreeMap<String, BTreeMap<String, f64>>> {
    let places = [directory.join("qrels.tsv"), directory.join("qrels").join("test.tsv")];
    let path = places.iter().find(|path| path.is_file()).unwrap_or(&places[0]);
    let mut grades: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    let mut count = 0;
    lines(path, |line| {
        let row: Vec<&str> = line.split('\t').map(str::trim).collect();
        let [query, document, grade] = row[..] else {
            return Err("not three columns: query, document, grade".into());
        };
        if count == 0 && grade.parse::<f64>().is_err() {
            // The header.
            count += 1;
            return Ok(());
        }
        count += 1;
        if count > JUDGEMENTS_MAX {
            return Err(format!("more than {JUDGEMENTS_MAX} judgements"));
        }
        let grade = grade.parse::<f64>().ok().filter(|grade| grade.abs() <= GRADE_MAX);
        let grade = grade.ok_or("the grade is no number")?;
        if grade > 0.0 {
            grades
                .entry(query.to_owned())
                .or_default()
                .insert(document.to_owned(), grade);
        }
        Ok(())
    })?;
    Ok(grades)
}

/// Hands each line that is not empty on.
fn lines(path: &Path, mut each: impl FnMut(&str) -> std::result::Result<(), String>) -> Result<()> {
    let named = |what: String| Error::invalid(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| named(format!("cannot be opened: {error}")))?;
    let mut reader = BufReader::new(file.take(CORPUS_BYTES_MAX));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| named(format!("line {number} cannot be read: {error}")))?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            return Err(named(format!("line {number} has more than {LINE_BYTES_MAX} bytes")));
        }
        let text = std::str::from_utf8(&line).map_err(|_| named(format!("line {number} is not UTF-8")))?;
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() {
            each(text).map_err(|what| named(format!("line {number}: {what}")))?;
        }
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(corpus: &str, queries: &str, qrels: &str) -> Result<Corpus> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("corpus.jsonl"), corpus).unwrap();
        std::fs::write(directory.path().join("queries.jsonl"), queries).unwrap();
        std::fs::create_dir(directory.path().join("qrels")).unwrap();
        std::fs::write(directory.path().join("qrels").join("test.tsv"), qrels).unwrap();
        Corpus::read(directory.path())
    }

    const DOCUMENT: &str = "{\"_id\":\"d\",\"title\":\"T\",\"text\":\"x\",\"metadata\":{}}\n";
    const QUERY: &str = "{\"_id\":\"q\",\"text\":\"x\"}\n{\"_id\":\"unjudged\",\"text\":\"y\"}\n";
    const QRELS: &str = "query-id\tcorpus-id\tscore\nq\td\t2\nq\te\t0\nunjudged\td\t0\n";

    #[test]
    fn the_layout_of_beir_is_read_and_unjudged_queries_are_left_out() {
        let corpus = written(DOCUMENT, QUERY, QRELS).unwrap();
        assert_eq!(corpus.documents.len(), 1);
        assert_eq!(corpus.queries.len(), 1);
        assert_eq!(corpus.queries[0].grades, [("d".to_owned(), 2.0)].into());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_file_and_line() {
        for (corpus, queries, qrels, said) in [
            ("{\"_id\":\"d\"}\n{ torn", QUERY, QRELS, "corpus.jsonl: line 2"),
            (
                "{\"_id\":\"d\"}\n{\"_id\":\"d\"}",
                QUERY,
                QRELS,
                "line 2: the id \"d\" is empty or there twice",
            ),
            (DOCUMENT, "[]", QRELS, "queries.jsonl: line 1"),
            (DOCUMENT, QUERY, "q\td\n", "not three columns"),
            (DOCUMENT, QUERY, "q\td\t1\nq\td\tx\n", "line 2: the grade is no number"),
            (DOCUMENT, QUERY, "q\td\tNaN\n", "the grade is no number"),
            (DOCUMENT, QUERY, "q\td\t0\n", "no query"),
            ("\n", QUERY, QRELS, "holds no document"),
        ] {
            let error = written(corpus, queries, qrels).unwrap_err();
            assert!(error.message.contains(said), "{}: {said}", error.message);
        }
    }
}
