//! One index of tantivy's: opened, written, thrown away.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use domain::{Error, ErrorKind, Result, cursor::Watermark, engine::EngineBatch};
use tantivy::{
    Index, IndexBuilder, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument,
    TantivyError, Term,
    directory::error::OpenDirectoryError,
    indexer::{IndexWriterOptions, UserOperation},
    store::{Compressor, ZstdCompressor},
};

use super::{
    columns::SegmentColumns,
    fields::{Fields, LAYOUT, Whole, schema},
    likeness::Likeness,
    linked::SegmentLinks,
    meaning::Meanings,
    merging::{Merging, Resting},
    speech::documents,
};
use crate::analysis::{self, Speech};

/// What the writer holds before it writes a segment, in bytes: some hundred pages, and little of a small machine's memory.
const WRITER_BYTES: usize = 15 << 20;
/// Threads that write: one leaves the other core to the import.
const WRITER_THREADS: usize = 1;
/// Merges at the same time: each holds what it merges in memory.
const MERGES_AT_ONCE: usize = 1;
/// How hard passages are compressed, by zstd's levels.
const PASSAGES_COMPRESSED: i32 = 3;
/// So many bytes are compressed together: some passages of one document. All of them are read for a hit.
const PASSAGES_BYTES: usize = 4 << 10;

/// How much lower than that of questions the priority of writing is, as `nice` counts: whoever asks while a site is imported
/// waits for little of it, and where nobody asks it is as quick.
#[cfg(unix)]
const NICENESS: i32 = 10;

/// A question is read in so many of the index's languages.
const SPEECHES_MAX: usize = 8;

pub struct Handle {
    pub fields: Fields,
    pub index: Index,
    pub reader: IndexReader,
    writer: Mutex<Option<IndexWriter>>,
    resting: Arc<Resting>,
    /// What searches see, as a watermark; none when it must be read first.
    visible: Mutex<Option<Watermark>>,
    /// The languages of what searches see, by the generation of the searcher.
    speeches: Mutex<(u64, Arc<Vec<Speech>>)>,
    /// Who links to whom.
    pub links: SegmentLinks,
    pub columns: SegmentColumns,
    directory: Option<PathBuf>,
    /// They stay when the index begins anew.
    pub meanings: Arc<Meanings>,
}

impl Handle {
    /// Opens or makes it. One that another version wrote, or that cannot be read, begins anew.
    pub fn open(directory: &Path, meanings: Arc<Meanings>) -> Result<Self> {
        let layout = directory.join("layout");
        if std::fs::read_to_string(&layout).is_ok_and(|found| found == LAYOUT) {
            match whole(directory).and_then(|index| Self::of(index, Some(directory), meanings.clone())) {
                Ok(handle) => return Ok(handle),
                // The disk or the system refuses now; the index itself may be whole.
                Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                Err(error) => {
                    tracing::warn!(error = ?error, "The search index cannot be read and is built anew from the store");
                }
            }
        }
        if directory.exists() {
            std::fs::remove_dir_all(directory).map_err(unwritable)?;
        }
        std::fs::create_dir_all(directory).map_err(unwritable)?;
        let index = new().create_in_dir(directory).map_err(failed)?;
        // Written last: without it the directory begins anew.
        std::fs::write(&layout, LAYOUT).map_err(unwritable)?;
        Self::of(index, Some(directory), meanings)
    }

    pub fn in_memory(meanings: Arc<Meanings>) -> Result<Self> {
        Self::of(new().create_in_ram().map_err(failed)?, None, meanings)
    }

    fn of(index: Index, directory: Option<&Path>, meanings: Arc<Meanings>) -> Result<Self> {
        let (expected, fields) = schema();
        if index.schema() != expected {
            return Err(Error::internal("the search index has other fields"));
        }
        analysis::register(index.tokenizers());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed)?;
        Ok(Self {
            fields,
            index,
            reader,
            writer: Mutex::new(None),
            resting: Arc::default(),
            visible: Mutex::new(None),
            speeches: Mutex::new((u64::MAX, Arc::default())),
            links: SegmentLinks::default(),
            columns: SegmentColumns::default(),
            directory: directory.map(Path::to_owned),
            meanings,
        })
    }

    /// How far searches see: whoever asks takes all before it for searchable, and all after it for not.
    pub fn watermark(&self) -> Result<Watermark> {
        let mut visible = self.visible.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watermark) = *visible {
            return Ok(watermark);
        }
        // First how far it was written, then what is written made visible: never more is promised than is seen.
        let payload = self.index.load_metas().map_err(failed)?.payload;
        self.reader.reload().map_err(failed)?;
        let watermark = Watermark(payload.and_then(|text| text.parse().ok()).unwrap_or(0));
        *visible = Some(watermark);
        Ok(watermark)
    }

    /// The languages that are in the index, most frequent first, as many as a question is read in.
    pub fn speeches(&self, searcher: &Searcher) -> tantivy::Result<Arc<Vec<Speech>>> {
        let generation = searcher.generation().generation_id();
        let mut known = self.speeches.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 == generation {
            return Ok(known.1.clone());
        }
        let mut counted = Vec::new();
        for speech in Speech::ALL.into_iter().filter(|speech| speech.stemmed().is_some()) {
            let letter = Term::from_field_text(self.fields.speech, &speech.letter().to_string());
            match searcher.doc_freq(&letter)? {
                0 => {}
                passages => counted.push((passages, speech)),
            }
        }
        counted.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let speeches: Vec<Speech> = counted
            .into_iter()
            .take(SPEECHES_MAX)
            .map(|(_, speech)| speech)
            .collect();
        *known = (generation, Arc::new(speeches));
        Ok(known.1.clone())
    }

    /// Applies the batch and the watermark in one commit. After a failure the former commit stands.
    pub fn commit(&self, batch: &EngineBatch, reached: Watermark) -> Result<()> {
        // On a thread that ends with it, because a priority that was lowered is not raised again. The threads that write and
        // merge are begun by it, and have its priority.
        std::thread::scope(|scope| {
            let writing = || {
                // Where the system refuses, writing is as quick as anything else.
                #[cfg(unix)]
                let _ = rustix::process::nice(NICENESS);
                self.committed(batch, reached)
            };
            let thread = std::thread::Builder::new().name("index".to_owned());
            let thread = thread.spawn_scoped(scope, writing).map_err(|error| {
                Error::unavailable("no thread could be started to write the search index").because(error)
            })?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn committed(&self, batch: &EngineBatch, reached: Watermark) -> Result<()> {
        let mut slot = self.writer();
        self.resting.writes(Instant::now());
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self.opened().map_err(unwritten)?,
        };
        // A writer that failed is dropped with what it had not committed.
        self.write(&mut writer, batch, reached).map_err(unwritten)?;
        let reloaded = self.reader.reload().map_err(failed);
        let visible = reloaded.is_ok().then_some(reached);
        *self.visible.lock().unwrap_or_else(PoisonError::into_inner) = visible;
        reloaded?;
        *slot = Some(writer);
        Ok(())
    }

    fn opened(&self) -> tantivy::Result<IndexWriter> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(WRITER_THREADS)
            .memory_budget_per_thread(WRITER_BYTES)
            .num_merge_threads(MERGES_AT_ONCE)
            .build();
        let writer = self.index.writer_with_options::<TantivyDocument>(options)?;
        writer.set_merge_policy(Box::new(Merging::of(self.resting.clone())));
        Ok(writer)
    }

    fn write(&self, writer: &mut IndexWriter, batch: &EngineBatch, reached: Watermark) -> tantivy::Result<()> {
        for (feed, document) in &batch.documents {
            writer.delete_term(self.fields.document_term(*feed, document));
        }
        for document in documents(&batch.passages) {
            let first = document.passages[0];
            let texts = document.passages.iter().map(|passage| &*passage.text);
            let whole = Whole {
                speech: document.speech,
                likeness: Likeness::of(texts),
                links: batch.links.get(&(first.feed, first.document.clone())),
            };
            let passages = document.passages.iter().enumerate();
            let adds =
                passages.map(|(before, passage)| UserOperation::Add(self.fields.tantivy(passage, before, &whole)));
            // Together, so that a document's passages stand beside each other in one segment.
            writer.run(adds)?;
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&reached.0.to_string());
        commit.commit()?;
        Ok(())
    }

    /// Bytes on disk; zero in memory.
    pub fn bytes(&self) -> u64 {
        let Some(files) = self
            .directory
            .as_ref()
            .and_then(|directory| std::fs::read_dir(directory).ok())
        else {
            return 0;
        };
        let sizes = files.flatten().filter_map(|file| Some(file.metadata().ok()?.len()));
        sizes.sum()
    }

    /// Ends the writer, so that its directory can go.
    pub fn close(&self) {
        drop(self.writer().take());
    }

    fn writer(&self) -> MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An index that is to be made.
fn new() -> IndexBuilder {
    let settings = IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor {
            compression_level: Some(PASSAGES_COMPRESSED),
        }),
        docstore_blocksize: PASSAGES_BYTES,
        ..IndexSettings::default()
    };
    Index::builder().schema(schema().0).settings(settings)
}

/// The index in this directory, if every file of it is as it was written: a torn one would fail later, in a search.
fn whole(directory: &Path) -> Result<Index> {
    let index = Index::open_in_dir(directory).map_err(failed)?;
    match index.validate_checksum().map_err(failed)?.len() {
        0 => Ok(index),
        torn => Err(Error::internal(format!("{torn} files of the search index are damaged"))),
    }
}

/// What people are told when the disk is the matter: it goes on by itself when that is mended.
const UNWRITABLE: &str = "the search index cannot be written: its disk is full, read-only or fails; make room or mend it, and \
                          Circuit goes on by itself";

pub fn unwritable(error: std::io::Error) -> Error {
    Error::unavailable(UNWRITABLE).because(error)
}

/// What a failure to write means. Writing is done by threads of tantivy's, which tell of a full disk in many ways; only a
/// damaged index is something else.
fn unwritten(error: TantivyError) -> Error {
    match &error {
        TantivyError::DataCorruption(_)
        | TantivyError::OpenReadError(_)
        | TantivyError::IncompatibleIndex(_)
        | TantivyError::SchemaError(_) => failed(error),
        _ => Error::unavailable(UNWRITABLE).because(error),
    }
}

/// What a failure of tantivy's means.
pub fn failed(error: TantivyError) -> Error {
    match &error {
        TantivyError::IoError(_)
        | TantivyError::OpenWriteError(_)
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { .. })
        | TantivyError::LockFailure(..) => Error::unavailable(UNWRITABLE).because(error),
        _ => Error::internal("the search index failed; `circuit reindex` builds it anew from the store").because(error),
    }
}
