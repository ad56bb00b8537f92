//! What passages mean: vectors that a model gave to their texts, kept by those texts, and searched beside the words.
//!
//! A vector belongs to a text, not to a passage: so an edit makes only those passages unknown whose text it changes, texts
//! that stand on many pages are known once, and an index that is built anew finds its vectors where they were.

mod codes;
mod file;
mod fusion;
pub mod key;
mod near;
mod slots;
mod table;
mod these;
mod vectors;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    Error, Result,
    embedder::{DIMENSIONS_MAX, EmbeddingModel, Meaning, MeaningFigures, Unembedded},
};
use tantivy::{DocAddress, Searcher};

pub use fusion::Question;
use vectors::{Held, Vectors};

use super::{
    handle::{Handle, failed, unwritable},
    row,
};

/// The longest fingerprint of a model.
const FINGERPRINT_CHARS_MAX: usize = 64;
/// The most that a vector's length may differ from one.
const LENGTH_TOLERANCE: f32 = 0.01;
/// The share of vectors that no passage holds any more, above which a file is written anew at once.
const DEAD_ONE_IN: u64 = 4;
/// How long fewer of them are kept: what was deleted should not be there for long in any form.
const DEAD_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The vectors of one index, by model.
pub struct Meanings {
    /// None in memory.
    directory: Option<PathBuf>,
    models: Mutex<BTreeMap<String, Arc<Model>>>,
}

/// A model's vectors.
pub struct Model {
    vectors: Vectors,
    swept: Mutex<Swept>,
}

/// What is known of vectors that no passage holds.
#[derive(Default)]
struct Swept {
    /// The searcher's generation that was looked at last.
    generation: Option<u64>,
    dead_since: Option<Instant>,
}

impl Meanings {
    /// Vectors are kept in files of this directory, which is made when there are some.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            models: Mutex::default(),
        }
    }

    /// The vectors of the model with this fingerprint, if there are any.
    pub fn model(&self, fingerprint: &str) -> Result<Option<Arc<Model>>> {
        self.found(&mut self.models(), fingerprint)
    }

    fn found(&self, models: &mut BTreeMap<String, Arc<Model>>, fingerprint: &str) -> Result<Option<Arc<Model>>> {
        if let Some(model) = models.get(fingerprint) {
            return Ok(Some(model.clone()));
        }
        let Some(path) = self.path(fingerprint).filter(|path| path.is_file()) else {
            return Ok(None);
        };
        match Vectors::open(&path)? {
            Some(vectors) => {
                let model = Arc::new(Model::of(vectors));
                models.insert(fingerprint.to_owned(), model.clone());
                Ok(Some(model))
            }
            None => {
                tracing::warn!("A file of vectors cannot be read; they will be made anew");
                std::fs::remove_file(path).map_err(unwritable)?;
                Ok(None)
            }
        }
    }

    fn made(&self, model: &EmbeddingModel) -> Result<Arc<Model>> {
        let mut models = self.models();
        if let Some(found) = self.found(&mut models, &model.fingerprint)? {
            return match found.vectors.held().file.dimensions == model.dimensions {
                true => Ok(found.clone()),
                false => Err(Error::invalid(format!(
                    "vectors of {} dimensions are kept under this fingerprint, and the model gives {}",
                    found.vectors.held().file.dimensions,
                    model.dimensions
                ))),
            };
        }
        let sequence = self.by_age(&mut models)?.last().map_or(0, |(sequence, _)| sequence + 1);
        let vectors = match (&self.directory, self.path(&model.fingerprint)) {
            (Some(directory), Some(path)) => {
                std::fs::create_dir_all(directory).map_err(unwritable)?;
                let vectors = Vectors::create(&path, model.dimensions, sequence)?;
                file::settle(directory)?;
                vectors
            }
            _ => Vectors::in_memory(model.dimensions, sequence),
        };
        let made = Arc::new(Model::of(vectors));
        models.insert(model.fingerprint.clone(), made.clone());
        Ok(made)
    }

    /// The fingerprints of all models, oldest first.
    pub fn fingerprints(&self) -> Result<Vec<String>> {
        let by_age = self.by_age(&mut self.models())?;
        Ok(by_age.into_iter().map(|(_, fingerprint)| fingerprint).collect())
    }

    fn by_age(&self, models: &mut BTreeMap<String, Arc<Model>>) -> Result<BTreeSet<(u64, String)>> {
        let mut fingerprints: BTreeSet<String> = models.keys().cloned().collect();
        if let Some(directory) = self.directory.as_ref().filter(|directory| directory.is_dir()) {
            for file in std::fs::read_dir(directory).map_err(unwritable)? {
                let name = file.map_err(unwritable)?.file_name();
                fingerprints.extend(name.to_str().filter(|name| is_fingerprint(name)).map(str::to_owned));
            }
        }
        let mut by_age = BTreeSet::new();
        for fingerprint in fingerprints {
            let sequence = match (models.get(&fingerprint), self.path(&fingerprint)) {
                (Some(model), _) => Some(model.vectors.held().file.sequence),
                (None, Some(path)) => file::VectorFile::open(&path)?.map(|file| file.sequence),
                (None, None) => None,
            };
            by_age.extend(sequence.map(|sequence| (sequence, fingerprint)));
        }
        Ok(by_age)
    }

    pub fn forget(&self, fingerprint: &str) -> Result<()> {
        let mut models = self.models();
        match self.found(&mut models, fingerprint)? {
            Some(model) => {
                models.remove(fingerprint);
                model.vectors.forget()
            }
            None => Ok(()),
        }
    }

    /// Forgets all models, and the directory.
    pub fn remove(&self) -> Result<()> {
        let mut models = self.models();
        for model in std::mem::take(&mut *models).into_values() {
            model.vectors.forget()?;
        }
        match &self.directory {
            Some(directory) if directory.exists() => std::fs::remove_dir_all(directory).map_err(unwritable),
            _ => Ok(()),
        }
    }

    /// Only a fingerprint is a file's name.
    fn path(&self, fingerprint: &str) -> Option<PathBuf> {
        let directory = self.directory.as_deref().filter(|_| is_fingerprint(fingerprint));
        directory.map(|directory: &Path| directory.join(fingerprint))
    }

    fn models(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Model>>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    fn of(vectors: Vectors) -> Self {
        Self {
            vectors,
            swept: Mutex::default(),
        }
    }
}

/// Texts of passages whose meaning is not known yet. When all are known, vectors that nobody needs any more go.
pub fn unembedded(handle: &Handle, model: &EmbeddingModel, limit: usize) -> Result<Vec<Unembedded>> {
    checked_model(model)?;
    let model = handle.meanings.made(model)?;
    let searcher = handle.reader.searcher();
    let (mut texts, mut seen) = (Vec::new(), BTreeSet::new());
    let segments = model
        .vectors
        .slots
        .of(&searcher, &model.vectors.held())
        .map_err(failed)?;
    for (ord, (reader, segment)) in (0..).zip(searcher.segment_readers().iter().zip(&segments)) {
        for doc in segment.unknown.iter().filter(|doc| !reader.is_deleted(**doc)) {
            if texts.len() >= limit {
                return Ok(texts);
            }
            let text = key::text(&row::of(handle, &searcher, DocAddress::new(ord, *doc))?);
            let key = key::key(&text);
            if seen.insert(key) {
                texts.push(Unembedded { key, text });
            }
        }
    }
    if texts.is_empty() {
        swept(handle, &searcher, &model)?;
    }
    Ok(texts)
}

/// Keeps vectors.
pub fn embedded(handle: &Handle, model: &EmbeddingModel, vectors: &[(u64, Vec<f32>)]) -> Result<()> {
    checked_model(model)?;
    for (_, vector) in vectors {
        checked(vector, model.dimensions)?;
    }
    let reached = handle.watermark()?.0;
    handle.meanings.made(model)?.vectors.keep(vectors, reached)
}

pub fn figures(handle: &Handle, fingerprint: &str) -> Result<MeaningFigures> {
    let searcher = handle.reader.searcher();
    let passages = searcher.num_docs();
    let Some(model) = handle.meanings.model(fingerprint)? else {
        return Ok(MeaningFigures {
            passages,
            ..MeaningFigures::default()
        });
    };
    let held = model.vectors.held();
    let segments = model.vectors.slots.of(&searcher, &held).map_err(failed)?;
    let readers = searcher.segment_readers().iter().zip(&segments);
    let unknown = readers.map(|(reader, segment)| {
        let unknown = segment.unknown.iter().filter(|doc| !reader.is_deleted(**doc));
        unknown.count() as u64
    });
    Ok(MeaningFigures {
        passages,
        known: passages.saturating_sub(unknown.sum()),
        bytes: held.file.len()?,
    })
}

/// Vectors that no passage holds go: all of them when they are many, or have been there for a day, or since before the
/// program began.
fn swept(handle: &Handle, searcher: &Searcher, model: &Model) -> Result<()> {
    let mut swept = model.swept.lock().unwrap_or_else(PoisonError::into_inner);
    // An index that is being built anew has not yet come to all the passages whose vectors are there.
    if handle.watermark()?.0 < model.vectors.held().reached {
        return Ok(());
    }
    let generation = searcher.generation().generation_id();
    let overdue = swept.dead_since.is_some_and(|since| since.elapsed() >= DEAD_KEPT);
    if swept.generation == Some(generation) && !overdue {
        return Ok(());
    }
    let (all, wanted) = {
        let held = model.vectors.held();
        (held.keys.len() as u64, wanted(searcher, model, &held)?)
    };
    let dead = all - wanted.iter().filter(|wanted| **wanted).count() as u64;
    let first = swept.generation.replace(generation).is_none();
    if dead == 0 {
        swept.dead_since = None;
        return Ok(());
    }
    if first || overdue || dead * DEAD_ONE_IN > all {
        let keys: BTreeSet<u64> = {
            let held = model.vectors.held();
            let places = held.keys.iter().zip(&wanted);
            places.filter(|(_, wanted)| !**wanted).map(|(key, _)| *key).collect()
        };
        tracing::info!(dead, "Vectors of texts that are gone are deleted");
        model.vectors.keep_only(|key| !keys.contains(&key))?;
        swept.dead_since = None;
    } else {
        swept.dead_since.get_or_insert_with(Instant::now);
    }
    Ok(())
}

/// By place: whether a passage holds it.
fn wanted(searcher: &Searcher, model: &Model, held: &Held) -> Result<Vec<bool>> {
    let mut wanted = vec![false; held.keys.len()];
    let segments = model.vectors.slots.of(searcher, held).map_err(failed)?;
    for (reader, segment) in searcher.segment_readers().iter().zip(&segments) {
        for (doc, place) in (0..).zip(&segment.places) {
            if *place != table::NONE && !reader.is_deleted(doc) {
                wanted[*place as usize] = true;
            }
        }
    }
    Ok(wanted)
}

fn is_fingerprint(text: &str) -> bool {
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (1..=FINGERPRINT_CHARS_MAX).contains(&text.len()) && text.bytes().all(digits)
}

fn checked_model(model: &EmbeddingModel) -> Result<()> {
    if !is_fingerprint(&model.fingerprint) {
        return Err(Error::invalid(
            "a model's fingerprint is 1 to 64 lower-case hexadecimal digits",
        ));
    }
    if !(1..=DIMENSIONS_MAX).contains(&model.dimensions) {
        return Err(Error::invalid(format!(
            "a model gives 1 to {DIMENSIONS_MAX} dimensions; this one gives {}",
            model.dimensions
        )));
    }
    Ok(())
}

/// A vector with which everything is near to everything, or nothing to anything, is none.
fn checked(vector: &[f32], dimensions: usize) -> Result<()> {
    if vector.len() != dimensions {
        return Err(Error::invalid(format!(
            "a vector has {} dimensions, and the model gives {dimensions}",
            vector.len()
        )));
    }
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    match (square.sqrt() - 1.0).abs() <= f64::from(LENGTH_TOLERANCE) {
        true => Ok(()),
        // Also when it is no number.
        false => Err(Error::invalid("a vector is not of length one")),
    }
}

/// The vectors that a question is asked of; none when there are none of its model.
fn asked(handle: &Handle, meaning: &Meaning) -> Result<Option<Arc<Model>>> {
    let Some(model) = handle.meanings.model(&meaning.model)? else {
        return Ok(None);
    };
    let dimensions = model.vectors.held().file.dimensions;
    checked(&meaning.vector, dimensions)?;
    Ok(Some(model))
}
