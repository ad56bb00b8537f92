//! How often a feed's passes begin by themselves: shown, and set.

use std::time::Duration;

use app::progress::FeedPicture;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use domain::{Error, FeedId, Result, feed::Schedule};

use super::{
    error::{Shown, status, told},
    feeds::{FeedHead, head},
    fields::Fields,
    moment::Moment,
    page::{Page, html, id, ok},
    session::{Posted, SignedIn},
};
use crate::Door;

/// The part of a feed's page that tells when what happens.
#[derive(Template)]
#[template(path = "_schedule.html")]
pub struct ScheduleList {
    feed: FeedId,
    manages: bool,
    passes: Vec<PassRow>,
}

struct PassRow {
    name: &'static str,
    every: String,
    next: Option<Moment>,
}

impl ScheduleList {
    pub fn new(picture: &FeedPicture, manages: bool) -> Self {
        let schedule = &picture.feed.schedule;
        let every = |every: Option<Duration>| match every {
            Some(every) if every == Duration::from_secs(60) => "Every minute".to_owned(),
            Some(every) => format!("Every {} minutes", minutes(every)),
            None => "As often as its price allows".to_owned(),
        };
        Self {
            feed: picture.feed.id,
            manages,
            passes: [
                ("Look for changes", Some(schedule.changes_every), picture.next.changes),
                ("Read everything", schedule.walk_every, picture.next.walk),
                ("Look what can still be seen", schedule.probe_every, picture.next.probe),
            ]
            .map(|(name, interval, next)| PassRow {
                name,
                every: every(interval),
                next: next.map(Moment::new),
            })
            .into(),
        }
    }
}

#[derive(Template)]
#[template(path = "feed_schedule.html")]
struct SchedulePage {
    page: Page,
    feed: FeedHead,
    /// Minutes, as they are typed; empty for automatic.
    changes: String,
    walk: String,
    probe: String,
    problem: Option<String>,
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(feed): Path<String>) -> Shown {
    let feed = door.app.feed(&who.caller, id(&feed)?).await?;
    let schedule = &feed.schedule;
    Ok(ok(&SchedulePage {
        page: Page::new(&who, "Schedule"),
        feed: head(&door, &who, &feed).await?,
        changes: minutes(schedule.changes_every),
        walk: schedule.walk_every.map(minutes).unwrap_or_default(),
        probe: schedule.probe_every.map(minutes).unwrap_or_default(),
        problem: None,
    }))
}

pub async fn save(State(door): State<Door>, Path(feed): Path<String>, Posted { who, fields }: Posted) -> Shown {
    let feed: FeedId = id(&feed)?;
    let saved = match asked(&fields) {
        Ok(schedule) => door.app.set_schedule(&who.caller, feed, schedule).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(_) => Ok(Redirect::to(&format!("/feeds/{feed}?done=schedule-saved")).into_response()),
        Err(error) => refused(&door, &who, feed, &fields, &error).await,
    }
}

/// The page once more with what was typed.
async fn refused(door: &Door, who: &SignedIn, feed: FeedId, fields: &Fields, error: &Error) -> Shown {
    let feed = door.app.feed(&who.caller, feed).await?;
    let page = SchedulePage {
        page: Page::new(who, "Schedule"),
        feed: head(door, who, &feed).await?,
        changes: fields.one("changes").to_owned(),
        walk: fields.one("walk").to_owned(),
        probe: fields.one("probe").to_owned(),
        problem: Some(told(error)),
    };
    Ok(html(status(&error.kind), &page))
}

fn asked(fields: &Fields) -> Result<Schedule> {
    let typed = |name: &str| match fields.one(name) {
        "" => Ok(None),
        text => text
            .parse::<f64>()
            .ok()
            .filter(|minutes| minutes.is_finite() && (0.0..=1e6).contains(minutes))
            .map(|minutes| Some(Duration::from_secs((minutes * 60.0).round() as u64)))
            .ok_or_else(|| Error::invalid("an interval is a number of minutes")),
    };
    Ok(Schedule {
        changes_every: typed("changes")?.unwrap_or(Schedule::CHANGES_EVERY_DEFAULT),
        walk_every: typed("walk")?,
        probe_every: typed("probe")?,
    })
}

/// `90 s` as `1.5`.
fn minutes(every: Duration) -> String {
    (every.as_secs_f64() / 60.0).to_string()
}
