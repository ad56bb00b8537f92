//! Given a document as Circuit holds it, gives its text in passages. Never fails: broken markup is text.

mod adf;
mod block;
mod entities;
mod markup;
mod passages;
mod storage_format;
#[cfg(test)]
mod tests;

pub use block::{Block, plain_text};
pub use passages::{PASSAGE_CHARS_MAX, PASSAGES_MAX, passages};

use domain::document::{Body, Document};

/// The blocks of a document's body, in reading order.
pub fn blocks(document: &Document) -> Vec<Block> {
    match &document.body {
        Body::Storage(markup) => storage_format::blocks(markup),
        Body::Adf(json) => adf::blocks(json),
        Body::None => Vec::new(),
    }
}
