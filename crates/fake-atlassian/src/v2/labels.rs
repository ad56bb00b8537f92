//! Labels: of a page or blog post, and in use in a space.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{pages::found, spaces};
use crate::{
    call::{Call, Outcome},
    chance::scattered,
    listing::Key,
    world::Kind,
};

const LIMIT: usize = 25;

pub fn rows(call: &Call, slot: u32) -> Vec<Value> {
    call.site.labels(slot).iter().map(|name| label_json(name)).collect()
}

fn label_json(name: &str) -> Value {
    let sum = name.bytes().fold(7_u64, |sum, byte| scattered(sum, u64::from(byte)));
    json!({ "id": (100_000 + sum % 900_000).to_string(), "name": name, "prefix": "global" })
}

pub fn of(call: &Call, kind: Kind, id: &str) -> Outcome {
    let slot = found(call, kind, id)?;
    listed(call, rows(call, slot))
}

/// Those that content which the reader sees in the space bears.
pub fn in_space(call: &Call, space: &str) -> Outcome {
    let place = spaces::visible(call, space)?;
    let content = &call.site.spaces[place as usize].content;
    let pages = [Kind::Page, Kind::BlogPost]
        .into_iter()
        .flat_map(|kind| &content[kind.place()]);
    let shown = pages.filter(|slot| call.site.shows(call.reader, **slot));
    let names: BTreeSet<String> = shown.flat_map(|slot| call.site.labels(*slot)).collect();
    listed(call, names.iter().map(|name| label_json(name)).collect())
}

/// Of the space itself: none here has any.
pub fn of_space(call: &Call, space: &str) -> Outcome {
    spaces::visible(call, space)?;
    listed(call, Vec::new())
}

fn listed(call: &Call, mut labels: Vec<Value>) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let order = call.order(&["created-date", "name"])?;
    if let Some(prefix) = call.query.first("prefix") {
        labels.retain(|label| label["prefix"] == prefix);
    }
    let candidates: Vec<u32> = (0..labels.len() as u32).collect();
    let name = |row: u32| labels[row as usize]["name"].as_str().unwrap_or_default();
    let (rows, next) = call.rows(
        &candidates,
        &order,
        limit,
        |row| Key::Text(name(row).to_owned()),
        |_| true,
    )?;
    Ok(call.listed(
        rows.into_iter().map(|row| labels[row as usize].clone()).collect(),
        next,
        0,
    ))
}
