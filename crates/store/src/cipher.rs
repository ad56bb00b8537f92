//! Secrets at rest: XChaCha20-Poly1305, the key's id beside the sealed text, bound to the place it stands in.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{Error, Result, Secret};
use rand::Rng;
use zeroize::Zeroizing;

/// The version of the sealed form.
const FORM: &str = "v1";

/// A key of 256 bits.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        rand::rng().fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// Reads the form that [`SealingKey::to_secret`] writes.
    pub fn from_base64(text: &str) -> Result<Self> {
        let wrong =
            || Error::invalid("the secret key is not 32 bytes in base64; make one with `openssl rand -base64 32`");
        let bytes = Zeroizing::new(
            STANDARD_NO_PAD
                .decode(text.trim().trim_end_matches('='))
                .map_err(|_| wrong())?,
        );
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    pub fn to_secret(&self) -> Secret {
        Secret::new(STANDARD_NO_PAD.encode(*self.0))
    }

    /// Tells keys apart without telling anything of them.
    fn id(&self) -> String {
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from([0_u8; 24]), &b"key id"[..])
            .unwrap_or_default();
        STANDARD_NO_PAD.encode(sealed.get(..6).unwrap_or_default())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

/// The key that seals, and older ones that still open.
#[derive(Clone)]
pub struct SealingKeys {
    current: SealingKey,
    older: Vec<SealingKey>,
}

impl SealingKeys {
    pub fn new(current: SealingKey) -> Self {
        Self {
            current,
            older: Vec::new(),
        }
    }

    /// Also opens what `older` sealed; what is written again is sealed with the current key.
    pub fn with_older(mut self, older: Vec<SealingKey>) -> Self {
        self.older = older;
        self
    }

    /// Seals for one place, such as `connections/7/access_token`: elsewhere it does not open.
    pub(crate) fn seal(&self, place: &str, secret: &Secret) -> Result<String> {
        let mut nonce = [0_u8; 24];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self
            .current
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!(
            "{FORM}:{}:{}",
            self.current.id(),
            STANDARD_NO_PAD.encode(bytes)
        ))
    }

    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Secret> {
        let damaged = || Error::internal("a sealed secret in the store is damaged");
        let mut parts = sealed.splitn(3, ':');
        let (Some(FORM), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(damaged());
        };
        let key = std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id() == id)
            .ok_or_else(|| {
                Error::invalid(
                    "the secrets in the store were sealed with another key; give Circuit the key it had \
                 (secret.key in the data directory, or CIRCUIT_SECRET_KEY)",
                )
            })?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_checked(24).ok_or_else(damaged)?;
        let nonce: [u8; 24] = nonce.try_into().map_err(|_| damaged())?;
        let opened = key
            .cipher()
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| damaged())?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place_and_with_its_key() {
        let keys = SealingKeys::new(SealingKey::generate());
        let sealed = keys.seal("a/1", &Secret::new("hunter2")).unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(keys.open("a/1", &sealed).unwrap().expose(), "hunter2");
        assert!(keys.open("a/2", &sealed).is_err());
        let other = SealingKeys::new(SealingKey::generate());
        assert!(
            other
                .open("a/1", &sealed)
                .unwrap_err()
                .to_string()
                .contains("another key")
        );
        let rotated = other.with_older(vec![keys.current.clone()]);
        assert_eq!(rotated.open("a/1", &sealed).unwrap().expose(), "hunter2");
    }

    #[test]
    fn a_key_survives_being_written_and_read() {
        let key = SealingKey::generate();
        let read = SealingKey::from_base64(key.to_secret().expose()).unwrap();
        assert_eq!(read.id(), key.id());
        assert!(SealingKey::from_base64("short").is_err());
    }
}
