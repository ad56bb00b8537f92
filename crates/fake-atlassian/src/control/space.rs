//! What happens to whole spaces.

use serde_json::{Value, json};

use super::{Done, Refused, missing, target};
use crate::world::{Readers, Site, Space, SpaceStatus, space_id};

/// None when it is no change of a space.
pub fn change(site: &mut Site, name: &str, asked: &Value, author: u16, now: i64) -> Option<Done> {
    Some(match name {
        "create-space" => create(site, asked, author, now),
        "rename-space" => rename(site, asked),
        "rename-space-key" => rename_key(site, asked),
        "delete-space" => put(site, asked, SpaceStatus::Deleted),
        "archive-space" => put(site, asked, SpaceStatus::Archived),
        "restore-space" => put(site, asked, SpaceStatus::Current),
        "app-access-rule" => rule(site, asked),
        _ => return None,
    })
}

fn free_key<'a>(site: &Site, asked: &'a Value, name: &str) -> Result<&'a str, Refused> {
    let key = target::word(asked, name)?;
    match site.space_by_key(key) {
        Some(_) => Err(format!("there is a space {key} already").into()),
        None => Ok(key),
    }
}

fn create(site: &mut Site, asked: &Value, author: u16, now: i64) -> Done {
    let key = free_key(site, asked, "key")?.to_owned();
    let place = site.add_space(Space {
        name: asked["name"].as_str().unwrap_or(&key).to_owned(),
        key,
        kind: asked["kind"].as_str().unwrap_or("global").to_owned(),
        description: None,
        readers: Readers::Everyone,
        status: SpaceStatus::Current,
        ruled_out: false,
        author,
        created_at: now,
        homepage: None,
        content: Default::default(),
    });
    told(site, place)
}

fn told(site: &Site, place: u32) -> Done {
    let space = &site.spaces[place as usize];
    let status = match space.status {
        SpaceStatus::Current => "current",
        SpaceStatus::Archived => "archived",
        SpaceStatus::Deleted => "deleted",
    };
    Ok(json!({
        "id": space_id(place as usize).to_string(),
        "key": space.key,
        "space": space.key,
        "name": space.name,
        "status": status,
        "blocked": space.ruled_out,
    }))
}

fn rename(site: &mut Site, asked: &Value) -> Done {
    let place = target::space(site, asked, "space")?;
    site.spaces[place as usize].name = target::word(asked, "name")?.to_owned();
    told(site, place)
}

/// The id stays; the old key names nothing any more.
fn rename_key(site: &mut Site, asked: &Value) -> Done {
    let place = target::space(site, asked, "space")?;
    let key = free_key(site, asked, "to")?.to_owned();
    site.spaces[place as usize].key = key;
    told(site, place)
}

/// A deleted space is found again by its key or its id.
fn put(site: &mut Site, asked: &Value, status: SpaceStatus) -> Done {
    let key = target::word(asked, "space")?;
    let deleted = || {
        let named =
            |place: &usize| site.spaces[*place].key.eq_ignore_ascii_case(key) || space_id(*place).to_string() == key;
        (0..site.spaces.len()).find(named).map(|place| place as u32)
    };
    let place = site.space_by_key(key).or_else(deleted);
    let place = place.ok_or_else(|| missing(format!("there is no space {key}")))?;
    site.spaces[place as usize].status = status;
    told(site, place)
}

/// An admin's rule hides what is in the space from the app, or shows it again.
fn rule(site: &mut Site, asked: &Value) -> Done {
    let place = target::space(site, asked, "space")?;
    site.spaces[place as usize].ruled_out = asked["blocked"].as_bool().unwrap_or(true);
    told(site, place)
}
