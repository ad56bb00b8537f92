//! A model in this process, from a directory as `sentence-transformers` keeps it. Given texts, gives their vectors.

mod description;
mod encoder;
mod kernels;
mod tokens;
mod weights;
mod workers;

use std::path::Path;

use async_trait::async_trait;
use domain::{
    Error, Result,
    embedder::{EMBEDDED_AT_ONCE, Embedder, EmbeddingModel, Purpose},
};
use sha2::{Digest, Sha256};

use self::{
    description::{Description, Pooling},
    encoder::Encoder,
    tokens::Tokens,
    weights::Weights,
    workers::Workers,
};

/// The files that a model must have.
pub const NEEDED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];
/// The files that say more about it, where they are there.
pub const OPTIONAL: [&str; 5] = [
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer_config.json",
];

/// The longest text that is cut into tokens, in bytes: the rest of a longer one is beyond what any model reads.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Changes when the same files come to give other vectors.
const REVISION: &[u8] = b"circuit local 1";

/// A BERT encoder. Passages are read by threads of low priority, questions at once.
pub struct LocalEmbedder {
    model: EmbeddingModel,
    description: Description,
    workers: Workers,
}

impl LocalEmbedder {
    /// Reads the model in `directory`, which may take seconds. `name` is what people call it, and tells the family where
    /// the files do not. Passages are read by so many threads.
    pub fn load(directory: &Path, name: &str, threads: usize) -> Result<Self> {
        let description = Description::read(directory, name)?;
        let tokens = Tokens::read(&directory.join("tokenizer.json"), &description)?;
        let mut weights = Weights::open(&directory.join("model.safetensors"))?;
        let digest = weights.digest()?;
        let encoder = Encoder::read(&mut weights, &description)?;
        let model = EmbeddingModel {
            name: name.to_owned(),
            fingerprint: fingerprint(&description, &tokens, &digest),
            dimensions: description.hidden,
        };
        Ok(Self {
            model,
            workers: Workers::begin(tokens, encoder, threads.max(1))?,
            description,
        })
    }
}

/// Every part has a length before it, so that no two models write the same bytes.
fn fingerprint(description: &Description, tokens: &Tokens, weights: &[u8]) -> String {
    let pooling: &[u8] = match description.pooling {
        Pooling::Mean => b"mean",
        Pooling::First => b"first",
    };
    let max = description.tokens_max.to_string();
    let mut digest = Sha256::new();
    for part in [
        REVISION,
        weights,
        tokens.digest(),
        pooling,
        description.question_prefix.as_bytes(),
        description.passage_prefix.as_bytes(),
        max.as_bytes(),
    ] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    crate::remote::hexadecimal(&digest.finalize())
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, purpose: Purpose, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        if texts.len() > EMBEDDED_AT_ONCE {
            return Err(Error::internal(format!(
                "{} texts were given to a model at once; at most {EMBEDDED_AT_ONCE} are",
                texts.len()
            )));
        }
        let prefix = match purpose {
            Purpose::Question => &self.description.question_prefix,
            Purpose::Passage => &self.description.passage_prefix,
        };
        let texts = texts.iter().map(|text| format!("{prefix}{}", cut(text))).collect();
        let vectors = match purpose {
            Purpose::Question => self.workers.answer(texts).await?,
            Purpose::Passage => self.workers.read(texts).await?,
        };
        let unusable = || {
            Error::internal(format!(
                "the model {} gave a vector without direction; its files are damaged: fetch them again",
                self.model.name
            ))
        };
        vectors
            .into_iter()
            .map(|vector| crate::unit::unit(vector).ok_or_else(unusable))
            .collect()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
