//! Eigenvalues of a symmetric matrix by Jacobi's rotations.

/// Sweeps after which rotations stop; convergence is quadratic and takes fewer than ten.
const SWEEPS: usize = 64;

/// The eigenvalues of a symmetric `size × size` matrix, row-major, in no order.
pub(crate) fn eigenvalues(mut a: Vec<f64>, size: usize) -> Vec<f64> {
    for _ in 0..SWEEPS {
        if is_diagonal(&a, size) {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut a, size, p, q);
            }
        }
    }
    (0..size).map(|i| a[i * size + i]).collect()
}

/// Whether only the diagonal is left, to within rounding.
fn is_diagonal(a: &[f64], size: usize) -> bool {
    let square = |i: usize, j: usize| a[i * size + j].powi(2);
    let off: f64 = (0..size).map(|i| (0..i).map(|j| square(i, j)).sum::<f64>()).sum();
    let on: f64 = (0..size).map(|i| square(i, i)).sum();
    off <= on * 1e-30
}

/// Rotates the plane of `p` and `q` so that their entry vanishes.
fn rotate(a: &mut [f64], size: usize, p: usize, q: usize) {
    let entry = a[p * size + q];
    if entry == 0.0 {
        return;
    }
    let theta = (a[q * size + q] - a[p * size + p]) / (2.0 * entry);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for k in 0..size {
        let (x, y) = (a[k * size + p], a[k * size + q]);
        (a[k * size + p], a[k * size + q]) = (cosine * x - sine * y, sine * x + cosine * y);
    }
    for k in 0..size {
        let (x, y) = (a[p * size + k], a[q * size + k]);
        (a[p * size + k], a[q * size + k]) = (cosine * x - sine * y, sine * x + cosine * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The sum of the eigenvalues, and the sum of their squares.
        #[test]
        fn they_have_the_trace_and_the_norm_of_the_matrix(entries in prop::collection::vec(-9_f64..9.0, 16)) {
            let at = |i: usize, j: usize| entries[4 * i.min(j) + i.max(j)];
            let a: Vec<f64> = (0..16).map(|place| at(place / 4, place % 4)).collect();
            let found = eigenvalues(a.clone(), 4);
            let trace: f64 = (0..4).map(|i| at(i, i)).sum();
            prop_assert!((found.iter().sum::<f64>() - trace).abs() < 1e-9);
            let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
            prop_assert!((norm(&found) - norm(&a)).abs() < 1e-9 * (1.0 + norm(&a)));
        }
    }

    #[test]
    fn rotations_end_where_the_entries_beside_the_diagonal_are_nothing_next_to_it() {
        assert!(is_diagonal(&[0.0; 9], 3));
        for (i, j) in [(1, 0), (2, 0), (2, 1)] {
            let mut a = [1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0];
            a[3 * i + j] = 3e-15;
            assert!(is_diagonal(&a, 3), "on the diagonal 14, next to it 9e-30");
            a[3 * i + j] = 4e-15;
            assert!(!is_diagonal(&a, 3), "next to it 16e-30");
        }
        for i in 0..3 {
            let mut a = [0.0; 9];
            (a[3], a[4 * i]) = (1e-6, 1e10);
            assert!(is_diagonal(&a, 3), "one large entry");
        }
    }

    #[test]
    fn finds_those_of_a_known_matrix() {
        // The second difference: 2 − 2·cos(kπ/5) for k = 1..4.
        let a = vec![2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0];
        let mut found = eigenvalues(a, 4);
        found.sort_by(f64::total_cmp);
        for (k, value) in (1..5).zip(found) {
            let expected = 2.0 - 2.0 * (f64::from(k) * std::f64::consts::PI / 5.0).cos();
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
    }
}
