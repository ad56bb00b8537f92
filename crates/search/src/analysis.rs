//! Given text, gives its words as they are searched: without case and accents, code words whole and in parts, scripts
//! without blanks character by character.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
    TokenizerManager,
};

/// Words as written, folded.
pub const EXACT: &str = "exact";
/// Words by their English stem: harmless for other languages, whose words have the exact field as well.
pub const STEMMED: &str = "stemmed";

/// A longer run of letters is no word: base64, minified code.
const WORD_BYTES_MAX: usize = 120;

pub fn register(tokenizers: &TokenizerManager) {
    tokenizers.register(EXACT, exact(Parts::Kept));
    tokenizers.register(STEMMED, stemmed(Parts::Kept));
}

/// Whether `camelCase` also gives `camel` and `case`: when indexing, not when asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    Kept,
    Dropped,
}

pub fn exact(parts: Parts) -> TextAnalyzer {
    TextAnalyzer::builder(Words::of(parts))
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

pub fn stemmed(parts: Parts) -> TextAnalyzer {
    TextAnalyzer::builder(Words::of(parts))
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The tokens of a text, with where they stand in it.
pub fn tokens(analyzer: &mut TextAnalyzer, text: &str) -> Vec<Token> {
    let mut stream = analyzer.token_stream(text);
    let mut tokens = Vec::new();
    while let Some(token) = stream.next() {
        tokens.push(token.clone());
    }
    tokens
}

/// Splits text into words.
#[derive(Clone)]
struct Words {
    parts: Parts,
    tokens: Vec<Token>,
}

impl Words {
    fn of(parts: Parts) -> Self {
        Self {
            parts,
            tokens: Vec::new(),
        }
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = Found<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Found<'a> {
        self.tokens.clear();
        split(text, self.parts, &mut self.tokens);
        Found {
            tokens: &mut self.tokens,
            next: 0,
        }
    }
}

struct Found<'a> {
    tokens: &'a mut Vec<Token>,
    next: usize,
}

impl TokenStream for Found<'_> {
    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.tokens.len()
    }
    fn token(&self) -> &Token {
        &self.tokens[self.next - 1]
    }
    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[self.next - 1]
    }
}

fn split(text: &str, parts: Parts, tokens: &mut Vec<Token>) {
    let mut position = 0;
    let mut word: Option<(usize, String)> = None;
    for (at, c) in text.char_indices() {
        if is_mark(c) && word.is_some() {
            // An accent written on its own: part of the word, and folded away.
            continue;
        }
        let alone = stands_alone(c);
        if c.is_alphanumeric() && !alone {
            word.get_or_insert_with(|| (at, String::new())).1.push(c);
            continue;
        }
        if let Some((from, whole)) = word.take() {
            push_word(tokens, &mut position, parts, from, at, whole);
        }
        if alone {
            tokens.push(token(at, at + c.len_utf8(), position, c.to_string()));
            position += 1;
        }
    }
    if let Some((from, whole)) = word {
        push_word(tokens, &mut position, parts, from, text.len(), whole);
    }
}

fn push_word(tokens: &mut Vec<Token>, position: &mut usize, parts: Parts, from: usize, to: usize, whole: String) {
    let humps = match parts {
        Parts::Kept => humps(&whole),
        Parts::Dropped => Vec::new(),
    };
    tokens.push(token(from, to, *position, whole));
    // The parts stand where the word stands, so that phrases around it keep their distance.
    for hump in humps {
        tokens.push(token(from, to, *position, hump));
    }
    *position += 1;
}

fn token(offset_from: usize, offset_to: usize, position: usize, text: String) -> Token {
    Token {
        offset_from,
        offset_to,
        position,
        text,
        position_length: 1,
    }
}

/// The parts of `camelCase`, `HTTPServer` and `page2`; none for a plain word.
fn humps(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        let begins = before.is_none_or(|before| {
            let up = before.is_lowercase() && c.is_uppercase();
            let last_capital =
                before.is_uppercase() && c.is_uppercase() && after.is_some_and(|after| after.is_lowercase());
            up || last_capital || before.is_numeric() != c.is_numeric()
        });
        match parts.last_mut() {
            Some(part) if !begins => part.push(*c),
            _ => parts.push(c.to_string()),
        }
    }
    match parts.len() {
        1 => Vec::new(),
        _ => parts,
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Scripts that put no blanks between words: each character is a word, and a word is a phrase of them.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{2fa1f}' | '\u{e00}'..='\u{e7f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, parts: Parts) -> String {
        let tokens = tokens(&mut exact(parts), text);
        tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn case_and_accents_do_not_matter_however_they_are_written() {
        assert_eq!(
            words("Ångström A\u{30a}ngstro\u{308}m STRASSE Straße", Parts::Kept),
            "angstrom angstrom strasse strasse"
        );
    }

    #[test]
    fn code_words_are_found_in_parts() {
        assert_eq!(
            words("ERR_PUMP_042 config.yaml", Parts::Kept),
            "err pump 042 config yaml"
        );
        assert_eq!(
            words("readTimeoutMs HTTPServer", Parts::Kept),
            "readtimeoutms read timeout ms httpserver http server"
        );
        assert_eq!(words("readTimeoutMs", Parts::Dropped), "readtimeoutms");
    }

    #[test]
    fn scripts_without_blanks_are_read_character_by_character() {
        assert_eq!(words("水ポンプ A", Parts::Kept), "水 ポ ン プ a");
    }
}
