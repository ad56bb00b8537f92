//! The search index follows the store, closely while something is imported.

use std::time::Duration;

use domain::{IndexId, Result};
use sync::indexer::{index_changes, reached};
use tokio::sync::watch;

use crate::{App, trouble::Part};

/// How often every index is looked at when nobody rings.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// After a failure, so that a broken index or a full disk does not take the machine.
const REST: Duration = Duration::from_secs(5);

impl App {
    pub(super) async fn follow_store(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if self.index_all().await.is_err() {
                tokio::time::sleep(REST).await;
            }
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Before anything is written: once the store has caught up, an index that was ahead of it looks like one that follows.
    pub(super) async fn drop_indexes_ahead(&self) {
        let dropped = async {
            for index in self.store().indexes().await? {
                reached(self.store(), self.engine(), index.id).await?;
            }
            Ok(())
        };
        if let Err(failed) = dropped.await {
            self.0.troubles.met(Part::Reading, &failed);
        }
    }

    /// Brings every search index up to the store, once. The error of one does not hold up the others.
    pub async fn index_all(&self) -> Result<()> {
        let mut result = Ok(());
        let indexes = match self.store().indexes().await {
            Ok(indexes) => {
                self.0.troubles.over(Part::Reading);
                indexes
            }
            Err(failed) => {
                self.0.troubles.met(Part::Reading, &failed);
                return Err(failed);
            }
        };
        for index in indexes {
            let followed = self.follow(index.id).await;
            match &followed {
                Err(failed) if !failed.is_not_found() => self.0.troubles.met(Part::Index(index.id), failed),
                Ok(_) | Err(_) => self.0.troubles.over(Part::Index(index.id)),
            }
            match followed {
                Ok(0) => {}
                Ok(_) => {
                    self.0.indexed.notify_one();
                    for feed in self.store().feeds(index.id).await? {
                        self.feed_changed(feed.id);
                    }
                }
                // Deleted meanwhile.
                Err(gone) if gone.is_not_found() => {}
                // One index that cannot be written does not hold up the others.
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Brings one index up to the store before it returns.
    pub(crate) async fn index_now(&self, index: IndexId) -> Result<()> {
        self.follow(index).await?;
        Ok(())
    }

    async fn follow(&self, index: IndexId) -> Result<u64> {
        let _alone = self.0.indexing.lock().await;
        index_changes(self.store(), self.engine(), index).await
    }

    /// Throws the search indexes away and builds them from the store, without a call to Atlassian; how many documents.
    pub async fn reindex(&self) -> Result<u64> {
        let mut documents = 0;
        for index in self.store().indexes().await? {
            let _alone = self.0.indexing.lock().await;
            self.engine().remove(index.id).await?;
            documents += index_changes(self.store(), self.engine(), index.id).await?;
        }
        Ok(documents)
    }
}
