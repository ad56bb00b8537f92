//! What people do in Confluence: each change leaves the world as Confluence would leave it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Done, Refused, missing, target};
use crate::{
    fake::Fake,
    seed,
    world::{File, Item, Kind, Own, Readers, Site, Space, SpaceStatus, Status, World},
};

pub fn change(fake: &Fake, name: &str, asked: &Value) -> Done {
    let now = fake.now();
    let mut world = fake.world_mut();
    let editor = target::person(&world, asked)?;
    let place = target::site(&world, asked)?;
    match name {
        "restrict" => return restrict(&mut world, place, asked),
        "grant" => return grant(&mut world, place, asked),
        "revoke" => return revoke(&mut world, place, asked),
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
        "comment" => comment(site, asked, editor, now)?,
        "resolve" => resolve(site, asked, editor, now)?,
        "attach" => attach(site, asked, editor, now)?,
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

fn page(site: &Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    match site.item(slot).kind {
        Kind::Page | Kind::BlogPost => Ok(slot),
        Kind::Comment | Kind::Attachment => Err("that is neither a page nor a blog post".into()),
    }
}

fn new_item(kind: Kind, space: u32, holder: Option<u32>, author: u16, now: i64, own: Own) -> Item {
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

fn bump(site: &mut Site, slot: u32, editor: u16, now: i64) {
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

fn readers(world: &mut World, place: usize, asked: &Value) -> Result<Readers, Refused> {
    let readers = seed::Readers::Only {
        accounts: target::words(asked, "accounts")?,
        groups: target::words(asked, "groups")?,
    };
    if let seed::Readers::Only { accounts, groups } = &readers {
        for account in accounts {
            world
                .person(account)
                .ok_or_else(|| missing(format!("there is no account {account}")))?;
        }
        for group in groups {
            world.sites[place]
                .group(group)
                .ok_or_else(|| missing(format!("there is no group {group}")))?;
        }
    }
    let site = std::mem::take(&mut world.sites[place]);
    let resolved = world.readers(&site, &readers);
    world.sites[place] = site;
    Ok(resolved)
}

fn restrict(world: &mut World, place: usize, asked: &Value) -> Done {
    let readers = readers(world, place, asked)?;
    let site = &mut world.sites[place];
    let slot = page(site, asked)?;
    site.own(slot).restriction = Some(readers);
    Ok(json!({ "id": site.shown_id(slot), "restricted": true }))
}

fn grant(world: &mut World, place: usize, asked: &Value) -> Done {
    let more = readers(world, place, asked)?;
    let site = &mut world.sites[place];
    let space = target::space(site, asked, "space")?;
    let space = &mut site.spaces[space as usize];
    match (asked["everyone"].as_bool(), &mut space.readers, more) {
        (Some(true), readers, _) => *readers = Readers::Everyone,
        (
            _,
            Readers::Only { people, groups },
            Readers::Only {
                people: more,
                groups: more_groups,
            },
        ) => {
            people.extend(more);
            groups.extend(more_groups);
        }
        _ => {}
    }
    Ok(json!({ "space": space.key, "granted": true }))
}

/// From everyone, when neither accounts nor groups are named.
fn revoke(world: &mut World, place: usize, asked: &Value) -> Done {
    let less = readers(world, place, asked)?;
    let site = &mut world.sites[place];
    let place = target::space(site, asked, "space")?;
    let (mut people, mut groups) = match &site.spaces[place as usize].readers {
        Readers::Everyone => (site.members.clone(), Default::default()),
        Readers::Only { people, groups } => (people.clone(), groups.clone()),
    };
    match less {
        Readers::Only {
            people: gone,
            groups: gone_groups,
        } if !gone.is_empty() || !gone_groups.is_empty() => {
            people.retain(|person| !gone.contains(person));
            groups.retain(|group| !gone_groups.contains(group));
        }
        Readers::Everyone | Readers::Only { .. } => {
            people.clear();
            groups.clear();
        }
    }
    let space = &mut site.spaces[place as usize];
    space.readers = Readers::Only { people, groups };
    Ok(json!({ "space": space.key, "revoked": true }))
}

fn comment(site: &mut Site, asked: &Value, author: u16, now: i64) -> Result<u32, Refused> {
    let reply_to = match asked["reply_to"].as_str() {
        Some(id) => {
            let comment = site.slot(id).filter(|slot| site.item(*slot).kind == Kind::Comment);
            Some(comment.ok_or_else(|| missing(format!("there is no comment {id}")))?)
        }
        None => None,
    };
    let page = match reply_to.and_then(|comment| site.item(comment).holder) {
        Some(page) => page,
        None => page(site, asked)?,
    };
    let inline = match reply_to {
        Some(comment) => site.item(comment).inline,
        None => asked["inline"].as_bool().unwrap_or(false),
    };
    let own = Own {
        body: Some(target::word(asked, "body")?.into()),
        quoted: asked["quoted"].as_str().map(str::to_owned),
        ..Own::default()
    };
    let mut item = new_item(Kind::Comment, site.item(page).space, Some(page), author, now, own);
    (item.inline, item.reply_to) = (inline, reply_to);
    Ok(site.add_item(item))
}

fn resolve(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    let resolution = asked["resolution"].as_str().unwrap_or("resolved");
    if !["open", "resolved", "reopened", "dangling"].contains(&resolution) {
        return Err("resolution must be open, resolved, reopened or dangling".into());
    }
    if !site.item(slot).inline {
        return Err("only inline comments are resolved".into());
    }
    site.own(slot).resolution = Some(resolution.to_owned());
    bump(site, slot, editor, now);
    Ok(slot)
}

fn attach(site: &mut Site, asked: &Value, author: u16, now: i64) -> Result<u32, Refused> {
    let page = page(site, asked)?;
    let name = target::word(asked, "file_name")?;
    let bytes = match (asked["text"].as_str(), asked["base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(text)) => STANDARD
            .decode(text)
            .map_err(|error| format!("base64 is not base64: {error}"))?,
        (None, None) => return Err("text or base64 is missing".into()),
    };
    let file = File {
        media_type: asked["media_type"].as_str().unwrap_or("text/plain").to_owned(),
        bytes: bytes.into(),
        comment: asked["comment"].as_str().unwrap_or_default().to_owned(),
    };
    let same = site.held_by(page).find(|slot| {
        let item = site.item(*slot);
        item.kind == Kind::Attachment && item.status == Status::Current && site.title(*slot) == name
    });
    if let Some(slot) = same {
        site.own(slot).file = Some(file);
        bump(site, slot, author, now);
        return Ok(slot);
    }
    let own = Own {
        title: Some(name.to_owned()),
        file: Some(file),
        ..Own::default()
    };
    let item = new_item(Kind::Attachment, site.item(page).space, Some(page), author, now, own);
    Ok(site.add_item(item))
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
