//! Indexes.

use async_trait::async_trait;
use domain::{
    Error, ErrorKind, IndexId, Result, Timestamp,
    index::Index,
    store::{IndexFigures, Indexes},
};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    rows::Columns,
};

#[async_trait]
impl Indexes for SqlStore {
    async fn create_index(&self, name: &str, description: &str, now: Timestamp) -> Result<Index> {
        let row = sqlx::query(
            "insert into indexes (name, folded_name, description, created_at) values ($1, $2, $3, $4) returning *",
        )
        .bind(name)
        .bind(name.to_lowercase())
        .bind(description)
        .bind(now.0)
        .fetch_one(&self.write)
        .await
        .map_err(|error| taken(error, name))?;
        Columns(&row).index()
    }

    async fn index(&self, id: IndexId) -> Result<Index> {
        let row = sqlx::query("select * from indexes where id = $1")
            .bind(id.0)
            .fetch_one(&self.read)
            .await;
        Columns(&row.map_err(missing(format!("index {id}")))?).index()
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        let rows = sqlx::query("select * from indexes order by folded_name")
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| Columns(row).index()).collect()
    }

    async fn update_index(&self, id: IndexId, name: &str, description: &str) -> Result<Index> {
        let row =
            sqlx::query("update indexes set name = $2, folded_name = $3, description = $4 where id = $1 returning *")
                .bind(id.0)
                .bind(name)
                .bind(name.to_lowercase())
                .bind(description)
                .fetch_one(&self.write)
                .await;
        let row = row.map_err(|error| match error {
            sqlx::Error::RowNotFound => Error::not_found(format!("index {id} does not exist")),
            other => taken(other, name),
        })?;
        Columns(&row).index()
    }

    async fn delete_index(&self, id: IndexId) -> Result<()> {
        let done = sqlx::query("delete from indexes where id = $1")
            .bind(id.0)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        match done.rows_affected() {
            0 => Err(Error::not_found(format!("index {id} does not exist"))),
            _ => Ok(()),
        }
    }

    async fn index_figures(&self, id: IndexId) -> Result<IndexFigures> {
        let row = sqlx::query(
            "select last_sequence,
               (select count(*) from documents where index_id = indexes.id and removed is null) as documents,
               (select count(*) from feeds where index_id = indexes.id and state <> 'removed') as feeds
             from indexes where id = $1",
        )
        .bind(id.0)
        .fetch_one(&self.read)
        .await
        .map_err(missing(format!("index {id}")))?;
        let row = Columns(&row);
        Ok(IndexFigures {
            documents: row.count("documents")?,
            feeds: row.count("feeds")?,
            last_sequence: row.number("last_sequence")?,
        })
    }

    async fn last_sequence(&self, id: IndexId) -> Result<i64> {
        let row = sqlx::query("select last_sequence from indexes where id = $1").bind(id.0);
        let row = row.fetch_one(&self.read).await;
        Columns(&row.map_err(missing(format!("index {id}")))?).number("last_sequence")
    }
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    let error = failed(error);
    match error.kind {
        ErrorKind::Conflict => Error::conflict(format!(
            "there is an index called {name:?} already; choose another name"
        )),
        _ => error,
    }
}
