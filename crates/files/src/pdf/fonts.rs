//! Given a font of a PDF, gives for the bytes of a string the characters they stand for and how wide they are.

use std::collections::BTreeMap;

use hayro_cmap::{BfString, CMap, CMapName, CidFamily, WritingMode, load_embedded};
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

use super::encodings;

/// One glyph of a string.
pub struct Glyph {
    pub text: String,
    /// Along the line, in thousandths of the font's size.
    pub advance: f32,
    /// Whether it is the single byte 32, which word spacing widens.
    pub is_blank: bool,
}

pub struct Font {
    coding: Coding,
    to_unicode: Option<CMap>,
    /// Codes are characters as they stand.
    is_unicode: bool,
    pub is_bold: bool,
    pub is_vertical: bool,
}

enum Coding {
    /// A byte is a glyph.
    Simple(Simple),
    /// One to four bytes are a glyph.
    Composite(Box<Composite>),
}

struct Simple {
    texts: Vec<Option<String>>,
    widths: Vec<Option<f32>>,
    default_width: Option<f32>,
}

struct Composite {
    codes: CMap,
    /// Characters by number of glyph, for glyphs that Adobe numbers.
    characters: Option<CMap>,
    /// The same from the font's own table.
    glyphs: BTreeMap<u32, char>,
    widths: BTreeMap<u32, f32>,
    default_width: f32,
}

impl Font {
    pub fn read(font: &Dict<'_>) -> Self {
        let subtype = name(font, "Subtype");
        let to_unicode = font.get::<Stream<'_>>("ToUnicode").and_then(|stream| cmap(&stream));
        let descendant = font
            .get::<Array<'_>>("DescendantFonts")
            .and_then(|fonts| fonts.iter::<Dict<'_>>().next());
        let described = descendant.as_ref().unwrap_or(font);
        let descriptor = described.get::<Dict<'_>>("FontDescriptor");
        let base = name(font, "BaseFont").to_ascii_lowercase();
        let weight = descriptor
            .as_ref()
            .and_then(|descriptor| descriptor.get::<f32>("FontWeight"))
            .unwrap_or_default();
        let is_bold = ["bold", "black", "heavy"].iter().any(|word| base.contains(word)) || weight >= 600.0;
        let (coding, is_vertical) = match (&descendant, subtype.as_str()) {
            (Some(descendant), "Type0") => composite(font, descendant, descriptor.as_ref()),
            _ => (simple(font, descriptor.as_ref(), &base, &subtype), false),
        };
        let encoding = name(font, "Encoding");
        let names_characters = encoding.contains("UCS2") || encoding.contains("UTF16");
        let is_unicode = name(font, "ToUnicode").starts_with("Identity") || names_characters && to_unicode.is_none();
        Self {
            coding,
            to_unicode,
            is_unicode,
            is_bold,
            is_vertical,
        }
    }

    /// The glyphs that a string shows.
    pub fn glyphs(&self, bytes: &[u8]) -> Vec<Glyph> {
        match &self.coding {
            Coding::Simple(simple) => bytes.iter().map(|byte| self.simple_glyph(simple, *byte)).collect(),
            Coding::Composite(composite) => self.composite_glyphs(composite, bytes),
        }
    }

    fn simple_glyph(&self, simple: &Simple, byte: u8) -> Glyph {
        let at = usize::from(byte);
        let text = self
            .unicode(u32::from(byte))
            .or_else(|| simple.texts[at].clone())
            .unwrap_or_default();
        let width = simple.widths.get(at).copied().flatten().or(simple.default_width);
        let advance = width.unwrap_or_else(|| usual_width(&text));
        Glyph {
            text,
            advance,
            is_blank: byte == b' ',
        }
    }

    fn composite_glyphs(&self, composite: &Composite, bytes: &[u8]) -> Vec<Glyph> {
        let mut found = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (code, length, cid) = next_code(&composite.codes, rest);
            let text = self.unicode(code).or_else(|| {
                let character = composite
                    .characters
                    .as_ref()
                    .and_then(|characters| characters.lookup_bf_string(cid));
                character
                    .map(string)
                    .or_else(|| composite.glyphs.get(&cid).map(char::to_string))
            });
            let advance = match self.is_vertical {
                true => 1_000.0,
                false => composite.widths.get(&cid).copied().unwrap_or(composite.default_width),
            };
            found.push(Glyph {
                text: text.unwrap_or_default(),
                advance,
                is_blank: length == 1 && code == 32,
            });
            rest = &rest[length..];
        }
        found
    }

    fn unicode(&self, code: u32) -> Option<String> {
        if self.is_unicode
            && let Some(character) = char::from_u32(code)
        {
            return Some(character.to_string());
        }
        let found = string(self.to_unicode.as_ref()?.lookup_bf_string(code)?);
        // Some writers map what they do not know to nothing or to a private character.
        let says_nothing = found
            .chars()
            .all(|c| matches!(c, '\0' | '\u{fffd}' | '\u{e000}'..='\u{f8ff}'));
        (!says_nothing).then_some(found)
    }
}

fn string(found: BfString) -> String {
    match found {
        BfString::Char(c) => c.to_string(),
        BfString::String(text) => text,
    }
}

fn name(dict: &Dict<'_>, key: &str) -> String {
    dict.get::<Name<'_>>(key)
        .map(|name| name.as_str().to_owned())
        .unwrap_or_default()
}

fn cmap(stream: &Stream<'_>) -> Option<CMap> {
    CMap::parse(&stream.decoded_data().ok()?, load_embedded)
}

/// The next code, its length in bytes and the number of its glyph. The shortest that the map knows is taken.
fn next_code(codes: &CMap, bytes: &[u8]) -> (u32, usize, u32) {
    let mut code = 0;
    for (length, byte) in (1_u8..=4).zip(bytes) {
        code = code << 8 | u32::from(*byte);
        if let Some(cid) = codes.lookup_cid_code(code, length) {
            return (code, length.into(), cid);
        }
    }
    let length = bytes.len().min(2);
    let code = bytes[..length]
        .iter()
        .fold(0, |code, byte| code << 8 | u32::from(*byte));
    (code, length, 0)
}

fn composite(font: &Dict<'_>, descendant: &Dict<'_>, descriptor: Option<&Dict<'_>>) -> (Coding, bool) {
    let named = font.get::<Name<'_>>("Encoding");
    let codes = match (&named, font.get::<Stream<'_>>("Encoding")) {
        (Some(name), _) => match name.as_str() {
            "Identity-V" => Some(CMap::identity_v()),
            "Identity-H" => Some(CMap::identity_h()),
            _ => load_embedded(CMapName::from_bytes(name)).and_then(|bytes| CMap::parse(bytes, load_embedded)),
        },
        (None, Some(stream)) => cmap(&stream),
        (None, None) => None,
    };
    let codes = codes.unwrap_or_else(CMap::identity_h);
    let is_vertical = matches!(codes.metadata().writing_mode, Some(WritingMode::Vertical));
    let system = descendant.get::<Dict<'_>>("CIDSystemInfo");
    let family = system.map(|system| {
        let text = |key: &str| system.get::<hayro_syntax::object::String<'_>>(key);
        let bytes = |text: Option<hayro_syntax::object::String<'_>>| {
            text.map(|text| text.as_bytes().to_vec()).unwrap_or_default()
        };
        CidFamily::from_registry_ordering(&bytes(text("Registry")), &bytes(text("Ordering")))
    });
    let characters = family
        .and_then(|family| family.ucs2_cmap())
        .and_then(load_embedded)
        .and_then(|bytes| CMap::parse(bytes, load_embedded));
    let is_identity = named.is_some_and(|name| name.as_str().starts_with("Identity"));
    let glyphs = match is_identity && characters.is_none() {
        true => {
            let glyphs = descriptor.map(characters_of_glyphs).unwrap_or_default();
            match descendant
                .get::<Stream<'_>>("CIDToGIDMap")
                .and_then(|stream| stream.decoded_data().ok().map(|data| data.into_owned()))
            {
                Some(map) => by_number(&map, &glyphs),
                None => glyphs,
            }
        }
        false => BTreeMap::new(),
    };
    let widths = descendant
        .get::<Array<'_>>("W")
        .map(|widths| glyph_widths(&widths))
        .unwrap_or_default();
    let default_width = descendant.get::<f32>("DW").unwrap_or(1_000.0);
    let composite = Composite {
        codes,
        characters,
        glyphs,
        widths,
        default_width,
    };
    (Coding::Composite(Box::new(composite)), is_vertical)
}

/// The same for numbers that a map leads to glyphs: two bytes for each.
fn by_number(map: &[u8], glyphs: &BTreeMap<u32, char>) -> BTreeMap<u32, char> {
    let mapped = map
        .as_chunks::<2>()
        .0
        .iter()
        .map(|two| u32::from(u16::from_be_bytes(*two)));
    (0..)
        .zip(mapped)
        .filter_map(|(number, glyph)| Some((number, *glyphs.get(&glyph)?)))
        .collect()
}

/// The most glyphs of one font; glyphs have numbers of 16 bits.
const GLYPHS_MAX: u32 = 1 << 16;

/// Widths as `first [a b c]` or `first last width`.
fn glyph_widths(array: &Array<'_>) -> BTreeMap<u32, f32> {
    let mut widths = BTreeMap::new();
    let mut numbers: Vec<f32> = Vec::new();
    for object in array.iter::<Object<'_>>() {
        match object {
            Object::Array(list) => {
                let first = numbers.pop().unwrap_or_default() as u32;
                numbers.clear();
                for (cid, width) in (first..GLYPHS_MAX).zip(list.iter::<f32>()) {
                    widths.insert(cid, width);
                }
            }
            Object::Number(number) => {
                numbers.push(number.as_f32());
                if let [first, last, width] = numbers[..] {
                    for cid in first as u32..=(last as u32).min(GLYPHS_MAX) {
                        widths.insert(cid, width);
                    }
                    numbers.clear();
                }
            }
            _ => numbers.clear(),
        }
    }
    widths
}

fn simple(font: &Dict<'_>, descriptor: Option<&Dict<'_>>, base: &str, subtype: &str) -> Coding {
    let encoding = font.get::<Dict<'_>>("Encoding");
    let named = match &encoding {
        Some(encoding) => name(encoding, "BaseEncoding"),
        None => name(font, "Encoding"),
    };
    let is_symbol = base.contains("symbol") && !base.contains("segoe");
    let own = descriptor.map(own_encoding).unwrap_or_default();
    let flags = descriptor
        .and_then(|descriptor| descriptor.get::<f32>("Flags"))
        .unwrap_or_default() as u32;
    const SYMBOLIC: u32 = 4;
    let by_name = match (named.as_str(), subtype) {
        ("WinAnsiEncoding", _) => encodings::win_ansi,
        ("MacRomanEncoding", _) => encodings::mac_roman,
        ("StandardEncoding", _) => encodings::standard,
        _ if is_symbol => encodings::symbol,
        (_, "TrueType") if flags & SYMBOLIC == 0 || encoding.is_none() => encodings::win_ansi,
        _ => encodings::standard,
    };
    let mut texts: Vec<Option<String>> = (0..=255_u8)
        .map(|byte| {
            let character = || by_name(byte).map(expanded);
            match named.is_empty() {
                true => own.get(&byte).cloned().or_else(character),
                false => character(),
            }
        })
        .collect();
    if let Some(differences) = encoding.and_then(|encoding| encoding.get::<Array<'_>>("Differences")) {
        apply_differences(&differences, &mut texts);
    }
    // A Type 3 font measures in units of its own.
    let matrix: Vec<f32> = font
        .get::<Array<'_>>("FontMatrix")
        .map(|matrix| matrix.iter::<f32>().collect())
        .unwrap_or_default();
    let unit = match (subtype, matrix.first()) {
        ("Type3", Some(scale)) => scale * 1_000.0,
        _ => 1.0,
    };
    let first = font.get::<f32>("FirstChar").unwrap_or_default().clamp(0.0, 255.0) as usize;
    let mut widths = vec![None; 256];
    let listed = font.get::<Array<'_>>("Widths");
    for (slot, width) in widths[first..]
        .iter_mut()
        .zip(listed.iter().flat_map(Array::iter::<f32>))
    {
        *slot = Some(width * unit);
    }
    let missing = descriptor.and_then(|descriptor| descriptor.get::<f32>("MissingWidth"));
    let default_width = match listed {
        Some(_) => Some(missing.unwrap_or_default()),
        None if base.contains("courier") => Some(600.0),
        None => None,
    };
    Coding::Simple(Simple {
        texts,
        widths,
        default_width,
    })
}

/// Ligatures as the letters they join.
fn expanded(c: char) -> String {
    match c {
        'ﬀ' => "ff".to_owned(),
        'ﬁ' => "fi".to_owned(),
        'ﬂ' => "fl".to_owned(),
        'ﬃ' => "ffi".to_owned(),
        'ﬄ' => "ffl".to_owned(),
        c => c.to_string(),
    }
}

/// Numbers set where the names after them count from.
fn apply_differences(differences: &Array<'_>, texts: &mut [Option<String>]) {
    let mut code = 0_usize;
    for object in differences.iter::<Object<'_>>() {
        match object {
            Object::Number(number) => code = number.as_i64().clamp(0, 255) as usize,
            Object::Name(name) => {
                if let Some(slot) = texts.get_mut(code)
                    && let Some(text) = encodings::glyph(name.as_str())
                {
                    *slot = Some(text);
                }
                code += 1;
            }
            _ => {}
        }
    }
}

/// The encoding that a Type 1 font brings: `dup 65 /A put` in its clear part.
fn own_encoding(descriptor: &Dict<'_>) -> BTreeMap<u8, String> {
    let Some(program) = descriptor
        .get::<Stream<'_>>("FontFile")
        .and_then(|stream| stream.decoded_data().ok().map(|data| data.into_owned()))
    else {
        return BTreeMap::new();
    };
    /// The clear part comes first and is short.
    const CLEAR_BYTES_MAX: usize = 1 << 16;
    let clear = String::from_utf8_lossy(&program[..program.len().min(CLEAR_BYTES_MAX)]).into_owned();
    let clear = clear.split("eexec").next().unwrap_or_default();
    let mut encoding = BTreeMap::new();
    for entry in clear.split("dup ").skip(1) {
        let mut words = entry.split_whitespace();
        let code = words.next().and_then(|code| code.parse().ok());
        let glyph = words
            .next()
            .and_then(|name| name.strip_prefix('/'))
            .and_then(encodings::glyph);
        if let (Some(code), Some(glyph)) = (code, glyph) {
            encoding.insert(code, glyph);
        }
    }
    encoding
}

/// What the glyphs of an embedded TrueType font show, from its own table of characters.
fn characters_of_glyphs(descriptor: &Dict<'_>) -> BTreeMap<u32, char> {
    let program = descriptor
        .get::<Stream<'_>>("FontFile2")
        .or_else(|| descriptor.get::<Stream<'_>>("FontFile3"));
    let Some(program) = program.and_then(|stream| stream.decoded_data().ok().map(|data| data.into_owned())) else {
        return BTreeMap::new();
    };
    character_table(&program).unwrap_or_default()
}

fn number_16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    )))
}

fn number_32(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

fn character_table(program: &[u8]) -> Option<BTreeMap<u32, char>> {
    let tables = number_16(program, 4)?;
    let entry = (0..tables)
        .map(|index| 12 + index * 16)
        .find(|at| program.get(*at..*at + 4) == Some(b"cmap"))?;
    let table = program.get(number_32(program, entry + 8)?..)?;
    let mut characters = BTreeMap::new();
    for index in 0..number_16(table, 2)?.min(100) {
        let at = 4 + index * 8;
        let is_unicode = matches!((number_16(table, at)?, number_16(table, at + 2)?), (0, _) | (3, 1 | 10));
        let subtable = table.get(number_32(table, at + 4)?..)?;
        match (is_unicode, number_16(subtable, 0)?) {
            // A part that is cut off has given what it has.
            (true, 4) => drop(add_segments(subtable, &mut characters)),
            (true, 12) => drop(add_groups(subtable, &mut characters)),
            _ => {}
        }
    }
    Some(characters)
}

fn add_segments(table: &[u8], characters: &mut BTreeMap<u32, char>) -> Option<()> {
    let size = number_16(table, 6)?;
    for at in (0..size).step_by(2) {
        let end = number_16(table, 14 + at)?;
        let start = number_16(table, 16 + size + at)?;
        let delta = number_16(table, 16 + 2 * size + at)?;
        let offset_at = 16 + 3 * size + at;
        let offset = number_16(table, offset_at)?;
        for code in start..=end.min(0xfffe) {
            let glyph = match offset {
                0 => (code + delta) & 0xffff,
                offset => match number_16(table, offset_at + offset + 2 * (code - start))? {
                    0 => 0,
                    glyph => (glyph + delta) & 0xffff,
                },
            };
            add_character(glyph, code, characters);
        }
    }
    Some(())
}

fn add_groups(table: &[u8], characters: &mut BTreeMap<u32, char>) -> Option<()> {
    for group in 0..number_32(table, 12)?.min(GLYPHS_MAX as usize) {
        let at = 16 + group * 12;
        let (start, end, glyph) = (
            number_32(table, at)?,
            number_32(table, at + 4)?,
            number_32(table, at + 8)?,
        );
        for code in start..=end.min(start + GLYPHS_MAX as usize) {
            add_character(glyph + code - start, code, characters);
        }
    }
    Some(())
}

fn add_character(glyph: usize, code: usize, characters: &mut BTreeMap<u32, char>) {
    let character = u32::try_from(code).ok().and_then(char::from_u32);
    if let (Ok(glyph @ 1..), Some(character)) = (u32::try_from(glyph), character)
        && glyph < GLYPHS_MAX
    {
        characters.entry(glyph).or_insert(character);
    }
}

/// How wide a character of a font without widths is, about.
fn usual_width(text: &str) -> f32 {
    match text.chars().next() {
        None => 0.0,
        Some('i' | 'j' | 'l' | '\'' | '|' | '!' | '.' | ',' | ':' | ';' | ' ' | 'I' | 'f' | 't' | '/') => 278.0,
        Some('m' | 'w' | 'M' | 'W' | '@' | '%') => 850.0,
        Some(c) if c.is_uppercase() => 690.0,
        Some(c) if c as u32 >= 0x2e80 => 1_000.0,
        Some(_) => 540.0,
    }
}
