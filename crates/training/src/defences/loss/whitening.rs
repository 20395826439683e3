//! Coordinates in which a distance between outputs means the same in every direction.
//!
//! The outputs of one main class may lie in a thin, slanted cloud. Attackers remove its correlations and use the thin
//! directions as well as the others, so matching must measure there too:
//!
//! ```text
//! w = L⁻¹·q        L·Lᵀ = Cov of the class + ε·tr Cov/S + floor       ∂/∂q = L⁻ᵀ·∂/∂w
//! ```
//!
//! `L` is held constant in the gradient, as the other statistics of a class are.

use super::cholesky::Cholesky;

/// Fraction of the mean variance that is added in every direction: no gradient grows more than tenfold.
const FLOOR: f64 = 1e-2;

/// Rows per output below which a covariance is unreliable, and distances are left unchanged.
const LEAST_ROWS: usize = 4;

/// `L⁻¹` of one main class, row-major.
pub(super) struct Whitening {
    outputs: usize,
    inverse: Vec<f64>,
}

impl Whitening {
    /// From the rows of one class in one batch, with `floor` added to the variance in every direction; the identity if
    /// there are too few rows, or no spread.
    pub(super) fn fit(rows: &[f32], outputs: usize, floor: f32) -> Self {
        let mut inverse = vec![0.0; outputs * outputs];
        let mut factor = covariance(rows, outputs);
        let spread: f64 = (0..outputs).map(|j| factor[j * outputs + j]).sum::<f64>() / outputs as f64;
        let usable = rows.len() >= LEAST_ROWS * outputs * outputs && spread > 0.0 && spread.is_finite();
        for i in 0..outputs {
            inverse[i * outputs + i] = 1.0;
            factor[i * outputs + i] += FLOOR * spread + f64::from(floor);
        }
        if !usable {
            return Self { outputs, inverse };
        }
        let factor = Cholesky::new(factor, outputs, FLOOR * spread);
        for column in 0..outputs {
            let unit = (0..outputs).map(|i| f64::from(u8::from(i == column)));
            let solved = factor.forward(unit.collect());
            solved.iter().enumerate().for_each(|(i, &entry)| inverse[i * outputs + column] = entry);
        }
        Self { outputs, inverse }
    }

    /// `w` for rows of `q`.
    pub(super) fn apply(&self, q: &[f32]) -> Vec<f32> {
        let outputs = self.outputs;
        let entry = |row: &[f32], i: usize| -> f32 {
            (0..=i).map(|j| self.inverse[i * outputs + j] * f64::from(row[j])).sum::<f64>() as f32
        };
        q.chunks_exact(outputs).flat_map(|row| (0..outputs).map(move |i| entry(row, i))).collect()
    }

    /// Adds the gradient with respect to `q` that a gradient with respect to `w` implies.
    pub(super) fn pull_back(&self, by_w: &[f32], by_q: &mut [f32]) {
        let outputs = self.outputs;
        for (by_w, by_q) in by_w.chunks_exact(outputs).zip(by_q.chunks_exact_mut(outputs)) {
            for (j, by_q) in by_q.iter_mut().enumerate() {
                let terms = (j..outputs).map(|i| self.inverse[i * outputs + j] * f64::from(by_w[i]));
                *by_q += terms.sum::<f64>() as f32;
            }
        }
    }
}

pub(super) fn covariance(rows: &[f32], outputs: usize) -> Vec<f64> {
    let count = (rows.len() / outputs).max(1) as f64;
    let mut mean = vec![0.0; outputs];
    for row in rows.chunks_exact(outputs) {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / count);
    }
    let mut covariance = vec![0.0; outputs * outputs];
    for row in rows.chunks_exact(outputs) {
        for i in 0..outputs {
            for j in 0..=i {
                covariance[i * outputs + j] += (f64::from(row[i]) - mean[i]) * (f64::from(row[j]) - mean[j]) / count;
            }
        }
    }
    covariance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slanted(rows: usize) -> Vec<f32> {
        let row = |i: usize| {
            let (a, b, c) = ((i as f32 * 0.37).sin(), (i as f32 * 0.91).cos(), (i as f32 * 1.7).sin());
            [3.0 * a + 5.0, 3.0 * a + b, b + c]
        };
        (0..rows).flat_map(row).collect()
    }

    #[test]
    fn correlations_are_gone_and_no_direction_is_wide() {
        let q = slanted(60);
        let covariance = covariance(&Whitening::fit(&q, 3, 0.0).apply(&q), 3);
        for i in 0..3 {
            assert!((0.5..1.01).contains(&covariance[4 * i]), "{covariance:?}");
            for j in 0..i {
                assert!(covariance[3 * i + j].abs() < 0.2, "{covariance:?}");
            }
        }
    }

    #[test]
    fn pulling_back_is_the_transpose() {
        let q = slanted(40);
        let whitening = Whitening::fit(&q, 3, 0.0);
        let direction: Vec<f32> = (0..q.len()).map(|i| (i as f32 * 1.3).cos()).collect();
        let mut back = vec![0.0; q.len()];
        whitening.pull_back(&direction, &mut back);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (forward, backward) = (dot(&whitening.apply(&q), &direction), dot(&q, &back));
        assert!((forward - backward).abs() < 1e-3 * forward.abs().max(1.0), "{forward} {backward}");
    }

    #[test]
    fn few_rows_are_left_alone() {
        let q = slanted(4);
        assert_eq!(Whitening::fit(&q, 3, 0.0).apply(&q), q);
    }
}
