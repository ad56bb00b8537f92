//! Vectors of length one.

/// Shorter than this has no direction.
const LENGTH_MIN: f32 = 1e-12;

/// The vector with length one; none when a number in it is none, or when it has no direction.
pub(crate) fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    // Divided by the largest first: squares of large numbers are too large for f32.
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if !vector.iter().all(|x| x.is_finite()) || largest < LENGTH_MIN {
        return None;
    }
    vector.iter_mut().for_each(|x| *x /= largest);
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_length_one_however_long_it_came() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![3e38, 0.0]), Some(vec![1.0, 0.0]));
        let small = unit(vec![1e-8, -1e-8]).unwrap();
        assert!((small[0] - 0.5_f32.sqrt()).abs() < 1e-6 && small[0] == -small[1]);
    }

    #[test]
    fn what_has_no_direction_has_no_vector() {
        for vector in [vec![], vec![0.0; 3], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
            assert_eq!(unit(vector), None);
        }
    }
}
