//! What goes on without anybody asking: feeds are run, the search index follows the store, and models read what it
//! holds.

mod embedding;
mod indexing;
pub mod worker;

use tokio::sync::watch;

use crate::App;

impl App {
    /// Works until `stop` says so: jobs, indexing and reading for meaning, side by side. When it returns, nothing of it runs any more.
    pub async fn work(&self, stop: watch::Receiver<bool>) {
        self.drop_indexes_ahead().await;
        tokio::join!(
            self.run_jobs(stop.clone()),
            self.follow_store(stop.clone()),
            self.follow_indexes(stop)
        );
        // Tokens that Atlassian gave just now are saved before the process ends.
        self.0.parts.tokens.settled().await;
    }
}
