//! Documents: recorded, read in order of change, listed, deleted.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{
    AccountId, ContentId, DocumentId, Error, FeedId, IndexId, Result, RunId, SiteId, SpaceId, Timestamp,
    document::{Document, DocumentKind, Held, Known, Person},
    store::{
        Ancestor, Called, DocumentFilter, DocumentRow, Documents, HeldFacts, Recording, Unseen, Verdict, WANTED_MAX,
        Wanted,
    },
    sync_run::Counts,
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    SqlStore,
    dialect::{failed, missing},
    feeds::number,
    people::forget_mentions,
    record::{DEPTH_MAX, IDS_PER_STATEMENT, marks, touch},
    rows::{Columns, KNOWN},
};

/// A document with its space and its people; the breadcrumb is found apart.
pub(crate) const HELD: &str = "
    select documents.*, feed_spaces.key as space_key, feed_spaces.name as space_name,
      nullif(authors.name, '') as author_name, nullif(editors.name, '') as editor_name
    from documents
    left join feed_spaces on feed_spaces.feed_id = documents.feed_id and feed_spaces.space_id = documents.space_id
    left join people authors on authors.site_id = documents.site_id and authors.account = documents.author
    left join people editors on editors.site_id = documents.site_id and editors.account = documents.editor";

/// The bodies of documents read at once, in bytes: some hundred pages. What is made of them for the search index takes ten
/// times as much.
const BODIES_BYTES_MAX: i64 = 1 << 20;

/// Title and parent of documents, by feed and content id.
type Places = BTreeMap<(i64, String), (String, Option<String>)>;

#[async_trait]
impl Documents for SqlStore {
    async fn record(&self, feed: FeedId, recording: &Recording) -> Result<Counts> {
        self.recorded(feed, recording).await
    }

    async fn changed_after(&self, index: IndexId, sequence: i64, limit: usize) -> Result<Vec<Held>> {
        let mut reader = self.read.acquire().await.map_err(failed)?;
        // No transaction: what is written between two of these statements has a later number, and comes with the next call.
        // Should that be all, the next ones are looked for here, for nothing means that there is nothing.
        loop {
            let Some(last) = fitting(&mut reader, index, sequence, limit).await? else {
                return Ok(Vec::new());
            };
            let sql = format!(
                "{HELD} where documents.index_id = $1 and documents.sequence > $2 and documents.sequence <= $3
                 order by documents.sequence"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(index.0);
            let query = query.bind(sequence).bind(last);
            let rows = query.fetch_all(&mut *reader).await.map_err(failed)?;
            if !rows.is_empty() {
                return held(&mut reader, &rows).await;
            }
        }
    }

    async fn document(&self, index: IndexId, id: &DocumentId) -> Result<Held> {
        let sql = format!(
            "{HELD} where documents.index_id = $1 and documents.site_id = $2 and documents.content_id = $3
             order by documents.removed is not null, documents.feed_id limit 1"
        );
        let mut reader = self.read.begin().await.map_err(failed)?;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(index.0)
            .bind(id.site.as_str())
            .bind(id.content.as_str())
            .fetch_one(&mut *reader)
            .await
            .map_err(missing(format!("document {id}")))?;
        let found = held(&mut reader, std::slice::from_ref(&row)).await?.pop();
        found.ok_or_else(|| Error::not_found(format!("document {id} does not exist")))
    }

    async fn documents(&self, index: IndexId, filter: &DocumentFilter) -> Result<(Vec<DocumentRow>, u64)> {
        const WHERE: &str = "
            where documents.index_id = $1 and documents.removed is null
              and not exists (select 1 from feed_spaces suspended
                where suspended.feed_id = documents.feed_id and suspended.space_id = documents.space_id
                  and suspended.suspended_at is not null)
              and ($2 is null or documents.feed_id = $2)
              and ($3 is null or documents.space_id = $3)
              and ($4 is null or documents.kind = $4)
              and ($5 is null or documents.title like $5 escape '\\')";
        let title = filter.title.as_ref().map(|title| {
            let escaped = title.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("%{escaped}%")
        });
        let bound = |sql: String| {
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(index.0)
                .bind(filter.feed.map(|feed| feed.0))
                .bind(filter.space.as_ref().map(|space| space.0.clone()))
                .bind(filter.kind.map(DocumentKind::word))
                .bind(title.clone())
        };
        let total = bound(format!("select count(*) from documents {WHERE}"))
            .fetch_one(&self.read)
            .await
            .map_err(failed)?;
        let total: i64 = total.try_get(0).map_err(failed)?;
        let rows = bound(format!(
            "{HELD} {WHERE} order by documents.title, documents.content_id limit $6 offset $7"
        ))
        .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX))
        .bind(i64::try_from(filter.offset).unwrap_or(i64::MAX))
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        let rows = rows.iter().map(listed).collect::<Result<Vec<_>>>()?;
        Ok((rows, u64::try_from(total).unwrap_or(0)))
    }

    async fn held_after(
        &self,
        feed: FeedId,
        space: Option<&SpaceId>,
        after: Option<&ContentId>,
        limit: usize,
    ) -> Result<Vec<HeldFacts>> {
        let sql = format!(
            "select {KNOWN} from documents
             where feed_id = $1 and removed is null and content_id > $2 and ($3 is null or space_id = $3)
               and not exists (select 1 from feed_spaces suspended
                 where suspended.feed_id = documents.feed_id and suspended.space_id = documents.space_id
                   and suspended.suspended_at is not null)
             order by content_id limit $4"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
        let query = query
            .bind(after.map_or("", ContentId::as_str))
            .bind(space.map(SpaceId::as_str))
            .bind(number(limit as u64));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| Columns(row).held_facts()).collect()
    }

    async fn held_kinds(&self, feed: FeedId) -> Result<BTreeMap<DocumentKind, u64>> {
        let rows = sqlx::query(
            "select kind, count(*) as held from documents where feed_id = $1 and removed is null group by kind",
        );
        let rows = rows.bind(feed.0).fetch_all(&self.read).await.map_err(failed)?;
        let of = |row: &_| {
            let row = Columns(row);
            Ok((DocumentKind::from_word(&row.text("kind")?)?, row.count("held")?))
        };
        rows.iter().map(of).collect()
    }

    async fn labelled(&self, feed: FeedId) -> Result<u64> {
        let row = sqlx::query(
            "select count(*) as labelled from documents
             where feed_id = $1 and kind in ('page', 'blogpost') and removed is null and labels <> ''",
        );
        let row = row.bind(feed.0).fetch_one(&self.read).await.map_err(failed)?;
        Columns(&row).count("labelled")
    }

    async fn pages_held(&self, feed: FeedId, space: &SpaceId) -> Result<u64> {
        let row = sqlx::query(
            "select count(*) as held from documents
             where feed_id = $1 and space_id = $2 and kind in ('page', 'blogpost')
               and (removed is null or removed = 'suspended')",
        );
        let row = row
            .bind(feed.0)
            .bind(space.as_str())
            .fetch_one(&self.read)
            .await
            .map_err(failed)?;
        Columns(&row).count("held")
    }

    async fn known(&self, feed: FeedId, ids: &[ContentId]) -> Result<BTreeMap<ContentId, Known>> {
        let mut known = BTreeMap::new();
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "select {KNOWN} from documents where feed_id = ? and content_id in ({})",
                marks(ids.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
            let query = ids.iter().fold(query, |query, id| query.bind(id.as_str()));
            for row in query.fetch_all(&self.read).await.map_err(failed)? {
                known.insert(ContentId(Columns(&row).text("content_id")?), Columns(&row).known()?);
            }
        }
        Ok(known)
    }

    async fn hidden_after(&self, index: IndexId, sequence: i64, limit: usize) -> Result<Vec<(FeedId, DocumentId)>> {
        let rows = sqlx::query(
            "select feed_id, site_id, content_id from documents
             where index_id = $1 and sequence > $2 and removed is not null
             order by sequence limit $3",
        );
        let rows = rows.bind(index.0).bind(sequence).bind(number(limit as u64));
        let rows = rows.fetch_all(&self.read).await.map_err(failed)?;
        let hidden = |row: &_| {
            let row = Columns(row);
            let id = DocumentId {
                site: SiteId(row.text("site_id")?),
                content: ContentId(row.text("content_id")?),
            };
            Ok((FeedId(row.number("feed_id")?), id))
        };
        rows.iter().map(hidden).collect()
    }

    async fn unknown_people(
        &self,
        site: &SiteId,
        accounts: &BTreeSet<AccountId>,
        since: Timestamp,
    ) -> Result<Vec<AccountId>> {
        self.people_to_ask(site, accounts, since).await
    }

    async fn unread_for_mentions(&self, feed: FeedId, limit: usize) -> Result<Option<Vec<Document>>> {
        self.to_read_for_mentions(feed, limit).await
    }

    async fn record_mentions(&self, feed: FeedId, recording: &Recording) -> Result<()> {
        self.mentions_recorded(feed, recording).await
    }

    async fn names(&self, site: &SiteId, accounts: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, String>> {
        self.names_of(site, accounts).await
    }

    async fn ancestors(&self, feed: FeedId, parent: &ContentId) -> Result<Vec<Ancestor>> {
        self.above(feed, parent).await
    }

    async fn hanging(
        &self,
        feed: FeedId,
        on: &ContentId,
        kind: DocumentKind,
        limit: usize,
    ) -> Result<(Vec<DocumentRow>, u64)> {
        self.hanging_on(feed, on, kind, limit).await
    }

    async fn titled(
        &self,
        feed: FeedId,
        space: &SpaceId,
        titles: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ContentId>> {
        self.titled_so(feed, space, titles).await
    }

    async fn called(&self, feed: FeedId, called: Called<'_>) -> Result<Option<ContentId>> {
        let (among, place, name) = match called {
            Called::Page { space, title } => ("space_id = $2 and kind in ('page', 'blogpost')", space.as_str(), title),
            Called::File { on, name } => ("parent_id = $2 and kind = 'attachment'", on.as_str(), name),
        };
        let sql = format!(
            "select content_id from documents
             where feed_id = $1 and {among} and lower(title) = lower($3)
             order by removed is not null, content_id limit 1"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(feed.0)
            .bind(place)
            .bind(name);
        let row = query.fetch_optional(&self.read).await.map_err(failed)?;
        row.map(|row| Columns(&row).text("content_id").map(ContentId))
            .transpose()
    }

    async fn want(&self, feed: FeedId, wanted: &Wanted, now: Timestamp) -> Result<()> {
        let query = sqlx::query(
            "insert into wanted (feed_id, content_id, kind, asked_at)
             select $1, $2, $3, $4
             where (select count(*) from wanted where feed_id = $1 and content_id <> $2) < $5
             on conflict (feed_id, content_id) do update set kind = coalesce(excluded.kind, wanted.kind)",
        );
        let query = query
            .bind(feed.0)
            .bind(wanted.id.as_str())
            .bind(wanted.kind.map(DocumentKind::word))
            .bind(now.0)
            .bind(number(WANTED_MAX as u64));
        match query.execute(&self.write).await.map_err(failed)?.rows_affected() {
            0 => Err(Error::conflict(format!(
                "{WANTED_MAX} documents of this integration wait to be read already; try again when they were"
            ))),
            _ => Ok(()),
        }
    }

    async fn wanted(&self, feed: FeedId) -> Result<Vec<Wanted>> {
        let query = sqlx::query("select content_id, kind from wanted where feed_id = $1 order by asked_at, content_id");
        let rows = query.bind(feed.0).fetch_all(&self.read).await.map_err(failed)?;
        let wanted = |row: &_| {
            let row = Columns(row);
            Ok(Wanted {
                id: ContentId(row.text("content_id")?),
                kind: row.maybe_kind()?,
            })
        };
        rows.iter().map(wanted).collect()
    }

    async fn forget_wanted(&self, feed: FeedId, ids: &[ContentId]) -> Result<()> {
        let mut transaction = self.claimed().await?;
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            let sql = format!(
                "delete from wanted where feed_id = ? and content_id in ({})",
                marks(ids.len())
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
            let query = ids.iter().fold(query, |query, id| query.bind(id.as_str()));
            query.execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn delete_documents(&self, index: IndexId, ids: &[DocumentId], now: Timestamp) -> Result<u64> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let mut chosen = BTreeSet::new();
        for id in ids {
            // A page's comments and attachments go with it; pages below it stay.
            let rows = sqlx::query(
                "select feed_id, content_id from documents
                 where index_id = $1 and site_id = $2 and removed is null
                   and (content_id = $3 or (parent_id = $3 and kind in ('comment', 'attachment')))",
            )
            .bind(index.0)
            .bind(id.site.as_str())
            .bind(id.content.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
            for row in &rows {
                chosen.insert((Columns(row).number("feed_id")?, Columns(row).text("content_id")?));
            }
        }
        let gone = deleted(&mut transaction, index.0, chosen.into_iter().collect(), now).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone)
    }

    async fn unseen(&self, feed: FeedId, run: RunId) -> Result<Vec<Unseen>> {
        self.not_shown(feed, run).await
    }

    async fn apply(&self, feed: FeedId, verdict: &Verdict) -> Result<u64> {
        self.applied(feed, verdict).await
    }

    async fn return_space(&self, feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> Result<u64> {
        self.space_returned(feed, space, run, now).await
    }

    async fn remove_space(&self, feed: FeedId, space: &SpaceId, run: RunId, now: Timestamp) -> Result<u64> {
        self.space_removed(feed, space, run, now).await
    }

    async fn delete_feed_documents(&self, feed: FeedId, limit: usize, now: Timestamp) -> Result<u64> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let rows = sqlx::query(
            "select index_id, content_id from documents where feed_id = $1 and removed is null
             order by content_id limit $2",
        )
        .bind(feed.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        let Some(first) = rows.first() else { return Ok(0) };
        let index = Columns(first).number("index_id")?;
        let chosen = rows
            .iter()
            .map(|row| Ok((feed.0, Columns(row).text("content_id")?)))
            .collect::<Result<Vec<_>>>()?;
        let gone = deleted(&mut transaction, index, chosen, now).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone)
    }
}

async fn deleted(
    transaction: &mut SqliteConnection,
    index: i64,
    chosen: Vec<(i64, String)>,
    now: Timestamp,
) -> Result<u64> {
    for (feed, content) in &chosen {
        // Only that it was deleted is kept, so that syncing does not bring it back; its text goes.
        sqlx::query(
            "update documents set removed = 'deleted', removed_at = $3, body = '', body_format = 'none', comment_quoted = null,
               file_version = null, file_why = null, file_tries = 0, file_retry_at = null
             where feed_id = $1 and content_id = $2",
        )
        .bind(feed)
        .bind(content)
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        forget_mentions(transaction, FeedId(*feed), &[content]).await?;
    }
    touch(transaction, index, &chosen).await?;
    Ok(chosen.len() as u64)
}

pub(crate) fn listed(row: &SqliteRow) -> Result<DocumentRow> {
    let row = Columns(row);
    Ok(DocumentRow {
        feed: FeedId(row.number("feed_id")?),
        id: DocumentId {
            site: SiteId(row.text("site_id")?),
            content: ContentId(row.text("content_id")?),
        },
        kind: DocumentKind::from_word(&row.text("kind")?)?,
        title: row.text("title")?,
        space_key: row.maybe_text("space_key")?.unwrap_or_default(),
        version: u32::try_from(row.number("version")?).unwrap_or(0),
        modified_at: row.instant("modified_at")?,
        editor: row.maybe_text("editor_name")?,
        url: row.text("url")?,
    })
}

/// The number of the last document after this one that fits into memory with those before it, and of one at least; none when
/// there is none.
async fn fitting(reader: &mut SqliteConnection, index: IndexId, after: i64, limit: usize) -> Result<Option<i64>> {
    let sizes = sqlx::query(
        "select sequence, length(body) as size from documents where index_id = $1 and sequence > $2
         order by sequence limit $3",
    );
    let sizes = sizes.bind(index.0).bind(after).bind(number(limit as u64));
    let (mut last, mut bytes) = (None, 0);
    for row in sizes.fetch_all(reader).await.map_err(failed)? {
        let row = Columns(&row);
        bytes += row.number("size")?;
        if last.is_some() && bytes > BODIES_BYTES_MAX {
            break;
        }
        last = Some(row.number("sequence")?);
    }
    Ok(last)
}

async fn held(reader: &mut SqliteConnection, rows: &[SqliteRow]) -> Result<Vec<Held>> {
    let mut wanted = BTreeSet::new();
    for row in rows {
        if let Some(parent) = Columns(row).maybe_text("parent_id")? {
            wanted.insert((Columns(row).number("feed_id")?, parent));
        }
    }
    let places = places(reader, wanted).await?;
    rows.iter().map(|row| one_held(&Columns(row), &places)).collect()
}

fn one_held(row: &Columns<'_>, places: &Places) -> Result<Held> {
    let document = row.document()?;
    let feed = row.number("feed_id")?;
    let person = |account: &Option<AccountId>, name: Option<String>| {
        account
            .clone()
            .zip(name)
            .map(|(account, name)| Person { account, name })
    };
    Ok(Held {
        feed: FeedId(feed),
        breadcrumb: breadcrumb(feed, document.parent.as_ref().map(|parent| parent.as_str()), places),
        space_key: row.maybe_text("space_key")?.unwrap_or_default(),
        space_name: row.maybe_text("space_name")?.unwrap_or_default(),
        author: person(&document.author, row.maybe_text("author_name")?),
        editor: person(&document.editor, row.maybe_text("editor_name")?),
        sequence: row.number("sequence")?,
        first_seen_at: row.instant("first_seen_at")?,
        seen_run: row.maybe_number("seen_run")?.map(RunId),
        unread: match row.maybe_number("file_version")? == Some(i64::from(document.version)) {
            true => row.maybe_text("file_why")?,
            false => None,
        },
        removed: row.removal()?,
        removed_at: row.maybe_instant("removed_at")?,
        document,
    })
}

/// Everything above these documents: one query for each level of the tree, not one for each document.
async fn places(reader: &mut SqliteConnection, mut wanted: BTreeSet<(i64, String)>) -> Result<Places> {
    let mut places = Places::new();
    for _ in 0..DEPTH_MAX {
        let mut above = BTreeSet::new();
        let feeds: BTreeSet<i64> = wanted.iter().map(|(feed, _)| *feed).collect();
        for feed in feeds {
            let ids: Vec<&str> = wanted
                .iter()
                .filter(|(of, _)| *of == feed)
                .map(|(_, id)| id.as_str())
                .collect();
            for ids in ids.chunks(IDS_PER_STATEMENT) {
                let sql = format!(
                    "select content_id, title, parent_id from documents where feed_id = ? and content_id in ({})",
                    marks(ids.len())
                );
                let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed);
                let query = ids.iter().fold(query, |query, id| query.bind(*id));
                for row in query.fetch_all(&mut *reader).await.map_err(failed)? {
                    let row = Columns(&row);
                    let parent = row.maybe_text("parent_id")?;
                    above.extend(parent.clone().map(|parent| (feed, parent)));
                    places.insert((feed, row.text("content_id")?), (row.text("title")?, parent));
                }
            }
        }
        wanted = above.into_iter().filter(|place| !places.contains_key(place)).collect();
        if wanted.is_empty() {
            break;
        }
    }
    Ok(places)
}

fn breadcrumb(feed: i64, parent: Option<&str>, places: &Places) -> Vec<String> {
    let mut titles = Vec::new();
    let mut next = parent.map(str::to_owned);
    let mut seen = BTreeSet::new();
    while let Some(id) = next.take() {
        if !seen.insert(id.clone()) {
            break;
        }
        if let Some((title, parent)) = places.get(&(feed, id)) {
            titles.push(title.clone());
            next = parent.clone();
        }
    }
    titles.reverse();
    titles
}
