//! What admins and people do outside of Confluence.

use serde_json::{Value, json};

use super::{Done, Refused, missing, target, watch::site_of};
use crate::{fake::Fake, world::World};

const LEFT: &str = " (Deactivated)";

/// None when it is nothing of the kind.
pub fn change(fake: &Fake, name: &str, asked: &Value) -> Option<Done> {
    Some(match name {
        "block-site" => block_site(fake, asked),
        "unblock-site" => unblock_site(fake, asked),
        "remove-app" => remove_app(fake, asked),
        "revoke-grant" | "revoke-consent" => revoke_grant(fake, asked),
        "override-scopes" => override_scopes(fake, asked),
        "client-secret" => client_secret(fake, asked),
        "deactivate" => deactivate(fake, asked),
        "rename-person" => rename(fake, asked),
        "lose-access" => access(fake, asked, Access::Lost),
        "regain-access" => access(fake, asked, Access::Regained),
        _ => return None,
    })
}

/// From now on the authorize page says that an admin must allow the app first; with `anonymous`, calls with tokens that
/// are already there are answered as to nobody.
fn block_site(fake: &Fake, asked: &Value) -> Done {
    let cloud_id = site_of(asked, fake)?;
    let anonymous = asked["anonymous"].as_bool().unwrap_or(false);
    let mut oauth = fake.oauth();
    oauth.blocked_sites.insert(cloud_id.clone());
    if anonymous {
        oauth.anonymous_sites.insert(cloud_id.clone());
    }
    Ok(json!({ "blocked": cloud_id, "anonymous": anonymous }))
}

fn unblock_site(fake: &Fake, asked: &Value) -> Done {
    let cloud_id = site_of(asked, fake)?;
    let mut oauth = fake.oauth();
    oauth.blocked_sites.remove(&cloud_id);
    oauth.anonymous_sites.remove(&cloud_id);
    Ok(json!({ "unblocked": cloud_id }))
}

fn remove_app(fake: &Fake, asked: &Value) -> Done {
    let cloud_id = site_of(asked, fake)?;
    let grants = fake.oauth().leave(&cloud_id);
    Ok(json!({ "removed": cloud_id, "grants": grants }))
}

fn account(asked: &Value) -> Result<&str, Refused> {
    asked["account"].as_str().ok_or_else(|| "the account is missing".into())
}

/// With `linger`, only refresh tokens die, and access tokens live out their hour.
fn revoke_grant(fake: &Fake, asked: &Value) -> Done {
    let account = account(asked)?;
    let had = match asked["linger"].as_bool() {
        Some(true) => fake.oauth().end_refreshing(account),
        Some(false) | None => fake.oauth().withdraw(account),
    };
    Ok(json!({ "revoked": had }))
}

fn override_scopes(fake: &Fake, asked: &Value) -> Done {
    let (account, scopes) = (account(asked)?, target::words(asked, "scopes")?);
    match fake.oauth().override_scopes(account, scopes.into_iter().collect()) {
        true => Ok(json!({ "overridden": account })),
        false => Err(missing(format!("{account} has let the app do nothing"))),
    }
}

fn client_secret(fake: &Fake, asked: &Value) -> Done {
    fake.oauth().change_secret(target::word(asked, "secret")?.to_owned());
    Ok(json!({ "changed": true }))
}

/// `{"account": …, "active": true}` lets them in again.
fn deactivate(fake: &Fake, asked: &Value) -> Done {
    let account = account(asked)?;
    let active = asked["active"].as_bool().unwrap_or(false);
    let mut world = fake.world_mut();
    let place = person(&world, account)?;
    let person = &mut world.people[place];
    person.active = active;
    let plain = person.name.trim_end_matches(LEFT).to_owned();
    person.name = match active {
        true => plain,
        false => format!("{plain}{LEFT}"),
    };
    Ok(json!({ "account": account, "active": active, "name": person.name }))
}

fn person(world: &World, account: &str) -> Result<usize, Refused> {
    let found = world.person(account).map(usize::from);
    found.ok_or_else(|| missing(format!("there is no account {account}")))
}

fn rename(fake: &Fake, asked: &Value) -> Done {
    let (account, name) = (account(asked)?, target::word(asked, "name")?);
    let mut world = fake.world_mut();
    let place = person(&world, account)?;
    world.people[place].name = name.to_owned();
    Ok(json!({ "account": account, "name": name }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Lost,
    Regained,
}

/// To Confluence on the site, to which they belong as before.
fn access(fake: &Fake, asked: &Value, access: Access) -> Done {
    let account = account(asked)?;
    let mut world = fake.world_mut();
    let site = target::site(&world, asked)?;
    let person = world
        .person(account)
        .ok_or_else(|| missing(format!("there is no account {account}")))?;
    let locked_out = &mut world.sites[site].locked_out;
    match access {
        Access::Lost => locked_out.insert(person),
        Access::Regained => locked_out.remove(&person),
    };
    Ok(json!({ "account": account, "access": access == Access::Regained }))
}
