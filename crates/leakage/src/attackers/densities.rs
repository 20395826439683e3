//! Gaussian class densities: quadratic discriminant analysis and naive Bayes.

use super::sample::Sample;
use crate::linear::{cholesky, solve_lower};
use crate::metrics::Scores;

/// Fraction of the identity mixed into a covariance, against columns that depend on each other.
const SHRINKAGE: f64 = 1e-6;

/// score_c = ln π_c − ½ ln |Σ_c| − ½ (x−μ_c)ᵀ Σ_c⁻¹ (x−μ_c); `diagonal` makes Σ_c diagonal (naive
/// Bayes). A class with fewer items than columns + 2 borrows the covariance of all classes.
pub(crate) fn attack(train: &Sample, test: &[f32], diagonal: bool) -> Scores {
    let d = train.width;
    let prior = train.log_prior();
    let all = Density::fit(train, None, diagonal);
    let densities: Vec<Density> = (0..train.classes as u32)
        .map(|class| {
            let items = train.labels.iter().filter(|&&l| l == class).count();
            let mut density = Density::fit(train, Some(class), diagonal);
            if items < d + 2 {
                density.factor.clone_from(&all.factor);
                density.half_log_determinant = all.half_log_determinant;
            }
            density
        })
        .collect();
    let mut values = Vec::with_capacity(test.len() / d * train.classes);
    let mut buffer = vec![0.0; d];
    for row in test.chunks_exact(d) {
        for (density, prior) in densities.iter().zip(&prior) {
            values.push(prior + density.log(row, &mut buffer) as f32);
        }
    }
    Scores { values, classes: train.classes }
}

struct Density {
    mean: Vec<f64>,
    factor: Vec<f64>,
    half_log_determinant: f64,
}

impl Density {
    fn fit(train: &Sample, class: Option<u32>, diagonal: bool) -> Density {
        let d = train.width;
        let items = || (0..train.len()).filter(|&i| class.is_none_or(|class| train.labels[i] == class));
        let n = items().count().max(1) as f64;
        let mut mean = vec![0.0; d];
        for i in items() {
            for (m, &x) in mean.iter_mut().zip(train.row(i)) {
                *m += x as f64 / n;
            }
        }
        let mut covariance = vec![0.0; d * d];
        let mut centred = vec![0.0; d];
        for i in items() {
            for ((c, m), &x) in centred.iter_mut().zip(&mean).zip(train.row(i)) {
                *c = x as f64 - m;
            }
            for a in 0..d {
                let from = if diagonal { a } else { 0 };
                for b in from..=a {
                    covariance[a * d + b] += centred[a] * centred[b] / n;
                }
            }
        }
        for a in 0..d {
            covariance[a * d + a] += SHRINKAGE;
        }
        let factor = cholesky(&covariance, d, SHRINKAGE);
        let half_log_determinant = (0..d).map(|a| factor[a * d + a].ln()).sum();
        Density { mean, factor, half_log_determinant }
    }

    fn log(&self, row: &[f32], buffer: &mut [f64]) -> f64 {
        for ((b, m), &x) in buffer.iter_mut().zip(&self.mean).zip(row) {
            *b = x as f64 - m;
        }
        solve_lower(&self.factor, row.len(), buffer);
        -self.half_log_determinant - 0.5 * buffer.iter().map(|x| x * x).sum::<f64>()
    }
}
