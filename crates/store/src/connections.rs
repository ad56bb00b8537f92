//! Connections: grants with their tokens sealed, the lease on refreshing them, and people on their way.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use domain::{
    ConnectionId, Error, FeedId, Result, Secret, Timestamp,
    connection::{Connection, ConnectionState, Grant, Reconnection},
    document::Person,
    store::{Authorization, Connections},
};

use sqlx::SqliteConnection;

use crate::{
    SqlStore,
    dialect::{failed, missing},
    rows::Columns,
};

/// How long a way to Atlassian that was not finished is remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

#[async_trait]
impl Connections for SqlStore {
    async fn begin_authorization(&self, authorization: &Authorization) -> Result<()> {
        // Those that nobody came back for. They outlive their time by a day, so that a late callback can be told why.
        let forgotten = sqlx::query("delete from authorizations where expires_at < $1");
        let day_before = authorization.expires_at.minus(FORGOTTEN_AFTER);
        self.change(forgotten.bind(day_before.0)).await?;
        sqlx::query(
            "insert into authorizations (state_digest, session_digest, feed_id, expires_at) values ($1, $2, $3, $4)",
        )
        .bind(&authorization.state_digest)
        .bind(&authorization.session_digest)
        .bind(authorization.feed.0)
        .bind(authorization.expires_at.0)
        .execute(&self.write)
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn take_authorization(&self, state_digest: &str) -> Result<Option<Authorization>> {
        let row = sqlx::query("delete from authorizations where state_digest = $1 returning *")
            .bind(state_digest)
            .fetch_optional(&self.write)
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let row = Columns(&row);
        Ok(Some(Authorization {
            state_digest: row.text("state_digest")?,
            session_digest: row.text("session_digest")?,
            feed: FeedId(row.number("feed_id")?),
            expires_at: row.instant("expires_at")?,
        }))
    }

    async fn create_connection(&self, grant: &Grant, now: Timestamp) -> Result<Connection> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let row = sqlx::query(
            "insert into connections (state, scopes, expires_at, created_at, refreshed_at)
             values ('active', $1, $2, $3, $3) returning *",
        )
        .bind(words(grant))
        .bind(grant.expires_at.0)
        .bind(now.0)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
        let connection = Columns(&row).connection()?;
        // The seal is bound to the row's id, which is known only now.
        sqlx::query("update connections set access_token = $2, refresh_token = $3 where id = $1")
            .bind(connection.id.0)
            .bind(
                self.keys
                    .seal(&place(connection.id, "access_token"), &grant.access_token)?,
            )
            .bind(self.sealed_refresh_token(connection.id, grant)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(connection)
    }

    async fn connection(&self, id: ConnectionId) -> Result<Connection> {
        let row = sqlx::query("select * from connections where id = $1")
            .bind(id.0)
            .fetch_one(&self.read)
            .await;
        Columns(&row.map_err(missing(format!("connection {id}")))?).connection()
    }

    async fn set_connection_account(&self, id: ConnectionId, person: &Person) -> Result<()> {
        sqlx::query("update connections set account = $2, account_name = $3 where id = $1")
            .bind(id.0)
            .bind(person.account.as_str())
            .bind(&person.name)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn set_connection_state(&self, id: ConnectionId, state: &ConnectionState) -> Result<()> {
        let (word, ending, why) = match state {
            ConnectionState::Active => ("active", None, None),
            ConnectionState::NeedsReconnect { ending, why } => ("needs_reconnect", Some(ending.word()), Some(why)),
            ConnectionState::Removed => ("removed", None, None),
        };
        // One that was removed stays removed: a refresh that ends late does not bring it back.
        sqlx::query("update connections set state = $2, ending = $3, why = $4 where id = $1 and state <> 'removed'")
            .bind(id.0)
            .bind(word)
            .bind(ending)
            .bind(why)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn grant(&self, id: ConnectionId) -> Result<Grant> {
        // Read where it is written: a token that was just replaced must not be read from an older snapshot.
        let row = sqlx::query("select * from connections where id = $1")
            .bind(id.0)
            .fetch_one(&self.write)
            .await;
        let row = row.map_err(missing(format!("connection {id}")))?;
        let row = Columns(&row);
        let Some(access_token) = row.maybe_text("access_token")? else {
            return Err(Error::unauthenticated(
                "this connection's tokens were deleted; reconnect",
            ));
        };
        let refresh_token = row.maybe_text("refresh_token")?;
        Ok(Grant {
            access_token: self.keys.open(&place(id, "access_token"), &access_token)?,
            expires_at: row.instant("expires_at")?,
            refresh_token: refresh_token
                .map(|token| self.keys.open(&place(id, "refresh_token"), &token))
                .transpose()?,
            scopes: row.connection()?.scopes,
        })
    }

    async fn save_grant(&self, id: ConnectionId, spent: &Secret, grant: &Grant, now: Timestamp) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let row = sqlx::query("select state, refresh_token from connections where id = $1")
            .bind(id.0)
            .fetch_one(&mut *transaction)
            .await;
        let row = row.map_err(missing(format!("connection {id}")))?;
        let row = Columns(&row);
        if row.text("state")? == "removed" {
            return Err(Error::unauthenticated("this connection was removed"));
        }
        let held = row.maybe_text("refresh_token")?;
        let held = held
            .map(|token| self.keys.open(&place(id, "refresh_token"), &token))
            .transpose()?;
        if held.as_ref() != Some(spent) {
            return Err(Error::conflict(format!(
                "the tokens of connection {id} were replaced meanwhile"
            )));
        }
        sqlx::query(
            "update connections
             set access_token = $2, refresh_token = $3, expires_at = $4, scopes = $5, refreshed_at = $6,
               state = 'active', ending = null, why = null
             where id = $1",
        )
        .bind(id.0)
        .bind(self.keys.seal(&place(id, "access_token"), &grant.access_token)?)
        .bind(self.sealed_refresh_token(id, grant)?)
        .bind(grant.expires_at.0)
        .bind(words(grant))
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn delete_grant(&self, id: ConnectionId) -> Result<()> {
        let query = sqlx::query(
            "update connections
             set access_token = null, refresh_token = null, state = 'removed', ending = null, why = null
             where id = $1",
        );
        self.change(query.bind(id.0)).await
    }

    async fn delete_stray_grants(&self, before: Timestamp) -> Result<u64> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let unanswered = sqlx::query("delete from reconnections where asked_at < $1").bind(before.0);
        unanswered.execute(&mut *transaction).await.map_err(failed)?;
        let stray = sqlx::query(
            "update connections
             set access_token = null, refresh_token = null, state = 'removed', ending = null, why = null
             where access_token is not null and created_at < $1
               and not exists (select 1 from feeds where feeds.connection_id = connections.id and feeds.state <> 'removed')
               and not exists (select 1 from reconnections where reconnections.connection_id = connections.id)",
        );
        let stray = stray.bind(before.0).execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(stray.rows_affected())
    }

    async fn ask_reconnection(&self, feed: FeedId, reconnection: &Reconnection) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let before = sqlx::query("delete from reconnections where feed_id = $1 returning connection_id").bind(feed.0);
        if let Some(before) = before.fetch_optional(&mut *transaction).await.map_err(failed)? {
            let tokens = sqlx::query(
                "update connections
                 set access_token = null, refresh_token = null, state = 'removed', ending = null, why = null
                 where id = $1",
            );
            let tokens = tokens.bind(Columns(&before).number("connection_id")?);
            tokens.execute(&mut *transaction).await.map_err(failed)?;
        }
        sqlx::query(
            "insert into reconnections
               (feed_id, connection_id, account, account_name, site_id, site_name, site_url, site_scopes, asked_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(feed.0)
        .bind(reconnection.connection.0)
        .bind(reconnection.person.account.as_str())
        .bind(&reconnection.person.name)
        .bind(reconnection.site.id.as_str())
        .bind(&reconnection.site.name)
        .bind(&reconnection.site.url)
        .bind(spaced(&reconnection.site.scopes))
        .bind(reconnection.asked_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        for space in &reconnection.hidden {
            sqlx::query(
                "insert into reconnection_spaces (feed_id, space_id, key, name, kind) values ($1, $2, $3, $4, $5)",
            )
            .bind(feed.0)
            .bind(space.id.as_str())
            .bind(&space.key)
            .bind(&space.name)
            .bind(&space.kind)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>> {
        let mut reader = self.read.begin().await.map_err(failed)?;
        asked(&mut reader, feed).await
    }

    async fn take_reconnection(&self, feed: FeedId) -> Result<Option<Reconnection>> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let reconnection = asked(&mut transaction, feed).await?;
        let gone = sqlx::query("delete from reconnections where feed_id = $1").bind(feed.0);
        gone.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(reconnection)
    }

    async fn lease_grant(&self, id: ConnectionId, holder: &str, now: Timestamp, lease: Duration) -> Result<bool> {
        let done = sqlx::query(
            "update connections set lease_holder = $2, lease_until = $4
             where id = $1 and (lease_holder is null or lease_holder = $2 or lease_until <= $3 or lease_until > $5)",
        )
        .bind(id.0)
        .bind(holder)
        .bind(now.0)
        .bind(now.plus(lease).0)
        .bind(now.plus(lease * 2).0)
        .execute(&self.write)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn release_grant(&self, id: ConnectionId, holder: &str) -> Result<()> {
        sqlx::query(
            "update connections set lease_holder = null, lease_until = null where id = $1 and lease_holder = $2",
        )
        .bind(id.0)
        .bind(holder)
        .execute(&self.write)
        .await
        .map_err(failed)?;
        Ok(())
    }
}

impl SqlStore {
    fn sealed_refresh_token(&self, id: ConnectionId, grant: &Grant) -> Result<Option<String>> {
        let seal = |token: &Secret| self.keys.seal(&place(id, "refresh_token"), token);
        grant.refresh_token.as_ref().map(seal).transpose()
    }
}

/// The question that waits for an answer, with its spaces by key.
async fn asked(reader: &mut SqliteConnection, feed: FeedId) -> Result<Option<Reconnection>> {
    let row = sqlx::query("select * from reconnections where feed_id = $1").bind(feed.0);
    let Some(row) = row.fetch_optional(&mut *reader).await.map_err(failed)? else {
        return Ok(None);
    };
    let spaces = sqlx::query("select * from reconnection_spaces where feed_id = $1 order by key").bind(feed.0);
    let spaces = spaces.fetch_all(&mut *reader).await.map_err(failed)?;
    Ok(Some(Reconnection {
        hidden: spaces.iter().map(|row| Columns(row).space()).collect::<Result<_>>()?,
        ..Columns(&row).reconnection()?
    }))
}

fn place(id: ConnectionId, column: &str) -> String {
    format!("connections/{id}/{column}")
}

fn words(grant: &Grant) -> String {
    spaced(&grant.scopes)
}

fn spaced(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
