//! Attachments whose bytes are to be read, and what became of them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{
    ContentId, FeedId, Result, Timestamp,
    document::{Body, DocumentKind},
    store::{FileOutcome, FileRecord, FileRecording, Files, FilesWaiting, UnreadFile},
    sync_run::{Counts, Effect},
};
use sqlx::SqliteConnection;

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    points,
    record::{IDS_PER_STATEMENT, add_counts, marks, note_effects, touch, write_failures},
    rows::Columns,
};

/// Attachments that may be found and whose present version was neither read nor given up, with the page that they are on.
const WAITING: &str = "
    from documents
    join feed_spaces on feed_spaces.feed_id = documents.feed_id and feed_spaces.space_id = documents.space_id
      and feed_spaces.suspended_at is null
    join documents holders on holders.feed_id = documents.feed_id and holders.content_id = documents.parent_id
      and holders.removed is null
    join documents pages on pages.feed_id = documents.feed_id and pages.removed is null
      and pages.content_id = case holders.kind when 'comment' then holders.parent_id else holders.content_id end
      and pages.kind in ('page', 'blogpost')
    where documents.feed_id = $1 and documents.kind = 'attachment' and documents.removed is null
      and documents.file_version is not documents.version";

#[async_trait]
impl Files for SqlStore {
    async fn unread_files(&self, feed: FeedId, now: Timestamp, limit: usize) -> Result<Vec<UnreadFile>> {
        let sql = format!(
            "select documents.content_id, documents.version, documents.title, documents.file_media_type,
               documents.file_size_bytes, documents.file_tries, documents.parent_id, pages.content_id as page_id,
               pages.kind as page_kind
             {WAITING} and (documents.file_retry_at is null or documents.file_retry_at <= $2)
             order by documents.modified_at desc, documents.content_id limit $3"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0).bind(now.0);
        let rows = query.bind(number(limit as u64)).fetch_all(&self.read).await;
        let unread = |row: &_| {
            let row = Columns(row);
            Ok(UnreadFile {
                id: ContentId(row.text("content_id")?),
                holder: ContentId(row.text("parent_id")?),
                page: ContentId(row.text("page_id")?),
                page_kind: DocumentKind::from_word(&row.text("page_kind")?)?,
                version: u32::try_from(row.number("version")?).unwrap_or(0),
                name: row.text("title")?,
                media_type: row.maybe_text("file_media_type")?,
                size_bytes: row
                    .maybe_number("file_size_bytes")?
                    .and_then(|size| u64::try_from(size).ok()),
                tries: u32::try_from(row.number("file_tries")?).unwrap_or(0),
            })
        };
        rows.map_err(failed)?.iter().map(unread).collect()
    }

    async fn files_waiting(&self, feed: FeedId) -> Result<FilesWaiting> {
        let sql = format!("select count(*) as waiting, min(coalesce(documents.file_retry_at, 0)) as next {WAITING}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let row = query.fetch_one(&self.read).await.map_err(failed)?;
        let row = Columns(&row);
        Ok(FilesWaiting {
            count: row.count("waiting")?,
            next: row.maybe_instant("next")?,
        })
    }

    async fn record_files(&self, feed: FeedId, recording: &FileRecording) -> Result<()> {
        let (mut transaction, index) = self.claimed_feed(feed).await?;
        let mut counts = Counts {
            failed: recording.failures.len() as u64,
            ..Counts::default()
        };
        let mut changed = BTreeSet::new();
        for file in &recording.files {
            counts.seen += 1;
            // Removed or replaced meanwhile: that is the truth of another version, and of no use.
            if !write(&mut transaction, feed, file).await? {
                counts.skipped += 1;
                continue;
            }
            match &file.outcome {
                FileOutcome::Read(_) => {
                    counts.changed += 1;
                    changed.insert(file.id.as_str());
                }
                // An older version's text goes.
                FileOutcome::Unread { .. } => {
                    counts.unchanged += 1;
                    changed.insert(file.id.as_str());
                }
                FileOutcome::Later { .. } => counts.skipped += 1,
            }
        }
        let touched: Vec<(i64, String)> = changed.iter().map(|id| (feed.0, (*id).to_owned())).collect();
        touch(&mut transaction, index, &touched).await?;
        let read = recording.files.iter().filter(|file| match file.outcome {
            FileOutcome::Read(_) => changed.contains(file.id.as_str()),
            FileOutcome::Unread { .. } | FileOutcome::Later { .. } => false,
        });
        let read: Vec<&str> = read.map(|file| file.id.as_str()).collect();
        note_effects(&mut transaction, recording.run, Effect::Updated, &read).await?;
        write_failures(&mut transaction, &recording.failures).await?;
        add_counts(&mut transaction, recording.run, recording.spent, counts).await?;
        points::spend(&mut transaction, feed, recording.spent, recording.now).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn read_files_anew(&self, feed: FeedId, ids: &[ContentId]) -> Result<()> {
        let mut transaction = self.claimed().await?;
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "update documents set file_version = null, file_why = null, file_tries = 0, file_retry_at = null
                 where feed_id = ? and kind = 'attachment' and content_id in ({})",
                marks(ids.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
            let query = ids.iter().fold(query, |query, id| query.bind(id.as_str()));
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn put_files_off(&self, feed: FeedId, until: Timestamp) -> Result<()> {
        let query = sqlx::query(
            "update documents set file_retry_at = $2
             where feed_id = $1 and kind = 'attachment' and removed is null and file_version is not version",
        );
        self.change(query.bind(feed.0).bind(until.0)).await
    }
}

/// Whether that version is there still.
async fn write(transaction: &mut SqliteConnection, feed: FeedId, file: &FileRecord) -> Result<bool> {
    const OF: &str =
        "where feed_id = $1 and content_id = $2 and version = $3 and kind = 'attachment' and removed is null";
    let sql = match &file.outcome {
        FileOutcome::Read(_) => format!(
            "update documents set body_format = 'file', body = $4, file_version = version, file_why = null,
               file_tries = 0, file_retry_at = null
             {OF}"
        ),
        FileOutcome::Unread { .. } => format!(
            "update documents set body_format = 'none', body = '', file_version = version, file_why = $4,
               file_tries = 0, file_retry_at = null
             {OF}"
        ),
        FileOutcome::Later { .. } => {
            format!("update documents set file_tries = file_tries + $4, file_retry_at = $5 {OF}")
        }
    };
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(feed.0)
        .bind(file.id.as_str())
        .bind(i64::from(file.version));
    let query = match &file.outcome {
        FileOutcome::Read(body) => query.bind(body.text()),
        FileOutcome::Unread { why } => query.bind(why),
        FileOutcome::Later { at, tried } => query.bind(i64::from(*tried)).bind(at.0),
    };
    let written = query.execute(transaction).await.map_err(failed)?;
    Ok(written.rows_affected() > 0)
}

/// The word for a body's form, and the body, as they stand in a row.
pub(crate) fn body_columns(body: &Body) -> (&'static str, &str) {
    let format = match body {
        Body::Storage(_) => "storage",
        Body::Adf(_) => "adf",
        Body::File(_) => "file",
        Body::None => "none",
    };
    (format, body.text())
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
