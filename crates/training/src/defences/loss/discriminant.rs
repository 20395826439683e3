//! The advantage of linear attackers on random Fourier features, from the outputs of one main class.
//!
//! A kernel discrepancy hardly responds to fine differences, because their eigenvalues are small. An attacker can still
//! add up all of them. The kernel Fisher discriminant ratio (Harchaoui, Bach and Moulines 2008) gives every direction
//! of its features the weight that it has for an attacker:
//!
//! ```text
//! φ_f(w) = √2·cos(ω_f·w + b_f)             f = 1 .. 128 (Rahimi and Recht 2007), w whitened outputs
//! ratio  = Δᵀ·(Σ + ε)⁻¹·Δ                  Δ = mean φ(B) − mean φ(A),  Σ = Cov φ of the class
//! ```
//!
//! Owners' noise of deviation `τ` multiplies a mean feature by `a_f = exp(−τ²·|L⁻ᵀω_f|²/2)` and adds about `1 − a_f²`
//! to its variance, so that differences hidden by the noise cost nothing. Only products of different folds of the items
//! are used, `Σ_{j≠k} Δ_jᵀ(…)⁻¹Δ_k / K(K−1)`, which have no bias. `Σ` is held constant in the gradient, and frequencies
//! are drawn afresh for every batch.

use std::f32::consts::{SQRT_2, TAU};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cholesky::Cholesky;
use super::kernel::vectorised;
use super::whitening::Whitening;
use crate::float::initial::normal;

/// Fourier features.
const FEATURES: usize = 128;

/// Shortest and longest deviation of a frequency, per deviation of the whitened outputs.
const FREQUENCIES: (f32, f32) = (0.3, 1.5);

/// Added to the variance of every feature, 1 at most.
const RIDGE: f64 = 1e-2;

/// Groups of items whose differences are multiplied.
const FOLDS: usize = 10;

/// The random features of one batch.
pub(super) struct Frequencies {
    outputs: usize,
    /// `[FEATURES, S]`.
    omega: Vec<f32>,
    phases: Vec<f32>,
    /// The factor by which noise scales a mean feature.
    kept: Vec<f32>,
}

impl Frequencies {
    /// The features for `seed` and `stream`, for outputs with noise of deviation `noise`.
    pub(super) fn draw(outputs: usize, whitening: &Whitening, noise: f32, seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let mut omega = normal(FEATURES * outputs, 1.0, &mut rng);
        let (low, high) = FREQUENCIES;
        for omega in omega.chunks_exact_mut(outputs) {
            let deviation = low * (high / low).powf(rng.random::<f32>());
            omega.iter_mut().for_each(|omega| *omega *= deviation);
        }
        let phases = (0..FEATURES).map(|_| TAU * rng.random::<f32>()).collect();
        let mut plain = vec![0.0; omega.len()];
        whitening.pull_back(&omega, &mut plain);
        let kept = plain.chunks_exact(outputs).map(|omega| {
            let square: f32 = omega.iter().map(|omega| omega * omega).sum();
            (-0.5 * noise * noise * square).exp()
        });
        Self { outputs, phases, kept: kept.collect(), omega }
    }

    /// `φ` and its derivative with respect to the angle, both `[rows, FEATURES]`.
    fn features(&self, rows: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let count = rows.len() / self.outputs * FEATURES;
        let (mut values, mut derivatives) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for row in rows.chunks_exact(self.outputs) {
            for ((omega, phase), kept) in self.omega.chunks_exact(self.outputs).zip(&self.phases).zip(&self.kept) {
                let angle = omega.iter().zip(row).fold(*phase, |sum, (omega, value)| sum + omega * value);
                let (sine, cosine) = angle.sin_cos();
                values.push(SQRT_2 * kept * cosine);
                derivatives.push(-SQRT_2 * kept * sine);
            }
        }
        (values, derivatives)
    }

    /// The factor of `Σ + ε`, of the noisy features that attackers see.
    fn spread(&self, values: &[f32]) -> Cholesky {
        let rows = (values.len() / FEATURES) as f64;
        let mean = mean_rows(values);
        let mut products = vec![0.0_f32; FEATURES * FEATURES];
        vectorised(
            #[inline(always)]
            || {
                for row in values.chunks_exact(FEATURES) {
                    for (i, &value) in row.iter().enumerate() {
                        let line = &mut products[i * FEATURES..][..=i];
                        line.iter_mut().zip(row).for_each(|(product, other)| *product += value * other);
                    }
                }
            },
        );
        let entry = |i: usize, j: usize| {
            let covariance = f64::from(products[i * FEATURES + j]) / rows - mean[i] * mean[j];
            let hidden = 1.0 - f64::from(self.kept[i]).powi(2);
            if i == j { covariance + hidden + RIDGE } else { covariance }
        };
        let lower = (0..FEATURES).flat_map(|i| (0..FEATURES).map(move |j| (i, j)));
        let lower = lower.map(|(i, j)| if j <= i { entry(i, j) } else { 0.0 }).collect();
        Cholesky::new(lower, FEATURES, RIDGE / 10.0)
    }

    /// The ratio of the whitened `rows` of one class, `cells` values of `items` each, as a mean over pairs of
    /// values; adds `weight` times its gradient. 0 with fewer than two items.
    pub(super) fn ratio(&self, rows: &[f32], cells: usize, items: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        let (values, derivatives) = self.features(rows);
        self.ratio_by(&self.spread(&values), (&values, &derivatives), (cells, items), weight, gradient)
    }

    fn ratio_by(
        &self,
        spread: &Cholesky,
        (values, derivatives): (&[f32], &[f32]),
        (cells, items): (usize, usize),
        weight: f32,
        gradient: &mut [f32],
    ) -> f64 {
        let folds = FOLDS.min(items);
        if folds < 2 {
            return 0.0;
        }
        let rows = |cell: usize, fold: usize| {
            cell * items + (fold * items).div_ceil(folds)..cell * items + ((fold + 1) * items).div_ceil(folds)
        };
        let means: Vec<Vec<Vec<f64>>> = (0..cells)
            .map(|cell| {
                let values = |fold| {
                    let rows = rows(cell, fold);
                    &values[rows.start * FEATURES..rows.end * FEATURES]
                };
                (0..folds).map(|fold| mean_rows(values(fold))).collect()
            })
            .collect();
        let terms = (cells * (cells - 1) / 2 * folds * (folds - 1)) as f64;
        let mut total = 0.0;
        for a in 0..cells {
            for b in a + 1..cells {
                let between: Vec<Vec<f64>> = means[a].iter().zip(&means[b]).map(|(a, b)| difference(b, a)).collect();
                let sum: Vec<f64> = (0..FEATURES).map(|f| between.iter().map(|fold| fold[f]).sum()).collect();
                for (fold, own) in between.iter().enumerate() {
                    let others = spread.solve(difference(&sum, own));
                    total += own.iter().zip(&others).map(|(own, other)| own * other).sum::<f64>() / terms;
                    for (cell, sign) in [(a, -2.0), (b, 2.0)] {
                        let rows = rows(cell, fold);
                        let share = sign * f64::from(weight) / terms / rows.len() as f64;
                        let by_feature: Vec<f32> = others.iter().map(|other| (share * other) as f32).collect();
                        self.pull_back(&by_feature, derivatives, rows, gradient);
                    }
                }
            }
        }
        total
    }

    /// Adds to every row the gradient that one gradient with respect to features implies.
    fn pull_back(&self, by_feature: &[f32], derivatives: &[f32], rows: std::ops::Range<usize>, gradient: &mut [f32]) {
        for row in rows {
            let derivatives = &derivatives[row * FEATURES..][..FEATURES];
            let gradient = &mut gradient[row * self.outputs..][..self.outputs];
            for ((by_feature, derivative), omega) in
                by_feature.iter().zip(derivatives).zip(self.omega.chunks_exact(self.outputs))
            {
                gradient.iter_mut().zip(omega).for_each(|(sum, omega)| *sum += by_feature * derivative * omega);
            }
        }
    }
}

fn mean_rows(values: &[f32]) -> Vec<f64> {
    let mut mean = vec![0.0; FEATURES];
    for row in values.chunks_exact(FEATURES) {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value));
    }
    let rows = (values.len() / FEATURES) as f64;
    mean.iter_mut().for_each(|mean| *mean /= rows);
    mean
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUTS: usize = 2;

    fn frequencies(rows: &[f32], noise: f32, seed: u64) -> Frequencies {
        Frequencies::draw(OUTPUTS, &Whitening::fit(rows, OUTPUTS, 0.0), noise, seed, 0)
    }

    /// `items` rows of each of two values: a normal distribution, and instead of it one on a circle of the same mean
    /// and variance.
    fn rows(items: usize, circle: bool, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = normal(2 * items * OUTPUTS, 1.0, &mut rng);
        if circle {
            for row in rows[items * OUTPUTS..].chunks_exact_mut(OUTPUTS) {
                let length = (row[0] * row[0] + row[1] * row[1]).sqrt();
                row.iter_mut().for_each(|value| *value *= SQRT_2 / length);
            }
        }
        rows
    }

    fn ratio(rows: &[f32], items: usize, noise: f32, seed: u64) -> f64 {
        frequencies(rows, noise, seed).ratio(rows, 2, items, 1.0, &mut vec![0.0; rows.len()])
    }

    #[test]
    fn equal_distributions_have_a_ratio_of_nothing() {
        let mean = |circle| (0..20).map(|seed| ratio(&rows(400, circle, seed), 400, 0.0, seed)).sum::<f64>() / 20.0;
        let (equal, differing) = (mean(false), mean(true));
        assert!(equal.abs() < 0.05, "{equal}");
        assert!(differing > 1.0, "{differing}");
    }

    #[test]
    fn noise_hides_what_it_hides_from_attackers() {
        let rows = rows(400, true, 1);
        let [none, some, much] = [0.0, 0.5, 2.0].map(|noise| ratio(&rows, 400, noise, 1));
        assert!(none > 2.0 * some && some > 4.0 * much && much.abs() < 0.1, "{none} {some} {much}");
    }

    #[test]
    fn the_gradient_is_that_of_the_ratio_with_its_spread_held() {
        let items = 23;
        let mut rows = rows(items, true, 2);
        let frequencies = frequencies(&rows, 0.1, 3);
        let spread = frequencies.spread(&frequencies.features(&rows).0);
        let value = |rows: &[f32], gradient: &mut [f32]| {
            let (values, derivatives) = frequencies.features(rows);
            frequencies.ratio_by(&spread, (&values, &derivatives), (2, items), 0.7, gradient)
        };
        let mut gradient = vec![0.0; rows.len()];
        value(&rows, &mut gradient);
        let largest = gradient.iter().fold(0.0_f32, |largest, derivative| largest.max(derivative.abs()));
        for place in (0..rows.len()).step_by(7) {
            let [before, after] = [-1e-2, 1e-2].map(|step| {
                let start = rows[place];
                rows[place] += step;
                let value = value(&rows, &mut vec![0.0; rows.len()]);
                rows[place] = start;
                value
            });
            let derivative = 0.7 * (after - before) / 2e-2;
            assert!(
                (derivative as f32 - gradient[place]).abs() < 0.01 * largest,
                "{place}: {derivative} {}",
                gradient[place]
            );
        }
    }
}
