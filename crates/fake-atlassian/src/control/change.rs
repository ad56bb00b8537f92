//! What people do in Confluence: each change leaves the world as Confluence would leave it.

use serde_json::{Value, json};

use super::{Done, Refused, access, belongings, missing, target};
use crate::{
    fake::Fake,
    world::{Item, Kind, Own, Readers, Site, Space, SpaceStatus, Status},
};

pub fn change(fake: &Fake, name: &str, asked: &Value) -> Done {
    let now = fake.now();
    let mut world = fake.world_mut();
    let editor = target::person(&world, asked)?;
    let place = target::site(&world, asked)?;
    match name {
        "restrict" => return access::restrict(&mut world, place, asked),
        "grant" => return access::grant(&mut world, place, asked),
        "revoke" => return access::revoke(&mut world, place, asked),
        _ => {}
    }
    let site = &mut world.sites[place];
    let slot = match name {
        "create" => create(site, asked, editor, now)?,
        "edit" => edit(site, asked, editor, now)?,
        "rename" => rename(site, asked, editor, now)?,
        "label" => {
            let (slot, labels) = (target::content(site, asked)?, target::words(asked, "labels")?);
            let title = site.title(slot);
            let own = site.own(slot);
            own.title.get_or_insert(title);
            own.labels = labels;
            slot
        }
        "move" => move_(site, asked)?,
        "trash" => trash(site, asked)?,
        "purge" => purge(site, asked)?,
        "restore" => restore(site, asked)?,
        "archive" => archive(site, asked)?,
        "unrestrict" => {
            let slot = target::content(site, asked)?;
            site.own(slot).restriction = None;
            slot
        }
        "comment" => belongings::comment(site, asked, editor, now)?,
        "resolve" => belongings::resolve(site, asked, editor, now)?,
        "attach" => belongings::attach(site, asked, editor, now)?,
        "create-space" => return create_space(site, asked, editor, now),
        "delete-space" => return close_space(site, asked, SpaceStatus::Deleted),
        "archive-space" => return close_space(site, asked, SpaceStatus::Archived),
        other => return Err(missing(format!("there is no POST /_world/{other}; see GET /_world/"))),
    };
    let item = site.item(slot);
    Ok(json!({
        "id": site.shown_id(slot),
        "kind": item.kind.word(),
        "title": site.title(slot),
        "status": item.status.word(),
        "version": item.version,
    }))
}

pub fn page(site: &Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    match site.item(slot).kind {
        Kind::Page | Kind::BlogPost => Ok(slot),
        Kind::Comment | Kind::Attachment => Err("that is neither a page nor a blog post".into()),
    }
}

pub fn new_item(kind: Kind, space: u32, holder: Option<u32>, author: u16, now: i64, own: Own) -> Item {
    Item {
        kind,
        status: Status::Current,
        inline: false,
        author,
        editor: author,
        space,
        version: 1,
        position: 0,
        holder,
        reply_to: None,
        created_at: now,
        modified_at: now,
        own: Some(Box::new(own)),
    }
}

fn create(site: &mut Site, asked: &Value, author: u16, now: i64) -> Result<u32, Refused> {
    let space = target::space(site, asked, "space")?;
    let kind = match asked["kind"].as_str() {
        None | Some("page") => Kind::Page,
        Some("blogpost") => Kind::BlogPost,
        Some(other) => return Err(format!("{other} cannot be created; page and blogpost can").into()),
    };
    let parent = match asked["parent"].as_str() {
        Some(named) if kind == Kind::Page => Some(target::named_content(site, named, Some(space))?),
        _ => None,
    };
    let own = Own {
        title: Some(target::word(asked, "title")?.to_owned()),
        body: Some(asked["body"].as_str().unwrap_or_default().into()),
        labels: target::words(asked, "labels")?,
        ..Own::default()
    };
    let mut item = new_item(kind, space, parent, author, now, own);
    item.status = match asked["status"].as_str() {
        None | Some("current") => Status::Current,
        Some("draft") => Status::Draft,
        Some("archived") => Status::Archived,
        Some(other) => return Err(format!("{other} is not a status to be created in").into()),
    };
    Ok(site.add_item(item))
}

pub fn bump(site: &mut Site, slot: u32, editor: u16, now: i64) {
    let item = &mut site.items[slot as usize];
    item.version = item.version.saturating_add(1);
    item.editor = editor;
    item.modified_at = now.max(item.modified_at);
}

fn edit(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    if let Some(title) = asked["new_title"].as_str() {
        retitle(site, slot, title);
    }
    if let Some(body) = asked["body"].as_str() {
        site.own(slot).body = Some(body.into());
    }
    bump(site, slot, editor, now);
    Ok(slot)
}

fn retitle(site: &mut Site, slot: u32, title: &str) {
    let labels = site.labels(slot);
    let own = site.own(slot);
    own.labels = labels;
    own.title = Some(title.to_owned());
}

fn rename(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    retitle(site, slot, target::word(asked, "to")?);
    bump(site, slot, editor, now);
    Ok(slot)
}

/// Everything that goes with a page to another space: what is below it, and what belongs to each.
fn with_it(site: &Site, slot: u32) -> Vec<u32> {
    let mut found = vec![slot];
    let mut seen = 0;
    while let Some(at) = found.get(seen).copied() {
        seen += 1;
        if matches!(site.item(at).kind, Kind::Page | Kind::BlogPost) {
            found.extend(site.child_pages(at));
            found.extend(site.belongings(at));
        }
    }
    found
}

fn hang(site: &mut Site, slot: u32, holder: Option<u32>) {
    if let Some(old) = site.item(slot).holder {
        site.held.remove(&(old, slot));
    }
    site.items[slot as usize].holder = holder;
    if let Some(holder) = holder {
        site.held.insert((holder, slot));
    }
}

fn move_(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = page(site, asked)?;
    let space = match asked["to_space"].is_null() {
        true => site.item(slot).space,
        false => target::space(site, asked, "to_space")?,
    };
    let parent = match &asked["parent"] {
        Value::Null => None,
        Value::String(named) => Some(target::named_content(site, named, Some(space))?),
        _ => return Err("parent must be an id, a title or null".into()),
    };
    if let Some(parent) = parent {
        if site.item(parent).kind != Kind::Page || site.item(slot).kind != Kind::Page {
            return Err("only pages hang below pages".into());
        }
        if parent == slot || site.ancestors(parent).contains(&slot) {
            return Err("a page cannot be moved below itself".into());
        }
    }
    hang(site, slot, parent);
    for moved in with_it(site, slot) {
        let (kind, old) = (site.item(moved).kind.place(), site.item(moved).space);
        if old == space {
            continue;
        }
        site.spaces[old as usize].content[kind].retain(|other| *other != moved);
        let new = &mut site.spaces[space as usize].content[kind];
        let at = new.partition_point(|other| *other < moved);
        new.insert(at, moved);
        site.items[moved as usize].space = space;
    }
    Ok(slot)
}

/// The children move up to the parent, and the page keeps none.
fn detach(site: &mut Site, slot: u32) {
    let parent = site.item(slot).holder;
    for child in site.child_pages(slot) {
        hang(site, child, parent);
    }
    if site.item(slot).kind == Kind::Page {
        hang(site, slot, None);
    }
    let space = site.item(slot).space as usize;
    if site.spaces[space].homepage == Some(slot) {
        site.spaces[space].homepage = None;
    }
}

fn trash(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    detach_page(site, slot);
    site.items[slot as usize].status = Status::Trashed;
    Ok(slot)
}

fn detach_page(site: &mut Site, slot: u32) {
    if matches!(site.item(slot).kind, Kind::Page | Kind::BlogPost) {
        detach(site, slot);
    }
}

fn purge(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    detach_page(site, slot);
    let belongings = match site.item(slot).kind {
        Kind::Page | Kind::BlogPost => site.belongings(slot),
        Kind::Comment => replies(site, slot),
        Kind::Attachment => Vec::new(),
    };
    for gone in belongings.into_iter().chain([slot]) {
        site.items[gone as usize].status = Status::Purged;
    }
    Ok(slot)
}

fn replies(site: &Site, comment: u32) -> Vec<u32> {
    let mut found: Vec<u32> = site.held_by(comment).collect();
    let mut seen = 0;
    while let Some(at) = found.get(seen).copied() {
        seen += 1;
        found.extend(site.held_by(at));
    }
    found
}

/// Out of the trash to the top of the space, or out of the archive to where it was.
fn restore(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    site.items[slot as usize].status = Status::Current;
    Ok(slot)
}

fn archive(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = page(site, asked)?;
    if site.item(slot).kind != Kind::Page {
        return Err("only pages are archived".into());
    }
    site.items[slot as usize].status = Status::Archived;
    Ok(slot)
}

fn create_space(site: &mut Site, asked: &Value, author: u16, now: i64) -> Done {
    let key = target::word(asked, "key")?;
    if site.space_by_key(key).is_some() {
        return Err(format!("there is a space {key} already").into());
    }
    let place = site.add_space(Space {
        key: key.to_owned(),
        name: asked["name"].as_str().unwrap_or(key).to_owned(),
        kind: asked["kind"].as_str().unwrap_or("global").to_owned(),
        description: None,
        readers: Readers::Everyone,
        status: SpaceStatus::Current,
        author,
        created_at: now,
        homepage: None,
        content: Default::default(),
    });
    Ok(json!({ "id": crate::world::space_id(place as usize).to_string(), "key": key }))
}

fn close_space(site: &mut Site, asked: &Value, status: SpaceStatus) -> Done {
    let place = target::space(site, asked, "space")?;
    site.spaces[place as usize].status = status;
    Ok(json!({ "space": site.spaces[place as usize].key, "closed": true }))
}
