//! Given a title and numbers, gives a PNG: the numbers as columns on a pale ground, the title in its text chunk.

const WIDTH: usize = 360;
const HEIGHT: usize = 200;
const MARGIN: usize = 16;
/// Ground, axis, and the two colours that the columns take turns with.
const PALETTE: [[u8; 3]; 4] = [[246, 248, 250], [71, 85, 105], [14, 116, 144], [202, 138, 4]];
/// The most that a stored block of deflate holds.
const STORED_MAX: usize = 65_535;

pub(super) fn painted(title: &str, numbers: &[u32]) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend((WIDTH as u32).to_be_bytes());
    header.extend((HEIGHT as u32).to_be_bytes());
    // Two bits a pixel, palette, deflate, filters by line, not interlaced.
    header.extend([2, 3, 0, 0, 0]);
    // A text chunk is Latin-1.
    let latin: Vec<u8> = title
        .chars()
        .map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?'))
        .collect();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"PLTE", &PALETTE.concat());
    chunk(&mut out, b"tEXt", &[b"Title\0".as_slice(), &latin].concat());
    chunk(&mut out, b"IDAT", &zlib_stored(&pixels(numbers)));
    chunk(&mut out, b"IEND", &[]);
    out
}

/// The lines of the picture, four pixels a byte, each line with its filter's byte before it.
fn pixels(numbers: &[u32]) -> Vec<u8> {
    let top = numbers.iter().copied().max().unwrap_or(1).max(1) as usize;
    let slot = (WIDTH - 2 * MARGIN) / numbers.len().max(1);
    let colour = |x: usize, y: usize| {
        if !(MARGIN..WIDTH - MARGIN).contains(&x) || !(MARGIN..=HEIGHT - MARGIN).contains(&y) {
            return 0;
        }
        if y == HEIGHT - MARGIN || x == MARGIN {
            return 1;
        }
        let column = (x - MARGIN) / slot.max(1);
        let tall = numbers
            .get(column)
            .map_or(0, |number| *number as usize * (HEIGHT - 2 * MARGIN) / top);
        let in_gap = (x - MARGIN) % slot.max(1) < slot / 5;
        if in_gap || HEIGHT - MARGIN - y > tall {
            0
        } else {
            2 + u8::from(column % 2 == 1)
        }
    };
    let packed = |y: usize, x: usize| (0..4).fold(0, |byte, step| byte << 2 | colour(x + step, y));
    (0..HEIGHT)
        .flat_map(|y| std::iter::once(0).chain((0..WIDTH).step_by(4).map(move |x| packed(y, x))))
        .collect()
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend((data.len() as u32).to_be_bytes());
    let body = [kind.as_slice(), data].concat();
    out.extend(&body);
    out.extend(crc32(&body).to_be_bytes());
}

/// A zlib stream that stores and does not press.
fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let last = data.chunks(STORED_MAX).count().saturating_sub(1);
    for (at, block) in data.chunks(STORED_MAX).enumerate() {
        let len = block.len() as u16;
        out.push(u8::from(at == last));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    out.extend(adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

/// The remainder of each byte, so that a checksum takes one step a byte.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        crc >> 8 ^ CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}
