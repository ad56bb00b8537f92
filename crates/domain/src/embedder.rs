//! The port to models that give a text its meaning as a vector.

use async_trait::async_trait;

use crate::Result;

/// The most texts of one call.
pub const EMBEDDED_AT_ONCE: usize = 64;
/// The most dimensions of a vector; a model with more is refused.
pub const DIMENSIONS_MAX: usize = 4_096;

/// A model, as two vectors may be compared only when it gave both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingModel {
    /// What people call it.
    pub name: String,
    /// Differs whenever a vector of it may: weights, pooling, prefixes, dimensions. Lower-case hexadecimal digits, at most 64.
    pub fingerprint: String,
    pub dimensions: usize,
}

/// Some models read a question otherwise than the passage that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Question,
    Passage,
}

/// Gives texts their vectors.
#[async_trait]
pub trait Embedder: Send + Sync {
    fn model(&self) -> &EmbeddingModel;

    /// A vector of length one for each text, in their order; at most [`EMBEDDED_AT_ONCE`]. A text longer than the model
    /// reads is cut. `Unavailable` or `RateLimited` when it is worth trying again.
    async fn embed(&self, purpose: Purpose, texts: &[String]) -> Result<Vec<Vec<f32>>>;
}

/// What a question means, under one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// The model's fingerprint.
    pub model: String,
    /// Of length one.
    pub vector: Vec<f32>,
}

/// A passage's text whose meaning an engine does not know yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unembedded {
    /// By which the engine knows it again: the same for the same text.
    pub key: u64,
    /// Title, headings and text.
    pub text: String,
}

/// How far an engine knows the meaning of an index's passages under a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeaningFigures {
    pub passages: u64,
    pub known: u64,
    pub bytes: u64,
}

/// Gives models by what the settings say.
#[async_trait]
pub trait Models: Send + Sync {
    /// What the settings name, for people.
    fn name(&self) -> &str;

    /// The model that the settings name. It may have to be read, downloaded or reached first; an error says what to do.
    async fn current(&self) -> Result<std::sync::Arc<dyn Embedder>>;

    /// A model that the settings named before, by its fingerprint; none when it cannot be had any more.
    async fn former(&self, fingerprint: &str) -> Result<Option<std::sync::Arc<dyn Embedder>>>;
}
