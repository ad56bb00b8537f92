//! What a complete reading did not show goes, on the proof that it was complete.

use std::collections::BTreeMap;

use domain::{
    FeedId, Result, RunId, SpaceId, Timestamp,
    store::{Unseen, VANISHING_MAX, VANISHING_PERCENT_MAX},
};
use sqlx::{Row, SqliteConnection};

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    record::{IDS_PER_STATEMENT, marks, touch},
    rows::Columns,
};

impl SqlStore {
    pub(crate) async fn unseen_removed(&self, feed: FeedId, run: RunId, now: Timestamp) -> Result<Unseen> {
        let mut transaction = self.claimed().await?;
        let mut unseen = Unseen::default();
        // A row that could not even be named may be any document: then nothing is proven.
        let unnamed = sqlx::query("select 1 from failures where run_id = $1 and content_id is null limit 1");
        if unnamed
            .bind(run.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?
            .is_some()
        {
            return Ok(unseen);
        }
        for (space, missing) in missing(&mut transaction, feed, run).await? {
            let (held, doubted) = held(&mut transaction, feed, &space).await?;
            let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
            let much = count > VANISHING_MAX && count * 100 > held * VANISHING_PERCENT_MAX;
            let agreed = doubted.is_some_and(|doubted| doubted != run.0);
            let doubt = (much && !agreed).then_some(run.0);
            sqlx::query("update feed_spaces set doubted_run = $3 where feed_id = $1 and space_id = $2")
                .bind(feed.0)
                .bind(&space)
                .bind(doubt)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            match doubt {
                Some(_) => unseen.doubted.push((SpaceId::new(space), missing.len() as u64)),
                None => unseen.removed += gone(&mut transaction, feed, &missing, now).await?,
            }
        }
        sqlx::query("update runs set removed = removed + $2 where id = $1")
            .bind(run.0)
            .bind(number(unseen.removed))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(unseen)
    }
}

/// Pages and blog posts that the run would have shown, by space. Spaces that lack nothing are there with nothing.
async fn missing(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    run: RunId,
) -> Result<BTreeMap<String, Vec<String>>> {
    // A mark without a cursor is a listing that came to its end; its run is the one that began it.
    let proven = sqlx::query(
        "select space_id, kind from marks
         where feed_id = $1 and run_id = $2 and cursor is null and kind in ('page', 'blogpost')",
    );
    let proven = proven
        .bind(feed.0)
        .bind(run.0)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in proven.iter().map(Columns) {
        let (space, kind) = (row.text("space_id")?, row.text("kind")?);
        let rows = sqlx::query(
            "select content_id from documents
             where feed_id = $1 and space_id = $2 and kind = $3 and removed is null
               and (seen_run is null or seen_run <> $4)
               and content_id not in (select content_id from failures where run_id = $4)
             order by content_id",
        );
        let rows = rows.bind(feed.0).bind(&space).bind(&kind).bind(run.0);
        let rows = rows.fetch_all(&mut *transaction).await.map_err(failed)?;
        let ids = rows
            .iter()
            .map(|row| Columns(row).text("content_id"))
            .collect::<Result<Vec<_>>>()?;
        missing.entry(space).or_default().extend(ids);
    }
    Ok(missing)
}

/// Pages and blog posts held of a space, and the run that found too much of it missing.
async fn held(transaction: &mut SqliteConnection, feed: FeedId, space: &str) -> Result<(i64, Option<i64>)> {
    let row = sqlx::query(
        "select doubted_run,
           (select count(*) from documents
            where documents.feed_id = feed_spaces.feed_id and documents.space_id = feed_spaces.space_id
              and kind in ('page', 'blogpost') and removed is null) as held
         from feed_spaces where feed_id = $1 and space_id = $2",
    );
    let row = row
        .bind(feed.0)
        .bind(space)
        .fetch_one(transaction)
        .await
        .map_err(failed)?;
    Ok((
        Columns(&row).number("held")?,
        row.try_get("doubted_run").map_err(failed)?,
    ))
}

/// Marks them as gone, with their comments and attachments, and their text goes; how many.
async fn gone(transaction: &mut SqliteConnection, feed: FeedId, pages: &[String], now: Timestamp) -> Result<u64> {
    let mut count = 0;
    for ids in pages.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "update documents set removed = 'gone', removed_at = ?, body = '', body_format = 'none', comment_quoted = null
             where feed_id = ? and removed is null
               and (content_id in ({0}) or (kind in ('comment', 'attachment') and parent_id in ({0})))
             returning index_id, content_id",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now.0).bind(feed.0);
        let query = ids.iter().chain(ids).fold(query, |query, id| query.bind(id));
        let rows = query.fetch_all(&mut *transaction).await.map_err(failed)?;
        let Some(first) = rows.first() else { continue };
        let index = Columns(first).number("index_id")?;
        let gone = rows.iter().map(|row| Ok((feed.0, Columns(row).text("content_id")?)));
        let gone = gone.collect::<Result<Vec<_>>>()?;
        touch(transaction, index, &gone).await?;
        count += gone.len() as u64;
    }
    Ok(count)
}
