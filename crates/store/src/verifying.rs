//! What a verify was shown, how far it came and what it found. It reads documents and writes none.

use domain::{
    ContentId, FeedId, Result, RunId, SpaceId,
    cursor::{Checkpoint, Cursor, Mark, Stream},
    document::DocumentKind,
    store::{Checked, HeldFacts},
    sync_run::{DIFFERENCES_MAX, Difference, SyncRun},
};
use sqlx::SqliteConnection;

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    points,
    record::{IDS_PER_STATEMENT, write_failures},
    rows::{Columns, KNOWN},
};

impl SqlStore {
    pub(crate) async fn verifying(&self, feed: FeedId) -> Result<Option<SyncRun>> {
        // Of all that somebody asked for, only the newest can be unfinished.
        let query = sqlx::query("select * from runs where feed_id = $1 and kind = 'verify' order by id desc limit 1");
        let row = query.bind(feed.0).fetch_optional(&self.read).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let row = Columns(&row);
        match row.maybe_text("outcome")?.as_deref() {
            None | Some("parked" | "stopped") => row.run().map(Some),
            Some(_) => Ok(None),
        }
    }

    pub(crate) async fn compared(&self, feed: FeedId, checked: &Checked) -> Result<()> {
        let mut transaction = self.claimed().await?;
        let run = checked.run.0;
        for ids in checked.shown.chunks(IDS_PER_STATEMENT) {
            let rows = vec!["(?, ?)"; ids.len()].join(", ");
            let sql = format!(
                "insert into shown_documents (run_id, content_id) values {rows} on conflict (run_id, content_id) do nothing"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            let query = ids.iter().fold(query, |query, id| query.bind(run).bind(id.as_str()));
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        let differing = note_differences(&mut transaction, checked).await?;
        write_failures(&mut transaction, &checked.failures).await?;
        if let Some((stream, mark)) = &checked.mark {
            sqlx::query(
                "insert into checked_streams (run_id, space_id, kind, cursor) values ($1, $2, $3, $4)
                 on conflict (run_id, space_id, kind) do update set cursor = excluded.cursor",
            )
            .bind(run)
            .bind(stream.space.as_str())
            .bind(stream.kind.word())
            .bind(match mark {
                Mark::At(cursor) => Some(&cursor.0),
                Mark::Done => None,
            })
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        sqlx::query(
            "update runs set seen = seen + $2, failed = failed + $3, differing = differing + $4, calls = calls + $5,
               points = points + $6
             where id = $1",
        )
        .bind(run)
        .bind(number(checked.shown.len() as u64))
        .bind(number(checked.failures.len() as u64))
        .bind(number(differing))
        .bind(number(checked.spent.calls))
        .bind(number(checked.spent.points))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        points::spend(&mut transaction, feed, checked.spent, checked.now).await?;
        transaction.commit().await.map_err(failed)
    }

    pub(crate) async fn compared_so_far(&self, run: RunId) -> Result<Checkpoint> {
        let rows = sqlx::query("select space_id, kind, cursor from checked_streams where run_id = $1").bind(run.0);
        let rows = rows.fetch_all(&self.read).await.map_err(failed)?;
        let mark = |row: &_| {
            let row = Columns(row);
            let stream = Stream {
                space: SpaceId(row.text("space_id")?),
                kind: DocumentKind::from_word(&row.text("kind")?)?,
            };
            let cursor = row.maybe_text("cursor")?;
            Ok((stream, cursor.map_or(Mark::Done, |cursor| Mark::At(Cursor(cursor)))))
        };
        rows.iter().map(mark).collect::<Result<_>>().map(Checkpoint)
    }

    pub(crate) async fn held_and_not_shown(
        &self,
        run: RunId,
        stream: &Stream,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<HeldFacts>> {
        let sql = format!(
            "select {KNOWN} from documents
             where feed_id = (select feed_id from runs where id = $1) and space_id = $2 and kind = $3 and removed is null
               and content_id > $4 and first_seen_at < (select started_at from runs where id = $1)
               -- What a later run saw or brought was looked at after the listing had passed it.
               and (seen_run is null or seen_run < $1)
               and not exists (
                 select 1 from shown_documents
                 where shown_documents.run_id = $1 and shown_documents.content_id = documents.content_id)
               and not exists (select 1 from failures where failures.run_id = $1 and failures.content_id is null)
             order by content_id limit $5"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(run.0)
            .bind(stream.space.as_str())
            .bind(stream.kind.word())
            .bind(after.map_or("", ContentId::as_str))
            .bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).held_facts()).collect()
    }

    pub(crate) async fn shown_forgotten(&self, run: RunId) -> Result<()> {
        let mut transaction = self.claimed().await?;
        for statement in [
            "delete from shown_documents where run_id = $1",
            "delete from checked_streams where run_id = $1",
        ] {
            let query = sqlx::query(statement).bind(run.0);
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    pub(crate) async fn differing(
        &self,
        run: RunId,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<Difference>> {
        let query =
            sqlx::query("select * from differences where run_id = $1 and content_id > $2 order by content_id limit $3");
        let query = query
            .bind(run.0)
            .bind(after.map_or("", ContentId::as_str))
            .bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).difference()).collect()
    }
}

/// Writes differences within their bound; how many documents are new among them.
async fn note_differences(transaction: &mut SqliteConnection, checked: &Checked) -> Result<u64> {
    let query = sqlx::query("select count(*) as kept from differences where run_id = $1").bind(checked.run.0);
    let kept = Columns(&query.fetch_one(&mut *transaction).await.map_err(failed)?).count("kept")?;
    let room = DIFFERENCES_MAX.saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
    let mut new = 0;
    for difference in checked.differences.iter().take(room) {
        let written = sqlx::query(
            "insert into differences (run_id, content_id, kind, space_id, differs, title, url, held, on_site)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (run_id, content_id) do nothing",
        )
        .bind(checked.run.0)
        .bind(difference.id.as_str())
        .bind(difference.kind.word())
        .bind(difference.space.as_str())
        .bind(difference.differs.word())
        .bind(&difference.title)
        .bind(&difference.url)
        .bind(&difference.held)
        .bind(&difference.other)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        new += written.rows_affected();
    }
    Ok(new)
}
