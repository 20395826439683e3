//! The terms that make a plug-in estimate a bound, each proved and each at its own share of δ.

/// McDiarmid's term, in accuracy from 0 to 1: `sqrt(ln(1/δ)/2 · Σ_v π_v²/n_v)`, over pairs `(π_v, n_v)`.
///
/// Changing one sample of value `v` moves the plug-in by at most `π_v/n_v`. Infinite where `n_v` is 0.
pub fn sampling_slack(values: &[(f64, usize)], delta: f64) -> f64 {
    let square: f64 = values.iter().map(|&(prior, count)| prior * prior / count as f64).sum();
    (-delta.ln() / 2.0 * square).sqrt()
}

/// Maurer and Pontil's empirical Bernstein term for the mean of independent points within an interval of
/// length `range`: `sqrt(2·V·ln(2/δ)/m) + 7·range·ln(2/δ)/(3(m − 1))`, `V` the unbiased sample variance.
/// Infinite for fewer than two points.
pub fn evaluation_slack(points: &[f64], range: f64, delta: f64) -> f64 {
    if points.len() < 2 {
        return f64::INFINITY;
    }
    let count = points.len() as f64;
    let mean = points.iter().sum::<f64>() / count;
    let variance = points.iter().map(|point| (point - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let log = (2.0 / delta).ln();
    (2.0 * variance * log / count).sqrt() + 7.0 * range * log / (3.0 * (count - 1.0))
}

/// Largest area under a curve that total variation `tv` allows: `½ + tv − tv²/2`.
pub fn area_bound(tv: f64) -> f64 {
    0.5 + tv - tv * tv / 2.0
}

/// Largest total variation of `k` independent items, each at most `tv`: `1 − (1 − tv)^k`, by coupling every item.
pub fn many_items(tv: f64, k: u32) -> f64 {
    1.0 - (1.0 - tv).powf(f64::from(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_balanced_values_have_the_known_slack() {
        let (count, delta) = (15_000, 0.001_f64);
        let known = 0.5 * (-delta.ln() / count as f64).sqrt();
        assert!((sampling_slack(&[(0.5, count), (0.5, count)], delta) - known).abs() < 1e-12);
        assert!(sampling_slack(&[(0.5, 0), (0.5, count)], delta).is_infinite());
    }

    #[test]
    fn points_that_do_not_vary_leave_the_range_term_alone() {
        let slack = evaluation_slack(&[0.5; 1001], 0.5, 0.01);
        assert!((slack - 7.0 * 0.5 * 200_f64.ln() / 3000.0).abs() < 1e-12);
        assert!(evaluation_slack(&[0.5], 0.5, 0.01).is_infinite());
    }

    #[test]
    fn curves_and_many_items_end_where_they_must() {
        assert_eq!((area_bound(0.0), area_bound(1.0)), (0.5, 1.0));
        assert!((many_items(0.1, 1) - 0.1).abs() < 1e-12 && many_items(1.0, 5) == 1.0 && many_items(0.0, 140) == 0.0);
    }
}
