//! Where documents come from, watched by the judge: which documents were seen when, and where listings went on.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    AccountId, Result, SpaceId, Timestamp,
    cursor::{Cursor, Stream},
    document::{Document, DocumentKind, Person},
    source::{Listed, Reach, Source},
    space::{Estimate, Space, SpaceSeen},
    sync_run::Spent,
};

use crate::{
    board::Life,
    judge::Judge,
    planted::{Plant, PlantedStore},
};

/// The source of one process.
pub struct JudgedSource {
    pub real: Arc<dyn Source>,
    pub judge: Judge,
    pub life: Life,
    pub planted: PlantedStore,
}

#[async_trait]
impl Source for JudgedSource {
    async fn me(&self, reach: &Reach) -> Result<Person> {
        self.real.me(reach).await
    }

    async fn spaces(&self, reach: &Reach, after: Option<&Cursor>) -> Result<Listed<Space>> {
        self.real.spaces(reach, after).await
    }

    async fn estimate(&self, reach: &Reach, spaces: &[Space]) -> Result<Estimate> {
        self.real.estimate(reach, spaces).await
    }

    async fn list(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        let began = self.judge.listing_begins(self.life, stream, after);
        let mut listed = match self.real.list(reach, space, stream, after).await {
            Err(_) if after.is_some() && self.planted.is(Plant::ErrorIsTheEnd) => nothing_more(),
            other => other?,
        };
        if self.planted.is(Plant::WrongCursor)
            && let Some(next) = &listed.next
        {
            // The answer in between is never looked at.
            listed.next = self.real.list(reach, space, stream, Some(next)).await?.next;
        }
        if self.planted.is(Plant::UnreadableIsGone) {
            listed.unreadable.clear();
        }
        self.judge.listed(self.life, stream, &listed, began);
        Ok(listed)
    }

    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
        self.real.spaces_by_id(reach, spaces).await
    }

    async fn changes(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        since: Timestamp,
        rows: u32,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        let began = self.judge.step();
        let since = match self.planted.is(Plant::NoOverlap) {
            true => since.plus(std::time::Duration::from_secs(10 * 60)),
            false => since,
        };
        let listed = self.real.changes(reach, spaces, kind, since, rows, after).await?;
        self.judge.seen(self.life, &listed.items, began);
        Ok(listed)
    }

    async fn people(&self, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
        self.real.people(reach, accounts).await
    }
}

fn nothing_more() -> Listed<Document> {
    Listed {
        items: Vec::new(),
        unreadable: Vec::new(),
        next: None,
        spent: Spent::default(),
    }
}
