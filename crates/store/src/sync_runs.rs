//! Runs.

use async_trait::async_trait;
use domain::{
    ContentId, DocumentId, FeedId, Result, RunId, SiteId, Timestamp,
    store::SyncRuns,
    sync_run::{Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    feeds::number,
    rows::Columns,
};

#[async_trait]
impl SyncRuns for SqlStore {
    async fn open_run(&self, feed: FeedId, kind: RunKind, trigger: Trigger, now: Timestamp) -> Result<SyncRun> {
        let mut transaction = self.claimed().await?;
        let row =
            sqlx::query("insert into runs (feed_id, kind, cause, started_at) values ($1, $2, $3, $4) returning *")
                .bind(feed.0)
                .bind(kind.word())
                .bind(trigger.word())
                .bind(now.0)
                .fetch_one(&mut *transaction)
                .await
                .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Columns(&row).run()
    }

    async fn close_run(&self, id: RunId, outcome: &Outcome, now: Timestamp) -> Result<()> {
        let (word, why) = match outcome {
            Outcome::Complete => ("complete", None),
            Outcome::Parked { why } => ("parked", Some(why)),
            Outcome::Failed { why } => ("failed", Some(why)),
            Outcome::Stopped { why } => ("stopped", Some(why)),
        };
        let query = sqlx::query("update runs set outcome = $2, why = $3, ended_at = $4 where id = $1");
        self.change(query.bind(id.0).bind(word).bind(why).bind(now.0)).await
    }

    async fn run(&self, id: RunId) -> Result<SyncRun> {
        let row = sqlx::query("select * from runs where id = $1")
            .bind(id.0)
            .fetch_one(&self.read)
            .await;
        Columns(&row.map_err(missing(format!("run {id}")))?).run()
    }

    async fn open_run_of(&self, feed: FeedId) -> Result<Option<SyncRun>> {
        let query = sqlx::query("select * from runs where feed_id = $1 and ended_at is null order by id desc limit 1");
        let row = query.bind(feed.0).fetch_optional(&self.read).await.map_err(failed)?;
        row.map(|row| Columns(&row).run()).transpose()
    }

    async fn read_until(&self, feed: FeedId) -> Result<Option<Timestamp>> {
        // A pass of changes reads everything in one go. An import may be parked and go on as another run: what counts is
        // when the first one began.
        let query = sqlx::query(
            "select coalesce(
               (select max(started_at) from runs where feed_id = $1 and kind = 'changes' and outcome = 'complete'),
               (select min(started_at) from runs where feed_id = $1 and kind = 'import')) as at",
        );
        let row = query.bind(feed.0).fetch_one(&self.read).await.map_err(failed)?;
        Columns(&row).maybe_instant("at")
    }

    async fn read_whole_at(&self, feed: FeedId) -> Result<Option<Timestamp>> {
        let query = sqlx::query(
            "select coalesce(
               (select max(ended_at) from runs where feed_id = $1 and kind = 'resync' and outcome = 'complete'),
               (select min(ended_at) from runs where feed_id = $1 and kind = 'import' and outcome = 'complete')) as at",
        );
        let row = query.bind(feed.0).fetch_one(&self.read).await.map_err(failed)?;
        Columns(&row).maybe_instant("at")
    }

    async fn forget_quiet_runs(&self, before: RunId) -> Result<()> {
        let query = sqlx::query(
            "delete from runs
             where feed_id = (select feed_id from runs where id = $1) and id < $1 and kind = 'changes'
               and outcome = 'complete' and added + changed + removed + failed = 0",
        );
        self.change(query.bind(before.0)).await
    }

    async fn runs(&self, feed: FeedId, limit: usize) -> Result<Vec<SyncRun>> {
        let query = sqlx::query("select * from runs where feed_id = $1 order by id desc limit $2");
        let rows = query
            .bind(feed.0)
            .bind(number(limit as u64))
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| Columns(row).run()).collect()
    }

    async fn failures(&self, run: RunId, limit: usize) -> Result<Vec<Failure>> {
        let query = sqlx::query("select * from failures where run_id = $1 order by id limit $2");
        let rows = query
            .bind(run.0)
            .bind(number(limit as u64))
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        let failure = |row: &_| {
            let row = Columns(row);
            let document = row.maybe_text("site_id")?.zip(row.maybe_text("content_id")?);
            Ok(Failure {
                run,
                document: document.map(|(site, content)| DocumentId {
                    site: SiteId(site),
                    content: ContentId(content),
                }),
                title: row.text("title")?,
                why: row.text("why")?,
                at: row.instant("at")?,
            })
        };
        rows.iter().map(failure).collect()
    }

    async fn add_spent(&self, id: RunId, spent: Spent) -> Result<()> {
        let query = sqlx::query("update runs set calls = calls + $2, points = points + $3 where id = $1");
        self.change(query.bind(id.0).bind(number(spent.calls)).bind(number(spent.points)))
            .await
    }
}
