//! Given an attachment, gives a signed address for its bytes; given the address, gives the bytes, but to nobody who
//! shows a bearer token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    answer::{Answer, v1_error},
    call::{Call, Outcome},
    fake::Fake,
    moment::MINUTE_MS,
    query::Query,
    v2::wire::encoded,
    world::{Kind, Status},
};

/// How long a signed address is good.
const LIFE_MS: i64 = 10 * MINUTE_MS;

/// `GET /content/{id}/child/attachment/{attachmentId}/download`
pub fn download(call: &Call, holder: &str, attachment: &str) -> Outcome {
    let missing = || v1_error(404, "NotFoundException", &format!("Attachment not found: {attachment}"));
    let slot = call.visible(Kind::Attachment, attachment).ok_or_else(missing)?;
    let item = call.site.item(slot);
    if item.holder != call.site.slot(holder) || item.status != Status::Current {
        return Err(missing());
    }
    if let Some(version) = call.query.first("version") {
        let known = version
            .parse::<u32>()
            .is_ok_and(|version| (1..=item.version).contains(&version));
        if !known {
            return Err(missing());
        }
    }
    let claims = json!({ "site": call.site.cloud_id, "slot": slot, "expires": call.now + LIFE_MS }).to_string();
    let claims = URL_SAFE_NO_PAD.encode(claims);
    let location = format!(
        "{}/media/file/{}/binary?token={claims}.{}&client={}&name={}",
        call.fake.options.media_base(),
        call.site.file_id(slot),
        call.fake.media_signature(&claims),
        &crate::chance::uuid(&["media client", &call.site.cloud_id]),
        encoded(&call.site.title(slot)),
    );
    Ok(Answer::redirect(location))
}

impl Fake {
    fn media_mac(&self, claims: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.options.client_secret.as_bytes()).ok()?;
        mac.update(b"media");
        mac.update(claims.as_bytes());
        Some(mac)
    }

    fn media_signature(&self, claims: &str) -> String {
        self.media_mac(claims)
            .map_or_else(String::new, |mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// `GET /media/file/{fileId}/binary?token=…`
    pub fn media(&self, file_id: &str, query: &Query, headers: &HeaderMap) -> Answer {
        if headers.contains_key("authorization") {
            return Answer::json(
                400,
                &json!({ "error": { "code": "BadRequest", "title": "Multiple authentication methods given" } }),
            );
        }
        let refused = || {
            Answer::json(
                403,
                &json!({ "error": { "code": "Forbidden", "title": "The token is invalid or has expired" } }),
            )
        };
        let Some(claims) = query.first("token").and_then(|token| self.media_claims(token)) else {
            return refused();
        };
        if claims["expires"].as_i64().is_none_or(|expires| expires <= self.now()) {
            return refused();
        }
        let world = self.world();
        let slot = claims["slot"].as_u64().and_then(|slot| u32::try_from(slot).ok());
        let found = claims["site"]
            .as_str()
            .and_then(|cloud_id| world.site(cloud_id))
            .zip(slot);
        let Some((site, slot)) =
            found.filter(|(site, slot)| site.items.len() > *slot as usize && site.file_id(*slot) == file_id)
        else {
            return refused();
        };
        let file = site.file(slot);
        Answer::bytes(200, &file.media_type, file.bytes)
            .with_header(
                "content-disposition",
                format!(
                    "attachment; filename*=UTF-8''{}",
                    encoded(&site.title(slot)).replace('+', "%20")
                ),
            )
            .with_header("cache-control", "private, max-age=600")
    }

    fn media_claims(&self, token: &str) -> Option<Value> {
        let (claims, signature) = token.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.media_mac(claims)?.verify_slice(&signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}
