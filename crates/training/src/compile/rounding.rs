//! Rounding of weights to few bits, and the scale that loses least.

/// The largest absolute value of `bits` signed bits: `2^(bits−1) − 1`.
pub(crate) fn largest(bits: u32) -> i32 {
    (1 << (bits - 1)) - 1
}

/// The nearest integer to `value / scale` within `±largest`.
pub(crate) fn round(value: f32, scale: f32, largest: i32) -> i32 {
    // A cast saturates, and NaN becomes 0.
    ((value / scale).round() as i32).clamp(-largest, largest)
}

/// Scales tried, as fractions of the one that clips nothing.
const SHARES: usize = 40;

/// The scale that minimises `Σ importance·(value − scale·round(value / scale))²`.
///
/// Clipping a few large weights often costs less than a coarse grid for all the others. `largest` is the largest absolute
/// value of a rounded weight, 1 or more; values that are all 0, or not all finite, have the scale 1.
pub fn best_scale(values: &[f32], importance: &[f32], largest: i32) -> f32 {
    let reach = values.iter().fold(0.0_f32, |reach, value| reach.max(value.abs())) / largest as f32;
    if reach <= 0.0 || !reach.is_finite() {
        return 1.0;
    }
    let error = |scale: f32| {
        let terms = values.iter().zip(importance).map(|(&value, &importance)| {
            let rest = value - scale * round(value, scale, largest) as f32;
            f64::from(importance) * f64::from(rest) * f64::from(rest)
        });
        terms.sum::<f64>()
    };
    let scales = (SHARES / 8..=SHARES).map(|share| reach * share as f32 / SHARES as f32);
    let best = scales.map(|scale| (error(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(reach, |(_, scale)| scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_bits_are_ternary() {
        assert_eq!((largest(2), largest(3), largest(4)), (1, 3, 7));
        assert_eq!([-5.0, -0.4, 0.6, f32::NAN].map(|value| round(value, 1.0, 1)), [-1, 0, 1, 0]);
    }

    proptest! {
        #[test]
        fn no_worse_than_the_grid_that_clips_nothing(values in prop::collection::vec(-3.0_f32..3.0, 1..40)) {
            let importance = vec![1.0; values.len()];
            let error = |scale: f32| values.iter().map(|&v| (v - scale * round(v, scale, 3) as f32).powi(2)).sum::<f32>();
            let widest = values.iter().fold(1e-6_f32, |m, v| m.max(v.abs())) / 3.0;
            prop_assert!(error(best_scale(&values, &importance, 3)) <= error(widest) * 1.0001 + 1e-6);
        }
    }
}
