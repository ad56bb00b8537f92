//! What one answer brought, written whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, FeedId, Result,
    cursor::Mark,
    document::{Body, Document, DocumentKind, TITLE_CHARS_MAX},
    store::Recording,
    sync_run::Counts,
};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    feeds::number,
    rows::Columns,
};

/// Ids in one `in (…)`: far below SQLite's bound on parameters (32,766).
pub(crate) const IDS_PER_STATEMENT: usize = 500;
/// How far down a new title or parent is followed: deeper trees do not exist, and a circle must end.
pub(crate) const DEPTH_MAX: i64 = 64;

/// What is held of a document, as far as comparing goes.
struct Known {
    fingerprint: String,
    title: String,
    parent: Option<String>,
    removed: Option<String>,
}

impl SqlStore {
    pub(crate) async fn recorded(&self, feed: FeedId, recording: &Recording) -> Result<Counts> {
        // Before the one writing connection is taken: reading megabytes of text takes a while.
        let fingerprints = fingerprints(&recording.documents).await?;
        let mut transaction = self.claimed().await?;
        let index: i64 = sqlx::query("select index_id from feeds where id = $1 and state <> 'removed'")
            .bind(feed.0)
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(missing(format!("feed {feed}, or it was removed; it")))?;

        // Should an answer show one document twice, the later row is the truth.
        let documents: BTreeMap<&str, &Document> = recording
            .documents
            .iter()
            .map(|document| (document.id.content.as_str(), document))
            .collect();
        let parents = documents
            .values()
            .filter_map(|document| document.parent.as_ref())
            .map(|parent| parent.as_str());
        let ids: BTreeSet<&str> = documents.keys().copied().chain(parents).collect();
        let known = known(&mut transaction, feed, ids.into_iter().collect()).await?;
        let deleted = |content: &str| {
            known
                .get(content)
                .is_some_and(|known| known.removed.as_deref() == Some("deleted"))
        };

        let mut counts = Counts {
            failed: recording.failures.len() as u64,
            ..Counts::default()
        };
        let mut seen_only = Vec::new();
        let mut put = Vec::new();
        let mut moved = BTreeSet::new();
        for (content, document) in &documents {
            counts.seen += 1;
            let fingerprint = fingerprints
                .get(document.id.content.as_str())
                .cloned()
                .unwrap_or_default();
            // What hangs on a page that was deleted here is as deleted as the page.
            let hangs = matches!(document.kind, DocumentKind::Comment | DocumentKind::Attachment);
            let on_deleted = hangs && document.parent.as_ref().is_some_and(|parent| deleted(parent.as_str()));
            if deleted(content) || on_deleted {
                counts.skipped += 1;
                continue;
            }
            match known.get(*content) {
                Some(known) if known.removed.is_none() && known.fingerprint == fingerprint => {
                    counts.unchanged += 1;
                    seen_only.push(*content);
                    continue;
                }
                Some(known) => {
                    if known.removed.is_some() {
                        counts.added += 1
                    } else {
                        counts.changed += 1
                    }
                    let parent = document.parent.as_ref().map(|parent| parent.as_str());
                    if known.title != title(document) || known.parent.as_deref() != parent || known.removed.is_some() {
                        moved.insert(*content);
                    }
                }
                None => {
                    counts.added += 1;
                    moved.insert(*content);
                }
            }
            put.push((*document, fingerprint));
        }

        let first = reserve(&mut transaction, index, put.len()).await?;
        for (sequence, (document, fingerprint)) in (first..).zip(&put) {
            self.put(
                &mut transaction,
                feed,
                index,
                recording,
                document,
                fingerprint,
                sequence,
            )
            .await?;
        }
        for ids in seen_only.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "update documents set seen_run = ? where feed_id = ? and content_id in ({})",
                marks(ids.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(recording.run.0).bind(feed.0);
            let query = ids.iter().fold(query, |query, id| query.bind(*id));
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        let put_ids: BTreeSet<&str> = put.iter().map(|(document, _)| document.id.content.as_str()).collect();
        touch_below(&mut transaction, feed, index, &moved, &put_ids).await?;
        self.name_people(&mut transaction, recording).await?;
        write_failures(&mut transaction, recording).await?;
        write_mark(&mut transaction, feed, recording).await?;
        add_to_run(&mut transaction, recording, counts).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(counts)
    }

    #[allow(clippy::too_many_arguments)] // One row, from the one loop above.
    async fn put(
        &self,
        transaction: &mut SqliteConnection,
        feed: FeedId,
        index: i64,
        recording: &Recording,
        document: &Document,
        fingerprint: &str,
        sequence: i64,
    ) -> Result<()> {
        let (body_format, body) = match &document.body {
            Body::Storage(text) => ("storage", text.as_str()),
            Body::Adf(text) => ("adf", text.as_str()),
            Body::None => ("none", ""),
        };
        let comment = document.comment.as_ref();
        let file = document.file.as_ref();
        sqlx::query(
            "insert into documents (
               feed_id, content_id, index_id, site_id, kind, space_id, parent_id, title, version, created_at, modified_at,
               author, editor, labels, url, body_format, body, comment_inline, comment_reply_to, comment_resolution,
               comment_quoted, file_media_type, file_size_bytes, file_id, fingerprint, sequence, first_seen_at, seen_run)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
               $23, $24, $25, $26, $27, $28)
             on conflict (feed_id, content_id) do update set
               site_id = excluded.site_id, kind = excluded.kind, space_id = excluded.space_id,
               parent_id = excluded.parent_id, title = excluded.title, version = excluded.version,
               created_at = excluded.created_at, modified_at = excluded.modified_at, author = excluded.author,
               editor = excluded.editor, labels = excluded.labels, url = excluded.url,
               body_format = excluded.body_format, body = excluded.body, comment_inline = excluded.comment_inline,
               comment_reply_to = excluded.comment_reply_to, comment_resolution = excluded.comment_resolution,
               comment_quoted = excluded.comment_quoted, file_media_type = excluded.file_media_type,
               file_size_bytes = excluded.file_size_bytes, file_id = excluded.file_id,
               fingerprint = excluded.fingerprint, sequence = excluded.sequence, seen_run = excluded.seen_run,
               removed = null, removed_at = null",
        )
        .bind(feed.0)
        .bind(document.id.content.as_str())
        .bind(index)
        .bind(document.id.site.as_str())
        .bind(document.kind.word())
        .bind(document.space.as_str())
        .bind(document.parent.as_ref().map(|parent| parent.as_str()))
        .bind(title(document))
        .bind(i64::from(document.version))
        .bind(document.created_at.0)
        .bind(document.modified_at.0)
        .bind(document.author.as_ref().map(|account| account.as_str()))
        .bind(document.editor.as_ref().map(|account| account.as_str()))
        .bind(document.labels.join("\n"))
        .bind(&document.url)
        .bind(body_format)
        .bind(body)
        .bind(comment.map(|comment| i64::from(comment.inline)))
        .bind(comment.and_then(|comment| comment.reply_to.as_ref()).map(|reply_to| reply_to.as_str()))
        .bind(comment.and_then(|comment| comment.resolution.as_deref()))
        .bind(comment.and_then(|comment| comment.quoted.as_deref()))
        .bind(file.and_then(|file| file.media_type.as_deref()))
        .bind(file.and_then(|file| file.size_bytes).map(number))
        .bind(file.and_then(|file| file.file_id.as_deref()))
        .bind(fingerprint)
        .bind(sequence)
        .bind(recording.now.0)
        .bind(recording.run.0)
        .execute(transaction)
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// Writes names; who is called otherwise than before has their documents indexed again.
    async fn name_people(&self, transaction: &mut SqliteConnection, recording: &Recording) -> Result<()> {
        let Some(site) = recording.documents.first().map(|document| document.id.site.as_str()) else {
            return Ok(());
        };
        for person in &recording.people {
            let written = sqlx::query(
                "insert into people (site_id, account, name) values ($1, $2, $3)
                 on conflict (site_id, account) do update set name = excluded.name where people.name <> excluded.name",
            )
            .bind(site)
            .bind(person.account.as_str())
            .bind(&person.name)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
            if written.rows_affected() == 0 {
                continue;
            }
            let rows = sqlx::query(
                "select feed_id, content_id, index_id from documents where site_id = $1 and author = $2
                 union
                 select feed_id, content_id, index_id from documents where site_id = $1 and editor = $2",
            )
            .bind(site)
            .bind(person.account.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
            let mut by_index: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
            for row in rows.iter().map(Columns) {
                let documents = by_index.entry(row.number("index_id")?).or_default();
                documents.push((row.number("feed_id")?, row.text("content_id")?));
            }
            for (index, documents) in by_index {
                touch(transaction, index, &documents).await?;
            }
        }
        Ok(())
    }
}

/// By content id; of a document that is shown twice, the later one's.
async fn fingerprints(documents: &[Document]) -> Result<BTreeMap<String, String>> {
    let documents = documents.to_vec();
    let done = tokio::task::spawn_blocking(move || {
        let one = |document: &Document| (document.id.content.to_string(), fingerprint(document));
        documents.iter().map(one).collect()
    });
    done.await
        .map_err(|panic| Error::internal("documents could not be compared").because(panic))
}

/// What decides whether two showings of a document are the same.
fn fingerprint(document: &Document) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let mut hash = Sha256::new();
    // The derived form names every field, so that a new one cannot be forgotten.
    hash.update(format!("{document:?}"));
    STANDARD_NO_PAD.encode(hash.finalize())
}

fn title(document: &Document) -> &str {
    match document.title.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => &document.title[..end],
        None => &document.title,
    }
}

async fn known(transaction: &mut SqliteConnection, feed: FeedId, ids: Vec<&str>) -> Result<BTreeMap<String, Known>> {
    let mut known = BTreeMap::new();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "select content_id, fingerprint, title, parent_id, removed from documents where feed_id = ? and content_id in ({})",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *transaction).await.map_err(failed)? {
            let row = Columns(&row);
            let entry = Known {
                fingerprint: row.text("fingerprint")?,
                title: row.text("title")?,
                parent: row.maybe_text("parent_id")?,
                removed: row.maybe_text("removed")?,
            };
            known.insert(row.text("content_id")?, entry);
        }
    }
    Ok(known)
}

/// Takes this many change numbers; the first of them.
pub(crate) async fn reserve(transaction: &mut SqliteConnection, index: i64, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 =
        sqlx::query("update indexes set last_sequence = last_sequence + $2 where id = $1 returning last_sequence")
            .bind(index)
            .bind(count)
            .fetch_one(transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed)?;
    Ok(last - count + 1)
}

/// Gives documents new change numbers, so that the search index reads them again.
pub(crate) async fn touch(transaction: &mut SqliteConnection, index: i64, documents: &[(i64, String)]) -> Result<()> {
    let first = reserve(transaction, index, documents.len()).await?;
    for (sequence, (feed, content)) in (first..).zip(documents) {
        sqlx::query("update documents set sequence = $3 where feed_id = $1 and content_id = $2")
            .bind(feed)
            .bind(content)
            .bind(sequence)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// Documents below those that are new or have a new title or parent: their breadcrumbs changed.
async fn touch_below(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    index: i64,
    moved: &BTreeSet<&str>,
    put: &BTreeSet<&str>,
) -> Result<()> {
    let mut below = BTreeSet::new();
    let moved: Vec<&str> = moved.iter().copied().collect();
    for ids in moved.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "with recursive below (content_id, depth) as (
               select content_id, 1 from documents where feed_id = ? and parent_id in ({})
               union
               select documents.content_id, depth + 1 from documents join below on documents.parent_id = below.content_id
               where documents.feed_id = ? and depth < {DEPTH_MAX})
             select distinct content_id from below",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let query = ids.iter().fold(query, |query, id| query.bind(*id)).bind(feed.0);
        for row in query.fetch_all(&mut *transaction).await.map_err(failed)? {
            let content = Columns(&row).text("content_id")?;
            if !put.contains(content.as_str()) {
                below.insert((feed.0, content));
            }
        }
    }
    touch(transaction, index, &below.into_iter().collect::<Vec<_>>()).await
}

async fn write_failures(transaction: &mut SqliteConnection, recording: &Recording) -> Result<()> {
    for failure in &recording.failures {
        sqlx::query(
            "insert into failures (run_id, site_id, content_id, title, why, at) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(failure.run.0)
        .bind(failure.document.as_ref().map(|document| document.site.as_str()))
        .bind(failure.document.as_ref().map(|document| document.content.as_str()))
        .bind(&failure.title)
        .bind(&failure.why)
        .bind(failure.at.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn write_mark(transaction: &mut SqliteConnection, feed: FeedId, recording: &Recording) -> Result<()> {
    let Some((stream, mark)) = &recording.mark else {
        return Ok(());
    };
    let cursor = match mark {
        Mark::At(cursor) => Some(cursor.0.as_str()),
        Mark::Done => None,
    };
    sqlx::query(
        "insert into marks (feed_id, space_id, kind, cursor, run_id) values ($1, $2, $3, $4, $5)
         on conflict (feed_id, space_id, kind) do update set cursor = excluded.cursor",
    )
    .bind(feed.0)
    .bind(stream.space.as_str())
    .bind(stream.kind.word())
    .bind(cursor)
    .bind(recording.run.0)
    .execute(transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn add_to_run(transaction: &mut SqliteConnection, recording: &Recording, counts: Counts) -> Result<()> {
    sqlx::query(
        "update runs set seen = seen + $2, added = added + $3, changed = changed + $4, unchanged = unchanged + $5,
           removed = removed + $6, skipped = skipped + $7, failed = failed + $8, calls = calls + $9, points = points + $10
         where id = $1",
    )
    .bind(recording.run.0)
    .bind(number(counts.seen))
    .bind(number(counts.added))
    .bind(number(counts.changed))
    .bind(number(counts.unchanged))
    .bind(number(counts.removed))
    .bind(number(counts.skipped))
    .bind(number(counts.failed))
    .bind(number(recording.spent.calls))
    .bind(number(recording.spent.points))
    .execute(transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

/// `?, ?, ?` for this many values.
pub(crate) fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}
