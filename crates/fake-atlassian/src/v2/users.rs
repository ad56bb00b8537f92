//! `POST /users-bulk` and `POST /content/convert-ids-to-types`.

use serde_json::{Map, Value, json};

use crate::{
    answer::Answer,
    call::{Call, Outcome},
    visibility::Reader,
    world::Kind,
};

const USERS_MAX: usize = 250;
const IDS_MAX: usize = 100;

pub fn bulk(call: &Call) -> Outcome {
    let asked = words(call, "accountIds", USERS_MAX)?;
    let mut results = Vec::new();
    for account in &asked {
        let Some(place) = call.world.person(account).filter(|_| call.reader != Reader::Anonymous) else {
            continue;
        };
        if !call.site.members.contains(&place) {
            continue;
        }
        let person = &call.world.people[usize::from(place)];
        let status = match person.active {
            true => "active",
            false => "inactive",
        };
        results.push(json!({
            "accountId": person.account_id,
            "accountType": "atlassian",
            "accountStatus": status,
            "displayName": person.name,
            "publicName": person.name,
            "email": "",
            "timeZone": null,
            "personalSpaceId": null,
            "isExternalCollaborator": false,
            "profilePicture": { "path": "/wiki/aa-avatar/default", "isDefault": true },
        }));
    }
    let points = 2 * results.len() as u64;
    let body = json!({ "results": results, "_links": { "base": format!("{}/wiki", call.site.url()) } });
    Ok(Answer::json(200, &body).costing(points))
}

/// Null for what does not exist and for what the reader may not see: no difference.
pub fn convert_ids(call: &Call) -> Outcome {
    let asked = words(call, "contentIds", IDS_MAX)?;
    let mut results = Map::new();
    for id in asked {
        let slot = call.site.slot(&id).filter(|slot| call.site.sees(call.reader, *slot));
        let kind = slot.map(|slot| {
            let item = call.site.item(slot);
            match (item.kind, item.inline) {
                (Kind::Page, _) => "page",
                (Kind::BlogPost, _) => "blogpost",
                (Kind::Attachment, _) => "attachment",
                (Kind::Comment, false) => "footer-comment",
                (Kind::Comment, true) => "inline-comment",
            }
        });
        results.insert(id, json!(kind));
    }
    Ok(Answer::json(200, &json!({ "results": results })))
}

fn words(call: &Call, field: &str, most: usize) -> Result<Vec<String>, Answer> {
    let invalid = || call.bad(&format!("'{field}' must hold between 1 and {most} ids"));
    let body: Value = serde_json::from_slice(call.body).map_err(|_| invalid())?;
    let list = body[field]
        .as_array()
        .filter(|list| (1..=most).contains(&list.len()))
        .ok_or_else(invalid)?;
    let word = |value: &Value| match value {
        Value::String(word) => Some(word.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    list.iter().map(word).collect::<Option<Vec<_>>>().ok_or_else(invalid)
}
