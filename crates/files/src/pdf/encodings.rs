//! Given a byte or the name of a glyph, gives the character it stands for in the encodings that PDF knows.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::encoding;

/// Names of glyphs as type founders use them, each with what it shows.
static GLYPHS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("glyphs.txt").lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(name, text)| (name, if text == "SPACE" { " " } else { text }))
        .collect()
});

/// What a glyph of this name shows.
pub fn glyph(name: &str) -> Option<String> {
    if let Some(text) = GLYPHS.get(name) {
        return Some((*text).to_owned());
    }
    // `a.alt` is a form of `a`, `f_f_i` three in one.
    let (base, _) = name.split_once('.').unwrap_or((name, ""));
    if base.is_empty() {
        return None;
    }
    if base.contains('_') {
        return base.split('_').map(glyph).collect();
    }
    if let Some(text) = GLYPHS.get(base) {
        return Some((*text).to_owned());
    }
    if let Some(hex) = base.strip_prefix("uni")
        && hex.len() >= 4
        && hex.is_ascii()
    {
        let units: Option<Vec<u16>> = hex
            .as_bytes()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|four| u16::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok())
            .collect();
        return units.and_then(|units| String::from_utf16(&units).ok());
    }
    let hex = base.strip_prefix('u').filter(|hex| (4..=6).contains(&hex.len()))?;
    u32::from_str_radix(hex, 16)
        .ok()
        .and_then(char::from_u32)
        .map(|c| c.to_string())
}

/// Adobe's standard encoding, from where it leaves ASCII; a blank is an empty place.
const STANDARD_HIGH: &str =
    " ¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—                Æ ª    ŁØŒº     æ   ı  łøœß    ";

pub fn standard(byte: u8) -> Option<char> {
    match byte {
        0x27 => Some('’'),
        0x60 => Some('‘'),
        0x20..=0x7e => Some(char::from(byte)),
        0xa0..=0xff => STANDARD_HIGH
            .chars()
            .nth(usize::from(byte - 0xa0))
            .filter(|c| *c != ' '),
        _ => None,
    }
}

/// The encoding of the Symbol font, from its blank on.
const SYMBOL_LOW: &str =
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";
const SYMBOL_HIGH: &str =
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭ ";

pub fn symbol(byte: u8) -> Option<char> {
    match byte {
        0x20..=0x7e => SYMBOL_LOW.chars().nth(usize::from(byte - 0x20)),
        0xa0..=0xff => SYMBOL_HIGH.chars().nth(usize::from(byte - 0xa0)),
        _ => None,
    }
}

pub fn win_ansi(byte: u8) -> Option<char> {
    (byte >= 0x20).then(|| encoding::windows_1252(byte))
}

pub fn mac_roman(byte: u8) -> Option<char> {
    let decoded = encoding::code_page(10_000)
        .decode_without_bom_handling(&[byte])
        .0
        .chars()
        .next();
    decoded.filter(|c| *c >= ' ')
}

/// The encoding of strings that are text: Latin-1 with some signs where it has controls.
const DOCUMENT_LOW: &str = "˘ˇˆ˙˝˛˚˜";
const DOCUMENT_HIGH: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž";

pub fn pdf_document(byte: u8) -> char {
    let found = match byte {
        0x18..=0x1f => DOCUMENT_LOW.chars().nth(usize::from(byte - 0x18)),
        0x80..=0x9e => DOCUMENT_HIGH.chars().nth(usize::from(byte - 0x80)),
        0xa0 => Some('€'),
        _ => None,
    };
    found.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyphs_are_known_by_name() {
        for (name, text) in [
            ("eacute", "é"),
            ("ffi", "ffi"),
            ("f_f_i", "ffi"),
            ("a.sc", "a"),
            ("uni20AC", "€"),
            ("u1F600", "😀"),
            ("Scaron", "Š"),
            ("afii10017", "А"),
            ("space", " "),
            ("alpha", "α"),
        ] {
            assert_eq!(glyph(name).as_deref(), Some(text), "{name}");
        }
        assert_eq!(glyph("g123"), None);
        assert_eq!(glyph(".notdef"), None);
    }

    #[test]
    fn tables_have_a_place_for_each_byte() {
        assert_eq!(STANDARD_HIGH.chars().count(), 0x60);
        assert_eq!(SYMBOL_LOW.chars().count(), 0x5f);
        assert_eq!(SYMBOL_HIGH.chars().count(), 0x60);
        assert_eq!(DOCUMENT_HIGH.chars().count(), 0x1f);
        assert_eq!(
            (standard(0xb7), standard(0xd0), standard(0xfb)),
            (Some('•'), Some('—'), Some('ß'))
        );
        assert_eq!((symbol(b'a'), symbol(0xb7)), (Some('α'), Some('•')));
    }
}
