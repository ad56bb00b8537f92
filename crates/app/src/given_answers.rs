//! Requests that make something, and are carried out once however often they are sent.

use domain::{
    Error, Result,
    given_answer::{Claimed, GivenAnswer, OnceOnly},
};
use sha2::{Digest, Sha256};

use crate::{App, Caller};

/// The longest name of a request, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

impl App {
    /// Takes this name for a request that asks these things, unless it stands for one of this user's already.
    pub async fn claim_request(&self, caller: &Caller, name: &str, asks: &[&[u8]]) -> Result<(OnceOnly, Claimed)> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Error::invalid(format!("it has 1 to {NAME_BYTES_MAX} bytes")));
        }
        // A key that reaches less far asks something else: it is not told what another was.
        let reach = format!("{:?}", caller.limits());
        let mut asked = vec![reach.as_bytes()];
        asked.extend(asks);
        let request = OnceOnly {
            user: caller.user.id,
            name_digest: digest(&[name.as_bytes()]),
            request_digest: digest(&asked),
        };
        let claimed = self.store().claim_request(&request, self.now()).await?;
        Ok((request, claimed))
    }

    /// It was carried out: from now on this is the answer.
    pub async fn keep_answer(&self, request: &OnceOnly, answer: &GivenAnswer) -> Result<()> {
        self.store().keep_answer(request, answer).await
    }

    /// It made nothing: it may be tried again.
    pub async fn release_request(&self, request: &OnceOnly) -> Result<()> {
        self.store().release_request(request).await
    }
}

/// Of parts, each with its length: none can pass for two.
fn digest(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
