//! What people do in Confluence: each change leaves the world as Confluence would leave it.

use serde_json::{Value, json};

use super::{Done, Refused, access, belongings, missing, space, target};
use crate::{
    fake::Fake,
    world::{Item, Kind, Own, Site, Status},
};

pub fn change(fake: &Fake, name: &str, asked: &Value) -> Done {
    let now = fake.now();
    let mut world = fake.world_mut();
    let editor = target::person(&world, asked)?;
    let place = target::site(&world, asked)?;
    world.sites[place].changing_at = Some(now);
    match name {
        "restrict" => return access::restrict(&mut world, place, asked),
        "grant" => return access::grant(&mut world, place, asked),
        "revoke" => return access::revoke(&mut world, place, asked),
        _ => {}
    }
    let site = &mut world.sites[place];
    if let Some(done) = space::change(site, name, asked, editor, now) {
        return done;
    }
    let slot = match name {
        "create" => create(site, asked, editor, now)?,
        "edit" => edit(site, asked, editor, now)?,
        "rename" => rename(site, asked, editor, now)?,
        "live" => live(site, asked, editor, now)?,
        "label" => label(site, asked)?,
        "move" => move_(site, asked)?,
        "trash" => trash(site, asked)?,
        "purge" => purge(site, asked)?,
        "restore" | "unarchive" => restore(site, asked)?,
        "archive" => archive(site, asked)?,
        "unrestrict" => access::unrestrict(site, asked)?,
        "comment" => belongings::comment(site, asked, editor, now)?,
        "resolve" => belongings::resolve(site, asked, editor, now)?,
        "attach" => belongings::attach(site, asked, editor, now)?,
        "poison" => poison(site, asked)?,
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
        live: asked["live"].as_bool().unwrap_or(false),
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

/// A new version: the present one is kept among the earlier ones before `change` is made.
pub fn renew(site: &mut Site, slot: u32, editor: u16, now: i64, change: impl FnOnce(&mut Site)) {
    site.keep_version(slot);
    change(site);
    let item = site.item_mut(slot);
    item.version = item.version.saturating_add(1);
    item.editor = editor;
    item.modified_at = now.max(item.modified_at);
}

fn edit(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    renew(site, slot, editor, now, |site| {
        if let Some(title) = asked["new_title"].as_str() {
            retitle(site, slot, title);
        }
        if let Some(body) = asked["body"].as_str() {
            site.own(slot).body = Some(body.into());
        }
    });
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
    let title = target::word(asked, "to")?;
    renew(site, slot, editor, now, |site| retitle(site, slot, title));
    Ok(slot)
}

/// A page becomes a live doc, or one that is published again. Blank, its current body is empty from now on, as of live
/// docs that were edited offline, and the version before holds the text.
fn live(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = page(site, asked)?;
    if site.item(slot).kind != Kind::Page {
        return Err("only pages are live docs".into());
    }
    site.own(slot).live = asked["live"].as_bool().unwrap_or(true);
    if asked["blank"].as_bool() == Some(true) {
        renew(site, slot, editor, now, |site| site.own(slot).body = Some("".into()));
    }
    Ok(slot)
}

fn label(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let (slot, labels) = (target::content(site, asked)?, target::words(asked, "labels")?);
    let title = site.title(slot);
    let own = site.own(slot);
    own.title.get_or_insert(title);
    own.labels = labels;
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
    site.item_mut(slot).holder = holder;
    if let Some(holder) = holder {
        site.held.insert((holder, slot));
    }
}

/// With everything below it and on it. No version is bumped.
fn move_(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = page(site, asked)?;
    let asked_space = match asked["to_space"].is_null() {
        true => None,
        false => Some(target::space(site, asked, "to_space")?),
    };
    let parent = match &asked["parent"] {
        Value::Null => None,
        Value::String(named) => Some(target::named_content(site, named, asked_space)?),
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
    let of_parent = parent.map(|parent| site.item(parent).space);
    if of_parent.zip(asked_space).is_some_and(|(one, other)| one != other) {
        return Err("the parent is in another space than to_space".into());
    }
    let space = of_parent.or(asked_space).unwrap_or(site.item(slot).space);
    hang(site, slot, parent);
    site.item_mut(slot).position = site.items.len() as u32;
    for moved in with_it(site, slot) {
        let (kind, old) = (site.item(moved).kind, site.item(moved).space);
        if old == space {
            continue;
        }
        site.item_mut(moved).space = space;
        site.change_space(moved, kind, old, space);
        if site.spaces[old as usize].homepage == Some(moved) {
            site.spaces[old as usize].homepage = None;
        }
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

/// A comment takes its replies along.
fn trash(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    detach_page(site, slot);
    for gone in with_replies(site, slot) {
        site.item_mut(gone).status = Status::Trashed;
    }
    Ok(slot)
}

fn detach_page(site: &mut Site, slot: u32) {
    if matches!(site.item(slot).kind, Kind::Page | Kind::BlogPost) {
        detach(site, slot);
    }
}

/// For good, with everything on it; below it nothing is left.
fn purge(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    detach_page(site, slot);
    let gone = match site.item(slot).kind {
        Kind::Page | Kind::BlogPost => site.belongings(slot).into_iter().chain([slot]).collect(),
        Kind::Comment | Kind::Attachment => with_replies(site, slot),
    };
    for gone in gone {
        site.item_mut(gone).status = Status::Purged;
    }
    Ok(slot)
}

/// A comment with all that answers it; of anything else only itself.
fn with_replies(site: &Site, slot: u32) -> Vec<u32> {
    let mut found = vec![slot];
    let mut seen = 0;
    while let Some(at) = found
        .get(seen)
        .copied()
        .filter(|at| site.item(*at).kind == Kind::Comment)
    {
        seen += 1;
        found.extend(
            site.held_by(at)
                .filter(|reply| site.item(*reply).status != Status::Purged),
        );
    }
    found
}

/// Out of the trash to the top of the space, or out of the archive to where it was. No version is bumped.
fn restore(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    if site.item(slot).kind == Kind::Comment
        && site
            .item(slot)
            .reply_to
            .is_some_and(|answered| site.item(answered).status != Status::Current)
    {
        return Err("the comment that it answers is in the trash".into());
    }
    for back in with_replies(site, slot) {
        site.item_mut(back).status = Status::Current;
    }
    Ok(slot)
}

/// What is below it stays as it is.
fn archive(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = page(site, asked)?;
    if site.item(slot).kind != Kind::Page {
        return Err("only pages are archived".into());
    }
    site.item_mut(slot).status = Status::Archived;
    Ok(slot)
}

fn poison(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    site.own(slot).poisoned = asked["poisoned"].as_bool().unwrap_or(true);
    Ok(slot)
}
