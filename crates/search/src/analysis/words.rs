//! Splits text into words, and folds case and accents.

use std::collections::VecDeque;

use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// A longer run of letters is no word: base64, minified code.
const WORD_BYTES_MAX: usize = 120;
/// A longer name of code is found by its parts alone: addresses with their queries, paths of build machines.
const WHOLE_BYTES_MAX: usize = 80;
/// What joins the parts of a name: `ERR_CONN_42`, `src/main.rs`, `std::fmt`, `a@b.example`, `C:\dir`, `PROJ-12`.
const JOINTS: [char; 8] = ['_', '-', '.', '/', ':', '@', '\\', '#'];
/// As many of them may stand beside each other: `::`, `//`.
const JOINTS_BESIDE: usize = 2;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As written.
    pub text: String,
    pub from: usize,
    pub to: usize,
    /// Its place among the words.
    pub place: usize,
    pub kind: Kind,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters and digits.
    Plain,
    /// A part of a word such as `readTimeout`; only when indexed.
    Hump,
    /// A name of code with its joints, `config.yaml`: stands where its first part stands.
    Whole,
    /// Two characters of a script without blanks, or one alone.
    Pair,
}

/// Whether a text is split for the index, with all the ways to find it, or for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Indexed,
    Asked,
}

/// The words of a text in its order.
pub fn words(text: &str, detail: Detail) -> Vec<Word> {
    let mut splitting = Splitting {
        text,
        detail,
        found: Vec::new(),
        place: 0,
        name: None,
    };
    let mut word: Option<(usize, String)> = None;
    let mut run: Vec<(usize, char)> = Vec::new();
    for (at, c) in text.char_indices() {
        if is_mark(c) && word.is_some() {
            // An accent written on its own: part of the word, and folded away.
            continue;
        }
        let alone = stands_alone(c);
        if alone {
            if let Some((from, letters)) = word.take() {
                splitting.word(from, at, letters);
            }
            splitting.name_ends();
            run.push((at, c));
            continue;
        }
        splitting.pairs(&mut run);
        if c.is_alphanumeric() {
            word.get_or_insert_with(|| (at, String::new())).1.push(c);
            continue;
        }
        if let Some((from, letters)) = word.take() {
            splitting.word(from, at, letters);
        }
        if !JOINTS.contains(&c) {
            splitting.name_ends();
        }
    }
    if let Some((from, letters)) = word {
        splitting.word(from, text.len(), letters);
    }
    splitting.name_ends();
    splitting.pairs(&mut run);
    splitting.found
}

struct Splitting<'a> {
    text: &'a str,
    detail: Detail,
    found: Vec<Word>,
    place: usize,
    name: Option<Name>,
}

/// A name that is being read.
struct Name {
    from: usize,
    to: usize,
    place: usize,
    parts: usize,
}

impl Splitting<'_> {
    fn word(&mut self, from: usize, to: usize, letters: String) {
        if self.is_ending(from, &letters) {
            return;
        }
        let beside = self.name.as_ref().is_some_and(|name| {
            let joint = &self.text[name.to..from];
            joint.chars().count() <= JOINTS_BESIDE && !joint.is_empty()
        });
        match &mut self.name {
            Some(name) if beside => {
                name.to = to;
                name.parts += 1;
            }
            _ => {
                self.name_ends();
                let (place, parts) = (self.place, 1);
                self.name = Some(Name { from, to, place, parts });
            }
        }
        let humps = match self.detail {
            Detail::Indexed => humps(&letters),
            Detail::Asked => Vec::new(),
        };
        self.push(letters, from, to, self.place, Kind::Plain);
        // The parts stand where the word stands, so that phrases around it keep their distance.
        for hump in humps {
            self.push(hump, from, to, self.place, Kind::Hump);
        }
        self.place += 1;
    }

    /// The letter behind an apostrophe, as in `pump's` and `don't`: no word.
    fn is_ending(&self, from: usize, letters: &str) -> bool {
        let apostrophe = self.text[..from].ends_with(['\'', '’']);
        let behind_a_word = self.found.last().is_some_and(|word| word.to + '’'.len_utf8() >= from);
        apostrophe && behind_a_word && letters.chars().count() == 1
    }

    fn name_ends(&mut self) {
        let Some(name) = self.name.take() else { return };
        let text = &self.text[name.from..name.to];
        let of_code = text.contains(|c: char| c.is_numeric() || (JOINTS.contains(&c) && c != '-'));
        if name.parts > 1 && of_code && text.len() <= WHOLE_BYTES_MAX {
            self.push(text.to_owned(), name.from, name.to, name.place, Kind::Whole);
        }
    }

    /// Pairs of characters, each beginning at its own place; the last one also by itself, so that every character of the
    /// run begins a word.
    fn pairs(&mut self, run: &mut Vec<(usize, char)>) {
        for (at, (from, c)) in run.iter().enumerate() {
            match run.get(at + 1) {
                Some((next, second)) => {
                    let to = next + second.len_utf8();
                    self.push([*c, *second].iter().collect(), *from, to, self.place, Kind::Pair);
                }
                None if run.len() == 1 || self.detail == Detail::Indexed => {
                    self.push(c.to_string(), *from, from + c.len_utf8(), self.place, Kind::Pair);
                }
                None => {}
            }
            self.place += 1;
        }
        run.clear();
    }

    fn push(&mut self, text: String, from: usize, to: usize, place: usize, kind: Kind) {
        if text.len() <= WORD_BYTES_MAX {
            self.found.push(Word {
                text,
                from,
                to,
                place,
                kind,
            });
        }
    }
}

/// The parts of `camelCase`, `HTTPServer` and `page2`; none for a plain word.
fn humps(word: &str) -> Vec<String> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Vec::new();
    }
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

/// Scripts that put no blanks between words, and Hangul, whose words carry their particles: pairs of characters find
/// them. Kana, Han, Hangul, Thai.
pub fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{2fa1f}' | '\u{e00}'..='\u{e7f}')
}

/// Without case and accents.
pub fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let mut analyzer = TextAnalyzer::builder(RawTokenizer::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let mut stream = analyzer.token_stream(word);
    let folded = match stream.next() {
        Some(token) => token.text.clone(),
        None => word.to_owned(),
    };
    folded.replace('ё', "е").chars().filter(|c| !is_mark(*c)).collect()
}

/// The tokenizer of words as written.
#[derive(Clone, Default)]
pub struct Words;

impl Tokenizer for Words {
    type TokenStream<'a> = Found;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Found {
        let tokens = words(text, Detail::Indexed).into_iter();
        Found::of(tokens.map(|word| token(folded(&word.text), &word)).collect())
    }
}

pub fn token(text: String, word: &Word) -> Token {
    Token {
        offset_from: word.from,
        offset_to: word.to,
        position: word.place,
        text,
        position_length: 1,
    }
}

/// Tokens that are all known.
pub struct Found {
    rest: VecDeque<Token>,
    now: Token,
}

impl Found {
    pub fn of(tokens: VecDeque<Token>) -> Self {
        Self {
            rest: tokens,
            now: Token::default(),
        }
    }
}

impl TokenStream for Found {
    fn advance(&mut self) -> bool {
        match self.rest.pop_front() {
            Some(token) => {
                self.now = token;
                true
            }
            None => false,
        }
    }
    fn token(&self) -> &Token {
        &self.now
    }
    fn token_mut(&mut self) -> &mut Token {
        &mut self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, detail: Detail) -> String {
        let words = words(text, detail);
        words
            .iter()
            .map(|word| folded(&word.text))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn case_and_accents_do_not_matter_however_they_are_written() {
        assert_eq!(
            shown("Ångström A\u{30a}ngstro\u{308}m STRASSE Straße Ёлка", Detail::Indexed),
            "angstrom angstrom strasse strasse елка"
        );
    }

    #[test]
    fn names_of_code_are_found_whole_and_in_parts() {
        for (text, words) in [
            ("ERR_PUMP_042", "err pump 042 err_pump_042"),
            ("config.yaml.", "config yaml config.yaml"),
            ("foo_bar()", "foo bar foo_bar"),
            ("PROJ-1234", "proj 1234 proj-1234"),
            ("src/app/main.rs", "src app main rs src/app/main.rs"),
            ("v1.2.3", "v1 v 1 2 3 v1.2.3"),
            ("std::fmt", "std fmt std::fmt"),
            (
                "readTimeoutMs HTTPServer",
                "readtimeoutms read timeout ms httpserver http server",
            ),
            ("well-known, and so - on", "well known and so on"),
            ("the pump's, don't, l'eau", "the pump don l eau"),
        ] {
            assert_eq!(shown(text, Detail::Indexed), words, "{text}");
        }
        assert_eq!(shown("readTimeoutMs", Detail::Asked), "readtimeoutms");
        let long = format!("a.{}", "b".repeat(WHOLE_BYTES_MAX));
        assert_eq!(words(&long, Detail::Indexed).len(), 2, "too long to be found whole");
    }

    #[test]
    fn scripts_without_blanks_are_read_in_pairs() {
        assert_eq!(shown("水ポンプ A", Detail::Indexed), "水ポ ポン ンプ プ a");
        assert_eq!(shown("水ポンプ A", Detail::Asked), "水ポ ポン ンプ a");
        assert_eq!(shown("水", Detail::Asked), "水");
        assert_eq!(shown("펌프를 재시작", Detail::Asked), "펌프 프를 재시 시작");
    }
}
