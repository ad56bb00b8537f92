//! Random tokens and their digests.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Secret;
use rand::Rng;
use sha2::{Digest, Sha256};

/// 256 random bits: nothing to guess.
pub fn random() -> Secret {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the store keeps instead of a token. A plain hash is enough for 256 random bits.
pub fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
