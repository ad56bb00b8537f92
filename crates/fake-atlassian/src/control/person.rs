//! What admins and people do outside of Confluence.

use serde_json::{Value, json};

use super::{Done, missing, watch::site_of};
use crate::fake::Fake;

/// From now on the authorize page says that an admin must allow the app first.
pub fn block_site(fake: &Fake, asked: &Value) -> Done {
    let cloud_id = site_of(asked, fake)?;
    fake.oauth().blocked_sites.insert(cloud_id.clone());
    Ok(json!({ "blocked": cloud_id }))
}

pub fn unblock_site(fake: &Fake, asked: &Value) -> Done {
    let cloud_id = site_of(asked, fake)?;
    fake.oauth().blocked_sites.remove(&cloud_id);
    Ok(json!({ "unblocked": cloud_id }))
}

pub fn revoke_consent(fake: &Fake, asked: &Value) -> Done {
    let account = asked["account"].as_str().ok_or("the account is missing")?;
    let had = fake.oauth().withdraw(account);
    Ok(json!({ "revoked": had }))
}

/// `{"account": …, "active": true}` lets them in again.
pub fn deactivate(fake: &Fake, asked: &Value) -> Done {
    let account = asked["account"].as_str().ok_or("the account is missing")?;
    let active = asked["active"].as_bool().unwrap_or(false);
    let mut world = fake.world_mut();
    let person = world.people.iter_mut().find(|person| person.account_id == account);
    let person = person.ok_or_else(|| missing(format!("there is no account {account}")))?;
    person.active = active;
    Ok(json!({ "account": account, "active": active }))
}
