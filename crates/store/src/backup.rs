//! Given a database that another process may be writing, gives a consistent copy of it; and proves a copy whole.

use std::{path::Path, time::Duration};

use domain::{Error, ErrorKind, Result};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    SealingKeys,
    dialect::{MIGRATIONS, failed},
    rows::Columns,
};

/// How long reading waits for a process that opens or closes the database at this moment.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Complaints about a damaged database that are asked for: one is enough to know.
const COMPLAINTS_MAX: u32 = 3;

/// A database that was read from end to end and found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Of the tables' form: the number of the last migration.
    pub version: usize,
    /// Documents that are held, those of suspended spaces included.
    pub documents: u64,
    /// Secrets that are sealed in it: tokens of connections, and the Atlassian app's.
    pub secrets: u64,
}

/// About how many bytes a copy of this database will have.
pub async fn size_bytes(from: &Path) -> Result<u64> {
    let mut database = opened(from).await?;
    let pages = number(&mut database, "pragma page_count").await?;
    let page_bytes = number(&mut database, "pragma page_size").await?;
    Ok(pages.saturating_mul(page_bytes))
}

/// Copies what is committed at this moment into a new file. Readers and the writer of the database go on meanwhile; the
/// one read transaction that this takes only keeps the write-ahead log from being reused until it ends.
pub async fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Err(Error::conflict(format!("{} exists already", to.display())));
    }
    let mut database = opened(from).await?;
    let to = to
        .to_str()
        .ok_or_else(|| Error::invalid(format!("{} is not UTF-8; choose another place", to.display())))?;
    sqlx::query("vacuum into $1")
        .bind(to)
        .execute(&mut database)
        .await
        .map_err(|error| copying(failed(error)))?;
    database.close().await.map_err(failed)
}

/// Reads the whole database and proves that it is Circuit's, of a version that this Circuit knows, undamaged, and, given
/// keys, that they open every secret in it.
pub async fn prove(path: &Path, keys: Option<&SealingKeys>) -> Result<Whole> {
    let mut database = opened(path).await?;
    let version = number(&mut database, "pragma user_version").await?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version == 0 {
        return Err(Error::invalid(format!(
            "{} is not a database of Circuit's",
            path.display()
        )));
    }
    if version > MIGRATIONS.len() {
        return Err(Error::invalid(format!(
            "{} was written by a newer Circuit (version {version}, this one knows {}); use that one",
            path.display(),
            MIGRATIONS.len()
        )));
    }
    refuse_damaged(&mut database, path).await?;
    let whole = Whole {
        version,
        documents: number(&mut database, "select count(*) from documents where removed is null").await?,
        secrets: number(
            &mut database,
            "select (select count(access_token) + count(refresh_token) from connections)
               + (select count(*) from settings where name = 'atlassian_client_secret')",
        )
        .await?,
    };
    if let Some(keys) = keys {
        open_secrets(&mut database, keys).await?;
    }
    database.close().await.map_err(failed)?;
    Ok(whole)
}

/// Deletes the tokens of every connection of a database that nobody else uses.
pub async fn forget_tokens(path: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut database = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    sqlx::query(
        "update connections
         set access_token = null, refresh_token = null, state = 'needs_reconnect',
           why = 'The tokens were deleted when this Circuit was restored from a backup.'
         where state <> 'removed'",
    )
    .execute(&mut database)
    .await
    .map_err(failed)?;
    database.close().await.map_err(failed)
}

async fn refuse_damaged(database: &mut SqliteConnection, path: &Path) -> Result<()> {
    let check = format!("pragma integrity_check({COMPLAINTS_MAX})");
    let complaints: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(check))
        .fetch_all(database)
        .await
        .map_err(failed)?;
    match complaints.as_slice() {
        [fine] if fine == "ok" => Ok(()),
        complaints => Err(Error::internal(format!("{} is damaged", path.display())).because(complaints.join("; "))),
    }
}

async fn open_secrets(database: &mut SqliteConnection, keys: &SealingKeys) -> Result<()> {
    let rows = sqlx::query(
        "select 'connections/' || id || '/access_token' as place, access_token as sealed from connections
         union all
         select 'connections/' || id || '/refresh_token', refresh_token from connections
         union all
         select 'settings/atlassian_client_secret', value from settings where name = 'atlassian_client_secret'",
    )
    .fetch_all(database)
    .await
    .map_err(failed)?;
    for row in &rows {
        let row = Columns(row);
        if let Some(sealed) = row.maybe_text("sealed")? {
            keys.open(&row.text("place")?, &sealed)?;
        }
    }
    Ok(())
}

/// Opens for reading only. On a file system that cannot be written, a database that was closed cleanly is read as it
/// stands: there is no log beside it that could hold more.
async fn opened(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_WAIT);
    let mut opened = SqliteConnection::connect_with(&options).await.map_err(failed);
    if let Ok(database) = &mut opened {
        // Opening reads nothing; the first look does.
        let look = number(database, "select count(*) from sqlite_schema").await;
        if let Err(error) = look {
            opened = Err(error);
        }
    }
    match opened {
        Err(error) if error.kind == ErrorKind::Unavailable && closed_cleanly(path) => {
            SqliteConnection::connect_with(&options.immutable(true))
                .await
                .map_err(failed)
        }
        opened => opened,
    }
}

fn closed_cleanly(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    path.is_file() && !Path::new(&log).exists()
}

async fn number(database: &mut SqliteConnection, query: &'static str) -> Result<u64> {
    let number: i64 = sqlx::query_scalar(query).fetch_one(database).await.map_err(failed)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// While copying, a disk that is full or fails is most likely the one that is written.
fn copying(error: Error) -> Error {
    match error.kind {
        ErrorKind::Unavailable => Error {
            message: "the copy could not be written: its disk is full or fails, or the data directory cannot be read; \
                      make room and try again"
                .into(),
            ..error
        },
        _ => error,
    }
}
