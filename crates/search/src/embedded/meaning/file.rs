//! Vectors as bytes: a header, then records of one length that are only ever appended. Each bears its checksum, so that what
//! a crash left half written is told from what counts.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use domain::{Error, Result, embedder::DIMENSIONS_MAX};

use super::super::handle::unwritable;

const MAGIC: &[u8; 8] = b"circvec1";
/// Magic, dimensions, a number that grows with each new file, checksum.
const HEADER_BYTES: usize = 24;
/// Key, watermark, scale, checksum; the dimensions follow, a byte each.
const RECORD_HEAD_BYTES: usize = 24;
/// So many bytes are read at once, about.
const BLOCK_BYTES: usize = 1 << 20;

/// A vector as it is kept: each dimension is so many times the scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub key: u64,
    /// How far the index had read the store when the vector came.
    pub reached: i64,
    pub scale: f32,
    pub steps: Vec<i8>,
}

impl Record {
    /// Rounds each dimension to one of 255 steps; the vector is finite.
    pub fn of(key: u64, reached: i64, vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let scale = largest.max(f32::MIN_POSITIVE) / 127.0;
        let steps = vector.iter().map(|x| (x / scale).round() as i8).collect();
        Self {
            key,
            reached,
            scale,
            steps,
        }
    }

    pub fn vector(&self) -> impl Iterator<Item = f32> {
        self.steps.iter().map(|step| f32::from(*step) * self.scale)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let from = bytes.len();
        bytes.extend(self.key.to_le_bytes());
        bytes.extend(self.reached.to_le_bytes());
        bytes.extend(self.scale.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.steps.iter().map(|step| step.cast_unsigned()));
        let sum = checksum(&bytes[from..]);
        bytes[from + 20..from + 24].copy_from_slice(&sum);
    }

    /// None when it is not as it was written.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, steps) = bytes.split_first_chunk::<RECORD_HEAD_BYTES>()?;
        let [key, reached, rest] = [0, 8, 16].map(|at| {
            let mut part = [0; 8];
            part.copy_from_slice(&head[at..at + 8]);
            part
        });
        let [a, b, c, d, ..] = rest;
        let record = Self {
            key: u64::from_le_bytes(key),
            reached: i64::from_le_bytes(reached),
            scale: f32::from_le_bytes([a, b, c, d]),
            steps: steps.iter().map(|step| step.cast_signed()).collect(),
        };
        (checksum(bytes) == rest[4..] && record.scale.is_finite() && record.key != 0).then_some(record)
    }
}

/// Of a record's bytes without those of the checksum itself.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..20]);
    hasher.update(&bytes[24..]);
    hasher.finalize().to_le_bytes()
}

/// A file of vectors, or the same in memory.
pub struct VectorFile {
    bytes: Bytes,
    pub dimensions: usize,
    /// Grows with each new file of an index.
    pub sequence: u64,
}

impl VectorFile {
    /// A new one that is nowhere but in memory.
    pub fn in_memory(dimensions: usize, sequence: u64) -> Self {
        Self {
            bytes: Bytes::Memory(RwLock::new(header(dimensions, sequence))),
            dimensions,
            sequence,
        }
    }

    /// Makes a file, in place of one that may be there.
    pub fn create(path: &Path, dimensions: usize, sequence: u64) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.open(path).map_err(unwritable)?;
        let bytes = Bytes::File(file);
        bytes.write_at(0, &header(dimensions, sequence))?;
        bytes.sync()?;
        Ok(Self {
            bytes,
            dimensions,
            sequence,
        })
    }

    /// None when it is no file of vectors.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(unwritable)?;
        let bytes = Bytes::File(file);
        if bytes.len()? < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut found = [0; HEADER_BYTES];
        bytes.read_at(0, &mut found)?;
        let dimensions = u32::from_le_bytes([found[8], found[9], found[10], found[11]]) as usize;
        let mut sequence = [0; 8];
        sequence.copy_from_slice(&found[12..20]);
        let sequence = u64::from_le_bytes(sequence);
        let known = found[..] == header(dimensions, sequence) && (1..=DIMENSIONS_MAX).contains(&dimensions);
        Ok(known.then_some(Self {
            bytes,
            dimensions,
            sequence,
        }))
    }

    fn record_bytes(&self) -> usize {
        RECORD_HEAD_BYTES + self.dimensions
    }

    fn offset(&self, slot: usize) -> u64 {
        HEADER_BYTES as u64 + slot as u64 * self.record_bytes() as u64
    }

    /// How many records there are, whole ones, readable or not.
    pub fn records(&self) -> Result<usize> {
        let bytes = self.bytes.len()?.saturating_sub(HEADER_BYTES as u64);
        let records = bytes / self.record_bytes() as u64;
        usize::try_from(records).map_err(|error| Error::internal("a file of vectors is too large").because(error))
    }

    /// Hands each of the first so many records on, in their order; none for one that is damaged.
    pub fn each(&self, count: usize, mut each: impl FnMut(usize, Option<Record>)) -> Result<()> {
        let at_once = (BLOCK_BYTES / self.record_bytes()).max(1);
        let mut block = vec![0; at_once * self.record_bytes()];
        let mut slot = 0;
        while slot < count {
            let some = at_once.min(count - slot);
            let block = &mut block[..some * self.record_bytes()];
            self.bytes.read_at(self.offset(slot), block)?;
            for bytes in block.chunks_exact(self.record_bytes()) {
                each(slot, Record::read(bytes));
                slot += 1;
            }
        }
        Ok(())
    }

    /// The steps of one record into the buffer, and their scale. It was whole when the file was opened.
    pub fn read(&self, slot: usize, buffer: &mut Vec<u8>) -> Result<f32> {
        buffer.resize(self.record_bytes(), 0);
        self.bytes.read_at(self.offset(slot), buffer)?;
        let scale = f32::from_le_bytes([buffer[16], buffer[17], buffer[18], buffer[19]]);
        buffer.drain(..RECORD_HEAD_BYTES);
        Ok(scale)
    }

    /// Writes records behind the first so many; when it returns they stay.
    pub fn append(&self, after: usize, records: &[Record]) -> Result<()> {
        let mut bytes = Vec::with_capacity(records.len() * self.record_bytes());
        records.iter().for_each(|record| record.write(&mut bytes));
        self.bytes.write_at(self.offset(after), &bytes)?;
        self.bytes.sync()
    }

    /// Cuts everything behind the first so many records.
    pub fn cut(&self, count: usize) -> Result<()> {
        self.bytes.cut(self.offset(count))
    }

    pub fn len(&self) -> Result<u64> {
        self.bytes.len()
    }
}

fn header(dimensions: usize, sequence: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(u32::try_from(dimensions).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

enum Bytes {
    File(File),
    Memory(RwLock<Vec<u8>>),
}

impl Bytes {
    fn len(&self) -> Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata().map_err(unwritable)?.len()),
            Self::Memory(bytes) => Ok(bytes.read().unwrap_or_else(PoisonError::into_inner).len() as u64),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        match self {
            Self::File(file) => read_exact_at(file, buffer, offset).map_err(unwritable),
            Self::Memory(bytes) => {
                let bytes = bytes.read().unwrap_or_else(PoisonError::into_inner);
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let found = bytes.get(from..from.saturating_add(buffer.len()));
                let found = found.ok_or_else(|| Error::internal("a vector is missing"))?;
                buffer.copy_from_slice(found);
                Ok(())
            }
        }
    }

    fn write_at(&self, offset: u64, written: &[u8]) -> Result<()> {
        match self {
            Self::File(file) => write_all_at(file, written, offset).map_err(unwritable),
            Self::Memory(bytes) => {
                let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
                bytes.truncate(usize::try_from(offset).unwrap_or(usize::MAX));
                bytes.extend(written);
                Ok(())
            }
        }
    }

    fn sync(&self) -> Result<()> {
        match self {
            Self::File(file) => file.sync_data().map_err(unwritable),
            Self::Memory(_) => Ok(()),
        }
    }

    fn cut(&self, length: u64) -> Result<()> {
        match self {
            Self::File(file) => file.set_len(length).map_err(unwritable),
            Self::Memory(bytes) => {
                let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
                bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, written: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, written, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => (buffer, offset) = (&mut buffer[read..], offset + read as u64),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut written: &[u8], mut offset: u64) -> std::io::Result<()> {
    while !written.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, written, offset)? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            count => (written, offset) = (&written[count..], offset + count as u64),
        }
    }
    Ok(())
}

/// Makes a rename in this directory stay.
pub fn settle(directory: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(unwritable)?;
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

/// The file that is written before it takes the place of this one.
pub fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}
