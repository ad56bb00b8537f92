//! Given a control request, gives what it names: the site, the space, the content, the person.

use serde_json::Value;

use super::{Refused, missing};
use crate::world::{Kind, Site, Status, World};

pub fn word<'a>(asked: &'a Value, name: &str) -> Result<&'a str, Refused> {
    asked[name]
        .as_str()
        .ok_or_else(|| format!("{name} is missing or is not a string").into())
}

pub fn words(asked: &Value, name: &str) -> Result<Vec<String>, Refused> {
    let wrong = || Refused::from(format!("{name} must be a list of strings"));
    match &asked[name] {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        _ => Err(wrong()),
    }
}

/// The site's place.
pub fn site(world: &World, asked: &Value) -> Result<usize, Refused> {
    match asked["cloud_id"].as_str() {
        Some(cloud_id) => {
            let place = world
                .sites
                .iter()
                .position(|site| site.cloud_id == cloud_id || site.name == cloud_id);
            place.ok_or_else(|| missing(format!("there is no site {cloud_id}")))
        }
        None if world.sites.is_empty() => Err("there is no site".into()),
        None => Ok(0),
    }
}

pub fn space(site: &Site, asked: &Value, name: &str) -> Result<u32, Refused> {
    let key = word(asked, name)?;
    site.space_by_key(key)
        .ok_or_else(|| missing(format!("there is no space {key}")))
}

/// By `id`, or by `title`, among pages and blog posts first.
pub fn content(site: &Site, asked: &Value) -> Result<u32, Refused> {
    let named = match (&asked["id"], &asked["title"]) {
        (Value::String(id), _) => id.clone(),
        (Value::Number(id), _) => id.to_string(),
        (_, Value::String(title)) => title.clone(),
        _ => return Err("id or title is missing".into()),
    };
    let space = match asked["space"].is_null() {
        true => None,
        false => Some(self::space(site, asked, "space")?),
    };
    named_content(site, &named, space)
}

/// An id or a title.
pub fn named_content(site: &Site, named: &str, space: Option<u32>) -> Result<u32, Refused> {
    if let Some(slot) = site.slot(named) {
        return Ok(slot);
    }
    for kinds in [[Kind::Page, Kind::BlogPost], [Kind::Attachment, Kind::Comment]] {
        let found = (0..site.items.len() as u32).find(|slot| {
            let item = site.item(*slot);
            item.status != Status::Purged
                && kinds.contains(&item.kind)
                && space.is_none_or(|space| item.space == space)
                && site.title(*slot) == named
        });
        if let Some(slot) = found {
            return Ok(slot);
        }
    }
    Err(missing(format!("there is no content {named}")))
}

/// The one in `account`, else the main person.
pub fn person(world: &World, asked: &Value) -> Result<u16, Refused> {
    match asked["account"].as_str() {
        Some(account) => world
            .person(account)
            .ok_or_else(|| missing(format!("there is no account {account}"))),
        None => Ok(0),
    }
}
