//! Accounts, sessions, API keys.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use domain::{
    ApiKeyId, Error, ErrorKind, IndexId, Result, Timestamp, UserId,
    store::{NewApiKey, NewUser, Users},
    user::{ApiKey, KeyLimits, KeyRight, SESSION_LIFE, User},
};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    rows::Columns,
};

/// A session that seems to live longer than any by more than this was opened by a clock that was wrong then.
const CLOCK_ERROR_MAX: Duration = Duration::from_secs(24 * 3600);
/// How often the last use of an API key is written.
const KEY_USE_NOTED: Duration = Duration::from_secs(60);

#[async_trait]
impl Users for SqlStore {
    async fn create_user(&self, user: &NewUser<'_>, now: Timestamp) -> Result<User> {
        let row = sqlx::query(
            "insert into users (email, name, password_hash, role, created_at)
             select $1, $2, $3, $4, $5 where $6 = 0 or not exists (select 1 from users) returning *",
        )
        .bind(user.email)
        .bind(user.name)
        .bind(user.password_hash)
        .bind(user.role.word())
        .bind(now.0)
        .bind(i64::from(user.first_only))
        .fetch_optional(&self.write)
        .await
        .map_err(|error| {
            let error = failed(error);
            match error.kind {
                ErrorKind::Conflict => Error::conflict(format!("there is an account for {} already", user.email)),
                _ => error,
            }
        })?;
        let row = row.ok_or_else(|| Error::conflict("the administrator's account was made already; sign in"))?;
        Columns(&row).user()
    }

    async fn user(&self, id: UserId) -> Result<User> {
        let row = sqlx::query("select * from users where id = $1")
            .bind(id.0)
            .fetch_one(&self.read)
            .await;
        Columns(&row.map_err(missing(format!("user {id}")))?).user()
    }

    async fn users(&self) -> Result<Vec<User>> {
        let rows = sqlx::query("select * from users order by email")
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| Columns(row).user()).collect()
    }

    async fn any_user(&self) -> Result<bool> {
        let row = sqlx::query("select exists (select 1 from users)")
            .fetch_one(&self.read)
            .await
            .map_err(failed)?;
        Ok(row.try_get::<i64, _>(0).map_err(failed)? != 0)
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>> {
        let row = sqlx::query("select * from users where email = $1")
            .bind(email)
            .fetch_optional(&self.read)
            .await;
        row.map_err(failed)?
            .map(|row| Ok((Columns(&row).user()?, Columns(&row).text("password_hash")?)))
            .transpose()
    }

    async fn create_session(&self, digest: &str, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<()> {
        let expired = sqlx::query("delete from sessions where expires_at <= $1");
        self.change(expired.bind(now.0)).await?;
        let query = sqlx::query("insert into sessions (digest, user_id, expires_at) values ($1, $2, $3)");
        self.change(query.bind(digest).bind(user.0).bind(expires_at.0)).await
    }

    async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<User>> {
        let row = sqlx::query(
            "select users.* from sessions join users on users.id = sessions.user_id
             where digest = $1 and expires_at > $2 and expires_at <= $3",
        );
        let row = row
            .bind(digest)
            .bind(now.0)
            .bind(now.plus(SESSION_LIFE + CLOCK_ERROR_MAX).0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        row.map(|row| Columns(&row).user()).transpose()
    }

    async fn delete_session(&self, digest: &str) -> Result<()> {
        self.change(sqlx::query("delete from sessions where digest = $1").bind(digest))
            .await
    }

    async fn create_api_key(&self, key: &NewApiKey<'_>, now: Timestamp) -> Result<ApiKey> {
        let row = sqlx::query(
            "insert into api_keys (user_id, name, prefix, digest, created_at, index_ids, right_word, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) returning *",
        )
        .bind(key.user.0)
        .bind(key.name)
        .bind(key.prefix)
        .bind(key.digest)
        .bind(now.0)
        .bind(key.limits.indexes.as_ref().map(between_spaces))
        .bind(key.limits.right.word())
        .bind(key.limits.expires_at.map(|at| at.0))
        .fetch_one(&self.write)
        .await
        .map_err(failed)?;
        api_key(&row)
    }

    async fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>> {
        let rows = sqlx::query("select * from api_keys where user_id = $1 order by id").bind(user.0);
        rows.fetch_all(&self.read)
            .await
            .map_err(failed)?
            .iter()
            .map(api_key)
            .collect()
    }

    async fn user_by_api_key(&self, digest: &str, now: Timestamp) -> Result<Option<(User, ApiKey)>> {
        let row = sqlx::query("select * from api_keys where digest = $1");
        let row = row.bind(digest).fetch_optional(&self.read).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let key = api_key(&row)?;
        let user = match self.user(key.user).await {
            Ok(user) => user,
            // Deleted meanwhile, and the key with it.
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        // Reading must not cost a write each time.
        let noted = |last: Timestamp| now.is_within(KEY_USE_NOTED, last);
        if !key.limits.are_over(now) && !key.last_used_at.is_some_and(noted) {
            let query = sqlx::query("update api_keys set last_used_at = $2 where id = $1");
            self.change(query.bind(key.id.0).bind(now.0)).await?;
        }
        Ok(Some((user, key)))
    }

    async fn delete_api_key(&self, user: UserId, id: ApiKeyId) -> Result<()> {
        let query = sqlx::query("delete from api_keys where id = $1 and user_id = $2")
            .bind(id.0)
            .bind(user.0);
        match query.execute(&self.write).await.map_err(failed)?.rows_affected() {
            0 => Err(Error::not_found(format!("API key {id} does not exist"))),
            _ => Ok(()),
        }
    }
}

fn api_key(row: &SqliteRow) -> Result<ApiKey> {
    let row = Columns(row);
    Ok(ApiKey {
        id: ApiKeyId(row.number("id")?),
        user: UserId(row.number("user_id")?),
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        limits: KeyLimits {
            indexes: row.maybe_text("index_ids")?.as_deref().map(indexes).transpose()?,
            right: KeyRight::from_word(&row.text("right_word")?)
                .map_err(|error| Error::internal("an API key in the store has an unknown right").because(error))?,
            expires_at: row.maybe_instant("expires_at")?,
        },
        created_at: row.instant("created_at")?,
        last_used_at: row.maybe_instant("last_used_at")?,
    })
}

fn between_spaces(indexes: &BTreeSet<IndexId>) -> String {
    let ids: Vec<String> = indexes.iter().map(IndexId::to_string).collect();
    ids.join(" ")
}

fn indexes(between_spaces: &str) -> Result<BTreeSet<IndexId>> {
    between_spaces.split_whitespace().map(str::parse).collect()
}
