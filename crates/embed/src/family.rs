//! What models of a family want before a text, where nobody says it.

/// Models that were trained alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    E5,
    Bge,
    BgeChinese,
    Nomic,
    Other,
}

const BGE_QUESTION: &str = "Represent this sentence for searching relevant passages: ";
const BGE_QUESTION_CHINESE: &str = "为这个句子生成表示以用于检索相关文章：";

impl Family {
    /// By the last part of the name: `e5-small-v2`, `multilingual-e5-base`, `BAAI/bge-small-en-v1.5`, `bge-m3:latest`.
    pub fn of(name: &str) -> Self {
        let name = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = name.to_lowercase();
        let has = |word: &str| name.split(['-', '_', ':']).any(|part| part == word);
        match () {
            () if has("e5") => Self::E5,
            () if has("bge") && has("zh") => Self::BgeChinese,
            // The later ones were trained without.
            () if has("bge") && !has("m3") => Self::Bge,
            () if has("nomic") => Self::Nomic,
            () => Self::Other,
        }
    }

    /// Before a question and before a passage.
    pub fn prefixes(self) -> (&'static str, &'static str) {
        match self {
            Self::E5 => ("query: ", "passage: "),
            Self::Bge => (BGE_QUESTION, ""),
            Self::BgeChinese => (BGE_QUESTION_CHINESE, ""),
            Self::Nomic => ("search_query: ", "search_document: "),
            Self::Other => ("", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_known_by_the_last_part_of_the_name() {
        for (name, family) in [
            ("intfloat/multilingual-e5-small", Family::E5),
            ("e5-base-v2", Family::E5),
            ("/models/bge-small-en-v1.5/", Family::Bge),
            ("BAAI/bge-small-zh-v1.5", Family::BgeChinese),
            ("bge-m3:latest", Family::Other),
            ("nomic-embed-text", Family::Nomic),
            ("sentence-transformers/all-MiniLM-L6-v2", Family::Other),
            ("e5-models/all-MiniLM-L6-v2", Family::Other),
        ] {
            assert_eq!(Family::of(name), family, "{name}");
        }
    }
}
