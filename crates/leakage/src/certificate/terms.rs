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

/// Upper bound on the mean of independent terms in `0..=range`, except for two events of chance `exp(−log)` each.
///
/// A term that is never negative has a lower tail below that of a normal one whose variance is its second moment `S`:
/// `E exp(−λX) ≤ 1 − λ·EX + λ²·S/2`. So the mean is at most `X̄ + sqrt(2·S·log/n)`; the same for `X²/range²`, which
/// is at least its own square, bounds `S` from the mean of the squares.
pub fn upper_mean(sum: f64, squares: f64, count: usize, range: f64, log: f64) -> f64 {
    let share = log / count as f64;
    let root = (0.5 * share).sqrt() + (0.5 * share + squares / count as f64 / (range * range)).sqrt();
    (sum / count as f64 + range * root * (2.0 * share).sqrt()).min(range)
}

/// Largest area under a curve that total variation `tv` allows: `½ + tv − tv²/2`.
pub fn area_bound(tv: f64) -> f64 {
    0.5 + tv - tv * tv / 2.0
}

/// Largest total variation of `k` independent items, each at most `tv`: `1 − (1 − tv)^k`, by coupling every item.
pub fn many_items(tv: f64, k: u32) -> f64 {
    1.0 - (1.0 - tv).powf(f64::from(k))
}

/// Upper bound on the mean of independent points in `0..=1` from their mean `μ̂`: the largest `μ` with
/// `m·kl(μ̂ ‖ μ) ≤ ln(1/δ)` (Chernoff and Hoeffding). 1 without points.
pub fn mean_bound(mean: f64, count: usize, delta: f64) -> f64 {
    let most = -delta.ln() / count as f64;
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    let (mut low, mut high) = (mean.clamp(0.0, 1.0), 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if part(mean, middle) + part(1.0 - mean, 1.0 - middle) > most {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// `φ(r) = (r² + r⁴)/2 ≥ 1 − √(1 − r²)`, for `−1 ≤ r ≤ 1`: how far two likelihoods are apart at one point, by their
/// relative difference `r = (p − q)/(p + q)`.
pub fn contrast(r: f64) -> f64 {
    let square = r * r;
    0.5 * square * (1.0 + square)
}

/// Upper bound on `Φ = Σ_y (p + q)·φ(r)` of two laws from its plug-in `Φ̂` with `least` or more samples of each.
///
/// `Φ` is the largest `Σ_y p·h(g) + q·h(−g)` over functions `g` between −1 and 1, `h(g) = φ(g) + φ'(g)(1 − g)`, and
/// `g = r` reaches it. So `Φ̂` is at least that sum at the true `r`: a mean of independent terms whose mean is `Φ`, whose
/// variance is at most `κ·Φ/n`, and of which none is more than `6/n` below its mean. Bernstein's inequality gives
/// `Φ ≤ Φ̂ + sqrt(2·κ·Φ·ln(1/δ)/n) + 4·ln(1/δ)/n`, solved for `Φ`.
pub fn contrast_bound(plug_in: f64, least: usize, delta: f64) -> f64 {
    /// At least the largest `φ + φ'²(1 − r²)/φ`, which is 3.066.
    const KAPPA: f64 = 3.07;
    let share = -delta.ln() / least as f64;
    let linear = (2.0 * KAPPA * share).sqrt();
    let root = 0.5 * (linear + (linear * linear + 4.0 * (plug_in + 4.0 * share)).sqrt());
    root * root
}

/// Largest total variation of `k` independent items whose laws have `Φ` or less each: `sqrt(1 − BC^{2k})`, with
/// Bhattacharyya's coefficient `BC ≥ 1 − Φ/2`.
pub fn many_contrasts(contrast: f64, k: u32) -> f64 {
    let affinity = (1.0 - 0.5 * contrast).max(0.0);
    (1.0 - affinity.powf(2.0 * f64::from(k))).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_bound_of_a_mean_fails_less_often_than_it_may() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (mut failures, mut width) = (0, 0.0);
        for _ in 0..2000 {
            // 2 with chance 0.02, otherwise up to 0.1: mean 0.04 + 0.049.
            let terms = (0..400).map(|_| if random.random_bool(0.02) { 2.0 } else { random.random_range(0.0..0.1) });
            let (sum, squares) =
                terms.fold((0.0, 0.0), |(sum, squares), term: f64| (sum + term, squares + term * term));
            let bound = upper_mean(sum, squares, 400, 2.0, 10_f64.ln());
            failures += usize::from(bound < 0.089);
            width += (bound - 0.089) / 2000.0;
        }
        assert!(failures <= 400 && width < 0.06, "{failures} {width}");
        assert_eq!(upper_mean(400.0, 400.0, 400, 1.0, 1.0), 1.0);
    }

    #[test]
    fn the_contrast_is_above_what_it_stands_for_and_varies_as_little_as_it_must() {
        for step in 0..=10_000 {
            let r = f64::from(step) / 10_000.0;
            let (phi, derivative) = (contrast(r), r + 2.0 * r.powi(3));
            assert!(phi >= 1.0 - (1.0 - r * r).sqrt() - 1e-15, "{r}");
            assert!(phi * phi + derivative * derivative * (1.0 - r * r) <= 3.07 * phi + 1e-15, "{r}");
            for g in [r, -r] {
                let derivative = g + 2.0 * g.powi(3);
                let h = contrast(g) + derivative * (1.0 - g);
                assert!((-5.0..=1.0).contains(&h), "{g}: {h}");
            }
        }
    }

    #[test]
    fn the_bound_of_a_mean_is_where_the_divergence_says() {
        let bound = mean_bound(0.1, 1000, 0.001);
        let divergence = 0.1 * (0.1 / bound).ln() + 0.9 * (0.9 / (1.0 - bound)).ln();
        assert!((divergence - 1000_f64.ln() / 1000.0).abs() < 1e-9);
        assert!((mean_bound(0.0, 1000, 0.001) - (1.0 - 0.001_f64.powf(0.001))).abs() < 1e-9);
        assert_eq!((mean_bound(1.0, 10, 0.1), mean_bound(0.5, 0, 0.1)), (1.0, 1.0));
    }

    #[test]
    fn contrasts_of_many_items_are_above_the_exact_total_variation() {
        // Two coins: heads with chance 0.5 ± e; the number of heads is all that k tosses tell.
        for (e, k) in [(0.01, 20), (0.05, 20), (0.1, 5), (0.2, 50)] {
            let r: f64 = 2.0 * e;
            let laws = |p: f64| {
                let mut law = vec![1.0];
                for _ in 0..k {
                    let longer = law.len() + 1;
                    let at = |i: usize| law.get(i).copied().unwrap_or(0.0_f64);
                    let before = |i: usize| if i > 0 { at(i - 1) } else { 0.0 };
                    law = (0..longer).map(|i| (1.0 - p) * at(i) + p * before(i)).collect();
                }
                law
            };
            let exact = laws(0.5 + e).iter().zip(laws(0.5 - e)).map(|(a, b)| 0.5 * (a - b).abs()).sum::<f64>();
            let bound = many_contrasts(2.0 * contrast(r), k);
            assert!(bound >= exact && bound < 1.6 * exact + 0.02, "{e} {k}: {bound} {exact}");
        }
    }

    #[test]
    fn more_samples_bring_the_contrast_nearer() {
        let (few, many) = (contrast_bound(0.003, 1_000, 0.001), contrast_bound(0.003, 1_000_000, 0.001));
        assert!(few > many && many > 0.003 && many < 0.0035, "{few} {many}");
    }

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
