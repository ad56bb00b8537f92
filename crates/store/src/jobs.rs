//! The queue: one job for each feed at most, claimed by lease.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Error, FeedId, JobId, Result, Timestamp,
    job::{Job, Work},
    store::Jobs,
};
use sqlx::Row;

use crate::{SqlStore, dialect::failed, rows, rows::Columns};

#[async_trait]
impl Jobs for SqlStore {
    async fn enqueue(&self, work: Work, at: Timestamp) -> Result<()> {
        let Work::SyncFeed { feed, trigger } = work;
        // Work that is asked for while it runs is remembered in again_at and done once more afterwards.
        let query = sqlx::query(
            "insert into jobs (feed_id, cause, at) values ($1, $2, $3)
             on conflict (feed_id) do update set
               again_at = case when lease_holder is not null then excluded.at else again_at end,
               again_cause = case when lease_holder is not null then excluded.cause else again_cause end,
               at = case when lease_holder is null then min(at, excluded.at) else at end,
               cause = case when lease_holder is null and cause <> 'person' then excluded.cause else cause end",
        );
        self.change(query.bind(feed.0).bind(trigger.word()).bind(at.0)).await
    }

    async fn claim(&self, worker: &str, now: Timestamp, lease: Duration) -> Result<Option<Job>> {
        let row = sqlx::query(
            "update jobs set lease_holder = $1, lease_until = $3, attempt = attempt + 1
             where id = (
               select id from jobs
               where at <= $2 and (lease_holder is null or lease_until <= $2)
               order by at, id limit 1)
             returning *",
        )
        .bind(worker)
        .bind(now.0)
        .bind(now.plus(lease).0)
        .fetch_optional(&self.write)
        .await
        .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let row = Columns(&row);
        Ok(Some(Job {
            id: JobId(row.number("id")?),
            work: Work::SyncFeed {
                feed: FeedId(row.number("feed_id")?),
                trigger: rows::trigger(&row.text("cause")?)?,
            },
            attempt: u32::try_from(row.number("attempt")?).unwrap_or(u32::MAX),
            lease_until: row.instant("lease_until")?,
        }))
    }

    async fn heartbeat(&self, id: JobId, worker: &str, until: Timestamp) -> Result<()> {
        let query = sqlx::query("update jobs set lease_until = $3 where id = $1 and lease_holder = $2");
        let done = query
            .bind(id.0)
            .bind(worker)
            .bind(until.0)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        held(done.rows_affected(), id)
    }

    async fn finish(&self, id: JobId, worker: &str) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let again = sqlx::query(
            "update jobs set at = again_at, cause = coalesce(again_cause, cause), again_at = null, again_cause = null,
               attempt = 0, lease_holder = null, lease_until = null
             where id = $1 and lease_holder = $2 and again_at is not null",
        );
        let again = again
            .bind(id.0)
            .bind(worker)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let gone = sqlx::query("delete from jobs where id = $1 and lease_holder = $2");
        let gone = gone
            .bind(id.0)
            .bind(worker)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        held(again.rows_affected() + gone.rows_affected(), id)
    }

    async fn postpone(&self, id: JobId, worker: &str, at: Timestamp) -> Result<()> {
        let query = sqlx::query(
            "update jobs set at = min($3, coalesce(again_at, $3)), cause = coalesce(again_cause, cause), again_at = null,
               again_cause = null, lease_holder = null, lease_until = null
             where id = $1 and lease_holder = $2",
        );
        let done = query
            .bind(id.0)
            .bind(worker)
            .bind(at.0)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        held(done.rows_affected(), id)
    }

    async fn free_leases(&self) -> Result<()> {
        let jobs = "update jobs set lease_holder = null, lease_until = null where lease_holder is not null";
        self.change(sqlx::query(jobs)).await?;
        let grants = "update connections set lease_holder = null, lease_until = null where lease_holder is not null";
        self.change(sqlx::query(grants)).await
    }

    async fn queued(&self) -> Result<u64> {
        let row = sqlx::query("select count(*) from jobs")
            .fetch_one(&self.read)
            .await
            .map_err(failed)?;
        Ok(u64::try_from(row.try_get::<i64, _>(0).map_err(failed)?).unwrap_or(0))
    }
}

fn held(rows: u64, id: JobId) -> Result<()> {
    match rows {
        0 => Err(Error::conflict(format!("job {id} is no longer held by this worker"))),
        _ => Ok(()),
    }
}
