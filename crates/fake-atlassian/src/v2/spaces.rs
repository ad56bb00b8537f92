//! `GET /spaces`, `GET /spaces/{id}` and what an admin hides of them from the app.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, v2_missing},
    call::{Call, Outcome},
    listing::Key,
    world::{SpaceStatus, space_id},
};

const LIMIT: usize = 25;
/// The most ids, and the most keys, that a listing is asked for.
const NAMED_MAX: usize = 250;

pub fn list(call: &Call) -> Outcome {
    let (kinds, statuses) = (call.query.listed("type"), call.query.listed("status"));
    if let Some(status) = statuses.iter().find(|status| !["current", "archived"].contains(status)) {
        return Err(call.bad(&format!(
            "Provided value {{{status}}} for 'status' is not one of the expected values"
        )));
    }
    let keep = |place: u32| {
        let space = &call.site.spaces[place as usize];
        let status = match space.status {
            SpaceStatus::Archived => "archived",
            SpaceStatus::Current | SpaceStatus::Deleted => "current",
        };
        (kinds.is_empty() || kinds.contains(&space.kind.as_str()))
            && (statuses.is_empty() || statuses.contains(&status))
    };
    listed(call, keep, |place| call.space_json(place))
}

/// Which spaces hold content that a rule of the admin's hides from the app.
pub fn data_policies(call: &Call) -> Outcome {
    let row = |place: u32| {
        let mut space = call.space_json(place);
        let blocked = call.site.spaces[place as usize].ruled_out;
        json!({
            "id": space["id"].take(),
            "key": space["key"].take(),
            "name": space["name"].take(),
            "dataPolicy": { "anyContentBlocked": blocked },
            "_links": space["_links"].take(),
        })
    };
    listed(call, |_| true, row)
}

/// Whether there is any such content on the site.
pub fn data_policy(call: &Call) -> Outcome {
    let blocked = call.site.spaces.iter().any(|space| space.ruled_out);
    Ok(Answer::json(200, &json!({ "anyContentBlocked": blocked })))
}

fn listed(call: &Call, keep: impl Fn(u32) -> bool, row: impl Fn(u32) -> Value) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let order = call.order(&["key", "name"])?;
    let (ids, keys) = (call.query.listed("ids"), call.query.listed("keys"));
    for (name, named) in [("ids", &ids), ("keys", &keys)] {
        if named.len() > NAMED_MAX {
            return Err(call.bad(&format!("At most {NAMED_MAX} values may be given for '{name}'")));
        }
    }
    if !ids.iter().all(|id| id.parse::<u64>().is_ok()) {
        return Err(call.bad("Provided value for 'ids' is not the correct type. Expected type is a list of long"));
    }
    let candidates: Vec<u32> = (0..call.site.spaces.len() as u32).collect();
    let named = |place: u32| {
        (ids.is_empty() || ids.contains(&space_id(place as usize).to_string().as_str()))
            && (keys.is_empty() || keys.contains(&call.site.spaces[place as usize].key.as_str()))
    };
    let key = |place: u32| {
        let space = &call.site.spaces[place as usize];
        match order.name.as_str() {
            "key" => Key::Text(space.key.clone()),
            "name" => Key::Text(space.name.to_lowercase()),
            _ => Key::Number(i64::from(place)),
        }
    };
    let keep = |place: u32| call.site.sees_space(call.reader, place) && named(place) && keep(place);
    let (rows, next) = call.rows(&candidates, &order, limit, key, keep)?;
    let points = rows.len() as u64;
    Ok(call.listed(rows.into_iter().map(row).collect(), next, points))
}

pub fn one(call: &Call, id: &str) -> Outcome {
    let place = visible(call, id)?;
    Ok(call.single(call.space_json(place), 1))
}

/// The space, or 404 as for one that does not exist.
pub fn visible(call: &Call, id: &str) -> Result<u32, Answer> {
    if id.parse::<u64>().is_err() {
        return Err(call.bad(&format!(
            "Provided value {{{id}}} for 'id' is not the correct type. Expected type is long"
        )));
    }
    let found = call
        .site
        .space_by_id(id)
        .filter(|place| call.site.sees_space(call.reader, *place));
    found.ok_or_else(|| v2_missing("space", id))
}
