//! What questions mean: the models that are at hand, and vectors of recent questions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    IndexId, Result,
    embedder::{Embedder, Meaning, Purpose},
    index::Index,
    query::{Query, Sort},
    syntax::{self, Term},
};

use crate::{App, trouble::Part};

/// So long a search waits for what its question means; then words alone are searched.
const QUESTION_TIME_MAX: Duration = Duration::from_secs(2);
/// As many questions are remembered, for the pages of their hits and for those who ask the same.
const QUESTIONS_MAX: usize = 256;

/// How far search by meaning is in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemanticView {
    /// The model that the settings name.
    pub model: String,
    pub passages: u64,
    /// Those whose meaning is known under that model.
    pub known: u64,
    /// Why it does not go on at present.
    pub trouble: Option<String>,
}

impl SemanticView {
    /// How many of a hundred passages are known, rounded down; none when all are.
    pub fn percent(&self) -> Option<u64> {
        (self.known < self.passages).then(|| self.known * 100 / self.passages)
    }
}

/// What is kept between questions.
#[derive(Default)]
pub(crate) struct Meanings {
    /// The model whose vectors serve, by index.
    serving: Mutex<BTreeMap<IndexId, Arc<dyn Embedder>>>,
    questions: Mutex<Recent>,
}

/// Vectors of recent questions by model and text, the one used last at the end.
#[derive(Default)]
struct Recent(VecDeque<(String, String, Vec<f32>)>);

impl Recent {
    fn of(&mut self, model: &str, text: &str) -> Option<Vec<f32>> {
        let place = self.0.iter().position(|(m, t, _)| m == model && t == text)?;
        let found = self.0.remove(place)?;
        let vector = found.2.clone();
        self.0.push_back(found);
        Some(vector)
    }

    fn keep(&mut self, model: &str, text: &str, vector: &[f32]) {
        if self.0.len() >= QUESTIONS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((model.to_owned(), text.to_owned(), vector.to_vec()));
    }
}

impl Meanings {
    /// From now on this model's vectors serve this index.
    pub fn serve(&self, index: IndexId, embedder: Arc<dyn Embedder>) {
        locked(&self.serving).insert(index, embedder);
    }

    pub fn serving(&self, index: IndexId) -> Option<Arc<dyn Embedder>> {
        locked(&self.serving).get(&index).cloned()
    }

    /// Those that are not among these are forgotten with their models.
    pub fn keep_only(&self, indexes: &[Index]) {
        locked(&self.serving).retain(|served, _| indexes.iter().any(|index| index.id == *served));
    }
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// The query with what it means, where a model serves, somebody asks for the best, and there is something to
    /// understand. A model that fails or is slow is no reason not to search by words.
    pub(crate) async fn understood(&self, index: IndexId, query: &Query) -> Query {
        let mut query = query.clone();
        if query.sort == Sort::Relevance && query.meaning.is_none() {
            query.meaning = self.meaning(index, &asked_in_words(&query.text)).await;
        }
        query
    }

    async fn meaning(&self, index: IndexId, text: &str) -> Option<Meaning> {
        if text.is_empty() {
            return None;
        }
        let meanings = &self.0.meanings;
        let embedder = meanings.serving(index)?;
        let model = embedder.model().fingerprint.clone();
        let known = locked(&meanings.questions).of(&model, text);
        if let Some(vector) = known {
            return Some(Meaning { model, vector });
        }
        let asked = [text.to_owned()];
        let embedded = tokio::time::timeout(QUESTION_TIME_MAX, embedder.embed(Purpose::Question, &asked)).await;
        let embedded: Result<_> = embedded.unwrap_or_else(|_| {
            Err(domain::Error::unavailable(format!(
                "the model {} did not read a question in {} s, so words alone are searched",
                embedder.model().name,
                QUESTION_TIME_MAX.as_secs()
            )))
        });
        match embedded {
            Ok(vectors) => {
                self.0.troubles.over(Part::Questions);
                let vector = vectors.into_iter().next()?;
                locked(&meanings.questions).keep(&model, text, &vector);
                Some(Meaning { model, vector })
            }
            Err(failed) => {
                self.0.troubles.met(Part::Questions, &failed);
                None
            }
        }
    }

    /// How far the meaning of this index is known; none when no model is set.
    pub(crate) async fn semantic_view(&self, index: IndexId) -> Result<Option<SemanticView>> {
        let Some(models) = &self.0.parts.models else {
            return Ok(None);
        };
        let fingerprint = self
            .0
            .current_model
            .get()
            .map(|embedder| embedder.model().fingerprint.clone());
        let figures = match fingerprint {
            // What is wrong with vectors must not take the index with it.
            Some(fingerprint) => match self.engine().meanings(index, &fingerprint).await {
                Ok(figures) => figures,
                Err(failed) => {
                    self.0.troubles.met(Part::Meanings, &failed);
                    domain::embedder::MeaningFigures::default()
                }
            },
            None => domain::embedder::MeaningFigures {
                passages: self.engine().figures(index).await?.passages,
                ..Default::default()
            },
        };
        Ok(Some(SemanticView {
            model: models.name().to_owned(),
            passages: figures.passages,
            known: figures.known,
            trouble: self.semantic_trouble(),
        }))
    }

    /// Why questions are not understood, or passages not read, at present.
    pub fn semantic_trouble(&self) -> Option<String> {
        [Part::Model, Part::Meanings, Part::Questions]
            .into_iter()
            .find_map(|part| self.0.troubles.of(part))
    }
}

/// The words of a query: without what stands in its fields, and without what must not be found.
fn asked_in_words(text: &str) -> String {
    let terms = syntax::asked(text).terms.into_iter();
    let said = terms.filter_map(|term| match term {
        Term::Words(said) | Term::Phrase(said) => said.contains(char::is_alphanumeric).then_some(said),
        Term::Excluded(_) => None,
    });
    said.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_exclusions_have_no_meaning_of_their_own() {
        for (text, words) in [
            ("how do I reset my password?", "how do I reset my password?"),
            ("space:ENG pump -valve", "pump"),
            ("-space:\"Old stuff\" TITLE:\"release notes\" rollback", "rollback"),
            ("\"pump stops\" cellar", "pump stops cellar"),
            ("title: pump", "title: pump"),
            ("http://x.example pump", "http://x.example pump"),
            ("type:page label:\"a b\"", ""),
            ("- ? \"", ""),
            ("", ""),
            ("-", ""),
            ("\"never ends", "never ends"),
            ("как label:x настроить", "как настроить"),
        ] {
            assert_eq!(asked_in_words(text), words, "{text}");
        }
    }

    #[test]
    fn the_question_that_was_not_asked_for_longest_is_forgotten() {
        let mut recent = Recent::default();
        for n in 0..QUESTIONS_MAX {
            recent.keep("m", &n.to_string(), &[n as f32]);
        }
        assert_eq!(recent.of("m", "0"), Some(vec![0.0]));
        recent.keep("m", "new", &[1.0]);
        assert_eq!(recent.of("m", "0"), Some(vec![0.0]));
        assert_eq!(recent.of("m", "1"), None);
        assert_eq!(recent.of("other", "0"), None);
    }

    #[test]
    fn how_much_is_known_is_said_while_it_is_not_all() {
        let percent = |known, passages| {
            let (model, trouble) = (String::new(), None);
            SemanticView {
                model,
                passages,
                known,
                trouble,
            }
            .percent()
        };
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(999, 1_000), Some(99));
        assert_eq!(percent(1_000, 1_000), None);
    }
}
