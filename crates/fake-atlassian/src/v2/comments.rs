//! Footer and inline comments: of a page or blog post, anywhere, by id, and their replies.

use super::{
    pages::{self, body_format},
    wire::BodyFormat,
};
use crate::{
    answer::v2_missing,
    call::{Call, Outcome},
    world::{Kind, Status},
};

const LIMIT: usize = 25;

pub fn anywhere(call: &Call, inline: bool) -> Outcome {
    let candidates = call.site.every(Kind::Comment);
    listed(call, &candidates, |slot| {
        call.site.item(slot).inline == inline && call.site.item(slot).reply_to.is_none()
    })
}

pub fn of(call: &Call, holder: Kind, id: &str, inline: bool) -> Outcome {
    let slot = call
        .visible(holder, id)
        .ok_or_else(|| v2_missing(pages::what(holder), id))?;
    let candidates: Vec<u32> = call
        .site
        .held_by(slot)
        .filter(|slot| call.site.item(*slot).kind == Kind::Comment)
        .collect();
    let resolutions = call.query.listed("resolution-status");
    listed(call, &candidates, |slot| {
        let item = call.site.item(slot);
        let resolved = |slot: u32| resolutions.contains(&call.site.inline_marks(slot).0.as_str());
        item.inline == inline && item.reply_to.is_none() && (resolutions.is_empty() || !inline || resolved(slot))
    })
}

pub fn replies(call: &Call, inline: bool, id: &str) -> Outcome {
    let slot = found(call, inline, id)?;
    let candidates: Vec<u32> = call.site.held_by(slot).collect();
    listed(call, &candidates, |_| true)
}

pub fn by_id(call: &Call, inline: bool, id: &str) -> Outcome {
    let slot = found(call, inline, id)?;
    let format = body_format(call, true)?;
    Ok(call.single(call.comment_json(slot, format), 0))
}

fn found(call: &Call, inline: bool, id: &str) -> Result<u32, crate::answer::Answer> {
    let found = call
        .visible(Kind::Comment, id)
        .filter(|slot| call.site.item(*slot).inline == inline);
    found.ok_or_else(|| v2_missing("comment", id))
}

fn listed(call: &Call, candidates: &[u32], keep: impl Fn(u32) -> bool) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let order = call.order(&["created-date", "modified-date"])?;
    let format: BodyFormat = body_format(call, false)?;
    let keep =
        |slot: u32| call.site.item(slot).status == Status::Current && keep(slot) && call.site.sees(call.reader, slot);
    let (rows, next) = call.content_rows(candidates, &order, limit, keep)?;
    Ok(call.listed(
        rows.into_iter().map(|slot| call.comment_json(slot, format)).collect(),
        next,
        0,
    ))
}
