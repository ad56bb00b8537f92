//! Who may read and who may edit, by restrictions of the content's own; those of its ancestors are theirs to tell.

use serde_json::{Value, json};

use super::users;
use crate::{
    answer::{Answer, v1_error},
    call::{Call, Outcome},
    world::Readers,
};

const LIMIT: usize = 100;

fn found(call: &Call, id: &str) -> Result<u32, Answer> {
    let found = call.site.slot(id).filter(|slot| call.site.sees(call.reader, *slot));
    found.ok_or_else(|| {
        v1_error(
            404,
            "NotFoundException",
            &format!("No content found with id: ContentId{{id={id}}}"),
        )
    })
}

fn readers(call: &Call, slot: u32) -> (Vec<u16>, Vec<u16>) {
    let restriction = call
        .site
        .item(slot)
        .own
        .as_ref()
        .and_then(|own| own.restriction.as_ref());
    match restriction {
        Some(Readers::Only { people, groups }) => (people.iter().copied().collect(), groups.iter().copied().collect()),
        Some(Readers::Everyone) | None => (Vec::new(), Vec::new()),
    }
}

fn restriction_json(call: &Call, slot: u32, operation: &str) -> Value {
    let (people, groups) = match operation {
        "read" => readers(call, slot),
        _ => (Vec::new(), Vec::new()),
    };
    let users: Vec<Value> = people.iter().map(|place| users::known_json(call, *place)).collect();
    let groups: Vec<Value> = groups
        .iter()
        .filter_map(|place| call.site.groups.get(usize::from(*place)))
        .map(users::group_json)
        .collect();
    let id = call.site.shown_id(slot);
    json!({
        "operation": operation,
        "restrictions": {
            "user": { "results": users, "start": 0, "limit": LIMIT, "size": users.len() },
            "group": { "results": groups, "start": 0, "limit": LIMIT, "size": groups.len() },
            "_expandable": {},
        },
        "_expandable": { "content": format!("/rest/api/content/{id}") },
        "_links": { "self": format!("{}/wiki/rest/api/content/{id}/restriction/byOperation/{operation}", call.site.url()) },
    })
}

pub fn by_operation_json(call: &Call, slot: u32) -> Value {
    let id = call.site.shown_id(slot);
    json!({
        "read": restriction_json(call, slot, "read"),
        "update": restriction_json(call, slot, "update"),
        "_links": { "self": format!("{}/wiki/rest/api/content/{id}/restriction/byOperation", call.site.url()) },
    })
}

fn points(call: &Call, slot: u32) -> u64 {
    let (people, groups) = readers(call, slot);
    2 * (people.len() + groups.len()) as u64
}

pub fn list(call: &Call, id: &str) -> Outcome {
    let slot = found(call, id)?;
    let (people, groups) = readers(call, slot);
    let operations: &[&str] = match people.is_empty() && groups.is_empty() {
        true => &[],
        false => &["read"],
    };
    let results: Vec<Value> = operations
        .iter()
        .map(|operation| restriction_json(call, slot, operation))
        .collect();
    let hash = crate::chance::hex(&[&format!("{people:?} {groups:?}")]);
    let own = format!("{}/wiki/rest/api/content/{id}/restriction", call.site.url());
    let body = json!({
        "results": results, "start": 0, "limit": LIMIT, "size": results.len(), "restrictionsHash": hash,
        "_links": { "self": own, "base": format!("{}/wiki", call.site.url()), "context": "/wiki" },
    });
    Ok(Answer::json(200, &body).costing(points(call, slot)))
}

pub fn by_operation(call: &Call, id: &str) -> Outcome {
    let slot = found(call, id)?;
    Ok(Answer::json(200, &by_operation_json(call, slot)).costing(points(call, slot)))
}

pub fn by_one_operation(call: &Call, id: &str, operation: &str) -> Outcome {
    let slot = found(call, id)?;
    if !["read", "update"].contains(&operation) {
        return Err(v1_error(
            400,
            "BadRequestException",
            &format!("Unsupported operation: {operation}"),
        ));
    }
    Ok(Answer::json(200, &restriction_json(call, slot, operation)).costing(points(call, slot)))
}
