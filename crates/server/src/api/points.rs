//! What is spent at Atlassian, and what will be: shapes that feeds and estimates show.

use app::progress::FeedPoints;
use domain::{
    budget::BudgetPicture,
    price::{LaterPasses, Quote},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{runs::SpentJson, spaces::EstimateJson};

/// This hour's budget of points, shared by everything that calls Atlassian.
#[derive(Serialize, ToSchema)]
#[schema(as = Budget)]
pub struct BudgetJson {
    /// Points that Circuit may spend in this hour: less than configured when others spend the same app's quota.
    pub points: u64,
    /// Spent, or promised to calls on their way.
    pub spent: u64,
    /// What people may still spend; the schedule leaves them a part.
    pub left: u64,
    /// What looks at changes may still spend.
    pub left_for_changes: u64,
    /// What scheduled readings of everything may still spend.
    pub left_for_whole: u64,
    /// When the next hour begins, or Atlassian takes calls again.
    #[schema(format = DateTime)]
    pub renewed_at: String,
    /// Atlassian refuses all calls of this app until then.
    pub closed: bool,
}

impl From<BudgetPicture> for BudgetJson {
    fn from(budget: BudgetPicture) -> Self {
        Self {
            points: budget.budget,
            spent: budget.spent,
            left: budget.left_for_people,
            left_for_changes: budget.left_for_changes,
            left_for_whole: budget.left_for_whole,
            renewed_at: budget.renewed_at.to_string(),
            closed: budget.closed,
        }
    }
}

/// About what the passes cost that follow an import.
#[derive(Serialize, ToSchema)]
#[schema(as = PassPrices)]
pub struct PassPricesJson {
    /// A look at what changed that finds nothing.
    pub changes: SpentJson,
    /// Everything again.
    pub walk: SpentJson,
    /// Which documents can still be seen.
    pub probe: SpentJson,
}

impl From<LaterPasses> for PassPricesJson {
    fn from(later: LaterPasses) -> Self {
        Self {
            changes: later.changes.into(),
            walk: later.walk.into(),
            probe: later.probe.into(),
        }
    }
}

/// What a feed costs.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedPoints)]
pub struct FeedPointsJson {
    /// Since midnight UTC.
    pub today: SpentJson,
    pub budget: BudgetJson,
    /// About what its next passes cost.
    pub next: PassPricesJson,
}

impl From<FeedPoints> for FeedPointsJson {
    fn from(points: FeedPoints) -> Self {
        Self {
            today: points.today.into(),
            budget: points.budget.into(),
            next: points.next.into(),
        }
    }
}

/// About what an import takes.
#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
pub struct ForecastJson {
    pub calls: u64,
    pub points: u64,
    /// How often it waits for the next hour's points.
    pub waits: u64,
    /// Until it is done, waits included.
    pub seconds: u64,
}

/// About how much spaces hold, and what it costs to carry them.
#[derive(Serialize, ToSchema)]
#[schema(as = Quote)]
pub struct QuoteJson {
    #[serde(flatten)]
    pub estimate: EstimateJson,
    pub import: ForecastJson,
    /// About what the passes cost that follow it.
    pub later: PassPricesJson,
}

impl From<Quote> for QuoteJson {
    fn from(quote: Quote) -> Self {
        Self {
            estimate: quote.estimate.into(),
            import: ForecastJson {
                calls: quote.import.price.calls,
                points: quote.import.price.points,
                waits: quote.import.waits,
                seconds: quote.import.time.as_secs_f64().ceil() as u64,
            },
            later: quote.later.into(),
        }
    }
}
