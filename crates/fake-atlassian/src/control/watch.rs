//! What happened, what is true, and what shall go wrong.

use serde_json::{Map, Value, json};

use super::{Done, missing, target};
use crate::{fake::Fake, faults::Change, moment::iso, query::Query, truth::TruthRow, world::Site};

/// A thousand years: enough to test any expiry, and far from where sums end.
const ADVANCE_MS_MAX: u64 = 1_000 * 365 * crate::moment::DAY_MS.unsigned_abs();

pub fn stats(fake: &Fake) -> Value {
    let spent = fake.limits().spent_in_the_hour(fake.now());
    let limits = fake.limits().clone();
    let by_status = fake.journal().by_status();
    let site = |site: &Site| json!({ "cloud_id": site.cloud_id, "name": site.name, "spaces": site.spaces.len(), "current": site.census() });
    let sites: Vec<Value> = fake.world().sites.iter().map(site).collect();
    json!({
        "now": iso(fake.now()),
        "calls": limits.calls_ever,
        "points": limits.spent_ever,
        "points_this_hour": spent,
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
    let key = query.first("space").ok_or("the space is missing")?;
    let rows = world.truth(person, site, key);
    Ok(Value::Array(rows.iter().map(row).collect()))
}

fn row(row: &TruthRow) -> Value {
    json!({
        "id": row.id,
        "kind": row.kind.word(),
        "title": row.title,
        "version": row.version,
        "parent": row.parent,
        "container": row.container,
        "space_id": row.space_id,
        "restricted": row.restricted,
        "created_at": iso(row.created_at),
        "modified_at": iso(row.modified_at),
    })
}

pub fn faults(fake: &Fake, asked: Value) -> Done {
    let change: Change = serde_json::from_value(asked).map_err(|error| format!("not faults: {error}"))?;
    fake.faults().change(change)?;
    Ok(json!({ "changed": true }))
}

/// Moves the clock, back when negative; or sets it.
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
            value => value.as_i64().ok_or_else(|| format!("{name} must be a whole number"))?,
        };
        ms = ms.saturating_add(number.saturating_mul(unit));
    }
    if let Some(at) = asked["set_ms"].as_i64() {
        ms = at.saturating_sub(fake.now());
    }
    if ms.unsigned_abs() > ADVANCE_MS_MAX {
        return Err("the clock can be moved by a thousand years at most".into());
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
