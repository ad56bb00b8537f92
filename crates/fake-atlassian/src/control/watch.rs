//! What happened, what is true, and what shall go wrong.

use serde_json::{Map, Value, json};

use super::{Done, missing, target};
use crate::{
    fake::Fake,
    faults::Change,
    moment::iso,
    query::Query,
    world::{Kind, Site, content_id},
};

/// A thousand years: enough to test any expiry, and far from where sums end.
const ADVANCE_MS_MAX: i64 = 1_000 * 365 * crate::moment::DAY_MS;

pub fn stats(fake: &Fake) -> Value {
    let limits = fake.limits().clone();
    let by_status = fake.journal().by_status();
    let site = |site: &Site| json!({ "cloud_id": site.cloud_id, "name": site.name, "spaces": site.spaces.len(), "current": site.census() });
    let sites: Vec<Value> = fake.world().sites.iter().map(site).collect();
    json!({
        "now": iso(fake.now()),
        "calls": limits.calls_ever,
        "points": limits.spent_ever,
        "points_this_hour": limits.spent,
        "quota": (limits.quota != u64::MAX).then_some(limits.quota),
        "refused": limits.refused_ever,
        "by_status": by_status,
        "sites": sites,
    })
}

/// What the account sees in the space: current pages, blog posts, and their current comments and attachments.
pub fn truth(fake: &Fake, query: &Query) -> Done {
    let world = fake.world();
    let site = match query.first("cloud_id") {
        Some(cloud_id) => world
            .site(cloud_id)
            .ok_or_else(|| missing(format!("there is no site {cloud_id}")))?,
        None => world.sites.first().ok_or("there is no site")?,
    };
    let person = match query.first("account") {
        Some(account) => world
            .person(account)
            .ok_or_else(|| missing(format!("there is no account {account}")))?,
        None => 0,
    };
    let active = world
        .people
        .get(usize::from(person))
        .is_some_and(|person| person.active);
    let reader = site.reader(person, active);
    let key = query.first("space").ok_or("the space is missing")?;
    // A space that is gone, or hidden, shows nothing: that is the truth about it.
    let Some(space) = site.space_by_key(key) else {
        return Ok(json!([]));
    };
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let shown = site.spaces[space as usize].content[kind.place()]
            .iter()
            .filter(|slot| site.shows(reader, **slot));
        rows.extend(shown.map(|slot| row(site, *slot)));
    }
    Ok(Value::Array(rows))
}

fn row(site: &Site, slot: u32) -> Value {
    let item = site.item(slot);
    let id = |slot: u32| content_id(slot).to_string();
    let (parent, container) = match item.kind {
        Kind::Page | Kind::BlogPost => (item.holder, None),
        Kind::Comment | Kind::Attachment => (item.reply_to, item.holder),
    };
    json!({
        "id": site.shown_id(slot),
        "kind": item.kind.word(),
        "title": site.title(slot),
        "version": item.version,
        "parent": parent.map(id),
        "container": container.map(id),
        "restricted": site.restricted(slot),
        "created_at": iso(item.created_at),
        "modified_at": iso(item.modified_at),
    })
}

pub fn faults(fake: &Fake, asked: Value) -> Done {
    let change: Change = serde_json::from_value(asked).map_err(|error| format!("not faults: {error}"))?;
    fake.faults().change(change)?;
    Ok(json!({ "changed": true }))
}

/// Adds to the clock, never takes away.
pub fn clock(fake: &Fake, asked: &Value) -> Done {
    let mut ms: i64 = 0;
    for (name, unit) in [
        ("advance_ms", 1),
        ("advance_seconds", 1_000),
        ("advance_minutes", crate::moment::MINUTE_MS),
        ("advance_hours", crate::moment::HOUR_MS),
        ("advance_days", crate::moment::DAY_MS),
    ] {
        let number = match &asked[name] {
            Value::Null => 0,
            value => value
                .as_i64()
                .filter(|number| *number >= 0)
                .ok_or_else(|| format!("{name} must be a whole number from 0"))?,
        };
        ms = ms.saturating_add(number.saturating_mul(unit));
    }
    if ms > ADVANCE_MS_MAX {
        return Err("the clock can be advanced by a thousand years at most".into());
    }
    fake.advance_clock(ms);
    Ok(json!({ "now": iso(fake.now()) }))
}

pub fn quota(fake: &Fake, asked: &Value) -> Done {
    let points = match &asked["points"] {
        Value::Null => u64::MAX,
        value => value
            .as_u64()
            .ok_or("points must be a whole number, or null for no quota")?,
    };
    fake.limits().quota = points;
    let remaining = fake.limits().remaining(fake.now());
    let mut answer = Map::new();
    answer.insert("remaining".into(), json!((points != u64::MAX).then_some(remaining)));
    Ok(Value::Object(answer))
}

pub fn site_of(asked: &Value, fake: &Fake) -> Result<String, super::Refused> {
    let world = fake.world();
    let place = target::site(&world, asked)?;
    Ok(world.sites[place].cloud_id.clone())
}
