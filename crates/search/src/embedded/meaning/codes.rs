//! What of each vector is held in memory: one bit for each dimension, and two numbers. Of a question it tells about how near
//! each vector is, at a few nanoseconds each; the best ones are then read and measured.
//!
//! Vectors of one model point roughly the same way. So a bit says on which side of the vectors' mean a dimension lies, and
//! the vector's way from the mean is taken to be as long in each dimension as makes its own length come out right.

use super::file::Record;

/// Bits of one table: a byte of the code.
const BITS: usize = 8;
/// How a byte of the code changes the sum, for each of its values.
type Table = [i16; 256];

#[derive(Default)]
pub struct Codes {
    /// The mean of the vectors that were there when it was last taken.
    mean: Vec<f32>,
    mean_square: f32,
    /// Bytes of one code.
    bytes: usize,
    bits: Vec<u8>,
    /// How long each dimension of the way from the mean is taken to be, and how near the vector is to the mean.
    numbers: Vec<[f32; 2]>,
}

impl Codes {
    pub fn new(mean: Vec<f32>) -> Self {
        Self {
            bytes: mean.len().div_ceil(BITS),
            mean_square: dot(&mean, &mean),
            mean,
            bits: Vec::new(),
            numbers: Vec::new(),
        }
    }

    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    pub fn push(&mut self, record: &Record) {
        let (mut square, mut sum, mut near) = (0.0, 0.0, 0.0);
        let from = self.bits.len();
        self.bits.resize(from + self.bytes, 0);
        for (at, (x, mean)) in record.vector().zip(&self.mean).enumerate() {
            let way = x - mean;
            square += way * way;
            sum += way.abs();
            near += x * mean;
            self.bits[from + at / BITS] |= u8::from(way > 0.0) << (at % BITS);
        }
        let length = if sum > 0.0 { square / sum } else { 0.0 };
        self.numbers.push([length, near]);
    }

    /// A place for a vector that cannot be read.
    pub fn push_nothing(&mut self) {
        self.bits.resize(self.bits.len() + self.bytes, 0);
        self.numbers.push([0.0, f32::MIN]);
    }

    /// How near a vector is to those of the index on average.
    pub fn average(&self, vector: &[f32]) -> f32 {
        dot(vector, &self.mean)
    }

    pub fn asked(&self, question: &[f32]) -> Probe<'_> {
        let way: Vec<f32> = question.iter().zip(&self.mean).map(|(q, mean)| q - mean).collect();
        let most = way.chunks(BITS).map(|part| part.iter().map(|x| x.abs()).sum::<f32>());
        let unit = most.fold(f32::MIN_POSITIVE, f32::max) / f32::from(i16::MAX);
        let tables = way.chunks(BITS).map(|part| {
            let mut table = [0; 256];
            for (value, sum) in (0_usize..).zip(&mut table) {
                let signed = part.iter().enumerate();
                let signed = signed.map(|(bit, x)| if value >> bit & 1 == 1 { *x } else { -x });
                *sum = (signed.sum::<f32>() / unit).round() as i16;
            }
            table
        });
        Probe {
            codes: self,
            tables: tables.collect(),
            unit,
            constant: self.average(question) - self.mean_square,
        }
    }
}

/// A question, as codes are asked for it.
pub struct Probe<'a> {
    codes: &'a Codes,
    tables: Vec<Table>,
    unit: f32,
    constant: f32,
}

impl Probe<'_> {
    /// About how near the vector in this place is.
    #[inline]
    pub fn about(&self, slot: usize) -> f32 {
        let code = &self.codes.bits[slot * self.codes.bytes..][..self.tables.len()];
        let parts = self.tables.iter().zip(code);
        let sum: i32 = parts.map(|(table, byte)| i32::from(table[usize::from(*byte)])).sum();
        let [length, near] = self.codes.numbers[slot];
        self.constant + near + length * self.unit * sum as f32
    }
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    /// Sums that run beside each other, so that one need not wait for the one before.
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks(LANES), b.chunks(LANES));
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// The same of steps.
pub fn dot_steps(a: &[f32], steps: &[u8]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks(LANES), steps.chunks(LANES));
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * f32::from(b.cast_signed());
        }
    }
    sums.iter().sum()
}
