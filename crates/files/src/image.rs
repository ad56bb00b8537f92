//! Given a picture, gives its format and size: no text is read from pixels.

use crate::pieces::Pieces;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    name: &'static str,
    /// Width and height in pixels, where the header tells.
    size: Option<(u32, u32)>,
}

/// Formats of pixels that programs which read letters know.
const OF_PIXELS: [&str; 6] = [
    "PNG image",
    "JPEG image",
    "GIF image",
    "WebP image",
    "BMP image",
    "TIFF image",
];
/// Nothing narrower or lower holds words: icons, signs, and the pixels by which letters are counted.
const WORDS_PIXELS_MIN: u32 = 32;

impl Image {
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether there may be words in its pixels: of a size, as far as that is known, and a format that programs read.
    pub fn may_hold_words(&self) -> bool {
        let is_large = self
            .size
            .is_none_or(|(width, height)| width.min(height) >= WORDS_PIXELS_MIN);
        is_large && OF_PIXELS.contains(&self.name)
    }

    pub fn of(bytes: &[u8]) -> Option<Self> {
        let image = |name, size| Some(Self { name, size });
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => image("PNG image", pair_be_32(bytes, 16)),
            [0xff, 0xd8, 0xff, ..] => image("JPEG image", jpeg_size(bytes)),
            [b'G', b'I', b'F', b'8', ..] => image("GIF image", pair_le_16(bytes, 6)),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => image("WebP image", webp_size(bytes)),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => image("BMP image", bmp_size(bytes)),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => image("TIFF image", None),
            [0, 0, 1, 0, count, 0, ..] if *count > 0 && bytes.len() > 22 && bytes[9] == 0 => image("icon", None),
            [0xd7, 0xcd, 0xc6, 0x9a, ..] => image("WMF image", None),
            [1, 0, 0, 0, ..] if bytes.get(40..44) == Some(b" EMF") => image("EMF image", None),
            [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', b'i', ..] => image("HEIC image", None),
            [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f', ..] => image("AVIF image", None),
            _ => None,
        }
    }
}

/// Tells format and size; a diagram that draw.io hid in a PNG is read besides.
pub fn read(image: &Image, bytes: &[u8], out: &mut Pieces) {
    match image.size {
        Some((width, height)) => out.paragraph(&format!("{}, {width} × {height} pixels", image.name)),
        None => out.paragraph(image.name),
    }
    if image.name == "PNG image"
        && let Some(diagram) = diagram_in_png(bytes)
    {
        crate::drawing::read_diagrams(&diagram, out);
    }
}

fn pair_be_32(bytes: &[u8], at: usize) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((number(at)?, number(at + 4)?))
}

fn pair_le_16(bytes: &[u8], at: usize) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    Some((number(at)?, number(at + 2)?))
}

fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?).unsigned_abs());
    Some((number(18)?, number(22)?))
}

fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => {
            let number = |at: usize| {
                let three = bytes.get(at..at + 3)?;
                Some(u32::from_le_bytes([three[0], three[1], three[2], 0]) + 1)
            };
            Some((number(24)?, number(27)?))
        }
        b"VP8 " => pair_le_16(bytes, 26).map(|(width, height)| (width & 0x3fff, height & 0x3fff)),
        _ => None,
    }
}

/// The first frame header among the segments tells.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let number = |at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
            return Some((number(at + 7)?, number(at + 5)?));
        }
        at += 2 + length.max(2);
    }
}

/// draw.io keeps a diagram in a text chunk named `mxfile` or `mxGraphModel`, its blanks and signs percent-encoded.
fn diagram_in_png(bytes: &[u8]) -> Option<String> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let kind = bytes.get(at + 4..at + 8)?;
        let data = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
        let named = data.starts_with(b"mxfile\0") || data.starts_with(b"mxGraphModel\0");
        if named && matches!(kind, b"tEXt" | b"zTXt") {
            let value = &data[data.iter().position(|byte| *byte == 0)? + 1..];
            let plain = match kind {
                b"tEXt" => value.to_vec(),
                _ => crate::drawing::inflate_zlib(value.get(1..)?),
            };
            return Some(crate::drawing::percent_decoded(&plain));
        }
        at += 12 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_picture_is_in_its_header() {
        let gif = b"GIF89a\x0a\x00\x14\x00rest";
        assert_eq!(
            Image::of(gif),
            Some(Image {
                name: "GIF image",
                size: Some((10, 20))
            })
        );
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04..\xff\xc0\x00\x0b\x08\x00\x20\x00\x10\x01";
        assert_eq!(Image::of(jpeg).unwrap().size, Some((16, 32)));
        assert_eq!(Image::of(b"\xff\xd8\xff").unwrap().size, None);
        assert_eq!(Image::of(b"BM is a text"), None);
    }
}
