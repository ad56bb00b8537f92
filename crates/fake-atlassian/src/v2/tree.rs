//! What is below and above a page.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, v2_missing},
    call::{Call, Outcome},
    world::{Kind, Status, content_id, space_id},
};

const LIMIT: usize = 25;
const DEPTH: u32 = 2;
const DEPTH_MAX: u32 = 10;

fn found(call: &Call, id: &str) -> Result<u32, Answer> {
    call.visible(Kind::Page, id).ok_or_else(|| v2_missing("page", id))
}

fn listable(call: &Call, slot: u32) -> bool {
    matches!(call.site.item(slot).status, Status::Current | Status::Archived) && call.site.sees(call.reader, slot)
}

/// The present listing of children says their type, the deprecated one does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Typed,
    Deprecated,
}

pub fn children(call: &Call, id: &str, shape: Shape) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let slot = found(call, id)?;
    let order = call.order(&["created-date", "modified-date", "title", "child-position"])?;
    let candidates = call.site.child_pages(slot);
    let (rows, next) = call.content_rows(&candidates, &order, limit, |slot| listable(call, slot))?;
    let child = |slot: u32| {
        let item = call.site.item(slot);
        let mut child = json!({
            "id": content_id(slot).to_string(),
            "status": item.status.word(),
            "title": call.site.title(slot),
            "spaceId": space_id(item.space as usize).to_string(),
            "childPosition": item.position,
        });
        if shape == Shape::Typed {
            child["type"] = json!("page");
        }
        child
    };
    let points = rows.len() as u64;
    Ok(call.listed(rows.into_iter().map(child).collect(), next, points))
}

pub fn descendants(call: &Call, id: &str) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let depth = match call.query.first("depth").map(str::parse::<u32>) {
        None => DEPTH,
        Some(Ok(depth)) if (1..=DEPTH_MAX).contains(&depth) => depth,
        Some(_) => return Err(call.bad(&format!("'depth' must lie between 1 and {DEPTH_MAX}"))),
    };
    let root = found(call, id)?;
    let mut below: Vec<(u32, u32)> = Vec::new();
    let mut level = vec![root];
    for at in 1..=depth {
        level = level
            .iter()
            .flat_map(|slot| call.site.child_pages(*slot))
            .filter(|slot| listable(call, *slot))
            .collect();
        below.extend(level.iter().map(|slot| (*slot, at)));
    }
    below.sort_unstable();
    let candidates: Vec<u32> = below.iter().map(|(slot, _)| *slot).collect();
    let order = call.order(&[])?;
    let (rows, next) = call.content_rows(&candidates, &order, limit, |_| true)?;
    let descendant = |slot: u32| -> Value {
        let item = call.site.item(slot);
        let depth = below
            .binary_search_by_key(&slot, |(slot, _)| *slot)
            .map_or(1, |place| below[place].1);
        json!({
            "id": content_id(slot).to_string(),
            "status": item.status.word(),
            "title": call.site.title(slot),
            "type": "page",
            "parentId": item.holder.map(|holder| content_id(holder).to_string()),
            "depth": depth,
            "childPosition": item.position,
        })
    };
    let points = rows.len() as u64;
    Ok(call.listed(rows.into_iter().map(descendant).collect(), next, points))
}

/// From the root down.
pub fn ancestors(call: &Call, id: &str) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let slot = found(call, id)?;
    let mut above = call.site.ancestors(slot);
    above.truncate(limit);
    let results: Vec<Value> = above
        .iter()
        .rev()
        .map(|slot| json!({ "id": content_id(*slot).to_string(), "type": "page" }))
        .collect();
    let points = results.len() as u64;
    Ok(call.listed(results, None, points))
}
