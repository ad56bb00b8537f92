//! Who may read what, from now on.

use serde_json::{Value, json};

use super::{Done, Refused, change::page, missing, target};
use crate::{
    seed,
    world::{Readers, Site, World},
};

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

pub fn restrict(world: &mut World, place: usize, asked: &Value) -> Done {
    let readers = readers(world, place, asked)?;
    let site = &mut world.sites[place];
    let slot = page(site, asked)?;
    site.own(slot).restriction = Some(readers);
    Ok(json!({ "id": site.shown_id(slot), "restricted": true }))
}

pub fn unrestrict(site: &mut Site, asked: &Value) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    site.own(slot).restriction = None;
    Ok(slot)
}

pub fn grant(world: &mut World, place: usize, asked: &Value) -> Done {
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
pub fn revoke(world: &mut World, place: usize, asked: &Value) -> Done {
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
