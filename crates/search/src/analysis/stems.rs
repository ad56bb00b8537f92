//! Words by their stem in the language of their text.

use std::{cell::RefCell, collections::HashMap};

use tantivy::tokenizer::{RawTokenizer, Stemmer, TextAnalyzer, TokenStream, Tokenizer};

use super::{
    Detail, Speech,
    words::{Found, Kind, folded, token, words},
};

/// Stems that a thread remembers: the words of a language that are written every day.
const REMEMBERED_MAX: usize = 20_000;

thread_local! {
    static REMEMBERED: RefCell<Remembered> = RefCell::default();
}

/// What was stemmed already, by language.
#[derive(Default)]
struct Remembered {
    count: usize,
    stems: HashMap<Speech, (TextAnalyzer, HashMap<String, String>)>,
}

/// The stem of a word as written, folded. The stemmers know accents, so they are folded afterwards.
pub fn stem(word: &str, speech: Speech) -> String {
    let lower = word.to_lowercase();
    let Some(language) = speech.stemmed() else {
        return folded(&lower);
    };
    REMEMBERED.with_borrow_mut(|remembered| {
        if remembered.count >= REMEMBERED_MAX {
            *remembered = Remembered::default();
        }
        let (analyzer, stems) = remembered.stems.entry(speech).or_insert_with(|| {
            let analyzer = TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(language));
            (analyzer.build(), HashMap::new())
        });
        if let Some(stem) = stems.get(&lower) {
            return stem.clone();
        }
        let stem = match analyzer.token_stream(&lower).next() {
            Some(token) => folded(&token.text),
            None => folded(&lower),
        };
        remembered.count += 1;
        stems.insert(lower, stem.clone());
        stem
    })
}

/// A text as the tokenizer of stems reads it: its language's letter stands before it.
pub fn spoken(text: &str, speech: Speech) -> String {
    let mut spoken = String::with_capacity(text.len() + 1);
    spoken.push(speech.letter());
    spoken.push_str(text);
    spoken
}

/// The tokenizer of stems.
#[derive(Clone, Default)]
pub struct Stems;

impl Tokenizer for Stems {
    type TokenStream<'a> = Found;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Found {
        let mut chars = text.chars();
        let speech = chars.next().map_or(Speech::Unknown, Speech::of_letter);
        let words = words(chars.as_str(), Detail::Indexed).into_iter();
        let tokens = words.filter_map(|word| match word.kind {
            Kind::Plain | Kind::Hump => Some(token(stem(&word.text, speech), &word)),
            Kind::Pair => Some(token(folded(&word.text), &word)),
            // Found as it is written, and by its parts.
            Kind::Whole => None,
        });
        Found::of(tokens.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_word_have_one_stem_in_each_language() {
        for (speech, forms) in [
            (Speech::English, ["restarting", "restarted"]),
            (Speech::German, ["Öffnungszeiten", "offnungszeiten"]),
            (Speech::French, ["réparées", "réparer"]),
            (Speech::Spanish, ["facturas", "factura"]),
            (Speech::Portuguese, ["configurações", "configuração"]),
            (Speech::Italian, ["fatture", "fattura"]),
            (Speech::Dutch, ["vergaderingen", "vergadering"]),
            (Speech::Russian, ["насосы", "насоса"]),
        ] {
            assert_eq!(stem(forms[0], speech), stem(forms[1], speech), "{speech:?}");
        }
        assert_eq!(stem("Öfen", Speech::Unknown), "ofen", "folded, and otherwise as it is");
    }

    #[test]
    fn the_tokenizer_reads_the_language_from_the_first_letter() {
        let text = spoken("restarting foo_bars", Speech::English);
        let mut tokenizer = Stems;
        let mut stream = tokenizer.token_stream(&text);
        let mut stems = Vec::new();
        while let Some(token) = stream.next() {
            stems.push(token.text.clone());
        }
        assert_eq!(stems, ["restart", "foo", "bar"]);
    }
}
