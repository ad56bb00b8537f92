//! Given bytes, gives the numbers in them one after the other, least byte first, and nothing beyond their end.

pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn f64(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

/// A number in Excel's short form: the high bits of a double or 30 bits of a whole number, perhaps a hundredth of it.
pub fn short_number(bits: u32) -> f64 {
    let value = match bits & 2 {
        0 => f64::from_bits(u64::from(bits & !3) << 32),
        _ => f64::from(bits as i32 >> 2),
    };
    match bits & 1 {
        0 => value,
        _ => value / 100.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_doubles_or_whole_and_perhaps_hundredths() {
        assert_eq!(short_number(0x3ff0_0000), 1.0);
        assert_eq!(short_number(0x3ff0_0001), 0.01);
        assert_eq!(short_number(5 << 2 | 2), 5.0);
        assert_eq!(short_number(((-150_i32) << 2) as u32 | 3), -1.5);
    }
}
