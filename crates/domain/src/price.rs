//! Given about how much there is, gives what passes over it will cost at Atlassian and how long they take, before any
//! call is made. Pure, and as rough as Atlassian's own estimates.

use std::time::Duration;

use crate::{
    Timestamp,
    budget::BudgetPicture,
    source::{CHANGES_SPACES_MAX, IDS_MAX, Pace},
    space::{Estimate, FeedSpace},
    sync_run::Spent,
};

/// Rows of one answer: v2's listings, and v1's search with bodies and without (facts.md §5).
const LISTED_AT_ONCE: u64 = 250;
const SEARCHED_AT_ONCE: u64 = 100;
const LABELLED_AT_ONCE: u64 = 200;
/// Rows that a look at changes asks for of each kind when nothing was written.
const QUIET_ROWS: u64 = 5;
/// Where nobody tells beforehand how many pages bear labels: two of three, as on the generated sites of numbers.md.
const LABELLED_PERCENT: u64 = 67;
/// Nobody tells beforehand how many people wrote them: one for so many.
const PAGES_PER_PERSON: u64 = 50;
const POINTS_PER_PERSON: u64 = 2;
/// What an answer with many rows is thought to take before one came.
const LATENCY_DEFAULT: Duration = Duration::from_millis(800);
const HOUR: Duration = Duration::from_secs(3_600);

/// What a pass takes: its price, how often it waits for the next hour's points, and until when it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    pub price: Spent,
    pub waits: u64,
    pub time: Duration,
}

/// What it costs to carry some spaces: first, and from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    pub estimate: Estimate,
    pub import: Forecast,
    pub later: LaterPasses,
}

/// What each of the passes costs that follow the import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaterPasses {
    /// A look at what changed that finds nothing.
    pub changes: Spent,
    /// Everything again.
    pub walk: Spent,
    /// Which of the documents can still be seen.
    pub probe: Spent,
}

impl Quote {
    pub fn of(estimate: Estimate, spaces: u64, pace: Pace, budget: &BudgetPicture, now: Timestamp) -> Self {
        Self {
            estimate,
            import: forecast(price_of_import(&estimate, spaces), pace, budget, now),
            later: LaterPasses::of(&estimate, spaces),
        }
    }
}

impl LaterPasses {
    pub fn of(estimate: &Estimate, spaces: u64) -> Self {
        Self {
            changes: price_of_quiet_changes(spaces),
            walk: price_of_walk(estimate, spaces),
            probe: price_of_probe(whole(estimate)),
        }
    }
}

/// Everything with its body, and with the names of people.
pub fn price_of_import(estimate: &Estimate, spaces: u64) -> Spent {
    let people = written(estimate).div_ceil(PAGES_PER_PERSON);
    let asked = people.min(answers(estimate.pages, LISTED_AT_ONCE, spaces));
    price_of_walk(estimate, spaces).plus(Spent {
        calls: asked,
        points: asked + people * POINTS_PER_PERSON,
    })
}

/// Everything that is there: bodies cost nothing beside their page, so it is the price of the listings and labels.
pub fn price_of_walk(estimate: &Estimate, spaces: u64) -> Spent {
    let listed = |rows: u64, at_once: u64, each: u64| {
        let calls = answers(rows, at_once, spaces);
        Spent {
            calls,
            points: calls + rows * each,
        }
    };
    let labelled = labelled(estimate);
    let labels = Spent {
        calls: spaces + labelled.div_ceil(LABELLED_AT_ONCE),
        points: spaces + labelled.div_ceil(LABELLED_AT_ONCE) + labelled,
    };
    listed(estimate.pages, LISTED_AT_ONCE, 1)
        .plus(listed(estimate.blog_posts, LISTED_AT_ONCE, 1))
        // Comments have no price of their own (facts.md §4).
        .plus(listed(estimate.comments, SEARCHED_AT_ONCE, 0))
        .plus(listed(estimate.attachments, SEARCHED_AT_ONCE, 1))
        .plus(labels)
}

/// One answer of each of four kinds over up to a hundred spaces; comments have no price of their own.
pub fn price_of_quiet_changes(spaces: u64) -> Spent {
    let looks = spaces.div_ceil(CHANGES_SPACES_MAX as u64);
    Spent {
        calls: looks * 4,
        points: looks * (4 + 3 * QUIET_ROWS),
    }
}

/// Many ids for the price of one call.
pub fn price_of_probe(documents: u64) -> Spent {
    let calls = documents.div_ceil(IDS_MAX as u64);
    Spent { calls, points: calls }
}

/// When a pass of this price that begins now, for a person, is done: its answers come one after another, and what does
/// not fit into this hour's budget waits for the next ones.
pub fn forecast(price: Spent, pace: Pace, budget: &BudgetPicture, now: Timestamp) -> Forecast {
    let latency = pace.latency.unwrap_or(LATENCY_DEFAULT);
    let working = latency.saturating_mul(u32::try_from(price.calls).unwrap_or(u32::MAX));
    let beyond = price.points.saturating_sub(budget.left_for_people);
    if beyond == 0 {
        return Forecast {
            price,
            waits: 0,
            time: working,
        };
    }
    let hourly = budget.hourly.max(1);
    let waits = beyond.div_ceil(hourly);
    let last = beyond - (waits - 1) * hourly;
    let waited = budget.renewed_at.since(now) + HOUR.saturating_mul(u32::try_from(waits - 1).unwrap_or(u32::MAX));
    let in_last_hour = working.mul_f64(last as f64 / price.points.max(1) as f64);
    Forecast {
        price,
        waits,
        time: (waited + in_last_hour).max(working),
    }
}

/// About how much a feed's spaces hold: what was estimated, or what is held where that is more or nothing was.
pub fn held(spaces: &[FeedSpace]) -> Estimate {
    spaces.iter().fold(Estimate::default(), |all, space| {
        let estimate = space.estimate.unwrap_or_default();
        let more = space.documents.saturating_sub(whole(&estimate));
        Estimate {
            pages: all.pages + estimate.pages + more,
            blog_posts: all.blog_posts + estimate.blog_posts,
            comments: all.comments + estimate.comments,
            attachments: all.attachments + estimate.attachments,
            labelled: None,
        }
    })
}

/// Answers of a listing of so many rows over so many spaces, one of each space at least.
fn answers(rows: u64, at_once: u64, spaces: u64) -> u64 {
    rows.div_ceil(at_once) + spaces.saturating_sub(u64::from(rows > 0))
}

fn written(estimate: &Estimate) -> u64 {
    estimate.pages + estimate.blog_posts
}

fn labelled(estimate: &Estimate) -> u64 {
    let guess = || written(estimate) * LABELLED_PERCENT / 100;
    estimate.labelled.unwrap_or_else(guess)
}

fn whole(estimate: &Estimate) -> u64 {
    written(estimate) + estimate.comments + estimate.attachments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Allowance, Hour, HourPoints};

    const NOW: Timestamp = Timestamp(1_800_000);

    fn site(pages: u64) -> Estimate {
        Estimate {
            pages,
            blog_posts: pages / 50,
            comments: pages * 2,
            attachments: pages,
            labelled: None,
        }
    }

    fn fresh() -> BudgetPicture {
        BudgetPicture::of(
            &HourPoints::of(Hour::of(NOW)),
            Allowance::default(),
            NOW,
            Spent::default(),
        )
    }

    fn pace(milliseconds: u64) -> Pace {
        Pace {
            at_once: 2,
            latency: Some(Duration::from_millis(milliseconds)),
        }
    }

    #[test]
    fn an_import_costs_a_point_for_each_page_and_attachment_and_for_each_answer() {
        let listings = |estimate: &Estimate| {
            let all = price_of_walk(estimate, 1);
            (all.calls, all.points - labelled(estimate))
        };
        let only_pages = Estimate {
            pages: 1_000,
            ..Estimate::default()
        };
        // Four of pages, one of each other kind, five of labels: two of three pages bear some.
        assert_eq!(listings(&only_pages), (4 + 3 + 5, 1_000 + 12));
        let more = listings(&site(1_000));
        assert_eq!(more, (4 + 1 + 20 + 10 + 5, 1_000 + 20 + 1_000 + 40));
        assert!(price_of_import(&site(1_000), 1).points > price_of_walk(&site(1_000), 1).points);
    }

    #[test]
    fn an_empty_space_costs_a_call_of_each_kind_and_one_for_its_labels() {
        let nothing = Estimate::default();
        assert_eq!(price_of_import(&nothing, 3), Spent { calls: 15, points: 15 });
    }

    #[test]
    fn a_quiet_look_at_changes_costs_the_same_whatever_the_spaces_hold() {
        assert_eq!(price_of_quiet_changes(1), Spent { calls: 4, points: 19 });
        assert_eq!(price_of_quiet_changes(100), price_of_quiet_changes(1));
        assert_eq!(price_of_quiet_changes(101), Spent { calls: 8, points: 38 });
        assert_eq!(price_of_probe(10_000), Spent { calls: 40, points: 40 });
    }

    #[test]
    fn what_fits_into_the_hour_takes_as_long_as_its_answers() {
        let price = Spent {
            calls: 10,
            points: 2_000,
        };
        let forecast = forecast(price, pace(300), &fresh(), NOW);
        assert_eq!((forecast.waits, forecast.time), (0, Duration::from_secs(3)));
    }

    #[test]
    fn what_does_not_fit_waits_for_the_hours_that_it_needs() {
        // 32,500 now, half an hour before the hour turns; as much in the next; the rest in the one after.
        let price = Spent {
            calls: 400,
            points: 80_000,
        };
        let forecast = forecast(price, pace(1_000), &fresh(), NOW);
        let in_last_hour = 400.0 * 15_000.0 / 80_000.0;
        assert_eq!(forecast.waits, 2);
        assert_eq!(forecast.time.as_secs(), 1_800 + 3_600 + in_last_hour as u64);
    }

    #[test]
    fn what_nobody_estimated_counts_as_it_is_held() {
        let space = |estimate, documents| FeedSpace {
            space: crate::space::Space {
                id: crate::SpaceId::new("1"),
                key: "A".into(),
                name: "A".into(),
                kind: "global".into(),
            },
            added_at: NOW,
            imported_at: None,
            suspended_at: None,
            doubted_at: None,
            archived: false,
            walked: Default::default(),
            estimate,
            documents,
        };
        let held = held(&[space(Some(site(100)), 0), space(None, 40)]);
        assert_eq!((held.pages, held.comments), (140, 200));
    }
}
