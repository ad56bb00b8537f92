//! Given text, gives its words as they are searched: as written, without case and accents; by their stem in the text's
//! language; names of code whole and in parts; scripts without blanks in pairs of characters.

mod language;
mod stems;
mod words;

use tantivy::tokenizer::TokenizerManager;

pub use language::{Speech, detected, is_stop_word};
pub use stems::{Stems, spoken, stem};
pub use words::{Detail, Kind, Word, Words, folded, stands_alone, words};

/// Words as written, folded.
pub const WORDS: &str = "words";
/// Words by their stem. Each text begins with its language's letter, see [`spoken`].
pub const STEMS: &str = "stems";

/// Makes the tokenizers known to an index.
pub fn register(tokenizers: &TokenizerManager) {
    tokenizers.register(WORDS, Words);
    tokenizers.register(STEMS, Stems);
}
