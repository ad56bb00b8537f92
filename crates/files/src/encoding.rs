//! Given bytes, gives the characters they stand for.

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The characters of a plain text: by its mark of byte order, as UTF-8, as UTF-16 without a mark, or as a detector
/// guesses.
pub fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(text) = utf_32(bytes) {
        return text;
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    guess(bytes).decode_without_bom_handling(bytes).0.into_owned()
}

/// As [`decode`], with what the text says of itself or its bearer of it, which counts after a mark and valid UTF-8.
pub fn decode_as(bytes: &[u8], label: Option<&str>) -> String {
    let named = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    match named {
        Some(encoding) if Encoding::for_bom(bytes).is_none() && std::str::from_utf8(bytes).is_err() => {
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        }
        _ => decode(bytes),
    }
}

/// How many bytes of a text the detector sees; what a text is written in shows early.
const DETECTED_BYTES_MAX: usize = 1 << 18;

fn guess(bytes: &[u8]) -> &'static Encoding {
    let seen = &bytes[..bytes.len().min(DETECTED_BYTES_MAX)];
    let whole = seen.len() == bytes.len();
    // A text that is UTF-8 but for a few broken bytes is UTF-8 all the same.
    let broken = UTF_8.decode_without_bom_handling(seen).0.matches('\u{fffd}').count();
    let beyond_ascii = seen.iter().filter(|byte| **byte >= 0x80).count();
    if broken * 20 < beyond_ascii {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(seen, whole);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

/// The characters of XML, whose first line may name an encoding.
pub fn decode_xml(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(200)];
    let head = String::from_utf8_lossy(head);
    let declaration = head
        .trim_start_matches('\u{feff}')
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split("?>").next());
    let label = declaration.and_then(|declaration| {
        let after = declaration.split("encoding").nth(1)?;
        let quoted = after.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        quoted[1..].split(quote).next().map(str::to_owned)
    });
    decode_as(bytes, label.as_deref())
}

/// How many bytes tell whether a text without a mark is UTF-16.
const UTF_16_BYTES_SEEN: usize = 2_000;

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let seen = &bytes[..bytes.len().min(UTF_16_BYTES_SEEN) & !1];
    if seen.len() < 4 || bytes.len() % 2 == 1 {
        return None;
    }
    let zeros = |offset: usize| seen.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), seen.len() / 2);
    if odd * 10 >= pairs * 4 && even * 20 <= pairs {
        return Some(UTF_16LE);
    }
    (even * 10 >= pairs * 4 && odd * 20 <= pairs).then_some(UTF_16BE)
}

fn utf_32(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 || !bytes.len().is_multiple_of(4) {
        return None;
    }
    let little = bytes.starts_with(&[0xff, 0xfe, 0, 0]) || (bytes[0] != 0 && bytes[1..4] == [0; 3]);
    let big = bytes.starts_with(&[0, 0, 0xfe, 0xff]) || (bytes[..3] == [0; 3] && bytes[3] != 0);
    if !little && !big {
        return None;
    }
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|four| {
            char::from_u32(if little {
                u32::from_le_bytes(*four)
            } else {
                u32::from_be_bytes(*four)
            })
        })
        .collect()
}

pub fn utf_16_le(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

pub fn utf_16_be(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|two| u16::from_be_bytes(*two));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

/// Windows' twenty-seven characters where Latin-1 has controls; five places are empty.
const WINDOWS_1252_HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252_HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The encoding behind a number of Windows' code pages; Western European where it is none.
pub fn code_page(number: u32) -> &'static Encoding {
    let label = match number {
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        10_000 => "macintosh",
        10_007 => "x-mac-cyrillic",
        866 => "ibm866",
        20_866 => "koi8-r",
        21_866 => "koi8-u",
        28_592 => "iso-8859-2",
        28_595 => "iso-8859-5",
        50_220 => "iso-2022-jp",
        51_932 => "euc-jp",
        54_936 => "gb18030",
        65_001 => "utf-8",
        1_250 => "windows-1250",
        1_251 => "windows-1251",
        1_253 => "windows-1253",
        1_254 => "windows-1254",
        1_255 => "windows-1255",
        1_256 => "windows-1256",
        1_257 => "windows-1257",
        1_258 => "windows-1258",
        1_361 => "euc-kr",
        _ => "windows-1252",
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_common_encoding_is_read() {
        let text = "Grüße aus Zürich, schöne Straße – und viele äußerst höfliche Wörter";
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16_be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut marked = vec![0xff, 0xfe];
        marked.extend(&utf_16);
        for bytes in [text.as_bytes().to_vec(), utf_16, utf_16_be, marked] {
            assert_eq!(decode(&bytes), text);
        }
        let (latin, _, _) = WINDOWS_1252.encode(text);
        assert_eq!(decode(&latin), text);
        let russian = "Привет, это обычный русский текст без всяких пометок";
        let (cyrillic, _, _) = code_page(1_251).encode(russian);
        assert_eq!(decode(&cyrillic), russian);
        let japanese = "これは日本語の文章です。文字コードを推定します。";
        let (shift_jis, _, _) = code_page(932).encode(japanese);
        assert_eq!(decode(&shift_jis), japanese);
    }

    #[test]
    fn xml_says_what_it_is_written_in() {
        let bytes = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9t\xe9</a>";
        assert!(decode_xml(bytes).contains("été"));
    }
}
