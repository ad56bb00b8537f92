//! A question becomes an answer: may this caller read this index? Then one call to the engine.

use domain::{
    Error, IndexId, Result,
    access::Access,
    hit::Hits,
    query::{LIMIT_MAX, OFFSET_MAX, Query, TEXT_BYTES_MAX},
};

use crate::{App, Caller};

impl App {
    /// Searches one index. Bounds of the query are those of `domain::query`.
    pub async fn search(&self, caller: &Caller, index: IndexId, query: &Query) -> Result<Hits> {
        if query.text.len() > TEXT_BYTES_MAX {
            return Err(Error::invalid(format!(
                "a query has at most {TEXT_BYTES_MAX} bytes, this one has {}; search for fewer words",
                query.text.len()
            )));
        }
        if query.limit == 0 || query.limit > LIMIT_MAX || query.offset > OFFSET_MAX {
            return Err(Error::invalid(format!(
                "limit is 1 to {LIMIT_MAX} and offset at most {OFFSET_MAX}"
            )));
        }
        let access = self.access(caller, index).await?;
        self.engine().search(&access, query).await
    }

    /// What this caller may see of this index. Everybody with an account may read every index; nothing is hidden unless
    /// a feed's space is suspended.
    async fn access(&self, _caller: &Caller, index: IndexId) -> Result<Access> {
        let index = self.store().index(index).await?;
        Ok(Access {
            index: index.id,
            hidden: self.store().suspended_spaces(index.id).await?,
        })
    }
}
