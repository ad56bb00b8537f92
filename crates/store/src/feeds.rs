//! Feeds, their spaces and their marks.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use domain::{
    ConnectionId, Error, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    cursor::{Checkpoint, Cursor, Mark, Stream},
    document::DocumentKind,
    feed::{Feed, FeedState, Park, Schedule},
    site::Site,
    space::{Estimate, FeedSpace, Space, SpaceSeen},
    store::Feeds,
};
use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    record::touch,
    rows::Columns,
};

#[async_trait]
impl Feeds for SqlStore {
    async fn create_feed(&self, index: IndexId, now: Timestamp) -> Result<Feed> {
        let row = sqlx::query(
            "insert into feeds (index_id, state, state_at, created_at) values ($1, 'connecting', $2, $2) returning *",
        )
        .bind(index.0)
        .bind(now.0)
        .fetch_one(&self.write)
        .await
        .map_err(failed)?;
        Columns(&row).feed()
    }

    async fn feed(&self, id: FeedId) -> Result<Feed> {
        let row = sqlx::query("select * from feeds where id = $1")
            .bind(id.0)
            .fetch_one(&self.read)
            .await;
        Columns(&row.map_err(missing(format!("feed {id}")))?).feed()
    }

    async fn feeds(&self, index: IndexId) -> Result<Vec<Feed>> {
        let rows = sqlx::query("select * from feeds where index_id = $1 order by id").bind(index.0);
        rows.fetch_all(&self.read)
            .await
            .map_err(failed)?
            .iter()
            .map(|row| Columns(row).feed())
            .collect()
    }

    async fn all_feeds(&self) -> Result<Vec<Feed>> {
        let rows = sqlx::query("select * from feeds order by id")
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| Columns(row).feed()).collect()
    }

    async fn set_feed_state(&self, id: FeedId, state: &FeedState) -> Result<()> {
        let Written { word, at, why, ending } = written(state);
        // A removed feed stays removed: a run that ends late does not bring it back.
        let query = sqlx::query(
            "update feeds set state = $2, state_at = $3, state_why = $4, state_ending = $5
             where id = $1 and state <> 'removed'",
        );
        let query = query.bind(id.0).bind(word).bind(at).bind(why).bind(ending);
        self.change(query).await
    }

    async fn park_feed(&self, id: FeedId, park: &Park) -> Result<()> {
        let parked = FeedState::Parked(park.clone());
        let Written { word, at, why, ending } = written(&parked);
        let query = sqlx::query(
            "update feeds set state = $2, state_at = $3, state_why = $4, state_ending = $5
             where id = $1 and state = 'active'",
        );
        let query = query.bind(id.0).bind(word).bind(at).bind(why).bind(ending);
        self.change(query).await
    }

    async fn unpark_feed(&self, id: FeedId) -> Result<()> {
        let query = sqlx::query(
            "update feeds set state = 'active', state_at = null, state_why = null
             where id = $1 and state in ('quota_spent', 'misconfigured')",
        );
        self.change(query.bind(id.0)).await
    }

    async fn set_feed_schedule(&self, id: FeedId, schedule: &Schedule) -> Result<()> {
        let query = sqlx::query(
            "update feeds set changes_every_ms = $2, walk_every_ms = $3, probe_every_ms = $4 where id = $1",
        );
        let query = query.bind(id.0).bind(milliseconds(schedule.changes_every));
        let query = query.bind(schedule.walk_every.map(milliseconds));
        self.change(query.bind(schedule.probe_every.map(milliseconds))).await
    }

    async fn hold_whole(&self, id: FeedId, until: Timestamp) -> Result<()> {
        let query = sqlx::query("update feeds set whole_waits_until = $2 where id = $1");
        self.change(query.bind(id.0).bind(until.0)).await
    }

    async fn set_feed_connection(&self, id: FeedId, connection: ConnectionId) -> Result<()> {
        self.change(
            sqlx::query("update feeds set connection_id = $2 where id = $1")
                .bind(id.0)
                .bind(connection.0),
        )
        .await
    }

    async fn set_feed_site(&self, id: FeedId, site: &Site) -> Result<()> {
        let scopes = site.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let query = sqlx::query(
            "update feeds set site_id = $2, site_name = $3, site_url = $4, site_scopes = $5
                 where id = $1
                   and (site_id = $2 or not exists (select 1 from feed_spaces where feed_spaces.feed_id = feeds.id))",
        );
        self.change(
            query
                .bind(id.0)
                .bind(site.id.as_str())
                .bind(&site.name)
                .bind(&site.url)
                .bind(scopes),
        )
        .await
    }

    async fn add_feed_spaces(
        &self,
        id: FeedId,
        site: &SiteId,
        spaces: &[(Space, Option<Estimate>)],
        now: Timestamp,
    ) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let same = sqlx::query("select 1 from feeds where id = $1 and site_id = $2 and state <> 'removed'");
        let same = same
            .bind(id.0)
            .bind(site.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if same.is_none() {
            return Err(Error::conflict(
                "another site was chosen meanwhile; choose the spaces again",
            ));
        }
        for (space, estimate) in spaces {
            let figures = estimate.unwrap_or_default();
            sqlx::query(
                "insert into feed_spaces
                   (feed_id, space_id, key, name, kind, added_at, estimated, pages, blog_posts, comments, attachments)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 on conflict (feed_id, space_id) do nothing",
            )
            .bind(id.0)
            .bind(space.id.as_str())
            .bind(&space.key)
            .bind(&space.name)
            .bind(&space.kind)
            .bind(now.0)
            .bind(i64::from(estimate.is_some()))
            .bind(number(figures.pages))
            .bind(number(figures.blog_posts))
            .bind(number(figures.comments))
            .bind(number(figures.attachments))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn feed_spaces(&self, id: FeedId) -> Result<Vec<FeedSpace>> {
        let rows = sqlx::query(
            "select feed_spaces.*,
               (select count(*) from documents
                where documents.feed_id = feed_spaces.feed_id and documents.space_id = feed_spaces.space_id
                  and removed is null) as documents
             from feed_spaces where feed_id = $1 order by key",
        )
        .bind(id.0)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        let mut spaces = rows
            .iter()
            .map(|row| Columns(row).feed_space())
            .collect::<Result<Vec<_>>>()?;
        let walked = sqlx::query("select space_id, kind, at from walked where feed_id = $1").bind(id.0);
        for row in walked.fetch_all(&self.read).await.map_err(failed)? {
            let row = Columns(&row);
            let space = row.text("space_id")?;
            if let Some(of) = spaces.iter_mut().find(|of| of.space.id.as_str() == space) {
                of.walked
                    .insert(DocumentKind::from_word(&row.text("kind")?)?, row.instant("at")?);
            }
        }
        Ok(spaces)
    }

    async fn set_space_imported(&self, id: FeedId, space: &SpaceId, at: Timestamp) -> Result<()> {
        let mut transaction = self.claimed().await?;
        let imported = sqlx::query(
            "update feed_spaces set imported_at = $3 where feed_id = $1 and space_id = $2 and imported_at is null",
        );
        let imported = imported.bind(id.0).bind(space.as_str()).bind(at.0);
        imported.execute(&mut *transaction).await.map_err(failed)?;
        for kind in DocumentKind::ALL {
            let walked = sqlx::query(
                "insert into walked (feed_id, space_id, kind, at) values ($1, $2, $3, $4)
                 on conflict (feed_id, space_id, kind) do nothing",
            );
            let walked = walked.bind(id.0).bind(space.as_str()).bind(kind.word()).bind(at.0);
            walked.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn set_space_suspended(&self, id: FeedId, space: &SpaceId, at: Option<Timestamp>) -> Result<()> {
        // Since when it was first noticed, however often it is noticed again.
        let query = sqlx::query(
            "update feed_spaces set suspended_at = case when $3 is null then null else min(coalesce(suspended_at, $3), $3) end
             where feed_id = $1 and space_id = $2",
        );
        self.change(query.bind(id.0).bind(space.as_str()).bind(at.map(|at| at.0)))
            .await
    }

    async fn suspended_spaces(&self, index: IndexId) -> Result<BTreeSet<(FeedId, SpaceId)>> {
        let rows = sqlx::query(
            "select feed_id, space_id from feed_spaces join feeds on feeds.id = feed_spaces.feed_id
             where feeds.index_id = $1 and suspended_at is not null",
        );
        let rows = rows.bind(index.0).fetch_all(&self.read).await.map_err(failed)?;
        let place = |row| {
            Ok((
                FeedId(Columns(row).number("feed_id")?),
                SpaceId(Columns(row).text("space_id")?),
            ))
        };
        rows.iter().map(place).collect()
    }

    async fn set_space_seen(&self, id: FeedId, seen: &SpaceSeen) -> Result<()> {
        let mut transaction = self.claimed().await?;
        let renamed = sqlx::query(
            "update feed_spaces set key = $3, name = $4
             where feed_id = $1 and space_id = $2 and (key <> $3 or name <> $4)",
        );
        let renamed = renamed
            .bind(id.0)
            .bind(seen.space.id.as_str())
            .bind(&seen.space.key)
            .bind(&seen.space.name)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let archived =
            sqlx::query("update feed_spaces set archived = $3 where feed_id = $1 and space_id = $2 and archived <> $3");
        archived
            .bind(id.0)
            .bind(seen.space.id.as_str())
            .bind(i64::from(seen.archived))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if renamed.rows_affected() > 0 {
            let rows = sqlx::query(
                "select index_id, content_id from documents
                 where feed_id = $1 and space_id = $2 and removed is null order by content_id",
            );
            let rows = rows.bind(id.0).bind(seen.space.id.as_str());
            let rows = rows.fetch_all(&mut *transaction).await.map_err(failed)?;
            if let Some(first) = rows.first() {
                let index = Columns(first).number("index_id")?;
                let documents = rows.iter().map(|row| Ok((id.0, Columns(row).text("content_id")?)));
                touch(&mut transaction, index, &documents.collect::<Result<Vec<_>>>()?).await?;
            }
        }
        transaction.commit().await.map_err(failed)
    }

    async fn changes_until(&self, id: FeedId) -> Result<Option<Timestamp>> {
        let row = sqlx::query("select changes_until from feeds where id = $1").bind(id.0);
        let row = row.fetch_one(&self.read).await.map_err(missing(format!("feed {id}")))?;
        Columns(&row).maybe_instant("changes_until")
    }

    async fn set_changes_until(&self, id: FeedId, until: Timestamp) -> Result<()> {
        let query = sqlx::query("update feeds set changes_until = max(coalesce(changes_until, $2), $2) where id = $1");
        self.change(query.bind(id.0).bind(until.0)).await
    }

    async fn forget_walks(&self, id: FeedId) -> Result<()> {
        self.change(sqlx::query("delete from walked where feed_id = $1").bind(id.0))
            .await
    }

    async fn checkpoint(&self, id: FeedId) -> Result<Checkpoint> {
        let rows = sqlx::query("select space_id, kind, cursor from marks where feed_id = $1").bind(id.0);
        let rows = rows.fetch_all(&self.read).await.map_err(failed)?;
        let mark = |row: &_| {
            let row = Columns(row);
            let stream = Stream {
                space: SpaceId(row.text("space_id")?),
                kind: DocumentKind::from_word(&row.text("kind")?)?,
            };
            Ok((
                stream,
                row.maybe_text("cursor")?
                    .map_or(Mark::Done, |cursor| Mark::At(Cursor(cursor))),
            ))
        };
        rows.iter().map(mark).collect::<Result<_>>().map(Checkpoint)
    }

    async fn clear_checkpoint(&self, id: FeedId) -> Result<()> {
        self.change(sqlx::query("delete from marks where feed_id = $1").bind(id.0))
            .await
    }

    async fn delete_feed(&self, id: FeedId) -> Result<()> {
        let query =
            sqlx::query("delete from feeds where id = $1 and not exists (select 1 from documents where feed_id = $1)");
        match query
            .bind(id.0)
            .execute(&self.write)
            .await
            .map_err(failed)?
            .rows_affected()
        {
            0 => Err(Error::conflict(format!("feed {id} has documents or does not exist"))),
            _ => Ok(()),
        }
    }
}

impl SqlStore {
    pub(crate) async fn change(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<()> {
        let mut transaction = self.claimed().await?;
        query.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn milliseconds(every: Duration) -> i64 {
    i64::try_from(every.as_millis()).unwrap_or(i64::MAX)
}

/// How a state stands in a row.
struct Written {
    word: &'static str,
    at: Option<i64>,
    why: Option<String>,
    ending: Option<&'static str>,
}

fn written(state: &FeedState) -> Written {
    let only = |word| Written {
        word,
        at: None,
        why: None,
        ending: None,
    };
    match state {
        FeedState::Connecting { since } => Written {
            at: Some(since.0),
            ..only("connecting")
        },
        FeedState::ChoosingSite => only("choosing_site"),
        FeedState::ChoosingSpaces => only("choosing_spaces"),
        FeedState::Active => only("active"),
        FeedState::Paused => only("paused"),
        FeedState::Removed => only("removed"),
        FeedState::Parked(Park::QuotaSpent { until }) => Written {
            at: Some(until.0),
            ..only("quota_spent")
        },
        FeedState::Parked(Park::Misconfigured { why, until }) => Written {
            at: Some(until.0),
            why: Some(why.clone()),
            ..only("misconfigured")
        },
        FeedState::Parked(Park::NeedsReconnect { ending, why }) => Written {
            why: Some(why.clone()),
            ending: Some(ending.word()),
            ..only("needs_reconnect")
        },
        FeedState::Parked(Park::NeedsScopes { missing }) => Written {
            why: Some(missing.join(" ")),
            ..only("needs_scopes")
        },
        FeedState::Parked(Park::AccessLost { ending, why }) => Written {
            why: Some(why.clone()),
            ending: Some(ending.word()),
            ..only("access_lost")
        },
        FeedState::Parked(Park::Withdrawn { why }) => Written {
            why: Some(why.clone()),
            ..only("withdrawn")
        },
    }
}
