//! People: one, oneself, many, and the groups of one.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, v1_error},
    call::{Call, Outcome},
    visibility::Reader,
};

/// More ids than this are dropped without a word.
const BULK_MAX: usize = 100;
const GROUPS: usize = 200;

fn picture() -> Value {
    json!({ "path": "/wiki/aa-avatar/default", "width": 48, "height": 48, "isDefault": true })
}

/// Somebody known; addresses are hidden from others, as most are.
pub fn known_json(call: &Call, place: u16) -> Value {
    let Some(person) = call.world.people.get(usize::from(place)) else {
        return anonymous_json();
    };
    let email = match person.account_id == call.account {
        true => person.email.as_str(),
        false => "",
    };
    if call.terse() {
        return json!({
            "type": "known",
            "accountId": person.account_id,
            "email": email,
            "publicName": person.name,
            "displayName": person.name,
        });
    }
    json!({
        "type": "known",
        "accountId": person.account_id,
        "accountType": "atlassian",
        "email": email,
        "publicName": person.name,
        "profilePicture": picture(),
        "displayName": person.name,
        "isExternalCollaborator": false,
        "isGuest": false,
        "_expandable": { "operations": "", "personalSpace": "", "details": "" },
        "_links": { "self": format!("{}/wiki/rest/api/user?accountId={}", call.site.url(), person.account_id) },
    })
}

fn anonymous_json() -> Value {
    json!({
        "type": "anonymous",
        "profilePicture": picture(),
        "displayName": "Anonymous",
        "_expandable": { "operations": "" },
        "_links": {},
    })
}

fn on_site(call: &Call, account: &str) -> Option<u16> {
    let place = call.world.person(account)?;
    let author = || {
        call.world
            .people
            .get(usize::from(place))
            .is_some_and(|person| !person.active)
    };
    (call.reader != Reader::Anonymous && (call.site.members.contains(&place) || author())).then_some(place)
}

pub fn one(call: &Call) -> Outcome {
    let account = call.query.first("accountId").unwrap_or_default();
    match on_site(call, account) {
        Some(place) => Ok(Answer::json(200, &known_json(call, place)).costing(2)),
        None => Err(v1_error(
            404,
            "NotFoundException",
            &format!("No user found with account id: {account}"),
        )),
    }
}

pub fn current(call: &Call) -> Outcome {
    let user = match (call.reader, call.world.person(call.account)) {
        (Reader::Member(_), Some(place)) => {
            let mut user = known_json(call, place);
            user["_links"]["base"] = json!(format!("{}/wiki", call.site.url()));
            user["_links"]["context"] = json!("/wiki");
            user
        }
        _ => anonymous_json(),
    };
    Ok(Answer::json(200, &user).costing(2))
}

pub fn bulk(call: &Call) -> Outcome {
    let asked = call.query.every("accountId");
    if asked.is_empty() {
        return Err(v1_error(400, "BadRequestException", "accountId is missing"));
    }
    let mut places: Vec<u16> = asked
        .iter()
        .take(BULK_MAX)
        .filter_map(|account| on_site(call, account))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    places.retain(|place| seen.insert(*place));
    let results: Vec<Value> = places.into_iter().map(|place| known_json(call, place)).collect();
    let points = 2 * results.len() as u64;
    let body = json!({
        "results": results,
        "start": 0,
        "limit": BULK_MAX,
        "size": results.len(),
        "_links": { "base": format!("{}/wiki", call.site.url()), "context": "/wiki", "self": format!("{}/wiki/rest/api/user/bulk", call.site.url()) },
    });
    Ok(Answer::json(200, &body).costing(points))
}

/// Offset pages without a next address; the total is the size of this page.
pub fn member_of(call: &Call) -> Outcome {
    let account = call.query.first("accountId").unwrap_or_default();
    let missing = || {
        v1_error(
            404,
            "NotFoundException",
            &format!("No user found with account id: {account}"),
        )
    };
    let place = on_site(call, account).ok_or_else(missing)?;
    let number = |name: &str, default: usize| {
        call.query
            .first(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (start, limit) = (number("start", 0), number("limit", GROUPS).min(GROUPS));
    let groups = call
        .site
        .groups
        .iter()
        .filter(|group| group.members.contains(&place))
        .skip(start)
        .take(limit);
    let results: Vec<Value> = groups.map(group_json).collect();
    let size = results.len();
    let body = json!({
        "results": results, "start": start, "limit": limit, "size": size, "totalSize": size,
        "_links": { "base": format!("{}/wiki", call.site.url()), "context": "/wiki" },
    });
    Ok(Answer::json(200, &body).costing(2 * size as u64))
}

pub fn group_json(group: &crate::world::Group) -> Value {
    json!({ "type": "group", "name": group.name, "id": group.id, "usageType": "USERBASE_GROUP", "managedBy": "ADMINS", "_links": {} })
}
