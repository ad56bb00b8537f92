//! What is SQLite's own: opening, pragmas, migrations, and what its errors mean.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{Error, ErrorKind, Result, budget::HourPoints, job::Claim};
use sqlx::{
    Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{SealingKeys, lines::Lines};

/// Connections that read at the same time.
const READERS_MAX: u32 = 4;
/// Statements that a connection keeps prepared: more than the store has.
const STATEMENTS_KEPT: usize = 256;
/// How long a statement waits for another process's lock. Ours are serialized by the pool of one.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// In order; a file never changes once it was released.
pub(crate) const MIGRATIONS: [&str; 11] = [
    include_str!("migrations/0001_beginning.sql"),
    include_str!("migrations/0002_walks.sql"),
    include_str!("migrations/0003_points.sql"),
    include_str!("migrations/0005_grants.sql"),
    include_str!("migrations/0006_explaining.sql"),
    include_str!("migrations/0007_waits.sql"),
    include_str!("migrations/0008_files.sql"),
    include_str!("migrations/0009_mentions.sql"),
    include_str!("migrations/0010_keys.sql"),
    include_str!("migrations/0011_given_answers.sql"),
    include_str!("migrations/0012_mentions_of_before.sql"),
];

/// The store. Writing goes through one connection, so that writers queue here and never meet a locked database.
#[derive(Clone)]
pub struct SqlStore {
    pub(crate) write: Lines,
    pub(crate) read: Lines,
    pub(crate) keys: SealingKeys,
    /// On behalf of which claim it writes: refused once that is lost. Without one, whatever is written is written.
    pub(crate) claim: Option<Claim>,
    /// An app's points as this process wrote them last: most likely they still are.
    pub(crate) points: Arc<Mutex<Option<(String, HourPoints)>>>,
}

impl SqlStore {
    /// Opens or makes the database and brings it to this version. What is acknowledged survives a power cut.
    pub async fn open(path: &Path, keys: SealingKeys) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .busy_timeout(BUSY_WAIT);
        let write = pooled(1).connect_with(options.clone()).await;
        let write = Lines::Pool(write.map_err(failed)?);
        migrate(&write).await?;
        let read = pooled(READERS_MAX).connect_with(options).await;
        Ok(Self {
            write,
            read: Lines::Pool(read.map_err(failed)?),
            keys,
            claim: None,
            points: Arc::default(),
        })
    }

    /// Ends every connection; what was written is in the one file then.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// A store that is gone when it is dropped.
    pub async fn in_memory(keys: SealingKeys) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS_KEPT);
        let only = SqliteConnection::connect_with(&options).await;
        let only = Lines::only(only.map_err(failed)?);
        migrate(&only).await?;
        Ok(Self {
            write: only.clone(),
            read: only,
            keys,
            claim: None,
            points: Arc::default(),
        })
    }
}

impl SqlStore {
    /// Makes a store in memory as it was when it was made, which takes a tenth of the time of making another: for whoever
    /// needs thousands. A store with a file is refused.
    pub async fn emptied(self) -> Result<Self> {
        let file = sqlx::query("select file from pragma_database_list where name = 'main'");
        let row = file.fetch_one(&self.write).await.map_err(failed)?;
        if !row.try_get::<String, _>(0).map_err(failed)?.is_empty() {
            return Err(Error::invalid("only a store in memory is emptied"));
        }
        // Later tables refer to earlier ones. No pragma: setting one makes SQLite forget all prepared statements.
        let tables = sqlx::query("select name from sqlite_schema where type = 'table' order by rowid desc");
        let rows = tables.fetch_all(&self.write).await.map_err(failed)?;
        let mut emptying = String::from("begin;");
        for row in rows {
            let table: String = row.try_get(0).map_err(failed)?;
            emptying.push_str(&format!("delete from \"{table}\";"));
        }
        emptying.push_str("commit");
        let emptying = sqlx::raw_sql(sqlx::AssertSqlSafe(emptying));
        emptying.execute(&self.write).await.map_err(failed)?;
        Ok(Self { claim: None, ..self })
    }
}

/// A pool that keeps no connection in the midst of a transaction. When a disk is full or fails, SQLite rolls back by itself,
/// and the driver, whose own rollback finds nothing to do, goes on counting the transaction as open: the next ones would
/// be nested in it, and what they acknowledge would never be committed.
fn pooled(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        // It is asked when it is given back, and a file does not go away meanwhile.
        .test_before_acquire(false)
        .after_release(|connection, _| {
            Box::pin(async move {
                // Rollbacks that are under way end first.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

async fn migrate(lines: &Lines) -> Result<()> {
    let mut transaction = lines.begin().await.map_err(failed)?;
    let row = sqlx::query("pragma user_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let version = usize::try_from(row.try_get::<i64, _>(0).map_err(failed)?).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(Error::invalid(format!(
            "the database was written by a newer Circuit (version {version}, this one knows {}); run that one, or restore a backup",
            MIGRATIONS.len()
        )));
    }
    for (step, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        sqlx::raw_sql(*migration)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let reached = format!("pragma user_version = {}", step + 1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(reached))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// What a database's failure means. The primary result codes are those of sqlite.org/rescode.html.
pub(crate) fn failed(error: sqlx::Error) -> Error {
    let code = match &error {
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff),
        _ => None,
    };
    let (kind, message) = match (&error, code) {
        (sqlx::Error::RowNotFound, _) => (ErrorKind::NotFound, "what was asked for is not in the store"),
        (_, Some(13)) => (
            ErrorKind::Unavailable,
            "the disk of the data directory is full; make room, and Circuit goes on by itself",
        ),
        (_, Some(10)) => (
            ErrorKind::Unavailable,
            "the disk of the data directory fails to read or write; look at the disk and the system's log",
        ),
        (_, Some(8)) => (
            ErrorKind::Unavailable,
            "the database cannot be written; make the data directory writable for Circuit's user",
        ),
        (_, Some(5 | 6)) => (
            ErrorKind::Unavailable,
            "the database is locked by another process; a data directory belongs to one Circuit",
        ),
        (_, Some(14)) => (
            ErrorKind::Unavailable,
            "the database file cannot be opened; look at the data directory and its owner",
        ),
        // What is read is not what was written: a page of the file was overwritten.
        (_, Some(11 | 26)) | (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), _) => (
            ErrorKind::Internal,
            "the database file is damaged; stop Circuit and put a backup in its place with `circuit restore`",
        ),
        (_, Some(19)) => (ErrorKind::Conflict, "this contradicts what is in the store"),
        (sqlx::Error::PoolTimedOut, _) => (ErrorKind::Unavailable, "the store is busy; try again in a moment"),
        _ => (ErrorKind::Internal, "the store failed"),
    };
    Error::new(kind, message).because(error)
}

/// `failed`, but a missing row is named.
pub(crate) fn missing(what: impl std::fmt::Display) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match error {
        sqlx::Error::RowNotFound => Error::not_found(format!("{what} does not exist")),
        other => failed(other),
    }
}
