//! Draws of a truncated discrete Gaussian: a block of values by inversion of the cumulative sums, then one of its values
//! by rejection.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use rayon::prelude::*;

/// Largest reach, in steps, whose sums are computed.
pub(super) const REACH_LIMIT: u64 = 1 << 27;

/// Values of a block: few against a wide deviation, so that most are accepted, and many against a table's memory.
const BLOCK: i64 = 256;

/// A discrete Gaussian on `−reach..=reach`.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    sigma: f64,
    reach: i64,
    /// Sums of the unnormalised weights up to the end of every block; the first starts at `−reach`.
    sums: Vec<f64>,
}

impl Sampler {
    /// Table for deviation σ and `reach = σ · tail`, at most [`REACH_LIMIT`].
    pub(super) fn new(deviation: u32, reach: i64) -> Self {
        let mut sampler = Self { sigma: f64::from(deviation), reach, sums: Vec::new() };
        let blocks: Vec<i64> = (0..(2 * reach) / BLOCK + 1).collect();
        let weights = blocks.par_iter().map(|&block| sampler.block(block).map(|x| sampler.weight(x)).sum());
        let weights: Vec<f64> = weights.collect();
        let added = |sum: &mut f64, weight: f64| {
            *sum += weight;
            Some(*sum)
        };
        sampler.sums = weights.into_iter().scan(0.0, added).collect();
        sampler
    }

    /// The values of a block.
    fn block(&self, block: i64) -> RangeInclusive<i64> {
        let start = block * BLOCK - self.reach;
        start..=(start + BLOCK - 1).min(self.reach)
    }

    /// `exp(−x² / 2σ²)`
    fn weight(&self, x: i64) -> f64 {
        (-0.5 * (x as f64 / self.sigma).powi(2)).exp()
    }

    /// One draw, independent of all others.
    pub(super) fn draw(&self, random: &mut impl Rng) -> i64 {
        let whole = self.sums.last().copied().unwrap_or(0.0);
        let level = random.random::<f64>() * whole;
        let block = self.sums.partition_point(|sum| *sum <= level).min(self.sums.len() - 1);
        let values = self.block(block as i64);
        let most = self.weight(0.clamp(*values.start(), *values.end()));
        loop {
            let value = random.random_range(values.clone());
            if random.random::<f64>() * most < self.weight(value) {
                return value;
            }
        }
    }

    /// Upper bound on the total variation between a draw and the exact law.
    ///
    /// An addition rounds by 2^-53 of the whole at most, as do the grid of the levels and their product, once for
    /// each of the `n` values. The exponentials and the acceptance of a value add a few roundings of the whole:
    /// `4·(n + 32)·2^-53`.
    pub(super) fn rounding(&self) -> f64 {
        2.0 * (2.0 * self.reach as f64 + 33.0) * f64::EPSILON
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

    /// Many blocks, the last one short, against the law's own cumulative function.
    #[test]
    fn draws_of_many_blocks_have_the_law_of_the_whole() {
        let (deviation, reach) = (1000, 3001);
        let sampler = Sampler::new(deviation, reach);
        assert_eq!(sampler.sums.len(), 24);
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let draws = 400_000;
        let mut counts = vec![0_u32; 2 * reach as usize + 1];
        for _ in 0..draws {
            counts[(sampler.draw(&mut random) + reach) as usize] += 1;
        }
        let weights: Vec<f64> = (-reach..=reach).map(|x| (-((x * x) as f64) / 2e6).exp()).collect();
        let whole: f64 = weights.iter().sum();
        let (mut seen, mut expected, mut largest) = (0.0, 0.0, 0.0_f64);
        for (count, weight) in counts.into_iter().zip(weights) {
            seen += f64::from(count) / f64::from(draws);
            expected += weight / whole;
            largest = largest.max((seen - expected).abs());
        }
        // Kolmogorov and Smirnov: less in all but one of 10^5 cases.
        assert!(largest * f64::from(draws).sqrt() < 2.5, "{largest}");
    }

    #[test]
    fn blocks_of_no_weight_are_never_drawn_and_wide_laws_take_little_memory() {
        let narrow = Sampler::new(1, 5000);
        let mut random = ChaCha8Rng::seed_from_u64(3);
        assert!((0..2000).all(|_| narrow.draw(&mut random).abs() < 10));
        let widest = Sampler::new(1 << 24, 1 << 26);
        assert_eq!(widest.sums.len(), (1 << 19) + 1);
        assert!(widest.rounding() < 1e-7);
    }
}
