//! The text of attachments: downloaded and read once everything else is, the newest first, two at a time. What goes wrong
//! with a file costs that file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    ContentId, DocumentId, Error, ErrorKind, Result, Timestamp,
    document::DocumentKind,
    feed::Feed,
    file_text::Unread,
    files::{FileReader, FileSource, Wanted},
    source::Reach,
    space::{FeedSpace, Space},
    store::{FileOutcome, FileRecord, FileRecording, UnreadFile},
    sync_run::{Failure, Spent, SyncRun},
};
use futures::{StreamExt, stream};
use tracing::info;

use crate::{pull::Pulled, run::Ports};

/// Files downloaded and read at the same time: a slow one does not hold up the others, and two fit into memory.
const AT_ONCE: usize = 2;
/// Files whose pages are looked at together, right before they are downloaded.
const GROUP: usize = 50;
/// What one run reads at most; the next one goes on.
const RUN_FILES_MAX: usize = 1_000;
const RUN_TIME_MAX: Duration = Duration::from_secs(10 * 60);
/// How often Atlassian may fail to give a file before it is given up, until there is a new version.
const TRIES_MAX: u32 = 6;
/// The wait after the first failure; it doubles with each, up to a bound.
const RETRY_FIRST: Duration = Duration::from_secs(10 * 60);
const RETRY_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a file waits whose page does not show itself, or which is not there: walks find out what that means.
const UNSEEN_FOR: Duration = Duration::from_secs(3600);
/// So many failures one after the other are Atlassian's trouble and not the files'.
const FAILURES_IN_A_ROW_MAX: u32 = 4;
/// How long a feed's files wait whose grant does not allow to download them.
const NOT_ALLOWED_FOR: Duration = Duration::from_secs(6 * 3600);
/// The most media types that a run's note names.
const TYPES_NAMED_MAX: usize = 8;

/// Where bytes come from, who reads them, and which are wanted.
#[derive(Clone)]
pub struct FilePorts {
    pub source: Arc<dyn FileSource>,
    pub reader: Arc<dyn FileReader>,
    pub limits: FileLimits,
}

/// Which files are downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// The largest, in bytes.
    pub bytes_max: u64,
    /// How the media types begin that are not read: `video/`.
    pub skip_types: Vec<String>,
}

impl FileLimits {
    /// Why a file is not even downloaded, going by what Atlassian says of it.
    fn refusal(&self, file: &UnreadFile) -> Option<Unread> {
        let media_type = file.media_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        if self.skip_types.iter().any(|skipped| media_type.starts_with(skipped)) {
            return Some(Unread::not_read(media_type));
        }
        let is_too_large = file.size_bytes.is_some_and(|size| size > self.bytes_max);
        is_too_large.then(|| Unread::TooLarge {
            megabytes: usize::try_from(self.bytes_max >> 20).unwrap_or(usize::MAX),
        })
    }
}

/// Reads the files that wait, as far as their pages show themselves in these spaces.
pub async fn read_files(
    ports: &Ports,
    files: &FilePorts,
    feed: &Feed,
    reach: &Reach,
    run: &SyncRun,
    spaces: &[FeedSpace],
) -> Result<Pulled> {
    let reading = FileRun {
        ports,
        files,
        feed,
        reach,
        run,
        spaces: spaces.iter().map(|space| space.space.clone()).collect(),
        skipped: BTreeMap::new(),
        in_a_row: 0,
    };
    reading.read().await
}

struct FileRun<'a> {
    ports: &'a Ports,
    files: &'a FilePorts,
    feed: &'a Feed,
    reach: &'a Reach,
    run: &'a SyncRun,
    /// That are chosen and can be seen.
    spaces: Vec<Space>,
    /// Files by the media type for which they were not downloaded.
    skipped: BTreeMap<String, u64>,
    /// Failures of Atlassian since the last file that it gave.
    in_a_row: u32,
}

/// What became of a file, and what it says of Atlassian.
struct Done {
    record: FileRecord,
    failure: Option<Failure>,
    spent: Spent,
    /// Atlassian did not give it, and may give the next one as little.
    trouble: Option<Error>,
}

impl FileRun<'_> {
    async fn read(mut self) -> Result<Pulled> {
        let until = self.ports.clock.now().plus(RUN_TIME_MAX);
        let mut read = 0;
        let pulled = loop {
            if (self.ports.stopping)() {
                break Pulled::Stopped;
            }
            let now = self.ports.clock.now();
            if read >= RUN_FILES_MAX || now >= until {
                break Pulled::ToTheEnd;
            }
            let waiting = self.ports.store.unread_files(self.feed.id, now, GROUP).await?;
            if waiting.is_empty() {
                break Pulled::ToTheEnd;
            }
            read += waiting.len();
            let wanted = self.pass_over(waiting).await?;
            let shown = self.shown(wanted).await?;
            match self.read_some(shown).await {
                Ok(()) => {}
                Err(error) if matches!(error.kind, ErrorKind::MissingScope { .. } | ErrorKind::Gone) => {
                    self.not_allowed(&error).await?;
                    break Pulled::ToTheEnd;
                }
                Err(error) => return Err(error),
            }
        };
        self.note_skipped().await?;
        Ok(pulled)
    }

    /// Writes down why some are not downloaded; gives the others.
    async fn pass_over(&mut self, waiting: Vec<UnreadFile>) -> Result<Vec<UnreadFile>> {
        let (mut wanted, mut records, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for file in waiting {
            let Some(refusal) = self.files.limits.refusal(&file) else {
                wanted.push(file);
                continue;
            };
            let why = refusal.to_string();
            if let Unread::NotRead { what } = refusal {
                // There may be thousands, and nobody is surprised: counted in a note.
                *self.skipped.entry(what).or_default() += 1;
            } else {
                failures.push(self.failure(&file, why.clone()));
            }
            records.push(record(&file, FileOutcome::Unread { why }));
        }
        write(self.ports, self.feed, self.run, records, failures, Spent::default()).await?;
        Ok(wanted)
    }

    /// Those whose pages are in the chosen spaces now and can be seen. The others are left to the next walk: no request may
    /// name what was moved out of the chosen spaces.
    async fn shown(&self, wanted: Vec<UnreadFile>) -> Result<Vec<UnreadFile>> {
        let mut pages: BTreeMap<DocumentKind, BTreeSet<ContentId>> = BTreeMap::new();
        for file in &wanted {
            pages.entry(file.page_kind).or_default().insert(file.page.clone());
        }
        let mut current = BTreeSet::new();
        for (kind, ids) in pages {
            let ids: Vec<ContentId> = ids.into_iter().collect();
            let looked = self.ports.source.look(self.reach, &self.spaces, kind, &ids).await?;
            let now = self.ports.clock.now();
            self.ports.store.add_spent(self.run.id, looked.spent, now).await?;
            current.extend(looked.current);
        }
        let (shown, hidden): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|file| current.contains(&file.page));
        let at = self.ports.clock.now().plus(UNSEEN_FOR);
        let later = |file: &UnreadFile| record(file, FileOutcome::Later { at, tried: false });
        let hidden = hidden.iter().map(later).collect();
        write(self.ports, self.feed, self.run, hidden, Vec::new(), Spent::default()).await?;
        Ok(shown)
    }

    /// Downloads and reads these, and writes each down as it is done. What is under way when something fails comes to its end.
    async fn read_some(&mut self, files: Vec<UnreadFile>) -> Result<()> {
        let ended = AtomicBool::new(false);
        let reading = Reading {
            ports: self.ports,
            feed: self.feed,
            files: self.files,
            reach: self.reach,
            run: self.run,
        };
        let stopping = &self.ports.stopping;
        let wanted = files
            .into_iter()
            .take_while(|_| !ended.load(Ordering::Relaxed) && !stopping());
        let mut all = stream::iter(wanted)
            .map(|file| reading.done(file))
            .buffer_unordered(AT_ONCE);
        let mut failed = None;
        // Nothing is waited for in here but the files themselves: one that holds the store's only writer is to go on.
        while let Some(done) = all.next().await {
            match done {
                Ok(Some(trouble)) => {
                    self.in_a_row += 1;
                    if self.in_a_row >= FAILURES_IN_A_ROW_MAX {
                        failed = failed.or(Some(trouble));
                    }
                }
                Ok(None) => self.in_a_row = 0,
                Err(error) => failed = failed.or(Some(error)),
            }
            ended.store(failed.is_some(), Ordering::Relaxed);
        }
        failed.map_or(Ok(()), Err)
    }

    fn failure(&self, file: &UnreadFile, why: String) -> Failure {
        failure(self.reach, self.run, file, why, self.ports.clock.now())
    }

    /// Said once, and not once for each file.
    async fn not_allowed(&self, error: &Error) -> Result<()> {
        info!(feed.id = %self.feed.id, run.id = %self.run.id, "Files are not read: {error}");
        let until = self.ports.clock.now().plus(NOT_ALLOWED_FOR);
        self.ports.store.put_files_off(self.feed.id, until).await?;
        let note = format!("Attached files are not read for now: {error}. They are found by their names.");
        self.ports.store.note(self.run.id, &note).await
    }

    async fn note_skipped(&self) -> Result<()> {
        let count: u64 = self.skipped.values().sum();
        if count == 0 {
            return Ok(());
        }
        let mut types: Vec<(&String, &u64)> = self.skipped.iter().collect();
        types.sort_by_key(|(media_type, count)| (std::cmp::Reverse(**count), media_type.as_str()));
        let named = types.iter().take(TYPES_NAMED_MAX);
        let named: Vec<String> = named
            .map(|(media_type, count)| format!("{media_type} {count}"))
            .collect();
        let note = format!(
            "{count} files are of types that are not read, and are found by their names: {}.",
            named.join(", ")
        );
        self.ports.store.note(self.run.id, &note).await
    }
}

/// What one file needs to be read.
struct Reading<'a> {
    ports: &'a Ports,
    feed: &'a Feed,
    files: &'a FilePorts,
    reach: &'a Reach,
    run: &'a SyncRun,
}

impl Reading<'_> {
    /// Downloads and reads one, and writes it down; what it says of Atlassian, if that is in trouble. An error is no file's
    /// fault.
    async fn done(&self, file: UnreadFile) -> Result<Option<Error>> {
        let done = self.read(file).await?;
        let failures = done.failure.into_iter().collect();
        write(self.ports, self.feed, self.run, vec![done.record], failures, done.spent).await?;
        Ok(done.trouble)
    }

    async fn read(&self, file: UnreadFile) -> Result<Done> {
        let wanted = Wanted {
            holder: file.holder.clone(),
            attachment: file.id.clone(),
            version: file.version,
            bytes_max: self.files.limits.bytes_max,
        };
        let downloaded = match self.files.source.download(self.reach, &wanted).await {
            Ok(downloaded) => downloaded,
            Err(error) => return self.not_given(&file, error),
        };
        let media_type = file.media_type.as_deref();
        let read = self
            .files
            .reader
            .read(&downloaded.bytes, &file.name, media_type)
            .await?;
        let (outcome, failure) = match read {
            Ok(text) => (FileOutcome::Read(text.into_body()?), None),
            Err(unread) => self.unread(&file, unread.to_string()),
        };
        Ok(Done {
            record: record(&file, outcome),
            failure,
            spent: downloaded.spent,
            trouble: None,
        })
    }

    fn unread(&self, file: &UnreadFile, why: String) -> (FileOutcome, Option<Failure>) {
        let failure = failure(self.reach, self.run, file, why.clone(), self.ports.clock.now());
        (FileOutcome::Unread { why }, Some(failure))
    }

    /// What it means that Atlassian gave no bytes.
    fn not_given(&self, file: &UnreadFile, error: Error) -> Result<Done> {
        let later = |wait| FileOutcome::Later {
            at: self.ports.clock.now().plus(wait),
            tried: true,
        };
        let (outcome, failure, trouble) = match error.kind {
            ErrorKind::Invalid => {
                let (outcome, failure) = self.unread(file, error.to_string());
                (outcome, failure, None)
            }
            ErrorKind::NotFound | ErrorKind::Forbidden => (later(wait(UNSEEN_FOR, file.tries)), None, None),
            ErrorKind::Unavailable if file.tries + 1 >= TRIES_MAX => {
                let (outcome, failure) = self.unread(file, format!("could not be downloaded: {error}"));
                (outcome, failure, Some(error))
            }
            ErrorKind::Unavailable => (later(wait(RETRY_FIRST, file.tries)), None, Some(error)),
            ErrorKind::Unauthenticated
            | ErrorKind::Ended { .. }
            | ErrorKind::Misconfigured
            | ErrorKind::Conflict
            | ErrorKind::Gone
            | ErrorKind::MissingScope { .. }
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Internal => return Err(error),
        };
        Ok(Done {
            record: record(file, outcome),
            failure,
            spent: Spent::default(),
            trouble,
        })
    }
}

async fn write(
    ports: &Ports,
    feed: &Feed,
    run: &SyncRun,
    files: Vec<FileRecord>,
    failures: Vec<Failure>,
    spent: Spent,
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let recording = FileRecording {
        run: run.id,
        files,
        failures,
        spent,
        now: ports.clock.now(),
    };
    ports.store.record_files(feed.id, &recording).await?;
    (ports.recorded)(feed);
    Ok(())
}

fn record(file: &UnreadFile, outcome: FileOutcome) -> FileRecord {
    FileRecord {
        id: file.id.clone(),
        version: file.version,
        outcome,
    }
}

fn failure(reach: &Reach, run: &SyncRun, file: &UnreadFile, why: String, at: Timestamp) -> Failure {
    Failure {
        run: run.id,
        document: Some(DocumentId {
            site: reach.site.id.clone(),
            content: file.id.clone(),
        }),
        kind: Some(DocumentKind::Attachment),
        title: file.name.clone(),
        why,
        at,
    }
}

/// Doubles with each try.
fn wait(first: Duration, tries: u32) -> Duration {
    first.saturating_mul(1 << tries.min(16)).min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(media_type: Option<&str>, size_bytes: Option<u64>) -> UnreadFile {
        UnreadFile {
            id: ContentId::new("att1"),
            holder: ContentId::new("1"),
            page: ContentId::new("1"),
            page_kind: DocumentKind::Page,
            version: 1,
            name: "a".into(),
            media_type: media_type.map(str::to_owned),
            size_bytes,
            tries: 0,
        }
    }

    #[test]
    fn films_and_what_is_too_large_are_not_downloaded_and_what_nobody_describes_is() {
        let limits = FileLimits {
            bytes_max: 10 << 20,
            skip_types: vec!["video/".into(), "image/png".into()],
        };
        let said = |media_type, size| limits.refusal(&file(media_type, size)).map(|why| why.to_string());
        assert_eq!(
            said(Some("Video/MP4"), Some(1)).as_deref(),
            Some("type not read: video/mp4")
        );
        assert_eq!(
            said(Some("image/png"), None).as_deref(),
            Some("type not read: image/png")
        );
        let large = said(Some("application/pdf"), Some((10 << 20) + 1));
        assert_eq!(large.as_deref(), Some("larger than 10 MB"));
        assert_eq!(said(Some("image/svg+xml"), Some(10 << 20)), None);
        assert_eq!(said(None, None), None);
    }

    #[test]
    fn waits_double_up_to_a_day() {
        assert_eq!(wait(RETRY_FIRST, 0), RETRY_FIRST);
        assert_eq!(wait(RETRY_FIRST, 3), RETRY_FIRST * 8);
        assert_eq!(wait(UNSEEN_FOR, 60), RETRY_MAX);
    }
}
