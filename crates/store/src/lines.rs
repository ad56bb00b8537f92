//! The ways to the database: a pool of connections to a file, or the one connection to a database in memory.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use futures::{
    StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Either, Execute, Executor, SqlStr, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Where statements go. Clones share it.
#[derive(Clone)]
pub(crate) enum Lines {
    Pool(SqlitePool),
    /// Nothing about it can be dead, and so it is not asked: a pool asks at every return, which would be as many statements
    /// again as a simulated world makes.
    Only(Arc<Mutex<Only>>),
}

/// The only connection to a database in memory.
pub(crate) struct Only {
    connection: SqliteConnection,
    /// A transaction was begun, and nobody ended it.
    open: bool,
}

/// A connection, as long as it is held.
pub(crate) enum Line {
    Pooled(PoolConnection<Sqlite>),
    Only(OwnedMutexGuard<Only>),
}

/// A transaction; without a commit it leaves no trace.
pub(crate) enum Writing {
    Pooled(Transaction<'static, Sqlite>),
    Only(OwnedMutexGuard<Only>),
}

impl Lines {
    pub fn only(connection: SqliteConnection) -> Self {
        let open = false;
        Self::Only(Arc::new(Mutex::new(Only { connection, open })))
    }

    pub async fn acquire(&self) -> sqlx::Result<Line> {
        match self {
            Self::Pool(pool) => Ok(Line::Pooled(pool.acquire().await?)),
            Self::Only(only) => {
                let mut only = only.clone().lock_owned().await;
                if only.open {
                    // SQLite may have done so by itself; should it be open still, no other can be begun.
                    let _ = sqlx::query("rollback").execute(&mut only.connection).await;
                    only.open = false;
                }
                Ok(Line::Only(only))
            }
        }
    }

    pub async fn begin(&self) -> sqlx::Result<Writing> {
        let mut only = match self {
            Self::Pool(pool) => return Ok(Writing::Pooled(pool.begin().await?)),
            Self::Only(_) => match self.acquire().await? {
                Line::Only(only) => only,
                Line::Pooled(_) => return Err(sqlx::Error::PoolClosed),
            },
        };
        only.open = true;
        sqlx::query("begin").execute(&mut only.connection).await?;
        Ok(Writing::Only(only))
    }

    pub async fn close(&self) {
        if let Self::Pool(pool) = self {
            pool.close().await;
        }
    }
}

impl Writing {
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Pooled(transaction) => transaction.commit().await,
            Self::Only(mut only) => {
                sqlx::query("commit").execute(&mut only.connection).await?;
                only.open = false;
                Ok(())
            }
        }
    }
}

impl Deref for Line {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Only(only) => &only.connection,
        }
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Only(only) => &mut only.connection,
        }
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Pooled(transaction) => transaction,
            Self::Only(only) => &only.connection,
        }
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(transaction) => transaction,
            Self::Only(only) => &mut only.connection,
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pool(_) => "Lines::Pool",
            Self::Only(_) => "Lines::Only",
        })
    }
}

impl<'l> Executor<'l> for &'l Lines {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<SqliteQueryResult, SqliteRow>>>
    where
        E: 'q + Execute<'q, Sqlite>,
    {
        if let Lines::Pool(pool) = self {
            return pool.fetch_many(query);
        }
        let lines = self.clone();
        let answers = async move {
            let mut line = lines.acquire().await?;
            let answers: Vec<_> = line.fetch_many(query).try_collect().await?;
            Ok::<_, sqlx::Error>(stream::iter(answers.into_iter().map(Ok)))
        };
        stream::once(answers).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<SqliteRow>>>
    where
        E: 'q + Execute<'q, Sqlite>,
    {
        let lines = self.clone();
        Box::pin(async move { lines.acquire().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<SqliteStatement>>
    where
        'l: 'e,
    {
        let lines = self.clone();
        Box::pin(async move { lines.acquire().await?.prepare_with(sql, parameters).await })
    }
}
