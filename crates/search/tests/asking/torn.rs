//! Questions made of pieces that mean something to a reader of questions, of pieces of sentences, and of nothing.

use crate::{chance::Chance, world::SENTENCES};

/// Most questions have no more pieces.
const PIECES_USUAL: usize = 12;
/// Some have so many: beyond all that is read.
const PIECES_MANY: usize = 3_000;
/// A word of so many characters is none.
const LONG_WORD_CHARS: usize = 5_000;

const PIECES: &[&str] = &[
    "\"",
    "\"\"",
    "-",
    "--",
    "-\"",
    " ",
    "  ",
    "\t",
    "\n",
    "\u{a0}",
    "\u{3000}",
    "\u{feff}",
    "title:",
    "TITLE:",
    "space:",
    "space:ENG",
    "space:eng ",
    "-space:hr ",
    "space:\"People and places\"",
    "space:SECRET",
    "type:",
    "type:page ",
    "type:comment ",
    "-type:blog ",
    "type:file",
    "type:spaceship",
    "author:",
    "author:ann ",
    "-author:müller ",
    "author:\"Ed O'Editor\"",
    "label:",
    "label:runbook ",
    "-label:ÜBER-UNS",
    "before:",
    "before:2025 ",
    "before:2024-02-30",
    "-before:2024-06 ",
    "after:2024-03-01 ",
    "after:9999-99-99",
    "after:0000-00-00",
    "after:-1",
    "title:\"",
    "title:pump ",
    "-title:urlaub ",
    "::",
    ":",
    "//",
    "*",
    "?",
    "~",
    "^2",
    "(",
    ")",
    "[1 TO 2]",
    "{",
    "}",
    "AND",
    " OR ",
    "NOT ",
    "+",
    "&&",
    "||",
    "!",
    "\\",
    "\\\"",
    "/.*/",
    "'",
    "’s",
    "%",
    "%00",
    "<script>",
    "&amp;",
    "';--",
    "-pump ",
    "-the ",
    "-水",
    "-ERR_CONN_42 ",
    "ERR_CONN_42",
    "err_conn_",
    "src/main.rs",
    "std::fmt",
    "readTimeoutMs",
    "PROJ-1234",
    "v1.2.3",
    "a@b.example",
    "C:\\dir",
    "a-b-c-d-e-f-g-h",
    "a.b/c_d:e#f@g",
    "_",
    "#",
    "@",
    ".",
    "...",
    "pump ",
    "pumps",
    "pmup ",
    "boosster ",
    "heizungsanlagge ",
    "restarting ",
    "the ",
    "and ",
    "a",
    "e",
    "i ",
    "der die das ",
    "水",
    "水泵",
    "ポンプ",
    "펌프",
    "ปั๊ม",
    "насос ",
    "Ё",
    "مضخة ",
    "\u{202e}",
    "\u{200b}",
    "\u{200d}",
    "\u{301}",
    "\u{308}\u{308}\u{308}",
    "\u{e31}",
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{1f680}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "ﬁ",
    "ß",
    "İ",
    "ı",
    "ǅ",
    "Ａ",
    "①",
    "½",
    "٣",
    "𝐩𝐮𝐦𝐩",
    "㍿",
    "1",
    "42 ",
    "007",
    "3.14",
    "99999999999999999999",
];

pub fn question(chance: &mut Chance) -> String {
    let pieces = match chance.below(60) {
        0 => 1 + chance.below(PIECES_MANY),
        1..8 => 1 + chance.below(200),
        _ => 1 + chance.below(PIECES_USUAL),
    };
    let blanks = chance.below(2) == 0;
    let mut text = String::new();
    // One piece again and again, now and then: it is what a bound is for.
    let same = (chance.below(8) == 0).then(|| piece(chance));
    for _ in 0..pieces {
        match &same {
            Some(same) => text.push_str(same),
            None => text.push_str(&piece(chance)),
        }
        if blanks {
            text.push(' ');
        }
    }
    text
}

fn piece(chance: &mut Chance) -> String {
    match chance.below(24) {
        0..14 => (*chance.one_of(PIECES)).to_owned(),
        14..20 => {
            let sentence: Vec<char> = chance.one_of(SENTENCES).chars().collect();
            let from = chance.below(sentence.len());
            sentence.iter().skip(from).take(1 + chance.below(30)).collect()
        }
        20 => {
            let count = match chance.below(10) {
                0 => chance.below(LONG_WORD_CHARS),
                _ => chance.below(100),
            };
            chance
                .one_of(&["x", "é", "水", "e\u{301}", "a-", "a_1", "ǅ", "\"", "-a "])
                .repeat(count)
        }
        21 => {
            let bytes: Vec<u8> = (0..chance.below(20)).map(|_| chance.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        22 => {
            let any = (0..chance.below(10)).filter_map(|_| char::from_u32(chance.below(0x3_0000) as u32));
            any.collect()
        }
        _ => {
            // A word with a letter too many, too few, or another.
            let sentence: Vec<&str> = chance.one_of(SENTENCES).split_whitespace().collect();
            let mut word: Vec<char> = chance.one_of(&sentence).chars().collect();
            let at = chance.below(word.len());
            match chance.below(3) {
                0 => word.insert(at, 'e'),
                1 => drop(word.remove(at)),
                _ => word[at] = 'o',
            }
            word.into_iter().collect()
        }
    }
}
