//! The table that an attacker learns from.

use crate::linear::{cholesky, gram, solve_lower};
use rand::RngExt;
use rand::seq::index;
use std::borrow::Cow;

/// Outputs of an undefended network on the training rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uncensored<'a> {
    /// Row-major, one row per training row.
    pub rows: &'a [f32],
    pub width: usize,
}

/// Labelled rows, standardised, of one main class or of all.
#[derive(Debug, Clone)]
pub(crate) struct Sample<'a> {
    /// Row-major, N·`width`.
    pub rows: Cow<'a, [f32]>,
    pub width: usize,
    pub labels: Cow<'a, [u32]>,
    /// Number of values a label can take, at least two of which occur.
    pub classes: usize,
}

impl Sample<'_> {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    /// At most `most` rows, any: rows may be in order of their labels.
    pub fn some(&self, most: usize, rng: &mut impl RngExt) -> Sample<'_> {
        let Sample { width, classes, .. } = *self;
        if self.len() <= most {
            return Sample { rows: self.rows[..].into(), width, labels: self.labels[..].into(), classes };
        }
        let chosen = index::sample(rng, self.len(), most);
        let rows: Vec<f32> = chosen.iter().flat_map(|i| self.row(i)).copied().collect();
        let labels: Vec<u32> = chosen.iter().map(|i| self.labels[i]).collect();
        Sample { rows: rows.into(), width, labels: labels.into(), classes }
    }

    /// Log of the smoothed shares of the classes.
    pub fn log_prior(&self) -> Vec<f32> {
        let mut counts = vec![0usize; self.classes];
        self.labels.iter().for_each(|&l| counts[l as usize] += 1);
        let total = self.len() as f32 + 0.5 * self.classes as f32;
        (counts.iter()).map(|&c| ((c as f32 + 0.5) / total).ln()).collect()
    }
}

/// Centre and scale of every column, so that attackers see columns of mean 0 and deviation 1.
#[derive(Debug, Clone)]
pub(crate) struct Standardiser {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Standardiser {
    /// From the rows of the items named. A constant column becomes 0.
    pub fn fit(rows: &[f32], width: usize, items: &[usize]) -> Standardiser {
        let n = items.len().max(1) as f64;
        let mut mean = vec![0.0; width];
        for &i in items {
            for (m, &x) in mean.iter_mut().zip(&rows[i * width..]) {
                *m += x as f64 / n;
            }
        }
        let mut variance = vec![0.0; width];
        for &i in items {
            for ((v, m), &x) in variance.iter_mut().zip(&mean).zip(&rows[i * width..]) {
                *v += (x as f64 - m).powi(2) / n;
            }
        }
        let scale = (variance.iter().zip(&mean))
            .map(|(v, m)| {
                let deviation = v.sqrt();
                // A spread within rounding error of the value is a constant.
                let constant = deviation <= 1e-9 * m.abs().max(1e-20);
                if constant { 0.0 } else { 1.0 / deviation }
            })
            .collect();
        Standardiser { mean, scale }
    }

    /// Standardised rows of the items named.
    pub fn apply(&self, rows: &[f32], items: &[usize]) -> Vec<f32> {
        let width = self.mean.len();
        let mut out = Vec::with_capacity(items.len() * width);
        for &i in items {
            let row = &rows[i * width..(i + 1) * width];
            let standardised = row.iter().zip(&self.mean).zip(&self.scale);
            out.extend(standardised.map(|((&x, m), s)| ((x as f64 - m) * s) as f32));
        }
        out
    }
}

/// Takes the correlations out of standardised rows, so that distances do not depend on how a
/// network mixes its outputs.
#[derive(Debug, Clone)]
pub(crate) struct Whitener {
    factor: Vec<f64>,
    width: usize,
}

impl Whitener {
    /// More columns than this are left as they are: a covariance of raw inputs says little.
    const WIDEST: usize = 64;
    /// Rows per column that a covariance needs.
    const ROWS: usize = 10;
    /// Keeps columns that depend on each other finite.
    const SHRINKAGE: f64 = 1e-6;

    /// `None` where there are too few rows or too many columns.
    pub fn fit(rows: &[f32], width: usize) -> Option<Whitener> {
        let n = rows.len() / width;
        if width > Self::WIDEST || n < Self::ROWS * width {
            return None;
        }
        let rows: Vec<f64> = rows.iter().map(|&x| x as f64).collect();
        let mut covariance = gram(&rows, width);
        covariance.iter_mut().for_each(|c| *c /= n as f64);
        for i in 0..width {
            covariance[i * width + i] += Self::SHRINKAGE;
        }
        Some(Whitener { factor: cholesky(&covariance, width, Self::SHRINKAGE), width })
    }

    pub fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len());
        let mut buffer = vec![0.0; self.width];
        for row in rows.chunks_exact(self.width) {
            buffer.iter_mut().zip(row).for_each(|(b, &x)| *b = x as f64);
            solve_lower(&self.factor, self.width, &mut buffer);
            out.extend(buffer.iter().map(|&x| x as f32));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// The convolutional attacker once learned from the first of its rows, all of one main class.
    #[test]
    fn some_rows_are_not_the_first_ones() {
        let rows: Vec<f32> = (0..400).map(|i| i as f32).collect();
        let labels: Vec<u32> = (0..200).map(|i| i / 50).collect();
        let sample = Sample { rows: rows.into(), width: 2, labels: labels.into(), classes: 4 };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let some = sample.some(80, &mut rng);
        assert_eq!(some.len(), 80);
        for label in 0..4 {
            let count = some.labels.iter().filter(|&&found| found == label).count();
            assert!((10..=30).contains(&count), "{count} of label {label}");
        }
        for i in 0..some.len() {
            assert_eq!(some.row(i)[0] as u32 / 100, some.labels[i]);
        }
        assert_eq!(sample.some(200, &mut rng).rows, sample.rows);
    }
}
