//! Given a passage, gives the text whose meaning it has, and the key by which vectors of that text are known.

use domain::passage::Passage;
use sha2::{Digest, Sha256};

/// The key of a passage that says nothing: it has no meaning to be known.
pub const NOTHING: u64 = 0;

/// Title, headings and text: a passage out of the middle of a page often does not name what it is about.
pub fn text(passage: &Passage) -> String {
    let parts = [&passage.title].into_iter().chain(&passage.headings);
    let parts = parts.chain([&passage.text]).map(|part| part.trim());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// 64 bits of SHA-256: nobody writes a text that gets another text's vector.
pub fn key(text: &str) -> u64 {
    if !text.contains(char::is_alphanumeric) {
        return NOTHING;
    }
    let digest = Sha256::digest(text.as_bytes());
    let head = digest.first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head));
    head.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_key_in_every_version() {
        assert_eq!(
            key("abc"),
            u64::from_le_bytes([0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea])
        );
        assert_ne!(key("abc"), key("abd"));
        assert_eq!([key(""), key(" \n—")], [NOTHING; 2]);
    }
}
