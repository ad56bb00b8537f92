//! Given a `tokenizer.json`, gives the tokens of a text.

use std::{panic::AssertUnwindSafe, path::Path};

use domain::{Error, Result};
use sha2::{Digest, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use super::description::{Description, bounded};

/// The largest tokenizer, in bytes: that of a multilingual model has 17 MB.
const TOKENIZER_BYTES_MAX: u64 = 64 << 20;

pub struct Tokens {
    tokenizer: Tokenizer,
    digest: Vec<u8>,
    vocabulary: usize,
    tokens_max: usize,
}

impl Tokens {
    pub fn read(path: &Path, description: &Description) -> Result<Self> {
        let wrong = |why: String| Error::invalid(format!("{} {why}; fetch the model's files again", path.display()));
        let bytes = bounded(path, TOKENIZER_BYTES_MAX).map_err(wrong)?;
        let made = unharmed(|| {
            let mut tokenizer = Tokenizer::from_bytes(&bytes)?;
            tokenizer.with_padding(None);
            tokenizer.with_truncation(Some(TruncationParams {
                max_length: description.tokens_max,
                ..TruncationParams::default()
            }))?;
            Ok(tokenizer)
        });
        let tokens = Self {
            tokenizer: made.map_err(|why| wrong(format!("is no tokenizer that Circuit knows ({why})")))?,
            digest: Sha256::digest(&bytes).to_vec(),
            vocabulary: description.vocabulary,
            tokens_max: description.tokens_max,
        };
        // Says at the start what would be said at the first passage.
        tokens.of("a").map_err(|error| wrong(error.message))?;
        Ok(tokens)
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// At most as many as the model reads, at least one, each of its vocabulary.
    pub fn of(&self, text: &str) -> Result<Vec<u32>> {
        let unusable = |why: &str| Error::invalid(format!("its tokenizer.json {why}"));
        let encoding = unharmed(|| self.tokenizer.encode_fast(text, true));
        let encoding = encoding.map_err(|why| unusable(&format!("cannot cut a text into tokens ({why})")))?;
        let mut tokens = encoding.get_ids().to_vec();
        tokens.truncate(self.tokens_max);
        if tokens.is_empty() {
            return Err(unusable("gives no tokens; it lacks the marks at both ends"));
        }
        match tokens.iter().all(|token| (*token as usize) < self.vocabulary) {
            true => Ok(tokens),
            false => Err(unusable("has tokens that config.json does not know")),
        }
    }
}

/// The library breaks down over some files that contradict themselves: that is an error like any other.
fn unharmed<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string().chars().take(200).collect()),
        Err(_) => Err("it contradicts itself".into()),
    }
}
