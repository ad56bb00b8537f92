//! What complete listings did not show, and what follows once it is proven.

use std::collections::BTreeSet;

use domain::{
    ContentId, FeedId, Result, RunId, SpaceId, Timestamp,
    document::{DocumentKind, Removal},
    store::{Unseen, Verdict},
    sync_run::Effect,
};
use sqlx::SqliteConnection;

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    people::forget_mentions,
    record::{IDS_PER_STATEMENT, marks, note_effects, touch},
    rows::Columns,
};

impl SqlStore {
    pub(crate) async fn not_shown(&self, feed: FeedId, run: RunId) -> Result<Vec<Unseen>> {
        let mut reader = self.read.begin().await.map_err(failed)?;
        // A row that could not even be named may be any document: then nothing is proven.
        let unnamed = sqlx::query("select 1 from failures where run_id = $1 and content_id is null limit 1");
        let unnamed = unnamed.bind(run.0).fetch_optional(&mut *reader).await.map_err(failed)?;
        if unnamed.is_some() {
            return Ok(Vec::new());
        }
        // A mark without a cursor is a listing that came to its end; its run is the one that began it.
        let rows = sqlx::query(
            "select documents.content_id, documents.kind, documents.space_id, documents.removed is not null as suspended
             from marks
             join documents on documents.feed_id = marks.feed_id and documents.space_id = marks.space_id
               and documents.kind = marks.kind
             where marks.feed_id = $1 and marks.run_id = $2 and marks.cursor is null
               and (documents.removed is null or documents.removed = 'suspended')
               and (documents.seen_run is null or documents.seen_run <> $2)
               and not exists (
                 select 1 from failures where failures.run_id = $2 and failures.content_id = documents.content_id)
               -- What this very run suspended waits for another one.
               and not exists (
                 select 1 from run_documents
                 where run_documents.run_id = $2 and run_documents.content_id = documents.content_id
                   and run_documents.effect = 'suspended')
             order by documents.kind, documents.content_id",
        );
        let rows = rows
            .bind(feed.0)
            .bind(run.0)
            .fetch_all(&mut *reader)
            .await
            .map_err(failed)?;
        let unseen = |row: &_| {
            let row = Columns(row);
            Ok(Unseen {
                id: ContentId(row.text("content_id")?),
                kind: DocumentKind::from_word(&row.text("kind")?)?,
                space: SpaceId(row.text("space_id")?),
                suspended: row.number("suspended")? != 0,
            })
        };
        rows.iter().map(unseen).collect()
    }

    pub(crate) async fn applied(&self, feed: FeedId, verdict: &Verdict) -> Result<u64> {
        let mut transaction = self.claimed().await?;
        let gone = take_away(
            &mut transaction,
            feed,
            verdict.run,
            &verdict.gone,
            Effect::Removed,
            verdict.now,
        )
        .await?;
        let suspended = take_away(
            &mut transaction,
            feed,
            verdict.run,
            &verdict.suspended,
            Effect::Suspended,
            verdict.now,
        )
        .await?;
        for space in &verdict.doubted {
            sqlx::query("update feed_spaces set doubted_at = $3 where feed_id = $1 and space_id = $2")
                .bind(feed.0)
                .bind(space.as_str())
                .bind(verdict.now.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        for space in &verdict.settled {
            sqlx::query(
                "update feed_spaces set doubted_at = null, suspended_at = null
                 where feed_id = $1 and space_id = $2",
            )
            .bind(feed.0)
            .bind(space.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        for stream in &verdict.walked {
            sqlx::query(
                "insert into walked (feed_id, space_id, kind, at) values ($1, $2, $3, $4)
                 on conflict (feed_id, space_id, kind) do update set at = excluded.at",
            )
            .bind(feed.0)
            .bind(stream.space.as_str())
            .bind(stream.kind.word())
            .bind(verdict.now.0)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        count_removed(&mut transaction, verdict.run, gone).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone + suspended)
    }

    pub(crate) async fn space_removed(&self, feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> Result<u64> {
        let mut transaction = self.claimed().await?;
        let held = held_of(&mut transaction, feed, space).await?;
        let gone = take_away(&mut transaction, feed, run, &held, Effect::Removed, now).await?;
        for statement in [
            "update feed_spaces set imported_at = null, doubted_at = null
             where feed_id = $1 and space_id = $2",
            FORGET_MARKS,
            "delete from walked where feed_id = $1 and space_id = $2",
        ] {
            let query = sqlx::query(statement).bind(feed.0).bind(space.as_str());
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        count_removed(&mut transaction, run, gone).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone)
    }

    pub(crate) async fn space_returned(
        &self,
        feed: FeedId,
        space: &SpaceId,
        run: RunId,
        now: Timestamp,
    ) -> Result<u64> {
        let mut transaction = self.claimed().await?;
        let held = held_of(&mut transaction, feed, space).await?;
        let waiting = take_away(&mut transaction, feed, run, &held, Effect::Suspended, now).await?;
        for statement in [
            "update feed_spaces set suspended_at = null where feed_id = $1 and space_id = $2",
            FORGET_MARKS,
        ] {
            let query = sqlx::query(statement).bind(feed.0).bind(space.as_str());
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(waiting)
    }
}

/// A space's listings begin anew.
const FORGET_MARKS: &str = "delete from marks where feed_id = $1 and space_id = $2";

/// What is held of a space, and found or kept out of search.
async fn held_of(transaction: &mut SqliteConnection, feed: FeedId, space: &SpaceId) -> Result<Vec<ContentId>> {
    let rows = sqlx::query(
        "select content_id from documents
         where feed_id = $1 and space_id = $2 and (removed is null or removed = 'suspended')
         order by content_id",
    );
    let rows = rows.bind(feed.0).bind(space.as_str());
    let rows = rows.fetch_all(transaction).await.map_err(failed)?;
    let ids = rows.iter().map(|row| Columns(row).text("content_id").map(ContentId));
    ids.collect()
}

async fn count_removed(transaction: &mut SqliteConnection, run: RunId, removed: u64) -> Result<()> {
    sqlx::query("update runs set removed = removed + $2 where id = $1")
        .bind(run.0)
        .bind(number(removed))
        .execute(transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Takes these out of what may be found, with the comments and attachments that hang on them; how many. What is gone
/// loses its text; what is suspended keeps it.
async fn take_away(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    run: RunId,
    documents: &[ContentId],
    effect: Effect,
    now: Timestamp,
) -> Result<u64> {
    let (word, changes, from) = match effect {
        Effect::Suspended => (Removal::Suspended.word(), "", "removed is null"),
        Effect::Added | Effect::Updated | Effect::Removed => (
            Removal::GoneFromSite.word(),
            ", body = '', body_format = 'none', comment_quoted = null, fingerprint = '', file_version = null, file_why = null, \
             file_tries = 0, file_retry_at = null",
            "(removed is null or removed = 'suspended')",
        ),
    };
    let mut count = 0;
    for ids in documents.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "update documents set removed = ?, removed_at = ?{changes}
             where feed_id = ? and {from}
               and (content_id in ({0}) or (kind in ('comment', 'attachment') and parent_id in ({0})))
             returning index_id, content_id",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(word)
            .bind(now.0)
            .bind(feed.0);
        let query = ids.iter().chain(ids).fold(query, |query, id| query.bind(id.as_str()));
        let rows = query.fetch_all(&mut *transaction).await.map_err(failed)?;
        let Some(first) = rows.first() else { continue };
        let index = Columns(first).number("index_id")?;
        let taken = rows.iter().map(|row| Columns(row).text("content_id"));
        let taken = taken.collect::<Result<BTreeSet<_>>>()?;
        let named: Vec<&str> = taken.iter().map(String::as_str).collect();
        note_effects(transaction, run, effect, &named).await?;
        match effect {
            Effect::Suspended => {}
            Effect::Added | Effect::Updated | Effect::Removed => forget_mentions(transaction, feed, &named).await?,
        }
        let taken: Vec<(i64, String)> = taken.iter().map(|id| (feed.0, id.clone())).collect();
        touch(transaction, index, &taken).await?;
        count += taken.len() as u64;
    }
    Ok(count)
}
