//! What a person typed, read: words, `"phrases"`, `-exclusions` and `field:value`. Every text can be read; what looks like
//! syntax and is none is words.

use crate::{Timestamp, document::DocumentKind};

/// The most conditions of one query; further ones are words.
const CONDITIONS_MAX: usize = 32;

/// A query box's text, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Words, phrases and exclusions in the order typed.
    pub terms: Vec<Term>,
    pub conditions: Vec<Condition>,
    /// Whether the last word may go on: nothing stands behind it.
    pub open: bool,
}

/// Something to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Letters up to a blank.
    Words(String),
    /// What stood in quotes.
    Phrase(String),
    /// What must not be there.
    Excluded(String),
}

/// What a document must, or must not, have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub on: On,
    pub negated: bool,
}

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// Words in the title.
    Title(String),
    /// A space's key or name.
    Space(String),
    Kind(DocumentKind),
    /// A part of a person's name: author or last editor.
    Author(String),
    Label(String),
    /// Last modified before this day.
    Before(Timestamp),
    /// Last modified on this day or later.
    After(Timestamp),
}

/// The fields that may be named, with what they are for.
pub const FIELDS: [(&str, &str); 7] = [
    ("title:", "words in the title"),
    ("space:", "a space's key or name"),
    ("type:", "page, blog, comment or file"),
    ("author:", "who wrote or last edited it"),
    ("label:", "a label"),
    ("before:", "last modified before a day"),
    ("after:", "last modified on a day or later"),
];

/// The values of `type:`.
pub const TYPES: [(&str, DocumentKind); 4] = [
    ("page", DocumentKind::Page),
    ("blog", DocumentKind::BlogPost),
    ("comment", DocumentKind::Comment),
    ("file", DocumentKind::Attachment),
];

/// Reads a text.
pub fn asked(text: &str) -> Asked {
    let mut asked = Asked::default();
    tokens(text).iter().for_each(|token| put(&mut asked, token));
    let words_last = matches!(asked.terms.last(), Some(Term::Words(_)));
    asked.open = words_last && text.ends_with(char::is_alphanumeric);
    asked
}

/// A piece of the text: `-field:"value"`, of which everything but the value may be missing.
#[derive(Debug)]
pub struct Token<'a> {
    pub negated: bool,
    /// With its colon.
    pub field: Option<&'static str>,
    pub value: &'a str,
    pub quoted: bool,
    /// All of it, as typed.
    pub whole: &'a str,
}

/// All tokens of a text, in their order.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let token = token(rest);
        rest = rest[token.whole.len()..].trim_start();
        tokens.push(token);
    }
    tokens
}

/// The first token of a text that does not begin with a blank.
pub fn token(text: &str) -> Token<'_> {
    let negated = text.len() > 1 && text.starts_with('-') && !text[1..].starts_with([' ', '-']);
    let begin = usize::from(negated);
    let field = FIELDS.iter().map(|(name, _)| *name).find(|name| {
        let head = text.get(begin..begin + name.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(name))
    });
    let begin = begin + field.map_or(0, str::len);
    let value = &text[begin..];
    let quoted = value.starts_with('"');
    let (value, bytes) = if quoted {
        match value[1..].find('"') {
            Some(end) => (&value[1..=end], begin + end + 2),
            None => (&value[1..], text.len()),
        }
    } else {
        let end = value
            .find(|c: char| c.is_whitespace() || c == '"')
            .unwrap_or(value.len());
        (&value[..end], begin + end)
    };
    Token {
        negated,
        field,
        value,
        quoted,
        whole: &text[..bytes],
    }
}

fn put(asked: &mut Asked, token: &Token<'_>) {
    let value = token.value.trim();
    let said = value.contains(char::is_alphanumeric);
    let on = token.field.filter(|_| said).and_then(|field| on(field, value));
    if let Some(on) = on
        && asked.conditions.len() < CONDITIONS_MAX
    {
        asked.conditions.push(Condition {
            on,
            negated: token.negated,
        });
        return;
    }
    // A field without a value that it knows is words, as is its value.
    let text = match token.field {
        Some(_) => token.whole.trim_start_matches('-').to_owned(),
        None => value.to_owned(),
    };
    asked
        .terms
        .push(match (token.negated && said, token.quoted && token.field.is_none()) {
            (true, _) => Term::Excluded(text),
            (false, true) => Term::Phrase(text),
            (false, false) => Term::Words(text),
        });
}

fn on(field: &str, value: &str) -> Option<On> {
    let value_owned = || value.to_owned();
    match field {
        "title:" => Some(On::Title(value_owned())),
        "space:" => Some(On::Space(value_owned())),
        "author:" => Some(On::Author(value_owned())),
        "label:" => Some(On::Label(value_owned())),
        "type:" => kind(&value.to_lowercase()).map(On::Kind),
        "before:" => day(value).map(On::Before),
        "after:" => day(value).map(On::After),
        _ => None,
    }
}

fn kind(word: &str) -> Option<DocumentKind> {
    match word {
        "page" | "pages" => Some(DocumentKind::Page),
        "blog" | "blogpost" | "blogposts" | "post" => Some(DocumentKind::BlogPost),
        "comment" | "comments" => Some(DocumentKind::Comment),
        "file" | "files" | "attachment" | "attachments" => Some(DocumentKind::Attachment),
        _ => None,
    }
}

/// The beginning of `2026`, `2026-03` or `2026-03-01`, in UTC.
fn day(value: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = value.split('-').collect();
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month, day) = match parts[..] {
        [year] => (year, "01", "01"),
        [year, month] => (year, month, "01"),
        [year, month, day] => (year, month, day),
        _ => return None,
    };
    if !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    Timestamp::parse(&format!("{year}-{month}-{day}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(on: On) -> Condition {
        Condition { on, negated: false }
    }

    #[test]
    fn words_phrases_exclusions_and_fields_are_told_apart() {
        let read = asked("pump \"run dry\" -draft title:runbook space:\"Field notes\" -label:old type:blog be");
        assert_eq!(
            read.terms,
            [
                Term::Words("pump".into()),
                Term::Phrase("run dry".into()),
                Term::Excluded("draft".into()),
                Term::Words("be".into()),
            ]
        );
        assert_eq!(
            read.conditions,
            [
                condition(On::Title("runbook".into())),
                condition(On::Space("Field notes".into())),
                Condition {
                    on: On::Label("old".into()),
                    negated: true
                },
                condition(On::Kind(DocumentKind::BlogPost)),
            ]
        );
        assert!(read.open);
        assert!(!asked("pump ").open && !asked("\"pump").open && !asked("title:pump").open);
    }

    #[test]
    fn days_months_and_years_are_instants() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(
            asked("after:2026-03 before:2026-03-05").conditions,
            [
                condition(On::After(at("2026-03-01T00:00:00Z"))),
                condition(On::Before(at("2026-03-05T00:00:00Z"))),
            ]
        );
    }

    #[test]
    fn what_only_looks_like_syntax_is_words() {
        for (text, words) in [
            ("before:soon", "before:soon"),
            ("after:2026-13-40", "after:2026-13-40"),
            ("type:spaceship", "type:spaceship"),
            ("title:", "title:"),
            ("std::fmt", "std::fmt"),
            ("http://x", "http://x"),
            ("-", "-"),
            ("--", "--"),
        ] {
            assert_eq!(asked(text).terms, [Term::Words(words.into())], "{text}");
            assert!(asked(text).conditions.is_empty(), "{text}");
        }
        assert_eq!(asked("\"un closed").terms, [Term::Phrase("un closed".into())]);
        assert_eq!(asked("TITLE:Pump").conditions, [condition(On::Title("Pump".into()))]);
    }

    proptest! {
        #[test]
        fn every_text_is_read_and_nothing_is_made_up(text in "[-a:\" \\PC]{0,60}|(title:|space:|-|\"|before:|x| ){0,12}") {
            let read = asked(&text);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            let kept: usize = read.terms.iter().map(|term| match term {
                Term::Words(text) | Term::Phrase(text) | Term::Excluded(text) => letters(text),
            }).sum();
            prop_assert!(kept <= letters(&text));
            prop_assert!(read.conditions.len() <= CONDITIONS_MAX);
        }
    }
}
