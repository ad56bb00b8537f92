//! People: what they are called, and which documents are theirs or mention them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, ContentId, FeedId, Result, SiteId, Timestamp,
    document::{Document, MENTIONS_MAX, Person},
    store::Recording,
    sync_run::Counts,
};
use sqlx::SqliteConnection;

use crate::{
    SqlStore,
    dialect::failed,
    feeds::number,
    points,
    record::{IDS_PER_STATEMENT, add_counts, marks, touch},
    rows::Columns,
};

impl SqlStore {
    pub(crate) async fn people_to_ask(
        &self,
        site: &SiteId,
        accounts: &BTreeSet<AccountId>,
        since: Timestamp,
    ) -> Result<Vec<AccountId>> {
        let mut unknown = accounts.clone();
        let accounts: Vec<&AccountId> = accounts.iter().collect();
        for some in accounts.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "select account from people where site_id = ? and asked_at >= ? and account in ({})",
                marks(some.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(site.as_str()).bind(since.0);
            let query = some.iter().fold(query, |query, account| query.bind(account.as_str()));
            for row in query.fetch_all(&self.read).await.map_err(failed)? {
                unknown.remove(&AccountId(Columns(&row).text("account")?));
            }
        }
        Ok(unknown.into_iter().collect())
    }

    pub(crate) async fn names_of(
        &self,
        site: &SiteId,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<BTreeMap<AccountId, String>> {
        let mut names = BTreeMap::new();
        let accounts: Vec<&AccountId> = accounts.iter().collect();
        for some in accounts.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "select account, name from people where site_id = ? and name <> '' and account in ({})",
                marks(some.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(site.as_str());
            let query = some.iter().fold(query, |query, account| query.bind(account.as_str()));
            for row in query.fetch_all(&self.read).await.map_err(failed)? {
                let row = Columns(&row);
                names.insert(AccountId(row.text("account")?), row.text("name")?);
            }
        }
        Ok(names)
    }

    pub(crate) async fn to_read_for_mentions(&self, feed: FeedId, limit: usize) -> Result<Option<Vec<Document>>> {
        let after = sqlx::query("select mentions_after from feeds where id = $1")
            .bind(feed.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        let after = after
            .map(|row| Columns(&row).maybe_text("mentions_after"))
            .transpose()?;
        let Some(after) = after.flatten() else {
            return Ok(None);
        };
        let rows = sqlx::query(
            "select * from documents
             where feed_id = $1 and content_id > $2 and removed is null and body_format in ('storage', 'adf')
             order by content_id limit $3",
        )
        .bind(feed.0)
        .bind(after)
        .bind(number(limit as u64))
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| Columns(row).document())
            .collect::<Result<_>>()
            .map(Some)
    }

    pub(crate) async fn mentions_recorded(&self, feed: FeedId, recording: &Recording) -> Result<()> {
        let (mut transaction, index) = self.claimed_feed(feed).await?;
        let mut naming = Vec::new();
        for document in &recording.documents {
            let content = &document.id.content;
            let accounts = recording.mentions.get(content);
            if accounts.is_some() && is_held(&mut transaction, feed, document).await? {
                write_mentions(&mut transaction, feed, content, accounts).await?;
                naming.push((feed.0, content.to_string()));
            }
        }
        touch(&mut transaction, index, &naming).await?;
        if let Some(document) = recording.documents.first() {
            name_people(&mut transaction, &document.id.site, &recording.people, recording.now).await?;
        }
        let last = recording.documents.last().map(|document| document.id.content.as_str());
        sqlx::query("update feeds set mentions_after = $2 where id = $1")
            .bind(feed.0)
            .bind(last)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        add_counts(&mut transaction, recording.run, recording.spent, Counts::default()).await?;
        points::spend(&mut transaction, feed, recording.spent, recording.now).await?;
        transaction.commit().await.map_err(failed)
    }
}

/// Whether this version is what is held, and may be found.
async fn is_held(transaction: &mut SqliteConnection, feed: FeedId, document: &Document) -> Result<bool> {
    let query = sqlx::query(
        "select 1 from documents where feed_id = $1 and content_id = $2 and version = $3 and removed is null",
    );
    let query = query
        .bind(feed.0)
        .bind(document.id.content.as_str())
        .bind(i64::from(document.version));
    Ok(query.fetch_optional(transaction).await.map_err(failed)?.is_some())
}

/// Writes names; who is called otherwise than before has their documents, and those that mention them, indexed again. Whom
/// Atlassian no longer names keeps the last name.
pub(crate) async fn name_people(
    transaction: &mut SqliteConnection,
    site: &SiteId,
    people: &[Person],
    now: Timestamp,
) -> Result<()> {
    for person in people {
        let before = sqlx::query("select name from people where site_id = $1 and account = $2")
            .bind(site.as_str())
            .bind(person.account.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let before = before.map(|row| Columns(&row).text("name")).transpose()?;
        sqlx::query(
            "insert into people (site_id, account, name, asked_at) values ($1, $2, $3, $4)
             on conflict (site_id, account) do update set
               name = case excluded.name when '' then people.name else excluded.name end, asked_at = excluded.asked_at",
        )
        .bind(site.as_str())
        .bind(person.account.as_str())
        .bind(&person.name)
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if !person.name.is_empty() && before.as_ref() != Some(&person.name) {
            touch_documents_of(transaction, site, &person.account).await?;
        }
    }
    Ok(())
}

async fn touch_documents_of(transaction: &mut SqliteConnection, site: &SiteId, account: &AccountId) -> Result<()> {
    let rows = sqlx::query(
        "select feed_id, content_id, index_id from documents where site_id = $1 and author = $2
         union
         select feed_id, content_id, index_id from documents where site_id = $1 and editor = $2
         union
         select documents.feed_id, documents.content_id, documents.index_id
         from mentions
         join documents on documents.feed_id = mentions.feed_id and documents.content_id = mentions.content_id
         where mentions.account = $2 and documents.site_id = $1",
    )
    .bind(site.as_str())
    .bind(account.as_str())
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let mut by_index: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
    for row in rows.iter().map(Columns) {
        let documents = by_index.entry(row.number("index_id")?).or_default();
        documents.push((row.number("feed_id")?, row.text("content_id")?));
    }
    for (index, documents) in by_index {
        touch(transaction, index, &documents).await?;
    }
    Ok(())
}

/// Writes whom a document mentions, in place of whom it mentioned before.
pub(crate) async fn write_mentions(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    document: &ContentId,
    accounts: Option<&BTreeSet<AccountId>>,
) -> Result<()> {
    forget_mentions(transaction, feed, &[document.as_str()]).await?;
    for account in accounts.into_iter().flatten().take(MENTIONS_MAX) {
        sqlx::query("insert into mentions (feed_id, content_id, account) values ($1, $2, $3)")
            .bind(feed.0)
            .bind(document.as_str())
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// The text of these documents goes, and with it whom it mentions.
pub(crate) async fn forget_mentions(
    transaction: &mut SqliteConnection,
    feed: FeedId,
    documents: &[&str],
) -> Result<()> {
    for ids in documents.chunks(IDS_PER_STATEMENT) {
        let sql = format!(
            "delete from mentions where feed_id = ? and content_id in ({})",
            marks(ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        query.execute(&mut *transaction).await.map_err(failed)?;
    }
    Ok(())
}
