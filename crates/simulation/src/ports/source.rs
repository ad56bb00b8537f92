//! Where documents come from, watched by the judge: which documents were seen when, and where listings went on.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{
    AccountId, ContentId, Error, ErrorKind, Result, SpaceId, Timestamp,
    address::Address,
    cursor::{Cursor, Stream},
    document::{Document, DocumentKind, Observed, Person},
    source::{Listed, Looked, Pace, Reach, Source},
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
    /// For a planted bug: rows that could not be read.
    pub unreadable: Mutex<BTreeSet<ContentId>>,
    /// For a planted bug: what was told while the token lived.
    pub told: Mutex<Told>,
}

/// The person and the spaces that Atlassian told last.
#[derive(Default)]
pub struct Told {
    me: Option<Person>,
    spaces: Option<Listed<SpaceSeen>>,
}

#[async_trait]
impl Source for JudgedSource {
    async fn me(&self, reach: &Reach) -> Result<Person> {
        let me = self.real.me(reach).await;
        let mut told = self.told();
        match me {
            Err(error) if self.is_taken_for_empty(&error) => told.me.clone().ok_or(error),
            Ok(me) => {
                told.me = Some(me.clone());
                Ok(me)
            }
            refused => refused,
        }
    }

    async fn spaces(&self, reach: &Reach, after: Option<&Cursor>) -> Result<Listed<Space>> {
        self.real.spaces(reach, after).await
    }

    async fn hidden_from_apps(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Option<BTreeSet<SpaceId>>> {
        self.real.hidden_from_apps(reach, spaces).await
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
        let listed = self.real.list(reach, space, stream, after).await;
        let mut listed = self.end_of(listed, after.is_some())?;
        if self.planted.is(Plant::WrongCursor)
            && let Some(next) = &listed.next
        {
            // The answer in between is never looked at.
            listed.next = self.real.list(reach, space, stream, Some(next)).await?.next;
        }
        let ids = listed.items.iter().map(|document| &document.id.content);
        self.judge.listed(self.life, stream, ids, listed.next.as_ref(), began);
        Ok(listed)
    }

    async fn observe(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Observed>> {
        let began = self.judge.listing_begins(self.life, stream, after);
        let listed = self.real.observe(reach, space, stream, after).await;
        let mut listed = self.end_of(listed, after.is_some())?;
        if self.planted.is(Plant::WrongCursor)
            && let Some(next) = &listed.next
        {
            listed.next = self.real.observe(reach, space, stream, Some(next)).await?.next;
        }
        if self.planted.is(Plant::UnreadableIsGone) {
            let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
            let ids = listed.unreadable.drain(..).filter_map(|row| row.content);
            unreadable.extend(ids.map(ContentId::new));
        }
        let ids = listed.items.iter().map(|observed| &observed.id);
        self.judge.listed(self.life, stream, ids, listed.next.as_ref(), began);
        Ok(listed)
    }

    async fn fetch(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        ids: &[ContentId],
    ) -> Result<Listed<Document>> {
        let began = self.judge.step();
        let listed = self.real.fetch(reach, spaces, kind, ids).await?;
        let ids = listed.items.iter().map(|document| &document.id.content);
        self.judge.seen(self.life, ids, began);
        Ok(listed)
    }

    async fn look(&self, reach: &Reach, spaces: &[Space], kind: DocumentKind, ids: &[ContentId]) -> Result<Looked> {
        let began = self.judge.step();
        let looked = self.real.look(reach, spaces, kind, ids).await;
        let mut looked = match looked {
            Err(error) if self.is_taken_for_empty(&error) => Looked {
                absent: ids.iter().cloned().collect(),
                ..Looked::default()
            },
            looked => looked?,
        };
        self.judge.seen(self.life, looked.current.iter(), began);
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for id in ids {
            if self.planted.is(Plant::NoSecondLook) || unreadable.contains(id) {
                looked.current.remove(id);
                looked.absent.insert(id.clone());
            }
        }
        Ok(looked)
    }

    async fn probe(&self, reach: &Reach, ids: &[ContentId]) -> Result<(BTreeSet<ContentId>, Spent)> {
        self.real.probe(reach, ids).await
    }

    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
        let listed = self.real.spaces_by_id(reach, spaces).await;
        let mut told = self.told();
        match listed {
            Err(error) if self.is_taken_for_empty(&error) => told.spaces.clone().ok_or(error),
            Ok(listed) => {
                told.spaces = Some(listed.clone());
                Ok(listed)
            }
            refused => refused,
        }
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
        let ids = listed.items.iter().map(|document| &document.id.content);
        self.judge.seen(self.life, ids, began);
        Ok(listed)
    }

    async fn belongings(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        holders: &[ContentId],
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        let began = self.judge.step();
        let listed = self.real.belongings(reach, spaces, kind, holders, after).await?;
        let ids = listed.items.iter().map(|document| &document.id.content);
        self.judge.seen(self.life, ids, began);
        Ok(listed)
    }

    async fn people(&self, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
        self.real.people(reach, accounts).await
    }

    fn address(&self, pasted: &str) -> Option<Address> {
        self.real.address(pasted)
    }

    fn pace(&self) -> Pace {
        self.real.pace()
    }
}

impl JudgedSource {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a planted bug: whether a dead token's refusal is taken for emptiness.
    fn is_taken_for_empty(&self, error: &Error) -> bool {
        let dead = matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::Ended { .. });
        dead && self.planted.is(Plant::DeadTokenIsEmpty)
    }

    /// For a planted bug: an error in the midst of a listing is its end.
    fn end_of<T>(&self, listed: Result<Listed<T>>, midway: bool) -> Result<Listed<T>> {
        match listed {
            Err(_) if midway && self.planted.is(Plant::ErrorIsTheEnd) => Ok(nothing()),
            Err(error) if self.is_taken_for_empty(&error) => Ok(nothing()),
            other => other,
        }
    }
}

fn nothing<T>() -> Listed<T> {
    Listed {
        items: Vec::new(),
        unreadable: Vec::new(),
        next: None,
        at: None,
        spent: Spent::default(),
    }
}
