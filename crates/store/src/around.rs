//! What stands around a document: above it, on it, and where its links lead.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ContentId, FeedId, Result, SpaceId,
    document::DocumentKind,
    store::{Ancestor, DocumentRow},
};

use crate::{
    SqlStore,
    dialect::failed,
    documents::{HELD, listed},
    feeds::number,
    record::{DEPTH_MAX, IDS_PER_STATEMENT},
    rows::Columns,
};

impl SqlStore {
    pub(crate) async fn above(&self, feed: FeedId, parent: &ContentId) -> Result<Vec<Ancestor>> {
        let sql = format!(
            "with recursive above (content_id, parent_id, depth) as (
               select content_id, parent_id, 1 from documents where feed_id = $1 and content_id = $2
               union
               select documents.content_id, documents.parent_id, depth + 1
               from documents join above on documents.content_id = above.parent_id
               where documents.feed_id = $1 and depth < {DEPTH_MAX})
             select documents.content_id, documents.space_id, documents.title, documents.removed
             from above join documents on documents.feed_id = $1 and documents.content_id = above.content_id
             order by above.depth"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0).bind(parent.as_str());
        let mut ancestors: Vec<Ancestor> = Vec::new();
        for row in query.fetch_all(&self.read).await.map_err(failed)? {
            let row = Columns(&row);
            let id = ContentId(row.text("content_id")?);
            if ancestors.iter().any(|below| below.id == id) {
                // A circle: from here on it would repeat itself.
                break;
            }
            ancestors.push(Ancestor {
                id,
                space: SpaceId(row.text("space_id")?),
                title: row.text("title")?,
                removed: row.removal()?,
            });
        }
        ancestors.reverse();
        Ok(ancestors)
    }

    pub(crate) async fn hanging_on(
        &self,
        feed: FeedId,
        on: &ContentId,
        kind: DocumentKind,
        limit: usize,
    ) -> Result<(Vec<DocumentRow>, u64)> {
        const WHERE: &str = "
            where documents.feed_id = $1 and documents.parent_id = $2 and documents.kind = $3 and documents.removed is null
              and not exists (select 1 from feed_spaces suspended
                where suspended.feed_id = documents.feed_id and suspended.space_id = documents.space_id
                  and suspended.suspended_at is not null)";
        let bound = |sql: String| {
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0);
            query.bind(on.as_str()).bind(kind.word())
        };
        let count = bound(format!("select count(*) as held from documents {WHERE}"));
        let total = Columns(&count.fetch_one(&self.read).await.map_err(failed)?).count("held")?;
        let order = "order by documents.created_at, documents.content_id limit $4";
        let rows = bound(format!("{HELD} {WHERE} {order}")).bind(number(limit as u64));
        let rows = rows.fetch_all(&self.read).await.map_err(failed)?;
        let rows = rows.iter().map(listed).collect::<Result<Vec<_>>>()?;
        Ok((rows, total))
    }

    pub(crate) async fn titled_so(
        &self,
        feed: FeedId,
        space: &SpaceId,
        titles: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ContentId>> {
        let mut found = BTreeMap::new();
        let titles: Vec<&String> = titles.iter().collect();
        for some in titles.chunks(IDS_PER_STATEMENT) {
            let wanted = vec!["lower(?)"; some.len()].join(", ");
            let sql = format!(
                "select content_id, lower(title) as title from documents
                 where feed_id = ? and space_id = ? and kind in ('page', 'blogpost') and removed is null
                   and lower(title) in ({wanted})
                 order by content_id desc"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed.0).bind(space.as_str());
            let query = some.iter().fold(query, |query, title| query.bind(title.as_str()));
            let mut by_title = BTreeMap::new();
            for row in query.fetch_all(&self.read).await.map_err(failed)? {
                let row = Columns(&row);
                by_title.insert(row.text("title")?, ContentId(row.text("content_id")?));
            }
            // SQLite's `lower` knows ASCII.
            let one = |title: &&&String| Some(((**title).clone(), by_title.get(&title.to_ascii_lowercase())?.clone()));
            found.extend(some.iter().filter_map(|title| one(&title)));
        }
        Ok(found)
    }
}
