//! What happens to rows of numbers between the products of matrices. Written so that the compiler makes vectors of them.

/// Adds `bias` to each row.
pub fn add_bias(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (x, b) in row.iter_mut().zip(bias) {
            *x += b;
        }
    }
}

/// Adds `bias` to each row, then the Gaussian error linear unit.
pub fn add_bias_gelu(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (x, b) in row.iter_mut().zip(bias) {
            *x = gelu(*x + b);
        }
    }
}

fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function, as a quotient of two polynomials; right to 4e-7.
fn erf(x: f32) -> f32 {
    // Beyond, it is ±1.
    let x = x.clamp(-4.0, 4.0);
    let y = x * x;
    let above = [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_5e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    let below = [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2];
    let above = above.iter().fold(-2.726_142_3e-10, |sum, a| sum * y + a);
    let below = below.iter().fold(-1.456_607_2e-5, |sum, b| sum * y + b);
    x * above / below
}

/// Each row with mean zero and variance one, then stretched and moved.
pub fn layer_norm(rows: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
    for row in rows.chunks_exact_mut(weight.len()) {
        let mean = sum(row, |x| x) / row.len() as f32;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / row.len() as f32;
        let scale = 1.0 / (variance + eps).sqrt();
        for ((x, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *x = (*x - mean) * scale * w + b;
        }
    }
}

/// Each row scaled, and then as shares that sum up to one.
pub fn softmax(rows: &mut [f32], width: usize, scale: f32) {
    for row in rows.chunks_exact_mut(width) {
        let largest = row
            .iter()
            .fold(f32::MIN, |largest, x| if *x > largest { *x } else { largest });
        for x in row.iter_mut() {
            *x = exp((*x - largest) * scale);
        }
        let whole = 1.0 / sum(row, |x| x);
        for x in row.iter_mut() {
            *x *= whole;
        }
    }
}

/// How many sums are kept beside each other.
const LANES: usize = 16;

fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|x| of(*x)).sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += of(*x);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// e to the power of `x`, which is not above zero; right to 2e-7.
fn exp(x: f32) -> f32 {
    /// 1.5 × 2²³: what is added to it is rounded to a whole number, which stands in its lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let power = shifted - ROUNDING;
    let rest = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let mut sum = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        sum = sum * rest + coefficient;
    }
    let sum = sum * rest * rest + rest + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(127) << 23;
    sum * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The series, in 64 bits.
    fn erf_exact(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn the_error_function_and_the_exponential_are_right() {
        for step in -400..=400 {
            let x = step as f32 / 100.0;
            let off = f64::from(erf(x)) - erf_exact(f64::from(x));
            assert!(off.abs() < 4e-7, "erf {x}: {off}");
        }
        assert!((erf(9.0) - 1.0).abs() < 4e-7 && (erf(-9.0) + 1.0).abs() < 4e-7);
        for step in 0..=8_700 {
            let x = -(step as f32) / 100.0;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "exp {x}");
        }
        assert!(exp(-1e30) < 1e-37);
    }

    #[test]
    fn shares_sum_up_to_one() {
        let mut rows = vec![1.0, 2.0, 3.0, -1000.0, 1000.0, 0.0];
        softmax(&mut rows, 3, 1.0);
        assert!((rows[..3].iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((rows[2] - 0.665_240_9).abs() < 1e-6);
        assert!((rows[4] - 1.0).abs() < 1e-6 && rows[3] < 1e-30);
    }
}
