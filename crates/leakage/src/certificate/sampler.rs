//! Draws of a truncated discrete Gaussian by inversion of its cumulative sums.

use rand::{Rng, RngExt};

/// Largest reach, in steps, that a table is built for.
pub(super) const REACH_LIMIT: u64 = 1 << 24;

/// A discrete Gaussian on `−reach..=reach`.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    reach: i64,
    /// Sums of the unnormalised weights up to each value.
    sums: Vec<f64>,
}

impl Sampler {
    /// Table for deviation σ and `reach = σ · tail`, at most [`REACH_LIMIT`].
    pub(super) fn new(deviation: u32, reach: i64) -> Self {
        let sigma = f64::from(deviation);
        let weight = |x: i64| (-0.5 * (x as f64 / sigma).powi(2)).exp();
        let sums = (-reach..=reach)
            .scan(0.0, |sum, x| {
                *sum += weight(x);
                Some(*sum)
            })
            .collect();
        Self { reach, sums }
    }

    /// One draw, independent of all others.
    pub(super) fn draw(&self, random: &mut impl Rng) -> i64 {
        let whole = self.sums.last().copied().unwrap_or(0.0);
        let level = random.random::<f64>() * whole;
        let index = self.sums.partition_point(|sum| *sum <= level);
        (index as i64 - self.reach).min(self.reach)
    }

    /// Upper bound on the total variation between a draw and the exact law.
    ///
    /// An addition rounds by 2^-53 of the whole at most, as do the grid of the levels and their product, once for
    /// each of the `n` values; the exponentials add a few roundings of the whole: `4·(n + 16)·2^-53`.
    pub(super) fn rounding(&self) -> f64 {
        2.0 * (self.sums.len() as f64 + 16.0) * f64::EPSILON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn draws_have_the_frequencies_of_the_law() {
        let sampler = Sampler::new(2, 5);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let draws = 200_000;
        let mut counts = [0_usize; 11];
        for _ in 0..draws {
            counts[(sampler.draw(&mut random) + 5) as usize] += 1;
        }
        let weight = |x: i64| (-(x * x) as f64 / 8.0).exp();
        let whole: f64 = (-5..=5).map(weight).sum();
        for (x, count) in (-5..=5).zip(counts) {
            let expected = weight(x) / whole;
            let error = (expected / f64::from(draws)).sqrt();
            assert!((count as f64 / f64::from(draws) - expected).abs() < 5.0 * error, "{x}: {count}");
        }
    }
}
