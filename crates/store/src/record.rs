//! What one answer brought, written whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, Error, FeedId, Result, RunId, SpaceId,
    cursor::Mark,
    document::{Document, DocumentKind, Known, Observed, Removal, TITLE_CHARS_MAX},
    store::Recording,
    sync_run::{Counts, Effect, Failure, Spent},
};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    files::body_columns,
    people::{name_people, write_mentions},
    points,
    rows::{Columns, KNOWN},
};

/// Ids in one `in (…)`: far below SQLite's bound on parameters (32,766).
pub(crate) const IDS_PER_STATEMENT: usize = 500;
/// So much text is read in less time than another thread takes to begin.
const BYTES_IN_PLACE: usize = 16 << 10;
/// How far down a new title or parent is followed: deeper trees do not exist, and a circle must end.
pub(crate) const DEPTH_MAX: i64 = 64;

/// What is held of a document, as far as comparing goes.
struct Held {
    fingerprint: String,
    known: Known,
}

impl Held {
    fn is_deleted(&self) -> bool {
        self.known.removed == Some(Removal::DeletedHere)
    }

    /// Shown as it is held.
    fn equals(&self, document: &Document, fingerprint: &str) -> bool {
        let known = &self.known;
        known.removed.is_none()
            && self.fingerprint == fingerprint
            && known.title == title(document)
            && known.parent == document.parent
            && known.space == document.space
            && known.labels == document.labels
            && known.url == document.url
    }

    /// An answer from before what is held: Atlassian's search lags behind its listings.
    fn is_newer_than(&self, document: &Document) -> bool {
        let known = &self.known;
        known.removed.is_none() && known.version > document.version && known.modified_at > document.modified_at
    }

    /// What is below it shows its title and place.
    fn moves(&self, title: &str, parent: Option<&ContentId>, space: &SpaceId) -> bool {
        let known = &self.known;
        let moved = known.parent.as_ref() != parent || known.space != *space;
        known.title != title || moved || known.removed.is_some()
    }
}

impl SqlStore {
    pub(crate) async fn recorded(&self, feed: FeedId, recording: &Recording) -> Result<Counts> {
        // Before the one writing connection is taken: reading megabytes of text takes a while.
        let fingerprints = fingerprints(&recording.documents).await?;
        let (mut transaction, index) = self.claimed_feed(feed).await?;

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
        let placed = recording.placed.iter().map(|placed| placed.id.as_str());
        let ids: BTreeSet<&str> = documents.keys().copied().chain(parents).chain(placed).collect();
        let held = held(&mut transaction, feed, ids.into_iter().collect()).await?;

        let mut counts = Counts {
            failed: recording.failures.len() as u64,
            ..Counts::default()
        };
        let mut seen: Vec<&str> = recording.seen.iter().map(ContentId::as_str).collect();
        counts.seen += seen.len() as u64;
        counts.unchanged += seen.len() as u64;
        let mut put = Vec::new();
        let mut moved = BTreeSet::new();
        let (mut added, mut updated) = (Vec::new(), Vec::new());
        for (content, document) in &documents {
            counts.seen += 1;
            let fingerprint = fingerprints
                .get(document.id.content.as_str())
                .cloned()
                .unwrap_or_default();
            let own = held.get(*content);
            // What hangs on a page that is not to be found is as little to be found as the page.
            let hangs = matches!(document.kind, DocumentKind::Comment | DocumentKind::Attachment);
            let parent = document.parent.as_ref().and_then(|parent| held.get(parent.as_str()));
            let on_removed = hangs && parent.is_some_and(|parent| parent.known.removed.is_some());
            if own.is_some_and(Held::is_deleted) || on_removed {
                counts.skipped += 1;
                continue;
            }
            match own {
                Some(own) if own.equals(document, &fingerprint) || own.is_newer_than(document) => {
                    counts.unchanged += 1;
                    seen.push(*content);
                    continue;
                }
                Some(own) => {
                    match own.known.removed {
                        None => updated.push(*content),
                        Some(_) => added.push(*content),
                    }
                    if own.moves(title(document), document.parent.as_ref(), &document.space) {
                        moved.insert(*content);
                    }
                }
                None => {
                    added.push(*content);
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
            let own = held.get(document.id.content.as_str());
            let mentions = recording.mentions.get(&document.id.content);
            if own.is_some() || mentions.is_some() {
                write_mentions(&mut transaction, feed, &document.id.content, mentions).await?;
            }
            if own.is_some_and(|own| own.known.removed == Some(Removal::Suspended) || own.known.space != document.space)
            {
                follow(&mut transaction, feed, document.id.content.as_str(), &document.space).await?;
            }
        }
        let mut written: BTreeSet<&str> = put.iter().map(|(document, _)| document.id.content.as_str()).collect();
        for placed in &recording.placed {
            counts.seen += 1;
            match held.get(placed.id.as_str()) {
                Some(own) if !own.is_deleted() => {
                    if own.moves(shortened(&placed.title), placed.parent.as_ref(), &placed.space) {
                        moved.insert(placed.id.as_str());
                    }
                    place(&mut transaction, feed, recording, placed).await?;
                    updated.push(placed.id.as_str());
                    written.insert(placed.id.as_str());
                }
                Some(_) | None => counts.skipped += 1,
            }
        }
        let placed: Vec<(i64, String)> = recording
            .placed
            .iter()
            .map(|placed| (feed.0, placed.id.to_string()))
            .collect();
        touch(&mut transaction, index, &placed).await?;
        counts.added += added.len() as u64;
        counts.changed += updated.len() as u64;
        mark_seen(&mut transaction, feed, recording, &seen).await?;
        note_effects(&mut transaction, recording.run, Effect::Added, &added).await?;
        note_effects(&mut transaction, recording.run, Effect::Updated, &updated).await?;
        touch_below(&mut transaction, feed, index, &moved, &written).await?;
        if let Some(document) = recording.documents.first() {
            name_people(&mut transaction, &document.id.site, &recording.people, recording.now).await?;
        }
        write_failures(&mut transaction, &recording.failures).await?;
        write_mark(&mut transaction, feed, recording).await?;
        add_counts(&mut transaction, recording.run, recording.spent, counts).await?;
        points::spend(&mut transaction, feed, recording.spent, recording.now).await?;
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
        let (body_format, body) = body_columns(&document.body);
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
               -- No listing brings the text of a file: that of the version before stays until this one was read.
               body_format = case when excluded.kind = 'attachment' and excluded.body_format = 'none'
                 then documents.body_format else excluded.body_format end,
               body = case when excluded.kind = 'attachment' and excluded.body_format = 'none'
                 then documents.body else excluded.body end,
               file_tries = case when documents.version = excluded.version then documents.file_tries else 0 end,
               file_retry_at = case when documents.version = excluded.version then documents.file_retry_at end,
               comment_inline = excluded.comment_inline,
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
}

/// By content id; of a document that is shown twice, the later one's.
async fn fingerprints(documents: &[Document]) -> Result<BTreeMap<String, String>> {
    let one = |document: &Document| (document.id.content.to_string(), fingerprint(document));
    let bytes: usize = documents.iter().map(|document| document.body.text().len()).sum();
    if bytes <= BYTES_IN_PLACE {
        return Ok(documents.iter().map(one).collect());
    }
    let documents = documents.to_vec();
    let done = tokio::task::spawn_blocking(move || documents.iter().map(one).collect());
    done.await
        .map_err(|panic| Error::internal("documents could not be compared").because(panic))
}

/// What decides, beside its place, whether two showings of a document are the same.
fn fingerprint(document: &Document) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let mut hash = Sha256::new();
    let document = Document {
        space: SpaceId::new(""),
        parent: None,
        title: String::new(),
        labels: Vec::new(),
        url: String::new(),
        ..document.clone()
    };
    // The derived form names every field, so that a new one cannot be forgotten.
    hash.update(format!("{document:?}"));
    STANDARD_NO_PAD.encode(hash.finalize())
}

fn title(document: &Document) -> &str {
    shortened(&document.title)
}

fn shortened(title: &str) -> &str {
    match title.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => &title[..end],
        None => title,
    }
}

/// Writes that these were shown again as they are held.
async fn mark_seen(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    recording: &Recording,
    seen: &[&str],
) -> Result<()> {
    for ids in seen.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "update documents set seen_run = ? where feed_id = ? and content_id in ({})",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(recording.run.0).bind(feed.0);
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        query.execute(&mut *transaction).await.map_err(failed)?;
    }
    Ok(())
}

/// Writes another place, title or labels of a document whose text is held. One that was suspended may be found again,
/// and with it what was suspended because it hangs on it.
async fn place(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    recording: &Recording,
    placed: &Observed,
) -> Result<()> {
    let labels = placed.labels.as_ref().map(|labels| labels.join("\n"));
    sqlx::query(
        "update documents set space_id = $3, parent_id = $4, title = $5, labels = coalesce($6, labels), url = $7,
           seen_run = $8, removed = null, removed_at = null
         where feed_id = $1 and content_id = $2",
    )
    .bind(feed.0)
    .bind(placed.id.as_str())
    .bind(placed.space.as_str())
    .bind(placed.parent.as_ref().map(ContentId::as_str))
    .bind(shortened(&placed.title))
    .bind(labels)
    .bind(&placed.url)
    .bind(recording.run.0)
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    follow(transaction, feed, placed.id.as_str(), &placed.space).await
}

/// Comments and attachments go wherever their page goes, and may be found again with it; that they are there themselves,
/// their own listing says.
async fn follow(transaction: &mut SqliteConnection, feed: FeedId, page: &str, space: &SpaceId) -> Result<()> {
    sqlx::query(
        "update documents set space_id = $3, removed = case when removed = 'suspended' then null else removed end
         where feed_id = $1 and parent_id = $2 and kind in ('comment', 'attachment')
           and (removed is null or removed = 'suspended')",
    )
    .bind(feed.0)
    .bind(page)
    .bind(space.as_str())
    .execute(transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Notes what a run did to documents. What it added, and then met again, stays added.
pub(crate) async fn note_effects(
    transaction: &mut SqliteConnection,
    run: RunId,
    effect: Effect,
    documents: &[&str],
) -> Result<()> {
    for ids in documents.chunks(IDS_PER_STATEMENT) {
        let rows = vec!["(?, ?, ?)"; ids.len()].join(", ");
        let sql = format!(
            "insert into run_documents (run_id, content_id, effect) values {rows}
             on conflict (run_id, content_id) do update set effect = excluded.effect
             where run_documents.effect <> 'added' or excluded.effect <> 'updated'"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = ids
            .iter()
            .fold(query, |query, id| query.bind(run.0).bind(*id).bind(effect.word()));
        query.execute(&mut *transaction).await.map_err(failed)?;
    }
    Ok(())
}

async fn held(transaction: &mut SqliteConnection, feed: FeedId, ids: Vec<&str>) -> Result<BTreeMap<String, Held>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "select {KNOWN}, fingerprint from documents where feed_id = ? and content_id in ({})",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *transaction).await.map_err(failed)? {
            let row = Columns(&row);
            let held = Held {
                fingerprint: row.text("fingerprint")?,
                known: row.known()?,
            };
            found.insert(row.text("content_id")?, held);
        }
    }
    Ok(found)
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
    if documents.is_empty() {
        return Ok(());
    }
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

pub(crate) async fn write_failures(transaction: &mut SqliteConnection, failures: &[Failure]) -> Result<()> {
    for failure in failures {
        sqlx::query(
            "insert into failures (run_id, site_id, content_id, kind, title, why, at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(failure.run.0)
        .bind(failure.document.as_ref().map(|document| document.site.as_str()))
        .bind(failure.document.as_ref().map(|document| document.content.as_str()))
        .bind(failure.kind.map(DocumentKind::word))
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

/// Adds to what a run did and spent.
pub(crate) async fn add_counts(
    transaction: &mut SqliteConnection,
    run: RunId,
    spent: Spent,
    counts: Counts,
) -> Result<()> {
    sqlx::query(
        "update runs set seen = seen + $2, added = added + $3, changed = changed + $4, unchanged = unchanged + $5,
           removed = removed + $6, skipped = skipped + $7, failed = failed + $8, calls = calls + $9, points = points + $10
         where id = $1",
    )
    .bind(run.0)
    .bind(number(counts.seen))
    .bind(number(counts.added))
    .bind(number(counts.changed))
    .bind(number(counts.unchanged))
    .bind(number(counts.removed))
    .bind(number(counts.skipped))
    .bind(number(counts.failed))
    .bind(number(spent.calls))
    .bind(number(spent.points))
    .execute(transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

/// `?, ?, ?` for this many values.
pub(crate) fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}
