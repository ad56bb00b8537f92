//! The queue: one job for each feed at most, claimed by lease.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Error, FeedId, JobId, Result, Timestamp,
    job::{Claim, JOB_FAILURES_MAX, JOB_WAIT_MAX, Job, Standing, Work},
    store::{Jobs, Store},
};
use sqlx::Row;

use crate::{SqlStore, dialect::failed, lines::Writing, rows, rows::Columns};

#[async_trait]
impl Jobs for SqlStore {
    async fn enqueue(&self, work: Work, at: Timestamp) -> Result<()> {
        let Work::SyncFeed { feed, trigger } = work;
        // Work that is asked for while it runs is remembered in again_at and done once more afterwards.
        let query = sqlx::query(
            "insert into jobs (feed_id, cause, at) values ($1, $2, $3)
             on conflict (feed_id) do update set
               again_at = case when lease_holder is null then again_at
                 when again_at is null then excluded.at else min(again_at, excluded.at) end,
               again_cause = case when lease_holder is null or again_cause = 'person' then again_cause
                 else excluded.cause end,
               at = case when lease_holder is null then min(at, excluded.at) else at end,
               cause = case when lease_holder is null and cause <> 'person' then excluded.cause else cause end,
               attempt = case when excluded.cause = 'person' and dead_at is not null then 0 else attempt end,
               failures = case when excluded.cause = 'person' then 0 else failures end,
               dead_at = case when excluded.cause = 'person' then null else dead_at end",
        );
        self.change(query.bind(feed.0).bind(trigger.word()).bind(at.0)).await
    }

    async fn claim(&self, worker: &str, now: Timestamp, lease: Duration) -> Result<Option<Job>> {
        let row = sqlx::query(
            "update jobs set lease_holder = $1, lease_until = $3, attempt = attempt + 1
             where id = (
               select id from jobs
               where dead_at is null and (at <= $2 or at > $4)
                 and (lease_holder is null or lease_until <= $2 or lease_until > $5)
               order by case
                   when cause = 'person'
                     or exists (select 1 from wanted where wanted.feed_id = jobs.feed_id)
                     or exists (select 1 from runs where runs.feed_id = jobs.feed_id and kind = 'verify' and ended_at is null)
                   then 0 else 1 end,
                 at, id limit 1)
             returning *",
        )
        .bind(worker)
        .bind(now.0)
        .bind(now.plus(lease).0)
        .bind(now.plus(JOB_WAIT_MAX).0)
        // Further ahead than any lease reaches: set by a clock that was wrong then, or is now.
        .bind(now.plus(lease * 2).0)
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
            failures: u32::try_from(row.number("failures")?).unwrap_or(u32::MAX),
            lease_until: row.instant("lease_until")?,
        }))
    }

    fn under(&self, claim: &Claim) -> Arc<dyn Store> {
        Arc::new(Self {
            claim: Some(claim.clone()),
            ..self.clone()
        })
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

    async fn finish(&self, id: JobId, worker: &str, next: Option<Timestamp>) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let again = sqlx::query(
            "update jobs set
               at = case when again_at is null then $3 when $3 is null then again_at else min(again_at, $3) end,
               cause = coalesce(again_cause, 'schedule'), again_at = null, again_cause = null,
               attempt = 0, failures = 0, failed_why = null, lease_holder = null, lease_until = null
             where id = $1 and lease_holder = $2 and ($3 is not null or again_at is not null)",
        );
        let again = again
            .bind(id.0)
            .bind(worker)
            .bind(next.map(|next| next.0))
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
            "update jobs set at = min($3, coalesce(again_at, $3)),
               cause = case cause when 'person' then cause else coalesce(again_cause, cause) end,
               again_at = null, again_cause = null, lease_holder = null, lease_until = null
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

    async fn fail(&self, id: JobId, worker: &str, why: &str, at: Timestamp, now: Timestamp) -> Result<bool> {
        // Whoever asked again meanwhile gets all the attempts once more.
        let query = sqlx::query(
            "update jobs set at = min($4, coalesce(again_at, $4)),
               cause = case cause when 'person' then cause else coalesce(again_cause, cause) end,
               failures = case again_cause when 'person' then 0 else failures + 1 end,
               dead_at = case when again_cause = 'person' or failures + 1 < $6 then null else $5 end,
               failed_why = $3, again_at = null, again_cause = null, lease_holder = null, lease_until = null
             where id = $1 and lease_holder = $2
             returning dead_at",
        );
        let row = query
            .bind(id.0)
            .bind(worker)
            .bind(why)
            .bind(at.0)
            .bind(now.0)
            .bind(i64::from(JOB_FAILURES_MAX))
            .fetch_optional(&self.write)
            .await
            .map_err(failed)?;
        let Some(row) = row else {
            return held(0, id).map(|()| false);
        };
        Ok(Columns(&row).maybe_instant("dead_at")?.is_some())
    }

    async fn standing(&self, feed: FeedId) -> Result<Option<Standing>> {
        let query = sqlx::query("select at, lease_holder, dead_at, failed_why from jobs where feed_id = $1");
        let row = query.bind(feed.0).fetch_optional(&self.read).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let row = Columns(&row);
        Ok(Some(
            match (row.maybe_instant("dead_at")?, row.maybe_text("lease_holder")?) {
                (Some(at), _) => Standing::Dead {
                    at,
                    why: row.maybe_text("failed_why")?.unwrap_or_default(),
                },
                (None, Some(_)) => Standing::Runs,
                (None, None) => Standing::Waits { at: row.instant("at")? },
            },
        ))
    }

    async fn free_leases(&self) -> Result<()> {
        let jobs = "update jobs set lease_holder = null, lease_until = null where lease_holder is not null";
        self.change(sqlx::query(jobs)).await?;
        let grants = "update connections set lease_holder = null, lease_until = null where lease_holder is not null";
        self.change(sqlx::query(grants)).await
    }

    async fn queued(&self) -> Result<u64> {
        self.jobs("select count(*) from jobs where dead_at is null").await
    }

    async fn dead(&self) -> Result<u64> {
        self.jobs("select count(*) from jobs where dead_at is not null").await
    }
}

impl SqlStore {
    async fn jobs(&self, count: &'static str) -> Result<u64> {
        let row = sqlx::query(count).fetch_one(&self.read).await.map_err(failed)?;
        Ok(u64::try_from(row.try_get::<i64, _>(0).map_err(failed)?).unwrap_or(0))
    }

    /// A transaction in which the claim, if this store writes on behalf of one, is proven to be held still: nobody can take
    /// it over before the transaction ends.
    pub(crate) async fn claimed(&self) -> Result<Writing> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        if let Some(claim) = &self.claim {
            let query = sqlx::query("select 1 from jobs where id = $1 and lease_holder = $2");
            let query = query.bind(claim.job.0).bind(&claim.worker);
            let row = query.fetch_optional(&mut *transaction).await.map_err(failed)?;
            held(u64::from(row.is_some()), claim.job)?;
        }
        Ok(transaction)
    }

    /// The same for what is written of a feed that was not removed, with its index.
    pub(crate) async fn claimed_feed(&self, feed: FeedId) -> Result<(Writing, i64)> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let query = sqlx::query(
            "select (select index_id from feeds where id = $1 and state <> 'removed') as index_id,
               ($2 is null or exists (select 1 from jobs where id = $2 and lease_holder = $3)) as held",
        );
        let claim = self.claim.as_ref();
        let query = query.bind(feed.0).bind(claim.map(|claim| claim.job.0));
        let query = query.bind(claim.map(|claim| &claim.worker));
        let row = query.fetch_one(&mut *transaction).await.map_err(failed)?;
        let row = Columns(&row);
        if let Some(claim) = claim {
            held(row.count("held")?, claim.job)?;
        }
        let index = row.maybe_number("index_id")?;
        let index = index.ok_or_else(|| Error::not_found(format!("feed {feed} does not exist, or it was removed")))?;
        Ok((transaction, index))
    }
}

fn held(rows: u64, id: JobId) -> Result<()> {
    match rows {
        0 => Err(Error::conflict(format!("job {id} is no longer held by this worker"))),
        _ => Ok(()),
    }
}
