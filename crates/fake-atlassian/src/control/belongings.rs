//! Comments and attachments, put on a page.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    Refused,
    change::{new_item, page, renew},
    missing, target,
};
use crate::world::{File, Kind, Own, Site, Status};

pub fn comment(site: &mut Site, asked: &Value, author: u16, now: i64) -> Result<u32, Refused> {
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

pub fn resolve(site: &mut Site, asked: &Value, editor: u16, now: i64) -> Result<u32, Refused> {
    let slot = target::content(site, asked)?;
    let resolution = asked["resolution"].as_str().unwrap_or("resolved");
    if !["open", "resolved", "reopened", "dangling"].contains(&resolution) {
        return Err("resolution must be open, resolved, reopened or dangling".into());
    }
    if !site.item(slot).inline {
        return Err("only inline comments are resolved".into());
    }
    let resolved = |site: &mut Site| site.own(slot).resolution = Some(resolution.to_owned());
    match asked["keep_version"].as_bool() {
        Some(true) => resolved(site),
        Some(false) | None => renew(site, slot, editor, now, resolved),
    }
    Ok(slot)
}

pub fn attach(site: &mut Site, asked: &Value, author: u16, now: i64) -> Result<u32, Refused> {
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
        renew(site, slot, author, now, |site| site.own(slot).file = Some(file));
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
