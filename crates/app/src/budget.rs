//! Keeps the budget of points in the store, so that every feed, person and process draws on the same one.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Clock, FeedId, Result,
    budget::{Allowance, Budget, BudgetPicture, Hour, HourPoints, Reservation, Told},
    source::{Meter, Pace, Reach, Urgency},
    store::Store,
    sync_run::Spent,
};

use crate::App;

/// The one [`Budget`].
pub struct PointsKeeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    allowance: Allowance,
    /// The client id of the configuration; none: the one that an administrator entered.
    configured: Option<String>,
    since_start: Meter,
}

impl PointsKeeper {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, allowance: Allowance, configured: Option<String>) -> Self {
        Self {
            store,
            clock,
            allowance,
            configured,
            since_start: Meter::default(),
        }
    }

    /// The client id. Without an app nobody has a token, and what is counted under no name is nothing.
    async fn app(&self) -> Result<String> {
        match &self.configured {
            Some(client_id) => Ok(client_id.clone()),
            None => Ok(self
                .store
                .atlassian_app()
                .await?
                .map(|app| app.client_id)
                .unwrap_or_default()),
        }
    }
}

#[async_trait]
impl Budget for PointsKeeper {
    async fn reserve(&self, price: u64, urgency: Urgency) -> Result<Reservation> {
        let app = self.app().await?;
        let now = self.clock.now();
        let (hour, allowance) = (Hour::of(now), self.allowance);
        let promise = move |points: &mut HourPoints| points.reserve(allowance, price, urgency, now);
        self.store.change_points(&app, hour, &promise).await?;
        Ok(Reservation { app, hour, price })
    }

    async fn settle(&self, reservation: Reservation, points: u64, told: Told) -> Result<()> {
        self.since_start.add(Spent { calls: 1, points });
        let Reservation { app, hour, price } = reservation;
        let settle = move |hour: &mut HourPoints| {
            hour.settle(price, points, told);
            Ok(())
        };
        self.store.change_points(&app, hour, &settle).await
    }

    async fn picture(&self) -> Result<BudgetPicture> {
        let now = self.clock.now();
        let points = self.store.hour_points(&self.app().await?, Hour::of(now)).await?;
        Ok(BudgetPicture::of(&points, self.allowance, now, self.since_start.read()))
    }
}

impl App {
    /// How calls to Atlassian go.
    pub fn pace(&self) -> Pace {
        self.source().pace()
    }

    /// The budget at this moment.
    pub async fn budget_picture(&self) -> Result<BudgetPicture> {
        self.budget().picture().await
    }

    /// Writes down what was called on a person's behalf for a feed, outside of its runs.
    pub(crate) async fn charge(&self, feed: FeedId, reach: &Reach) -> Result<()> {
        self.store().add_feed_spent(feed, reach.meter.read(), self.now()).await
    }
}
