//! What several independent observations tell, from what one tells.
//!
//! For equally likely laws `P` and `Q` let `ℓ = ln(P/Q)`. The total variation of `k` observations is
//! `E_P max(1 − exp(−Σℓ), 0)`: the law of `ℓ` under `P`, convolved with itself, is all that it takes. Here `ℓ` lies on a
//! lattice. Values between two points are spread over both so that the mean of `r = tanh(ℓ/2)` stays what it is, and
//! what leaves the lattice is moved up to its end or to infinity. Both only raise the result.

/// Points of the lattice on either side of 0.
const SIDE: usize = 512;

/// A law of `ℓ` under `P`.
#[derive(Clone)]
struct Losses {
    /// Shares from `−SIDE` to `SIDE`.
    finite: Vec<f64>,
    /// The share that `Q` never shows.
    infinite: f64,
}

/// Largest total variation of `k` independent observations of a pair whose `r = (P − Q)/(P + Q)` has these values and
/// shares under the mean of both laws.
pub(super) fn many(law: &[(f64, f64)], k: u32) -> f64 {
    let second: f64 = law.iter().map(|(r, share)| share * r * r).sum();
    // Four deviations of the sum, and four more for single large losses; `exp(−30)` is nothing.
    let end = 4.0 * (1.0 + (4.0 * f64::from(k) * second).sqrt());
    let step = end.min(30.0) / SIDE as f64;
    let losses = Losses::new(law, step).power(k);
    let above = losses.finite.iter().skip(SIDE).enumerate();
    let told = above.map(|(steps, share)| share * -(-(steps as f64) * step).exp_m1()).sum::<f64>();
    (told + losses.infinite).clamp(0.0, 1.0)
}

impl Losses {
    fn new(law: &[(f64, f64)], step: f64) -> Self {
        // Values of r: −1, those of the lattice, 1.
        let at = |index: usize| match index {
            0 => -1.0,
            index if index > 2 * SIDE + 1 => 1.0,
            index => (0.5 * step * (index as f64 - (SIDE + 1) as f64)).tanh(),
        };
        let mut shares = vec![0.0; 2 * SIDE + 3];
        for &(r, share) in law {
            let index = (2.0 * r.atanh() / step + (SIDE + 1) as f64).floor().clamp(0.0, (2 * SIDE + 1) as f64) as usize;
            let (low, high) = (at(index), at(index + 1));
            let up = ((r - low) / (high - low)).clamp(0.0, 1.0);
            shares[index] += share * (1.0 - up);
            shares[index + 1] += share * up;
        }
        let under = |index: usize| shares[index] * (1.0 + at(index));
        Self { finite: (1..=2 * SIDE + 1).map(under).collect(), infinite: under(2 * SIDE + 2) }
    }

    /// The sum of independent losses of both.
    fn plus(&self, other: &Self) -> Self {
        let mut finite = vec![0.0; 2 * SIDE + 1];
        let mut infinite = self.infinite + other.infinite - self.infinite * other.infinite;
        for (i, &share) in self.finite.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            // The sum of points i and j is point i + j − SIDE.
            let below = SIDE.saturating_sub(i);
            let fits = (3 * SIDE + 1 - i).min(2 * SIDE + 1);
            finite[0] += share * other.finite[..below].iter().sum::<f64>();
            infinite += share * other.finite[fits..].iter().sum::<f64>();
            let onto = &mut finite[i + below - SIDE..];
            onto.iter_mut().zip(&other.finite[below..fits]).for_each(|(sum, other)| *sum += share * other);
        }
        Self { finite, infinite }
    }

    /// The sum of `k` independent losses.
    fn power(&self, k: u32) -> Self {
        let mut sum = Self { finite: vec![0.0; 2 * SIDE + 1], infinite: 0.0 };
        sum.finite[SIDE] = 1.0;
        for bit in (0..u32::BITS - k.leading_zeros()).rev() {
            sum = sum.plus(&sum);
            if (k >> bit) & 1 == 1 {
                sum = sum.plus(self);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Total variation between `k` tosses of two coins, by the number of heads.
    fn tosses(a: f64, b: f64, k: usize) -> f64 {
        let law = |p: f64| {
            (0..k).fold(vec![1.0], |law, _| {
                let at = |i: usize| law.get(i).copied().unwrap_or(0.0);
                (0..=law.len()).map(|i| (1.0 - p) * at(i) + if i > 0 { p * at(i - 1) } else { 0.0 }).collect()
            })
        };
        law(a).iter().zip(law(b)).map(|(p, q): (&f64, f64)| 0.5 * (p - q).abs()).sum()
    }

    #[test]
    fn coins_are_told_apart_no_worse_than_by_counting_heads() {
        for (a, b) in [(0.5, 0.54), (0.4, 0.6), (0.3, 0.1), (0.01, 0.02), (0.0, 0.003), (0.9, 0.05)] {
            let r = |p: f64, q: f64| ((p - q) / (p + q), 0.5 * (p + q));
            let law = [r(a, b), r(1.0 - a, 1.0 - b)];
            for k in [1, 2, 5, 20, 140] {
                let (found, known) = (many(&law, k), tosses(a, b, k as usize));
                assert!(found >= known - 1e-9 && found < 1.03 * known + 1e-3, "{a} {b} {k}: {found} {known}");
            }
        }
    }

    #[test]
    fn nothing_stays_nothing_and_certainty_certain() {
        assert_eq!(many(&[(0.0, 1.0)], 1_000_000), 0.0);
        assert!((many(&[(-1.0, 0.5), (1.0, 0.5)], 1) - 1.0).abs() < 1e-12);
        let rare = [(-1.0, 0.001), (0.0, 0.998), (1.0, 0.001)];
        assert!((many(&rare, 100) - (1.0 - 0.998_f64.powi(100))).abs() < 1e-9);
        assert!(many(&[(-0.1, 0.5), (0.1, 0.5)], u32::MAX) > 0.999);
    }
}
