//! Noise that the owner appends to `v`, so that no key holder sees an output without it.
//!
//! ```text
//! Pr[r_j = x] ∝ exp(−x² / 2σ_j²)     for integers −B_j ≤ x ≤ B_j,     B_j = tail · σ_j
//! ```
//!
//! A network adds `r_j` to an output by a unit `(1)·(r_j)`. The truncation keeps the bounds of the outputs exact. The
//! sampler uses integers only (Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", 2020,
//! algorithms 1 to 3), so that no rounding of floats shows in the low bits. Its running time varies; owners sample on
//! their own machine, where nobody else can measure that time.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::error::EncodeError;

/// Noise coordinates of an encoder, the last ones of `v`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// σ of every coordinate, in units of the output it is added to: 1 to 2²⁴.
    pub deviations: Vec<u32>,
    /// No coordinate exceeds this many σ: 1 to 16.
    pub tail: u32,
}

/// Largest σ: keeps the sampler's fractions within 128 bits.
const LARGEST: u32 = 1 << 24;
/// Maximum number of coordinates, equal to the maximum number of outputs of a network.
const MOST: usize = 1 << 10;

impl Noise {
    /// The inclusive range of every coordinate.
    pub fn ranges(&self) -> impl Iterator<Item = (i64, i64)> {
        let bound = |&deviation: &u32| i64::from(deviation) * i64::from(self.tail);
        self.deviations.iter().map(move |deviation| (-bound(deviation), bound(deviation)))
    }

    /// The entropy of every coordinate, in bits.
    pub fn entropies(&self) -> Vec<f64> {
        let mut known = std::collections::BTreeMap::new();
        let of = |&deviation: &u32| *known.entry(deviation).or_insert_with(|| entropy(deviation, self.tail));
        self.deviations.iter().map(of).collect()
    }

    /// One fresh value of every coordinate. Where the item is secret, `rng` must be a cryptographic generator.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Vec<i64> {
        self.deviations.iter().map(|&deviation| truncated(deviation, self.tail, rng)).collect()
    }

    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let require = |holds: bool, value: String, remedy: String| match holds {
            true => Ok(()),
            false => Err(EncodeError::Field { field: "noise", value, remedy }),
        };
        let count = self.deviations.len();
        require((1..=MOST).contains(&count), format!("{count} coordinates"), format!("give 1 to {MOST} deviations"))?;
        let outside = self.deviations.iter().find(|deviation| !(1..=LARGEST).contains(*deviation));
        if let Some(deviation) = outside {
            require(false, format!("deviation {deviation}"), format!("choose deviations from 1 to {LARGEST}"))?;
        }
        require((1..=16).contains(&self.tail), format!("tail {}", self.tail), "choose a tail from 1 to 16".into())
    }
}

/// The entropy of the truncated Gaussian, in bits: with a tail of 1 it is a whole bit less than without a tail.
fn entropy(deviation: u32, tail: u32) -> f64 {
    let (mut sigma, mut halved) = (f64::from(deviation), 0.0);
    // A wide one has that of one half as wide, and one bit.
    while sigma > 128.0 {
        (sigma, halved) = (sigma / 2.0, halved + 1.0);
    }
    let bound = (sigma * f64::from(tail)).floor() as i64;
    let (mut whole, mut mean) = (0.0, 0.0);
    for value in -bound..=bound {
        let exponent = (value as f64 / sigma).powi(2) / 2.0;
        whole += (-exponent).exp();
        mean += exponent * (-exponent).exp();
    }
    halved + whole.log2() + mean / whole * std::f64::consts::LOG2_E
}

/// A discrete Gaussian, conditioned on lying within `tail` deviations: a value outside is drawn again.
fn truncated<R: Rng + ?Sized>(deviation: u32, tail: u32, rng: &mut R) -> i64 {
    let (sigma, bound) = (i128::from(deviation), i128::from(deviation) * i128::from(tail));
    let scale = sigma + 1;
    loop {
        let value = laplace(scale, rng);
        if value.abs() > bound {
            continue;
        }
        // Accept with exp(−(|x| − σ²/t)² / 2σ²), t = σ + 1 the scale of the proposal.
        let distance = (value.abs() * scale - sigma * sigma).unsigned_abs();
        let whole = 2 * (sigma * sigma * scale * scale).unsigned_abs();
        if bernoulli_exponential(distance * distance, whole, rng) {
            return value as i64;
        }
    }
}

/// `Pr[x] ∝ exp(−|x| / scale)` over all integers.
fn laplace<R: Rng + ?Sized>(scale: i128, rng: &mut R) -> i128 {
    let scale = scale.unsigned_abs();
    loop {
        let within = below(scale, rng);
        if !bernoulli_exponential(within, scale, rng) {
            continue;
        }
        let mut blocks = 0_u128;
        while bernoulli_exponential(1, 1, rng) {
            blocks += 1;
        }
        let magnitude = (within + scale * blocks) as i128;
        let negative = below(2, rng) == 1;
        // Zero has one sign only.
        if !(negative && magnitude == 0) {
            return if negative { -magnitude } else { magnitude };
        }
    }
}

/// True with probability `exp(−part / whole)`, exactly.
fn bernoulli_exponential<R: Rng + ?Sized>(part: u128, whole: u128, rng: &mut R) -> bool {
    let (ones, rest) = (part / whole, part % whole);
    (0..ones).all(|_| bernoulli_exponential_unit(whole, whole, rng)) && bernoulli_exponential_unit(rest, whole, rng)
}

/// As [`bernoulli_exponential`] for `part ≤ whole`: von Neumann's alternating series.
fn bernoulli_exponential_unit<R: Rng + ?Sized>(part: u128, whole: u128, rng: &mut R) -> bool {
    let mut count = 1_u128;
    while below(whole * count, rng) < part {
        count += 1;
    }
    count % 2 == 1
}

/// Uniform in `0..limit`, without the bias of a remainder.
fn below<R: Rng + ?Sized>(limit: u128, rng: &mut R) -> u128 {
    let bits = 128 - (limit - 1).leading_zeros();
    if bits == 0 {
        return 0;
    }
    loop {
        let random = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
        let value = random >> (128 - bits);
        if value < limit {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn entropies_are_those_of_the_truncated_gaussian() {
        let noise = |deviations: &[u32], tail| Noise { deviations: deviations.to_vec(), tail }.entropies();
        // σ·√(2πe) values.
        for (deviation, entropy) in [4, 40, 1000, LARGEST].into_iter().zip(noise(&[4, 40, 1000, LARGEST], 6)) {
            assert!((entropy - (f64::from(deviation) * 4.132_731).log2()).abs() < 1e-4, "{deviation} {entropy}");
        }
        // Three values of weight 1, 1/√e and 1/√e.
        assert!((noise(&[1], 1)[0] - 1.5414).abs() < 1e-3, "{:?}", noise(&[1], 1));
        // Within one deviation: log2(2σ) at most.
        let narrow = noise(&[1000, LARGEST], 1);
        assert!(narrow[0] < 2001_f64.log2() && narrow[1] < 25.0 && narrow[1] > 24.9, "{narrow:?}");
    }

    #[test]
    fn frequencies_are_those_of_the_truncated_gaussian() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (deviation, tail) in [(1_u32, 2_u32), (3, 4), (5, 1)] {
            let bound = i64::from(deviation * tail);
            let weight = |x: i64| (-(x * x) as f64 / f64::from(2 * deviation * deviation)).exp();
            let whole: f64 = (-bound..=bound).map(weight).sum();
            let draws = 60_000;
            let mut counts = vec![0_u32; 2 * bound as usize + 1];
            for _ in 0..draws {
                counts[(truncated(deviation, tail, &mut rng) + bound) as usize] += 1;
            }
            // Pearson's statistic has mean `cells − 1` and variance twice that.
            let square: f64 = (-bound..=bound)
                .zip(&counts)
                .map(|(x, &count)| {
                    let expected = f64::from(draws) * weight(x) / whole;
                    (f64::from(count) - expected).powi(2) / expected
                })
                .filter(|term| term.is_finite())
                .sum();
            let cells = counts.len() as f64;
            assert!(square < cells + 5.0 * (2.0 * cells).sqrt(), "{deviation} {tail}: {square} over {cells} cells");
        }
    }

    #[test]
    fn the_largest_deviation_stays_within_its_bound() {
        let noise = Noise { deviations: vec![LARGEST, 1], tail: 16 };
        noise.check().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let draws: Vec<Vec<i64>> = (0..2000).map(|_| noise.sample(&mut rng)).collect();
        for draw in &draws {
            assert!(draw.iter().zip(noise.ranges()).all(|(x, (low, high))| (low..=high).contains(x)));
        }
        let square: f64 = draws.iter().map(|draw| (draw[0] as f64 / f64::from(LARGEST)).powi(2)).sum::<f64>() / 2000.0;
        assert!((0.85..1.15).contains(&square), "variance {square} of the expected");
    }

    #[test]
    fn only_the_coordinates_of_noise_differ_from_an_encoding_without() {
        let noise = Noise { deviations: vec![1000, 2000], tail: 6 };
        let encoder = crate::Encoder::pixels(1, 3, 8).unwrap().with_noise(Some(noise)).unwrap();
        let noisy = encoder.encode_with(&[0, 17, 255], &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let mut clean = encoder.encode_without_noise(&[0, 17, 255]).unwrap();
        let coordinates = encoder.noise_coordinates();
        assert_eq!(clean.v[coordinates.clone()], [0, 0]);
        assert_ne!(noisy.v[coordinates.clone()], [0, 0]);
        clean.v[coordinates.clone()].copy_from_slice(&noisy.v[coordinates]);
        assert_eq!((clean.u, clean.v), (noisy.u, noisy.v));
    }

    #[test]
    fn senseless_noise_is_refused() {
        for (deviations, tail) in [(vec![], 6), (vec![0], 6), (vec![LARGEST + 1], 6), (vec![3], 0), (vec![3], 17)] {
            assert!(Noise { deviations, tail }.check().is_err());
        }
    }
}
