//! Bugs planted on purpose, one at a time, at the ports: the product's own code knows nothing of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::budget::PointsKeeper;
use async_trait::async_trait;
use domain::{
    ConnectionId, FeedId, Result, Secret, SpaceId,
    budget::{Budget, BudgetPicture, Hour, Reservation, Told},
    connection::Grant,
    document::DocumentKind,
    source::Urgency,
    store::{Recording, Store, Verdict},
};

/// A realistic mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plant {
    /// An error in the midst of a listing is taken for its end.
    ErrorIsTheEnd,
    /// A listing goes on one answer too far.
    WrongCursor,
    /// A row that could not be read is not noted as one.
    UnreadableIsGone,
    /// What a listing did not show is gone, without a second look.
    NoSecondLook,
    /// A comment that was deleted is kept.
    CommentsStay,
    /// Calls are made without a reservation of points.
    PriceNotReserved,
    /// Changes are asked for since the last pass, without looking back a little further.
    NoOverlap,
    /// The mark of a listing is written before its documents.
    MarkBeforeDocuments,
    /// A document whose version is the same is taken for unchanged, wherever it is now.
    MoveIgnored,
    /// A space that was kept out of search is never let back.
    SuspendedForEver,
    /// A job is claimed though another worker's lease holds.
    LeaseIgnored,
    /// A refreshed token is used first and kept later.
    TokenSavedAfterUse,
    /// The search index's watermark is written before what it stands for.
    WatermarkBeforeCommit,
    /// What was removed from the store is not removed from the search index.
    RemovedStaysFound,
    /// What Atlassian refuses to a dead token is taken for not being there.
    DeadTokenIsEmpty,
    /// Each process counts points for itself.
    BudgetNotShared,
}

impl Plant {
    pub const ALL: [Self; 16] = [
        Self::ErrorIsTheEnd,
        Self::WrongCursor,
        Self::UnreadableIsGone,
        Self::NoSecondLook,
        Self::CommentsStay,
        Self::PriceNotReserved,
        Self::NoOverlap,
        Self::MarkBeforeDocuments,
        Self::MoveIgnored,
        Self::SuspendedForEver,
        Self::LeaseIgnored,
        Self::TokenSavedAfterUse,
        Self::WatermarkBeforeCommit,
        Self::RemovedStaysFound,
        Self::DeadTokenIsEmpty,
        Self::BudgetNotShared,
    ];

    /// What went wrong in the code that has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::ErrorIsTheEnd => "an error in the midst of a listing is taken for its end",
            Self::WrongCursor => "a listing goes on one answer too far",
            Self::UnreadableIsGone => "a row that could not be read is taken for gone",
            Self::NoSecondLook => "what a listing did not show is removed without a second look",
            Self::CommentsStay => "a deleted comment is kept",
            Self::PriceNotReserved => "points are neither reserved nor settled",
            Self::NoOverlap => "changes are asked for without overlap",
            Self::MarkBeforeDocuments => "a mark is written before its documents",
            Self::MoveIgnored => "a move is ignored because the version is the same",
            Self::SuspendedForEver => "a suspended space never comes back",
            Self::LeaseIgnored => "a job is claimed though another's lease holds",
            Self::TokenSavedAfterUse => "a token is used first and saved later",
            Self::WatermarkBeforeCommit => "the search index's watermark is written before its passages",
            Self::RemovedStaysFound => "what is removed stays in the search index",
            Self::DeadTokenIsEmpty => "what is refused to a dead token is taken for gone",
            Self::BudgetNotShared => "two workers do not share the budget",
        }
    }
}

/// How many looks at the grant go by before a planted late saving is made.
const USES_BEFORE_SAVING: u32 = 3;

#[derive(Clone)]
struct Unsaved {
    /// What the store still holds.
    spent: Secret,
    grant: Grant,
    uses: u32,
}

/// The bug of this world, if it has one, and what it keeps in mind. One for each process: a crash forgets it.
#[derive(Clone, Default)]
pub struct PlantedStore {
    plant: Option<Plant>,
    unsaved: Arc<Mutex<BTreeMap<ConnectionId, Unsaved>>>,
}

impl PlantedStore {
    pub fn new(plant: Option<Plant>) -> Self {
        Self {
            plant,
            unsaved: Arc::default(),
        }
    }

    pub fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// Whether the grant is kept in memory only.
    pub fn keeps_unsaved(&self, id: ConnectionId, spent: &Secret, grant: &Grant) -> bool {
        if !self.is(Plant::TokenSavedAfterUse) {
            return false;
        }
        let mut kept = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = kept.get(&id).map_or(spent, |unsaved| &unsaved.spent).clone();
        let (grant, uses) = (grant.clone(), USES_BEFORE_SAVING);
        kept.insert(id, Unsaved { spent, grant, uses });
        true
    }

    /// The grant that is in memory only; with what the store still holds, once it is to be saved.
    pub fn unsaved(&self, id: ConnectionId) -> Option<(Grant, Option<Secret>)> {
        let mut kept = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let unsaved = kept.get_mut(&id)?;
        unsaved.uses = unsaved.uses.saturating_sub(1);
        if unsaved.uses > 0 {
            return Some((unsaved.grant.clone(), None));
        }
        let unsaved = kept.remove(&id)?;
        Some((unsaved.grant, Some(unsaved.spent)))
    }

    /// Leaves suspended spaces out of what is in order again.
    pub async fn without_suspended(&self, store: &dyn Store, feed: FeedId, verdict: &mut Verdict) -> Result<()> {
        let spaces = store.feed_spaces(feed).await?;
        let suspended = |id: &SpaceId| {
            let mut spaces = spaces.iter();
            spaces.any(|space| space.space.id == *id && space.suspended_at.is_some())
        };
        verdict.settled.retain(|id| !suspended(id));
        Ok(())
    }

    /// Leaves comments out of what is gone.
    pub async fn without_comments(&self, store: &dyn Store, feed: FeedId, verdict: &mut Verdict) -> Result<()> {
        let known = store.known(feed, &verdict.gone).await?;
        verdict
            .gone
            .retain(|id| known.get(id).is_none_or(|known| known.kind != DocumentKind::Comment));
        Ok(())
    }

    /// Leaves out of the recording what has the version that is held.
    pub async fn without_moves(&self, store: &dyn Store, feed: FeedId, recording: &mut Recording) -> Result<()> {
        let index = store.feed(feed).await?.index;
        let mut changed = Vec::new();
        for document in recording.documents.drain(..) {
            match store.document(index, &document.id).await {
                Ok(held) if held.removed.is_none() && held.document.version == document.version => {
                    changed.push(held.document)
                }
                _ => changed.push(document),
            }
        }
        recording.documents = changed;
        Ok(())
    }
}

/// A budget that is asked and does nothing.
pub struct Unpriced(pub PointsKeeper);

#[async_trait]
impl Budget for Unpriced {
    async fn reserve(&self, price: u64, _urgency: Urgency) -> Result<Reservation> {
        Ok(Reservation {
            app: String::new(),
            hour: Hour::default(),
            price,
        })
    }

    async fn settle(&self, _reservation: Reservation, _points: u64, _told: Told) -> Result<()> {
        Ok(())
    }

    async fn picture(&self) -> Result<BudgetPicture> {
        self.0.picture().await
    }
}
