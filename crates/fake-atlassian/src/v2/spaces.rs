//! `GET /spaces` and `GET /spaces/{id}`.

use crate::{
    answer::{Answer, v2_missing},
    call::{Call, Outcome},
    listing::Key,
    world::{SpaceStatus, space_id},
};

const LIMIT: usize = 25;

pub fn list(call: &Call) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let order = call.order(&["key", "name"])?;
    let (ids, keys) = (call.query.listed("ids"), call.query.listed("keys"));
    let (kinds, statuses) = (call.query.listed("type"), call.query.listed("status"));
    if let Some(status) = statuses.iter().find(|status| !["current", "archived"].contains(status)) {
        return Err(call.bad(&format!(
            "Provided value {{{status}}} for 'status' is not one of the expected values"
        )));
    }
    let candidates: Vec<u32> = (0..call.site.spaces.len() as u32).collect();
    let keep = |place: u32| {
        let space = &call.site.spaces[place as usize];
        let status = match space.status {
            SpaceStatus::Archived => "archived",
            SpaceStatus::Current | SpaceStatus::Deleted => "current",
        };
        call.site.sees_space(call.reader, place)
            && (ids.is_empty() || ids.contains(&space_id(place as usize).to_string().as_str()))
            && (keys.is_empty() || keys.iter().any(|key| *key == space.key))
            && (kinds.is_empty() || kinds.contains(&space.kind.as_str()))
            && (statuses.is_empty() || statuses.contains(&status))
    };
    let key = |place: u32| {
        let space = &call.site.spaces[place as usize];
        match order.name.as_str() {
            "key" => Key::Text(space.key.clone()),
            "name" => Key::Text(space.name.to_lowercase()),
            _ => Key::Number(i64::from(place)),
        }
    };
    let (rows, next) = call.rows(&candidates, &order, limit, key, keep)?;
    let points = rows.len() as u64;
    Ok(call.listed(
        rows.into_iter().map(|place| call.space_json(place)).collect(),
        next,
        points,
    ))
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
