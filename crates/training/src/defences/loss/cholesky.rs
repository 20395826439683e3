//! Symmetric systems of a few outputs or features.

/// `L` of a positive definite matrix `L·Lᵀ`, row-major.
pub(super) struct Cholesky {
    size: usize,
    factor: Vec<f64>,
}

impl Cholesky {
    /// For a matrix whose lower half is given; no pivot falls below `least`.
    pub(super) fn new(mut factor: Vec<f64>, size: usize, least: f64) -> Self {
        for i in 0..size {
            for j in 0..=i {
                let done: f64 = (0..j).map(|k| factor[i * size + k] * factor[j * size + k]).sum();
                let rest = factor[i * size + j] - done;
                factor[i * size + j] = if i == j { rest.max(least).sqrt() } else { rest / factor[j * size + j] };
            }
        }
        Self { size, factor }
    }

    /// `½·ln det(L·Lᵀ)`.
    pub(super) fn half_log_determinant(&self) -> f64 {
        (0..self.size).map(|i| self.factor[i * self.size + i].ln()).sum()
    }

    /// `L⁻¹·v`.
    pub(super) fn forward(&self, mut v: Vec<f64>) -> Vec<f64> {
        for i in 0..self.size {
            let row = &self.factor[i * self.size..][..=i];
            let done: f64 = row[..i].iter().zip(&v).map(|(entry, value)| entry * value).sum();
            v[i] = (v[i] - done) / row[i];
        }
        v
    }

    /// `(L·Lᵀ)⁻¹·v`.
    pub(super) fn solve(&self, v: Vec<f64>) -> Vec<f64> {
        let mut v = self.forward(v);
        for i in (0..self.size).rev() {
            v[i] /= self.factor[i * self.size + i];
            let (before, rest) = v.split_at_mut(i);
            let row = &self.factor[i * self.size..][..i];
            before.iter_mut().zip(row).for_each(|(value, entry)| *value -= entry * rest[0]);
        }
        v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_it_factors() {
        let matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]];
        let factor = Cholesky::new(matrix.concat(), 3, 1e-9);
        let solved = factor.solve(vec![1.0, -2.0, 0.5]);
        for (row, expected) in matrix.iter().zip([1.0, -2.0, 0.5]) {
            let found: f64 = row.iter().zip(&solved).map(|(entry, value)| entry * value).sum();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}
