//! Pages and blog posts: in a space, anywhere, by id; their labels and versions.

use serde_json::json;

use super::{
    labels, spaces,
    wire::{BodyFormat, text_json},
};
use crate::{
    answer::{Answer, v2_error, v2_missing},
    call::{Call, Outcome},
    moment::iso,
    world::{Kind, Past, Status, content_id},
};

const LIMIT: usize = 25;
const IDS_MAX: usize = 250;
const SPACES_MAX: usize = 100;
/// The most versions in an answer with bodies.
const VERSIONS_WITH_BODIES_MAX: usize = 50;
/// The most versions that are told of.
const VERSIONS_MAX: u32 = 1_000;

pub fn of_space(call: &Call, kind: Kind, space: &str) -> Outcome {
    let place = spaces::visible(call, space)?;
    let candidates = &call.site.spaces[place as usize].content[kind.place()];
    let root_only = match call.query.first("depth") {
        None | Some("all") => false,
        Some("root") => true,
        Some(other) => {
            return Err(call.bad(&format!(
                "Provided value {{{other}}} for 'depth' is not one of the expected values"
            )));
        }
    };
    listed(call, kind, candidates, |slot| {
        !root_only || call.site.item(slot).holder.is_none()
    })
}

pub fn anywhere(call: &Call, kind: Kind) -> Outcome {
    let (ids, spaces) = (call.query.listed("id"), call.query.listed("space-id"));
    if ids.len() > IDS_MAX {
        return Err(call.bad(&format!("At most {IDS_MAX} values may be given for 'id'")));
    }
    if spaces.len() > SPACES_MAX {
        return Err(call.bad(&format!("At most {SPACES_MAX} values may be given for 'space-id'")));
    }
    let numbers = ids.iter().chain(&spaces).all(|id| id.parse::<u64>().is_ok());
    if !numbers {
        return Err(call.bad("Provided value for 'id' is not the correct type. Expected type is a list of long"));
    }
    let mut candidates: Vec<u32> = if !ids.is_empty() {
        ids.iter()
            .filter_map(|id| call.site.slot(id))
            .filter(|slot| call.site.item(*slot).kind == kind)
            .collect()
    } else if !spaces.is_empty() {
        let places = spaces.iter().filter_map(|id| call.site.space_by_id(id));
        places
            .flat_map(|place| call.site.spaces[place as usize].content[kind.place()].iter().copied())
            .collect()
    } else {
        call.site.every(kind)
    };
    candidates.sort_unstable();
    candidates.dedup();
    let wanted: Vec<u32> = spaces.iter().filter_map(|id| call.site.space_by_id(id)).collect();
    listed(call, kind, &candidates, |slot| {
        spaces.is_empty() || wanted.contains(&call.site.item(slot).space)
    })
}

fn listed(call: &Call, kind: Kind, candidates: &[u32], keep: impl Fn(u32) -> bool) -> Outcome {
    let limit = call.limit(LIMIT)?;
    let sorts: &[&str] = match kind {
        Kind::Page => &["created-date", "modified-date", "title"],
        Kind::BlogPost | Kind::Comment | Kind::Attachment => &["created-date", "modified-date"],
    };
    let order = call.order(sorts)?;
    let statuses = statuses(call, kind)?;
    let format = body_format(call, false)?;
    let title = call.query.first("title");
    let live = match call.query.first("subtype").filter(|_| kind == Kind::Page) {
        None => None,
        Some("live") => Some(true),
        Some("page") => Some(false),
        Some(other) => {
            return Err(call.bad(&format!(
                "Provided value {{{other}}} for 'subtype' is not one of the expected values"
            )));
        }
    };
    let keep = |slot: u32| {
        let item = call.site.item(slot);
        statuses.contains(&item.status)
            && keep(slot)
            && live.is_none_or(|live| call.site.live(slot) == live)
            && title.is_none_or(|title| call.site.title(slot) == title)
            && call.site.sees(call.reader, slot)
    };
    let (rows, next) = call.content_rows(candidates, &order, limit, keep)?;
    rows.iter().try_for_each(|slot| readable(call, *slot, format))?;
    let points = rows.len() as u64;
    let results = rows.into_iter().map(|slot| {
        let mut page = call.page_json(slot, format);
        if kind == Kind::Page {
            page["subtype"] = json!(call.site.live(slot).then_some("live"));
        }
        page
    });
    Ok(call.listed(results.collect(), next, points))
}

fn statuses(call: &Call, kind: Kind) -> Result<Vec<Status>, Answer> {
    let words = call.query.listed("status");
    if words.is_empty() {
        return Ok(match kind {
            Kind::BlogPost => vec![Status::Current],
            Kind::Page | Kind::Comment | Kind::Attachment => vec![Status::Current, Status::Archived],
        });
    }
    let status = |word: &&str| match (*word, kind) {
        ("current", _) => Ok(Status::Current),
        ("archived", Kind::Page) => Ok(Status::Archived),
        ("trashed", _) => Ok(Status::Trashed),
        ("deleted", _) => Ok(Status::Purged),
        (other, _) => Err(call.bad(&format!(
            "Provided value {{{other}}} for 'status' is not one of the expected values"
        ))),
    };
    words.iter().map(status).collect()
}

/// The `body-format`; a listing knows fewer than a single object.
pub fn body_format(call: &Call, single: bool) -> Result<BodyFormat, Answer> {
    match call.query.first("body-format") {
        None => Ok(BodyFormat::None),
        Some("storage") => Ok(BodyFormat::Storage),
        Some("atlas_doc_format") => Ok(BodyFormat::Adf),
        Some("view" | "export_view" | "styled_view" | "anonymous_export_view") if single => Ok(BodyFormat::View),
        Some(other) => Err(call.bad(&format!(
            "Provided value {{{other}}} for 'body-format' is not one of the expected values"
        ))),
    }
}

/// The page or blog post, or 404 as for one that does not exist.
pub fn found(call: &Call, kind: Kind, id: &str) -> Result<u32, Answer> {
    if id.parse::<u64>().is_err() {
        return Err(call.bad(&format!(
            "Provided value {{{id}}} for 'id' is not the correct type. Expected type is long"
        )));
    }
    call.visible(kind, id).ok_or_else(|| v2_missing(what(kind), id))
}

/// What a 404 calls it.
pub fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::BlogPost => "blog post",
        Kind::Page | Kind::Comment | Kind::Attachment => "page",
    }
}

pub fn by_id(call: &Call, kind: Kind, id: &str) -> Outcome {
    let format = body_format(call, true)?;
    let slot = found(call, kind, id)?;
    let drafts = call.query.first("get-draft") == Some("true") || call.query.listed("status").contains(&"draft");
    if call.site.item(slot).status == Status::Draft && !drafts {
        return Err(v2_missing(what(kind), id));
    }
    readable(call, slot, format)?;
    let mut page = call.page_json(slot, format);
    if let Some(version) = call.query.first("version") {
        let past = at_version(call, kind, slot, version)?;
        page["title"] = json!(past.title);
        page["body"] = text_json(&past.body, format);
        page["version"]["number"] = json!(past.version);
        page["version"]["ncsStepVersion"] = json!(past.version.to_string());
        page["version"]["authorId"] = json!(call.account_of(past.editor));
        page["version"]["createdAt"] = json!(iso(past.at));
        if past.version != call.site.item(slot).version {
            page["status"] = json!("historical");
        }
    }
    if call.query.first("include-labels") == Some("true") {
        page["labels"] = json!({
            "results": labels::rows(call, slot),
            "meta": { "hasMore": false },
            "_links": { "self": format!("/api/v2/pages/{id}/labels") },
        });
    }
    if call.query.first("include-version") == Some("false")
        && let Some(fields) = page.as_object_mut()
    {
        fields.remove("version");
    }
    Ok(call.single(page, 1))
}

fn at_version(call: &Call, kind: Kind, slot: u32, version: &str) -> Result<Past, Answer> {
    let number: u32 = version.parse().map_err(|_| {
        call.bad(&format!(
            "Provided value {{{version}}} for 'version' is not the correct type. Expected type is integer"
        ))
    })?;
    let missing = || {
        v2_missing(
            &format!("version {number} of the {}", what(kind)),
            &content_id(slot).to_string(),
        )
    };
    call.site.at_version(slot, number).ok_or_else(missing)
}

/// Some pages' storage format cannot be given, alone or among others, though everything else of them can.
fn readable(call: &Call, slot: u32, format: BodyFormat) -> Result<(), Answer> {
    match format == BodyFormat::Storage && call.site.poisoned(slot) {
        true => Err(v2_error(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")),
        false => Ok(()),
    }
}

/// Newest first.
pub fn versions(call: &Call, kind: Kind, id: &str) -> Outcome {
    let format = body_format(call, false)?;
    let limit = match format {
        BodyFormat::None => call.limit(LIMIT)?,
        _ => call.limit(LIMIT)?.min(VERSIONS_WITH_BODIES_MAX),
    };
    let slot = found(call, kind, id)?;
    let item = call.site.item(slot);
    let count = item.version.min(VERSIONS_MAX);
    let candidates: Vec<u32> = (0..count).collect();
    let order = call.order(&["modified-date"])?;
    let number = |row: u32| item.version - row;
    let key = |row: u32| crate::listing::Key::Number(i64::from(number(row)));
    let (rows, next) = call.rows(&candidates, &order, limit, key, |_| true)?;
    let field = match kind {
        Kind::BlogPost => "blogpost",
        Kind::Page | Kind::Comment | Kind::Attachment => "page",
    };
    let version = |past: Past| {
        json!({
            "number": past.version,
            "message": "",
            "minorEdit": false,
            "authorId": call.account_of(past.editor),
            "createdAt": iso(past.at),
            field: { "title": past.title, "id": content_id(slot).to_string(), "body": text_json(&past.body, format) },
        })
    };
    let known = rows
        .into_iter()
        .filter_map(|row| call.site.at_version(slot, number(row)));
    Ok(call.listed(known.map(version).collect(), next, 0))
}
