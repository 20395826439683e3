//! Small dense linear algebra: Cholesky factors of symmetric matrices.

/// Lower Cholesky factor L (row-major, n×n) of a symmetric positive definite matrix, A = L·Lᵀ.
/// Pivots are kept above `floor`, so that a singular matrix yields the factor of a nearby one.
pub(crate) fn cholesky(a: &[f64], n: usize, floor: f64) -> Vec<f64> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (head, tail) = l.split_at(i * n);
            let row_i = &tail[..j];
            let row_j = if i == j { row_i } else { &head[j * n..j * n + j] };
            let rest = a[i * n + j] - dot(row_i, row_j);
            l[i * n + j] = if i == j { rest.max(floor).sqrt() } else { rest / l[j * n + j] };
        }
    }
    l
}

/// Solves L·x = b in place.
pub(crate) fn solve_lower(l: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        x[i] = (x[i] - dot(&l[i * n..i * n + i], &x[..i])) / l[i * n + i];
    }
}

/// Solves Lᵀ·x = b in place.
pub(crate) fn solve_upper(l: &[f64], n: usize, x: &mut [f64]) {
    for i in (0..n).rev() {
        x[i] /= l[i * n + i];
        let value = x[i];
        for (x, l) in x[..i].iter_mut().zip(&l[i * n..i * n + i]) {
            *x -= l * value;
        }
    }
}

/// Solves (L·Lᵀ)·x = b in place.
pub(crate) fn solve(l: &[f64], n: usize, x: &mut [f64]) {
    solve_lower(l, n, x);
    solve_upper(l, n, x);
}

/// Inner product, summed in eight lanes so that it vectorises in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_head, a_tail) = a.as_chunks::<8>();
    let (b_head, b_tail) = b.as_chunks::<8>();
    for (a, b) in a_head.iter().zip(b_head) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + tail
}

/// Gram matrix XᵀX (d×d, row-major) of rows X (n×d), both triangles.
pub(crate) fn gram(rows: &[f64], d: usize) -> Vec<f64> {
    let mut out = vec![0.0; d * d];
    for row in rows.chunks_exact(d) {
        for (i, &x) in row.iter().enumerate() {
            for (out, y) in out[i * d..=i * d + i].iter_mut().zip(row) {
                *out += x * y;
            }
        }
    }
    for i in 0..d {
        for j in 0..i {
            out[j * d + i] = out[i * d + j];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_and_solve_give_the_right_hand_side_back() {
        let n = 13;
        let rows: Vec<f64> = (0..40 * n).map(|i| ((i * i + 7) % 31) as f64 / 31.0).collect();
        let mut a = gram(&rows, n);
        for i in 0..n {
            a[i * n + i] += 0.5;
        }
        let b: Vec<f64> = (0..n).map(|i| i as f64 - 4.0).collect();
        let mut x = b.clone();
        solve(&cholesky(&a, n, 1e-12), n, &mut x);
        for i in 0..n {
            assert!((dot(&a[i * n..(i + 1) * n], &x) - b[i]).abs() < 1e-9);
        }
    }
}
