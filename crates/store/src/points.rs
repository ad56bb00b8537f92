//! Points spent at Atlassian, by app and hour, and by feed.

use std::sync::PoisonError;

use async_trait::async_trait;
use domain::{
    Error, FeedId, Result, Timestamp,
    budget::{Hour, HourPoints},
    store::{POINTS_LIFE_HOURS, Points},
    sync_run::Spent,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{SqlStore, dialect::failed, feeds::number, rows::Columns};

/// How often points are read and written without a lock before one is taken.
const CHANGES_TRIED: usize = 3;

#[async_trait]
impl Points for SqlStore {
    async fn change_points(
        &self,
        app: &str,
        hour: Hour,
        change: &(dyn for<'a> Fn(&'a mut HourPoints) -> Result<()> + Send + Sync),
    ) -> Result<()> {
        // Mostly nobody changes them between reading and writing, and half of the statements are enough.
        let mut connection = self.write.acquire().await.map_err(failed)?;
        if let Some(before) = self.points_before(app, hour) {
            let mut points = before;
            // Whether it is refused, only what is there now says.
            if change(&mut points).is_ok() && write(&mut connection, app, before, points).await? {
                self.points_are(app, points);
                return Ok(());
            }
        }
        for _ in 0..CHANGES_TRIED {
            let Some(before) = read(&mut connection, app, hour).await? else {
                break;
            };
            let mut points = before;
            change(&mut points)?;
            if write(&mut connection, app, before, points).await? {
                self.points_are(app, points);
                return Ok(());
            }
        }
        drop(connection);
        let mut transaction = self.write.begin().await.map_err(failed)?;
        // Written to first: from here on the row is locked, and whoever comes next waits.
        let touched = sqlx::query(
            "insert into points (app, hour) values ($1, $2)
             on conflict (app, hour) do update set hour = excluded.hour
             returning *",
        );
        let row = touched.bind(app).bind(hour.0).fetch_one(&mut *transaction).await;
        let before = hour_points(&row.map_err(failed)?)?;
        if before == HourPoints::of(hour) {
            forget_hours(&mut transaction, hour).await?;
        }
        let mut points = before;
        change(&mut points)?;
        if !write(&mut transaction, app, before, points).await? {
            return Err(Error::internal(
                "the points of this hour are not as Circuit writes them",
            ));
        }
        transaction.commit().await.map_err(failed)
    }

    async fn hour_points(&self, app: &str, hour: Hour) -> Result<HourPoints> {
        let mut reader = self.read.acquire().await.map_err(failed)?;
        let found = read(&mut reader, app, hour).await?;
        Ok(found.unwrap_or(HourPoints::of(hour)))
    }

    async fn add_feed_spent(&self, feed: FeedId, spent: Spent, now: Timestamp) -> Result<()> {
        let mut connection = self.write.acquire().await.map_err(failed)?;
        spend(&mut connection, feed, spent, now).await
    }

    async fn feed_spent(&self, feed: FeedId, since: Hour) -> Result<Spent> {
        let query = sqlx::query(
            "select coalesce(sum(calls), 0) as calls, coalesce(sum(points), 0) as points from feed_points
             where feed_id = $1 and hour >= $2",
        );
        let row = query.bind(feed.0).bind(since.0).fetch_one(&self.read).await;
        let row = row.map_err(failed)?;
        let row = Columns(&row);
        Ok(Spent {
            calls: row.count("calls")?,
            points: row.count("points")?,
        })
    }
}

impl SqlStore {
    fn points_before(&self, app: &str, hour: Hour) -> Option<HourPoints> {
        let known = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|(of, points)| of == app && points.hour == hour);
        known.map(|(_, points)| *points)
    }

    fn points_are(&self, app: &str, points: HourPoints) {
        *self.points.lock().unwrap_or_else(PoisonError::into_inner) = Some((app.to_owned(), points));
    }
}

async fn read(reader: &mut SqliteConnection, app: &str, hour: Hour) -> Result<Option<HourPoints>> {
    let query = sqlx::query("select * from points where app = $1 and hour = $2");
    let row = query.bind(app).bind(hour.0).fetch_optional(reader).await;
    row.map_err(failed)?.map(|row| hour_points(&row)).transpose()
}

/// Writes an hour's points, if they are still those of before; whether they were.
async fn write(connection: &mut SqliteConnection, app: &str, before: HourPoints, points: HourPoints) -> Result<bool> {
    let query = sqlx::query(
        "update points
         set calls = $3, spent = $4, reserved = $5, quota = $6, others = $7, closed_until = $8
         where app = $1 and hour = $2 and calls = $9 and spent = $10 and reserved = $11 and quota is $12 and others = $13
           and closed_until is $14",
    );
    let query = query.bind(app).bind(before.hour.0);
    let query = [points, before].into_iter().fold(query, |query, points| {
        query
            .bind(number(points.spent.calls))
            .bind(number(points.spent.points))
            .bind(number(points.reserved))
            .bind(points.quota.map(number))
            .bind(number(points.others))
            .bind(points.closed_until.map(|at| at.0))
    });
    let done = query.execute(connection).await.map_err(failed)?;
    Ok(done.rows_affected() > 0)
}

/// Adds to what a feed spent in the hour of `now`. A feed that is gone spends nothing more.
pub(crate) async fn spend(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    spent: Spent,
    now: Timestamp,
) -> Result<()> {
    if spent == Spent::default() {
        return Ok(());
    }
    sqlx::query(
        "insert into feed_points (feed_id, hour, calls, points)
         select id, $2, $3, $4 from feeds where id = $1
         on conflict (feed_id, hour) do update set
           calls = feed_points.calls + excluded.calls, points = feed_points.points + excluded.points",
    )
    .bind(feed.0)
    .bind(Hour::of(now).0)
    .bind(number(spent.calls))
    .bind(number(spent.points))
    .execute(transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Forgets hours that are long past, and those that a wrong clock wrote far ahead.
async fn forget_hours(transaction: &mut SqliteConnection, hour: Hour) -> Result<()> {
    for table in ["points", "feed_points"] {
        let sql = format!("delete from {table} where hour < $1 or hour > $2");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hour.0.saturating_sub(POINTS_LIFE_HOURS))
            .bind(hour.0.saturating_add(POINTS_LIFE_HOURS))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

fn hour_points(row: &SqliteRow) -> Result<HourPoints> {
    let row = Columns(row);
    Ok(HourPoints {
        hour: Hour(row.number("hour")?),
        spent: Spent {
            calls: row.count("calls")?,
            points: row.count("spent")?,
        },
        reserved: row.count("reserved")?,
        quota: row.maybe_number("quota")?.and_then(|quota| u64::try_from(quota).ok()),
        others: row.count("others")?,
        closed_until: row.maybe_instant("closed_until")?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        budget::{Allowance, QuotaSeen, Told},
        source::Urgency,
        store::{Feeds, Indexes},
    };

    use super::*;
    use crate::{SealingKey, SealingKeys};

    const HOUR: Hour = Hour(500_000);

    async fn store() -> SqlStore {
        SqlStore::in_memory(SealingKeys::new(SealingKey::generate()))
            .await
            .unwrap()
    }

    fn in_hour() -> Timestamp {
        Timestamp(HOUR.ends_at().0 - 1)
    }

    async fn reserve(store: &SqlStore, app: &str, price: u64) -> Result<()> {
        let promise =
            move |points: &mut HourPoints| points.reserve(Allowance::default(), price, Urgency::Person, in_hour());
        store.change_points(app, HOUR, &promise).await
    }

    #[tokio::test]
    async fn callers_at_the_same_time_never_promise_more_than_there_is() {
        let store = Arc::new(store().await);
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { reserve(&store, "a", 1_000).await.is_ok() })
            })
            .collect();
        let mut admitted = 0;
        for caller in callers {
            admitted += u64::from(caller.await.unwrap());
        }
        assert_eq!(admitted, 32);
        assert_eq!(store.hour_points("a", HOUR).await.unwrap().reserved, 32_000);
        assert!(reserve(&store, "another app", 1_000).await.is_ok());
    }

    #[tokio::test]
    async fn what_an_hour_knows_is_read_as_it_was_written() {
        let store = store().await;
        reserve(&store, "a", 251).await.unwrap();
        let told = Told {
            quota: Some(QuotaSeen {
                limit: 65_000,
                remaining: 40_000,
            }),
            closed_until: Some(in_hour()),
        };
        let settle = move |points: &mut HourPoints| {
            points.settle(251, 7, told);
            Ok(())
        };
        store.change_points("a", HOUR, &settle).await.unwrap();
        let expected = HourPoints {
            hour: HOUR,
            spent: Spent { calls: 1, points: 7 },
            reserved: 0,
            quota: Some(65_000),
            others: 24_993,
            closed_until: Some(in_hour()),
        };
        assert_eq!(store.hour_points("a", HOUR).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_refused_change_leaves_no_trace() {
        let store = store().await;
        reserve(&store, "a", 100).await.unwrap();
        let spoil = |points: &mut HourPoints| {
            points.reserved = 9_999;
            Err(Error::invalid("no"))
        };
        assert!(store.change_points("a", HOUR, &spoil).await.is_err());
        assert_eq!(store.hour_points("a", HOUR).await.unwrap().reserved, 100);
    }

    #[tokio::test]
    async fn what_another_process_wrote_meanwhile_counts() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SealingKeys::new(SealingKey::generate());
        let path = folder.path().join("circuit.db");
        let one = SqlStore::open(&path, keys.clone()).await.unwrap();
        let other = SqlStore::open(&path, keys).await.unwrap();
        for (store, price) in [(&one, 10_000), (&other, 12_000), (&one, 10_000)] {
            reserve(store, "a", price).await.unwrap();
        }
        assert_eq!(other.hour_points("a", HOUR).await.unwrap().reserved, 32_000);
        // One of them still takes the hour for full, the other knows better.
        assert!(reserve(&one, "a", 10_000).await.is_err());
        let settle = |points: &mut HourPoints| {
            points.settle(12_000, 0, Told::default());
            Ok(())
        };
        other.change_points("a", HOUR, &settle).await.unwrap();
        reserve(&one, "a", 10_000).await.unwrap();
        assert_eq!(one.hour_points("a", HOUR).await.unwrap().reserved, 30_000);
    }

    #[tokio::test]
    async fn hours_long_past_and_those_of_a_wrong_clock_are_forgotten() {
        let store = store().await;
        let nothing = |points: &mut HourPoints| {
            points.reserved = 1;
            Ok(())
        };
        for hour in [HOUR.0 + 49, HOUR.0 - 49, HOUR.0 - 48, HOUR.0] {
            store.change_points("a", Hour(hour), &nothing).await.unwrap();
        }
        let rows = sqlx::query("select hour from points order by hour");
        let rows = rows.fetch_all(&store.read).await.unwrap();
        let hours: Vec<i64> = rows
            .iter()
            .map(|row| Columns(row).number("hour").unwrap() - HOUR.0)
            .collect();
        assert_eq!(hours, [-48, 0]);
    }

    #[tokio::test]
    async fn a_feeds_day_is_the_sum_of_its_hours_and_a_feed_that_is_gone_spends_nothing() {
        let store = store().await;
        let index = store.create_index("Knowledge", "", Timestamp(1)).await.unwrap().id;
        let feed = store.create_feed(index, Timestamp(2)).await.unwrap().id;
        let spent = Spent { calls: 1, points: 10 };
        let at = |hours: i64| Timestamp(in_hour().0 + hours * 3_600_000);
        for hours in [-30, -1, 0, 0] {
            store.add_feed_spent(feed, spent, at(hours)).await.unwrap();
        }
        let today = store.feed_spent(feed, Hour(HOUR.0 - 2)).await.unwrap();
        assert_eq!(today, Spent { calls: 3, points: 30 });
        store.add_feed_spent(FeedId(99), spent, at(0)).await.unwrap();
        assert_eq!(store.feed_spent(FeedId(99), HOUR).await.unwrap(), Spent::default());
    }
}
