//! What noise guarantees for two inputs, by arithmetic alone.
//!
//! With independent Gaussian noise of deviation σ_j on output `j`, two items whose outputs differ by δ lie
//!
//! ```text
//! TV = 2·Φ(d / 2) − 1,   d² = Σ_j (δ_j / σ_j)²        best accuracy of telling which is which: (1 + TV) / 2
//! ```
//! apart in total variation, and no attacker does better. Over several functions or several encryptions of one item the
//! d² add up. At useful accuracy the bound is close to 1: classes differ by far more than the noise, and so do most
//! pairs within a class. Then the noise guarantees nothing, and the protection is that the distributions match.

use crate::error::AuditError;
use crate::metrics::normal_cdf;
use crate::observations::Observations;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Pairs drawn.
const PAIRS: usize = 20_000;

/// The bound over random pairs of items of one main class and different values of the attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairBound {
    /// σ of every output, in its own units.
    pub deviations: Vec<f64>,
    /// Pairs measured.
    pub pairs: usize,
    /// Median total variation, 0 to 1.
    pub median: f64,
    /// Its 95th percentile.
    pub p95: f64,
    /// Fraction of pairs beyond 0.99, for which the noise guarantees nothing.
    pub vacuous: f64,
}

/// The bound for outputs `clean` before noise.
///
/// # Errors
/// Unsound observations; another number of deviations than outputs, or one that is not positive; no pair of items of
/// one main class with different values.
pub fn pair_bound(clean: &Observations, deviations: &[f64], seed: u64) -> Result<PairBound, AuditError> {
    clean.validate("test")?;
    let positive = deviations.iter().all(|deviation| deviation.is_finite() && *deviation > 0.0);
    if deviations.len() != clean.width || !positive {
        let value = format!("{} numbers", deviations.len());
        let remedy = "give one positive number for every output";
        return Err(AuditError::Option { option: "deviations", value, remedy });
    }
    let mut cells = vec![Vec::new(); clean.main_classes.len() * clean.collateral_classes.len()];
    for item in 0..clean.len() {
        cells[clean.main[item] as usize * clean.collateral_classes.len() + clean.collateral[item] as usize].push(item);
    }
    let mut places = Vec::new();
    for class in cells.chunks_exact(clean.collateral_classes.len()) {
        for (a, left) in class.iter().enumerate() {
            let rights = class[a + 1..].iter().filter(|right| !right.is_empty());
            places.extend(rights.filter(|_| !left.is_empty()).map(|right| (left, right)));
        }
    }
    if places.is_empty() {
        let remedy = "give items of one main class with different values of the attribute";
        return Err(AuditError::Option { option: "pairs", value: "0".into(), remedy });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut distances: Vec<f64> = (0..PAIRS)
        .map(|pair| {
            let (left, right) = places[pair % places.len()];
            let (left, right) = (left[rng.random_range(0..left.len())], right[rng.random_range(0..right.len())]);
            let apart = |axis: usize| {
                let [a, b] = [left, right].map(|item| item * clean.width + axis);
                clean.outputs.beyond(a, clean.outputs.origin(b)) - clean.outputs.beyond(b, clean.outputs.origin(b))
            };
            let terms = deviations.iter().enumerate();
            let square: f64 = terms.map(|(axis, deviation)| (apart(axis) / deviation).powi(2)).sum();
            2.0 * normal_cdf(square.sqrt() / 2.0) - 1.0
        })
        .collect();
    distances.sort_by(f64::total_cmp);
    let vacuous = distances.iter().filter(|distance| **distance > 0.99).count() as f64 / PAIRS as f64;
    Ok(PairBound {
        deviations: deviations.to_vec(),
        pairs: PAIRS,
        median: distances[PAIRS / 2],
        p95: distances[PAIRS * 95 / 100],
        vacuous,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(distance: f32) -> Observations {
        Observations {
            outputs: vec![0.0, 0.0, distance, distance].into(),
            width: 2,
            main: vec![0, 0],
            collateral: vec![0, 1],
            main_classes: vec!["a".into()],
            collateral_classes: vec!["x".into(), "y".into()],
        }
    }

    #[test]
    fn one_pair_has_the_textbook_bound() {
        // d = √(3² / 3² + 3² / 3²·…) with σ = 3 and 1.5: √(1 + 4).
        let bound = pair_bound(&two(3.0), &[3.0, 1.5], 0).unwrap();
        let expected = 2.0 * normal_cdf(5f64.sqrt() / 2.0) - 1.0;
        assert!((bound.median - expected).abs() < 1e-9 && bound.p95 == bound.median && bound.vacuous == 0.0);
        assert_eq!(pair_bound(&two(300.0), &[3.0, 1.5], 0).unwrap().vacuous, 1.0);
    }

    #[test]
    fn senseless_deviations_are_refused() {
        for deviations in [&[1.0][..], &[1.0, 0.0], &[1.0, f64::NAN]] {
            assert!(pair_bound(&two(1.0), deviations, 0).is_err());
        }
    }
}
