//! Runs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    ContentId, FeedId, Result, RunId, Timestamp,
    cursor::{Checkpoint, Stream},
    store::{Checked, EffectRow, HeldFacts, NOTES_MAX, SyncRuns, Touch},
    sync_run::{Difference, Effect, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
};
use sqlx::Row;

use crate::{
    SqlStore,
    dialect::{failed, missing},
    feeds::number,
    points,
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
        let query = sqlx::query(
            "select * from runs
             where feed_id = $1 and ended_at is null and kind <> 'verify'
             order by id desc limit 1",
        );
        let row = query.bind(feed.0).fetch_optional(&self.read).await.map_err(failed)?;
        row.map(|row| Columns(&row).run()).transpose()
    }

    async fn reopen_run(&self, id: RunId) -> Result<SyncRun> {
        let mut transaction = self.claimed().await?;
        let row = sqlx::query("update runs set ended_at = null, outcome = null, why = null where id = $1 returning *")
            .bind(id.0)
            .fetch_one(&mut *transaction)
            .await;
        let run = Columns(&row.map_err(missing(format!("run {id}")))?).run()?;
        transaction.commit().await.map_err(failed)?;
        Ok(run)
    }

    async fn last_run(&self, feed: FeedId, kind: RunKind) -> Result<Option<SyncRun>> {
        let query = sqlx::query("select * from runs where feed_id = $1 and kind = $2 order by id desc limit 1");
        let row = query.bind(feed.0).bind(kind.word());
        let row = row.fetch_optional(&self.read).await.map_err(failed)?;
        row.map(|row| Columns(&row).run()).transpose()
    }

    async fn began_last(&self, feed: FeedId) -> Result<BTreeMap<RunKind, Timestamp>> {
        // The last one, and not the latest: a run that began before the clock was set back lies ahead, and whatever is
        // counted from it would be due again and again until the clock is there.
        let query = sqlx::query(
            "select kind, started_at from runs
             where id in (select max(id) from runs where feed_id = $1 and outcome = 'complete' group by kind)",
        );
        let rows = query.bind(feed.0).fetch_all(&self.read).await.map_err(failed)?;
        let began = rows.iter().map(Columns);
        began
            .map(|row| Ok((row.run_kind("kind")?, row.instant("started_at")?)))
            .collect()
    }

    async fn note(&self, id: RunId, note: &str) -> Result<()> {
        let query = sqlx::query(
            "insert into run_notes (run_id, note)
             select $1, $2
             where not exists (select 1 from run_notes where run_id = $1 and note = $2)
               and (select count(*) from run_notes where run_id = $1) < $3",
        );
        self.change(query.bind(id.0).bind(note).bind(number(NOTES_MAX as u64)))
            .await
    }

    async fn notes(&self, id: RunId) -> Result<Vec<String>> {
        let query = sqlx::query("select note from run_notes where run_id = $1 order by id");
        let rows = query.bind(id.0).fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).text("note")).collect()
    }

    async fn effects(
        &self,
        id: RunId,
        effect: Option<Effect>,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<EffectRow>> {
        let query = sqlx::query(
            "select run_documents.content_id, run_documents.effect, site_id, documents.kind, title, url
             from run_documents
             join runs on runs.id = run_documents.run_id
             join documents on documents.feed_id = runs.feed_id and documents.content_id = run_documents.content_id
             where run_documents.run_id = $1 and ($2 is null or run_documents.effect = $2)
               and run_documents.content_id > $3
             order by run_documents.content_id limit $4",
        );
        let query = query
            .bind(id.0)
            .bind(effect.map(Effect::word))
            .bind(after.map_or("", ContentId::as_str))
            .bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).effect_row()).collect()
    }

    async fn forget_quiet_runs(&self, before: RunId) -> Result<()> {
        // The last complete one of each kind stays: from it is counted when the next is due.
        let query = sqlx::query(
            "delete from runs
             where feed_id = (select feed_id from runs where id = $1) and id < $1 and kind in ('changes', 'probe', 'files')
               and outcome = 'complete' and added + changed + removed + failed = 0
               and exists (
                 select 1 from runs as later
                 where later.feed_id = runs.feed_id and later.kind = runs.kind and later.id > runs.id
                   and later.outcome = 'complete')",
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
        self.failures_from(run, 0, limit).await
    }

    async fn failures_from(&self, run: RunId, skipped: usize, limit: usize) -> Result<Vec<Failure>> {
        let query = sqlx::query("select * from failures where run_id = $1 order by id limit $2 offset $3");
        let rows = query
            .bind(run.0)
            .bind(number(limit as u64))
            .bind(number(skipped as u64))
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| Columns(row).failure()).collect()
    }

    async fn failures_of(&self, feed: FeedId, document: &ContentId, limit: usize) -> Result<Vec<Failure>> {
        let query = sqlx::query(
            "select failures.* from failures
             join runs on runs.id = failures.run_id
             where runs.feed_id = $1 and failures.content_id = $2
             order by failures.id desc limit $3",
        );
        let query = query.bind(feed.0).bind(document.as_str()).bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).failure()).collect()
    }

    async fn touches(&self, feed: FeedId, document: &ContentId, limit: usize) -> Result<Vec<Touch>> {
        let query = sqlx::query(
            "select runs.id, runs.kind, runs.started_at, run_documents.effect from run_documents
             join runs on runs.id = run_documents.run_id
             where runs.feed_id = $1 and run_documents.content_id = $2
             order by runs.id desc limit $3",
        );
        let query = query.bind(feed.0).bind(document.as_str()).bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        let touch = |row: &_| {
            let row = Columns(row);
            Ok(Touch {
                run: RunId(row.number("id")?),
                kind: row.run_kind("kind")?,
                effect: row.effect()?,
                at: row.instant("started_at")?,
            })
        };
        rows.iter().map(touch).collect()
    }

    async fn verify_of(&self, feed: FeedId) -> Result<Option<SyncRun>> {
        self.verifying(feed).await
    }

    async fn check(&self, feed: FeedId, checked: &Checked) -> Result<()> {
        self.compared(feed, checked).await
    }

    async fn checked(&self, run: RunId) -> Result<Checkpoint> {
        self.compared_so_far(run).await
    }

    async fn never_shown(
        &self,
        run: RunId,
        stream: &Stream,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<HeldFacts>> {
        self.held_and_not_shown(run, stream, after, limit).await
    }

    async fn forget_shown(&self, run: RunId) -> Result<()> {
        self.shown_forgotten(run).await
    }

    async fn differences(&self, run: RunId, after: Option<&ContentId>, limit: usize) -> Result<Vec<Difference>> {
        self.differing(run, after, limit).await
    }

    async fn add_spent(&self, id: RunId, spent: Spent, now: Timestamp) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let feed: i64 =
            sqlx::query("update runs set calls = calls + $2, points = points + $3 where id = $1 returning feed_id")
                .bind(id.0)
                .bind(number(spent.calls))
                .bind(number(spent.points))
                .fetch_one(&mut *transaction)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(missing(format!("run {id}")))?;
        points::spend(&mut transaction, FeedId(feed), spent, now).await?;
        transaction.commit().await.map_err(failed)
    }
}
