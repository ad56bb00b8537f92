//! `GET /content/search` and `GET /search`.

use serde_json::{Value, json};

use super::{
    content::Expand,
    matching::{Archived, Check, searched},
};
use crate::{
    answer::{Answer, v1_error},
    call::{Call, Outcome},
    chance::scattered,
    cql::{self, Cql},
    listing::{Key, Order},
    moment::{friendly, iso},
    storage_format::text,
    web_links::space_link,
    world::Kind,
};

const LIMIT: usize = 25;
const LIMIT_MAX: usize = 250;
/// With a rendered view in it, a page of results is shorter.
const LIMIT_RENDERED: usize = 25;
/// So many candidates are counted exactly; of more, so many are looked at, and the total is an estimate, as the real one
/// is.
const COUNTED_MAX: usize = 5_000;
const EXCERPT_LETTERS: usize = 160;

struct Found {
    rows: Vec<u32>,
    limit: usize,
    next: Option<String>,
    total: usize,
    cql: String,
}

pub fn content(call: &Call) -> Outcome {
    as_indexed(call, |call| {
        let expand = Expand::of(call);
        let found = found(call, &expand, Archived::LeftOut)?;
        let results: Vec<Value> = found
            .rows
            .iter()
            .map(|slot| call.content_json(*slot, &expand))
            .collect();
        Ok(envelope(call, &found, "/rest/api/content/search", results))
    })
}

pub fn everything(call: &Call) -> Outcome {
    as_indexed(call, |call| {
        let expand = Expand::of(call);
        let archived = match call.query.first("includeArchivedSpaces") {
            Some("true") => Archived::Included,
            _ => Archived::LeftOut,
        };
        let found = found(call, &expand, archived)?;
        let results: Vec<Value> = found
            .rows
            .iter()
            .map(|slot| result_json(call, *slot, &expand))
            .collect();
        Ok(envelope(call, &found, "/rest/api/search", results))
    })
}

/// Answers from the site as it was when it was last indexed.
fn as_indexed(call: &Call, answer: impl Fn(&Call) -> Outcome) -> Outcome {
    let lag_ms = call.fake.faults().search_lag_ms;
    match (lag_ms > 0).then(|| call.site.lagging(call.now, lag_ms)).flatten() {
        Some(site) => answer(&Call { site: &site, ..*call }),
        None => answer(call),
    }
}

fn invalid(reason: &str) -> Answer {
    v1_error(400, "BadRequestException", &format!("Could not parse cql : {reason}"))
}

fn found(call: &Call, expand: &Expand, archived: Archived) -> Result<Found, Answer> {
    let text = call.query.first("cql").ok_or_else(|| invalid("the query is missing"))?;
    let Cql { clause, order } = cql::parsed(text).map_err(|reason| invalid(&reason))?;
    let check = Check::of(call, &clause).map_err(|reason| invalid(&reason))?;
    let order = order_of(order)?;
    let rendered = expand.has("body.export_view") || expand.has("body.styled_view");
    let most = match rendered {
        true => LIMIT_RENDERED,
        false => LIMIT_MAX,
    };
    let limit = match call.query.first("limit").map(str::parse::<usize>) {
        None => LIMIT.min(most),
        Some(Ok(limit)) => limit.min(most),
        Some(Err(_)) => return Err(v1_error(400, "BadRequestException", "limit is not a number")),
    };
    let keep = |slot: u32| check.holds(call, slot) && searched(call, slot, archived);
    let candidates = candidates(call, &check);
    let key = |slot: u32| match order.name.as_str() {
        "created" => Key::Number(call.site.item(slot).created_at),
        "lastmodified" => Key::Number(call.site.item(slot).modified_at),
        "title" => Key::Text(call.site.title(slot).to_lowercase()),
        "space" => Key::Text(call.site.space_of(slot).key.clone()),
        "type" => Key::Text(call.site.item(slot).kind.word().to_owned()),
        _ => Key::Number(i64::from(slot)),
    };
    let page = call
        .fake
        .faults()
        .search_rows(shortened(limit, call.query.first("cursor")));
    let (rows, next) = call
        .rows(&candidates, &order, page, key, keep)
        .map_err(|_| v1_error(400, "BadRequestException", "The cursor is invalid or has expired"))?;
    if expand.has("body.storage") && rows.iter().any(|slot| call.site.poisoned(*slot)) {
        return Err(v1_error(
            500,
            "ServiceException",
            "Error converting the body to storage",
        ));
    }
    let step = candidates.len().div_ceil(COUNTED_MAX).max(1);
    let matching = candidates.iter().step_by(step).filter(|slot| keep(**slot)).count();
    let total = call.fake.faults().search_total((matching * step).min(candidates.len()));
    Ok(Found {
        rows,
        limit,
        next,
        total,
        cql: text.to_owned(),
    })
}

/// Some pages come short though more follow, as the real ones do.
fn shortened(limit: usize, cursor: Option<&str>) -> usize {
    let turn = cursor
        .unwrap_or_default()
        .bytes()
        .fold(0, |sum, byte| scattered(sum, u64::from(byte)));
    match limit >= 20 && turn % 3 == 1 {
        true => limit - 1 - (turn / 3) as usize % (limit / 10),
        false => limit,
    }
}

fn order_of(order: Option<(String, bool)>) -> Result<Order, Answer> {
    let Some((field, descending)) = order else {
        return Ok(Order::named("id"));
    };
    match ["id", "created", "lastmodified", "title", "space", "type"].contains(&field.as_str()) {
        true => Ok(Order {
            by_row: field == "id",
            name: field,
            descending,
        }),
        false => Err(invalid(&format!("cannot order by {field}"))),
    }
}

fn candidates(call: &Call, check: &Check) -> Vec<u32> {
    let site = call.site;
    let mut found: Vec<u32> = match (check.ids(), check.spaces()) {
        (Some(slots), _) => slots.to_vec(),
        (None, Some(places)) => {
            let kinds = check.kinds().unwrap_or(&Kind::ALL);
            let mut found = Vec::new();
            for place in places {
                let content = &site.spaces[*place as usize].content;
                kinds
                    .iter()
                    .for_each(|kind| found.extend_from_slice(&content[kind.place()]));
            }
            found
        }
        (None, None) => check
            .kinds()
            .unwrap_or(&Kind::ALL)
            .iter()
            .flat_map(|kind| site.every(*kind))
            .collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn envelope(call: &Call, found: &Found, path: &str, results: Vec<Value>) -> Answer {
    let site = format!("{}/wiki", call.site.url());
    let start = call
        .query
        .first("start")
        .and_then(|start| start.parse::<u32>().ok())
        .unwrap_or(0);
    let cql = [("cql", found.cql.as_str())];
    let own = crate::query::Query::default().rewritten(&[], &cql);
    let mut links = json!({ "base": site, "context": "/wiki", "self": format!("{site}{path}?{own}") });
    if let Some(cursor) = &found.next {
        let limit = found.limit.to_string();
        let reached = (start as usize + results.len()).to_string();
        // Whatever else was asked, `expand` included, is not repeated here.
        let next = [
            ("next", "true"),
            ("cursor", cursor),
            ("limit", &limit),
            ("start", &reached),
            ("cql", &found.cql),
        ];
        links["next"] = json!(format!(
            "{path}?{}",
            crate::query::Query::default().rewritten(&[], &next)
        ));
    }
    let countable = |slot: &&u32| call.site.item(**slot).kind != Kind::Comment;
    let points = found.rows.iter().filter(countable).count() as u64;
    let mut body = json!({
        "start": start,
        "limit": found.limit,
        "size": results.len(),
        "totalSize": found.total,
        "cqlQuery": found.cql,
        "searchDuration": 12,
        "archivedResultCount": 0,
    });
    body["results"] = Value::Array(results);
    body["_links"] = links;
    Answer::json(200, &body).costing(points)
}

fn result_json(call: &Call, slot: u32, expand: &Expand) -> Value {
    let site = call.site;
    let (item, space) = (site.item(slot), site.space_of(slot));
    let mut content = call.content_json(slot, expand);
    if !expand.has("restrictions") {
        content["restrictions"] = json!({});
    }
    let title = site
        .title(slot)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let excerpt: String = text(&site.body(slot)).trim().chars().take(EXCERPT_LETTERS).collect();
    let url = content["_links"]["webui"].clone();
    let mut result = json!({
        "title": title,
        "excerpt": excerpt,
        "url": url,
        "resultGlobalContainer": { "title": space.name, "displayUrl": space_link(space) },
        "breadcrumbs": [],
        "entityType": "content",
        "iconCssClass": format!("aui-icon content-type-{}", item.kind.word()),
        "lastModified": iso(item.modified_at),
        "friendlyLastModified": friendly(item.modified_at),
        "score": 0,
    });
    result["content"] = content;
    result
}
