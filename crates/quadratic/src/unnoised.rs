//! Bits of a range that noise leaves open.
//!
//! Output `j` of a basis takes `width_j` integer values; the noise in all outputs has covariance `C`. Counting one
//! value for the finest step, the outputs reveal at most
//!
//! ```math
//! \sum_j \max\Bigl(0, \; \log_2 \mathrm{width}_j - \tfrac12 \log_2 \bigl(1 + 2 \pi e \, C_{j \mid 1 \dots j-1}\bigr)\Bigr)
//! ```
//!
//! bits beyond the noise. Here `C_j|…` is the remaining variance of output `j`'s noise when that of the earlier outputs
//! is known, so noise that two outputs share counts once. Without noise the sum is that of the logarithms of the
//! widths. Noise in wide steps counts by its own entropy: rows are given in its steps.

use std::f64::consts::{E, PI};

/// Fractions of a variance below this are rounding errors of a cancellation: nothing is left.
const CANCELLED: f64 = 1e-12;

/// The bits for rows of noise, one for every output of width `width`: coefficients of independent noise, each times its
/// deviation, in steps of the noise.
pub(crate) fn unnoised_bits(rows: &[(f64, Vec<f64>)]) -> f64 {
    // Gram and Schmidt, each row twice: the residual of a row after those before it.
    let mut before: Vec<Vec<f64>> = Vec::new();
    let mut bits = 0.0;
    for (width, row) in rows {
        let all = square(row);
        let mut rest = row.clone();
        for _ in 0..2 {
            for unit in &before {
                let share: f64 = rest.iter().zip(unit).map(|(a, b)| a * b).sum();
                rest.iter_mut().zip(unit).for_each(|(a, b)| *a -= share * b);
            }
        }
        let left = square(&rest);
        let left = if left > CANCELLED * all { left } else { 0.0 };
        if left > 0.0 {
            let length = left.sqrt();
            before.push(rest.iter().map(|x| x / length).collect());
        }
        bits += (width.log2() - 0.5 * (1.0 + 2.0 * PI * E * left).log2()).max(0.0);
    }
    bits
}

fn square(row: &[f64]) -> f64 {
    row.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// log2(σ·√(2πe))
    fn entropy(deviation: f64) -> f64 {
        0.5 * (1.0 + 2.0 * PI * E * deviation * deviation).log2()
    }

    #[test]
    fn own_noise_takes_its_entropy_and_shared_noise_does_so_once() {
        let width = 2_f64.powi(30);
        let bits = |rows: &[&[f64]]| {
            unnoised_bits(&rows.iter().map(|row| (width, row.to_vec())).collect::<Vec<(f64, Vec<f64>)>>())
        };
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        near(bits(&[&[], &[]]), 60.0);
        near(bits(&[&[1000.0, 0.0], &[0.0, 9.0]]), 60.0 - entropy(1000.0) - entropy(9.0));
        near(bits(&[&[1000.0], &[3000.0]]), 60.0 - entropy(1000.0));
        near(bits(&[&[1e6, 0.0], &[3e6, 4.0]]), 60.0 - entropy(1e6) - entropy(4.0));
        // What rounding leaves of a row is nothing, and a row of nothing changes no other.
        near(bits(&[&[1e6, 0.0], &[3e6, 0.1]]), 60.0 - entropy(1e6));
        near(bits(&[&[0.0], &[1000.0]]), 60.0 - entropy(1000.0));
        // More noise than range leaves nothing, and takes nothing from others.
        near(bits(&[&[1e12, 0.0], &[0.0, 0.0]]), 30.0);
    }
}
