//! Attachments: of a page or blog post, anywhere, by id.

use super::pages;
use crate::{
    answer::{Answer, v2_missing},
    call::{Call, Outcome},
    world::{Kind, Status},
};

const LIMIT: usize = 50;

pub fn anywhere(call: &Call) -> Outcome {
    let candidates = call.site.every(Kind::Attachment);
    listed(call, &candidates)
}

pub fn of(call: &Call, holder: Kind, id: &str) -> Outcome {
    let slot = call
        .visible(holder, id)
        .ok_or_else(|| v2_missing(pages::what(holder), id))?;
    let is_attachment = |slot: &u32| call.site.item(*slot).kind == Kind::Attachment;
    let candidates: Vec<u32> = call.site.held_by(slot).filter(is_attachment).collect();
    listed(call, &candidates)
}

fn listed(call: &Call, candidates: &[u32]) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let order = call.order(&["created-date", "modified-date"])?;
    let statuses = statuses(call)?;
    let (media_type, name) = (call.query.first("mediaType"), call.query.first("filename"));
    let keep = |slot: u32| {
        statuses.contains(&call.site.item(slot).status)
            && media_type.is_none_or(|media_type| call.site.file(slot).media_type == media_type)
            && name.is_none_or(|name| call.site.title(slot) == name)
            && call.site.sees(call.reader, slot)
    };
    let (rows, next) = call.content_rows(candidates, &order, limit, keep)?;
    let points = rows.len() as u64;
    Ok(call.listed(
        rows.into_iter().map(|slot| call.attachment_json(slot)).collect(),
        next,
        points,
    ))
}

fn statuses(call: &Call) -> Result<Vec<Status>, Answer> {
    let words = call.query.listed("status");
    if words.is_empty() {
        return Ok(vec![Status::Current, Status::Archived]);
    }
    let status = |word: &&str| match *word {
        "current" => Ok(Status::Current),
        "archived" => Ok(Status::Archived),
        "trashed" => Ok(Status::Trashed),
        other => Err(call.bad(&format!(
            "Provided value {{{other}}} for 'status' is not one of the expected values"
        ))),
    };
    words.iter().map(status).collect()
}

pub fn by_id(call: &Call, id: &str) -> Outcome {
    let slot = call
        .visible(Kind::Attachment, id)
        .ok_or_else(|| v2_missing("attachment", id))?;
    Ok(call.single(call.attachment_json(slot), 1))
}
