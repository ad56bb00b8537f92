//! All vectors of one model: kept in a file, found by key, their codes in memory.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use domain::{Error, Result};

use super::{
    super::handle::unwritable,
    codes::Codes,
    file::{Record, VectorFile, beside, settle},
    slots::Slots,
    table::{NONE, Table},
};

/// The mean is taken anew when there are so many times as many vectors as when it was last taken.
const MEAN_ANEW_TIMES: usize = 2;

pub struct Vectors {
    /// None in memory.
    path: Option<PathBuf>,
    /// Held by whoever writes.
    writing: Mutex<()>,
    held: RwLock<Held>,
    /// Which passage has which vector, by segment.
    pub slots: Slots,
}

/// What is read while searching.
pub struct Held {
    pub file: Arc<VectorFile>,
    /// By place.
    pub keys: Vec<u64>,
    table: Table,
    pub codes: Codes,
    mean_of: usize,
    /// How far the index had read the store when the latest vector came.
    pub reached: i64,
    /// Another one when places have changed.
    pub epoch: u64,
    /// Forgotten: nothing is written any more.
    gone: bool,
}

impl Held {
    pub fn place(&self, key: u64) -> Option<u32> {
        self.table.get(&self.keys, key)
    }

    fn of(file: VectorFile, epoch: u64) -> Self {
        Self {
            codes: Codes::new(vec![0.0; file.dimensions]),
            file: Arc::new(file),
            keys: Vec::new(),
            table: Table::default(),
            mean_of: 0,
            reached: i64::MIN,
            epoch,
            gone: false,
        }
    }

    fn push(&mut self, record: &Record) {
        let place = u32::try_from(self.keys.len()).unwrap_or(NONE);
        self.keys.push(record.key);
        self.table.insert(&self.keys, place);
        self.codes.push(record);
        self.reached = self.reached.max(record.reached);
    }

    /// The codes of all vectors by their own mean.
    fn coded(&self) -> Result<Codes> {
        let mut mean = vec![0.0; self.file.dimensions];
        let mut count = 0.0_f32;
        self.file.each(self.keys.len(), |_, record| {
            if let Some(record) = record {
                count += 1.0;
                mean.iter_mut().zip(record.vector()).for_each(|(mean, x)| *mean += x);
            }
        })?;
        mean.iter_mut().for_each(|mean| *mean /= count.max(1.0));
        let mut codes = Codes::new(mean);
        self.file.each(self.keys.len(), |_, record| match record {
            Some(record) => codes.push(&record),
            None => codes.push_nothing(),
        })?;
        Ok(codes)
    }
}

impl Vectors {
    pub fn in_memory(dimensions: usize, sequence: u64) -> Self {
        Self::of(None, Held::of(VectorFile::in_memory(dimensions, sequence), 0))
    }

    pub fn create(path: &Path, dimensions: usize, sequence: u64) -> Result<Self> {
        let file = VectorFile::create(path, dimensions, sequence)?;
        Ok(Self::of(Some(path.to_owned()), Held::of(file, 0)))
    }

    /// Reads all of it. A torn end is cut; a damaged record counts as none; none when it is no file of vectors.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let Some(file) = VectorFile::open(path)? else {
            return Ok(None);
        };
        let count = file.records()?;
        let (mut whole, mut damaged) = (0, 0_u64);
        file.each(count, |slot, record| match record {
            Some(_) => whole = slot + 1,
            None => damaged += 1,
        })?;
        if damaged > 0 {
            tracing::warn!(
                damaged,
                "Some vectors of the search index are damaged and will be made anew"
            );
        }
        file.cut(whole)?;
        let mut held = Held::of(file, 0);
        let file = held.file.clone();
        file.each(whole, |_, record| match record {
            Some(record) => {
                let place = u32::try_from(held.keys.len()).unwrap_or(NONE);
                held.keys.push(record.key);
                held.table.insert(&held.keys, place);
                held.reached = held.reached.max(record.reached);
            }
            None => held.keys.push(super::key::NOTHING),
        })?;
        held.codes = held.coded()?;
        held.mean_of = whole;
        Ok(Some(Self::of(Some(path.to_owned()), held)))
    }

    fn of(path: Option<PathBuf>, held: Held) -> Self {
        Self {
            path,
            writing: Mutex::default(),
            held: RwLock::new(held),
            slots: Slots::default(),
        }
    }

    pub fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps those that are not known yet. They are of the file's dimensions, and finite.
    pub fn keep(&self, vectors: &[(u64, Vec<f32>)], reached: i64) -> Result<()> {
        let _writing = self.writing()?;
        let (file, records, after) = {
            let held = self.held();
            let mut records: Vec<Record> = Vec::with_capacity(vectors.len());
            for (key, vector) in vectors {
                let known = held.place(*key).is_some() || records.iter().any(|record| record.key == *key);
                if !known && *key != super::key::NOTHING {
                    records.push(Record::of(*key, reached, vector));
                }
            }
            (held.file.clone(), records, held.keys.len())
        };
        if records.is_empty() {
            return Ok(());
        }
        if after + records.len() >= NONE as usize {
            return Err(Error::internal("an index has more vectors than can be kept"));
        }
        file.append(after, &records)?;
        let due = {
            let mut held = self.held_to_write();
            records.iter().for_each(|record| held.push(record));
            held.keys.len() >= held.mean_of * MEAN_ANEW_TIMES
        };
        if due {
            let (codes, count) = {
                let held = self.held();
                (held.coded()?, held.keys.len())
            };
            let mut held = self.held_to_write();
            (held.codes, held.mean_of) = (codes, count);
        }
        Ok(())
    }

    /// Drops the vectors of all other keys: the rest is written anew.
    pub fn keep_only(&self, wanted: impl Fn(u64) -> bool) -> Result<()> {
        let _writing = self.writing()?;
        let mut anew = {
            let held = self.held();
            let (dimensions, sequence) = (held.file.dimensions, held.file.sequence);
            let file = match &self.path {
                Some(path) => VectorFile::create(&beside(path), dimensions, sequence)?,
                None => VectorFile::in_memory(dimensions, sequence),
            };
            let mut anew = Held::of(file, held.epoch + 1);
            let mut copied = Ok(());
            let mut pending = Vec::new();
            let file = anew.file.clone();
            let mut put = |pending: &mut Vec<Record>| {
                let written = file.append(anew.keys.len(), pending);
                pending.drain(..).for_each(|record| anew.push(&record));
                written
            };
            held.file.each(held.keys.len(), |place, record| {
                let Some(record) = record else { return };
                let current = held.place(record.key).is_some_and(|current| current as usize == place);
                if copied.is_ok() && current && wanted(record.key) {
                    pending.push(record);
                    if pending.len() == COPIED_AT_ONCE {
                        copied = put(&mut pending);
                    }
                }
            })?;
            copied?;
            put(&mut pending)?;
            anew.reached = held.reached;
            anew
        };
        anew.codes = anew.coded()?;
        anew.mean_of = anew.keys.len();
        if let Some(path) = &self.path {
            std::fs::rename(beside(path), path).map_err(unwritable)?;
            path.parent().map_or(Ok(()), settle)?;
        }
        *self.held_to_write() = anew;
        Ok(())
    }

    /// Deletes the file. What still searches ends with what it has.
    pub fn forget(&self) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.held_to_write().gone = true;
        match &self.path {
            Some(path) if path.exists() => std::fs::remove_file(path).map_err(unwritable),
            _ => Ok(()),
        }
    }

    fn writing(&self) -> Result<MutexGuard<'_, ()>> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.held().gone {
            true => Err(Error::conflict("the vectors of this model were forgotten meanwhile")),
            false => Ok(writing),
        }
    }

    fn held_to_write(&self) -> std::sync::RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Vectors that are copied at once when a file is written anew.
const COPIED_AT_ONCE: usize = 2_048;
