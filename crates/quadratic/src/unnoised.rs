//! Bits of a range that noise leaves open.
//!
//! Output `j` of a basis takes `width_j` integer values. Its noise is `Σ_c A_jc r_c` for independent integers `r_c` of
//! entropy `H_c` bits. The outputs reveal at most
//!
//! ```math
//! \sum_j \max\bigl(0, \; \log_2 \mathrm{width}_j - H_{c(j)}\bigr)
//! ```
//!
//! bits beyond the noise. Here `c(j)` is a column of its own for every row of `A` that does not follow from the rows
//! before it, and `H = 0` for a row that does: noise that two outputs share counts once.
//!
//! The columns are chosen so that `A` restricted to them is invertible. So the noise of all outputs determines these
//! `r_c` when the others are known, and its entropy is at least the sum of theirs. Factors and determinants add
//! nothing: noise `2^16·r` leaves the 16 bits below it as they are, and noise `r_1 + r_2` and `r_1 − r_2` leaves the
//! parity of the sum, as wide as it looks on each output.

use crate::echelon::Echelon;
use crate::field::element;

/// The bits for outputs of a width, each with its row of `A`. `entropies`: `H` of every column, in bits.
pub(crate) fn unnoised_bits(outputs: &[(f64, Vec<i128>)], entropies: &[f64]) -> f64 {
    // A row takes its first column that is left: the one of most entropy.
    let mut order: Vec<usize> = (0..entropies.len()).collect();
    order.sort_by(|&a, &b| entropies[b].total_cmp(&entropies[a]));
    let mut known = Echelon::default();
    let bits = outputs.iter().map(|(width, row)| {
        let own = known.pivot(order.iter().map(|&column| element(row[column])).collect());
        let covered = own.map_or(0.0, |place| entropies[order[place]]);
        (width.log2() - covered).max(0.0)
    });
    bits.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    fn bits(rows: &[&[i128]], entropies: &[f64]) -> f64 {
        let outputs: Vec<_> = rows.iter().map(|row| (2_f64.powi(30), row.to_vec())).collect();
        unnoised_bits(&outputs, entropies)
    }

    #[test]
    fn own_noise_takes_its_entropy_and_shared_noise_does_so_once() {
        near(bits(&[&[], &[]], &[]), 60.0);
        near(bits(&[&[1, 0], &[0, 1]], &[12.0, 5.0]), 60.0 - 17.0);
        near(bits(&[&[1], &[3]], &[12.0]), 60.0 - 12.0);
        near(bits(&[&[1, 0], &[3, 4]], &[12.0, 5.0]), 60.0 - 17.0);
        near(bits(&[&[3, 4], &[1, 0]], &[12.0, 5.0]), 60.0 - 17.0);
        near(bits(&[&[0], &[1000]], &[12.0]), 60.0 - 12.0);
        // The larger of two covers a row.
        near(bits(&[&[1, 1]], &[5.0, 12.0]), 30.0 - 12.0);
        // More noise than range leaves nothing, and takes nothing from others.
        near(bits(&[&[1, 0], &[0, 0]], &[40.0, 5.0]), 30.0);
    }

    /// Rows of signs that are orthogonal: the noise of every output is wide, but it lies on a lattice that leaves
    /// `(k/2)·log2 k` bits of the outputs open.
    #[test]
    fn noise_in_a_coarse_lattice_covers_no_more_than_its_own_entropy() {
        let k = 16;
        let sign = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 1 } else { -1 };
        let rows: Vec<Vec<i128>> = (0..k).map(|i| (0..k).map(|j| sign(i, j)).collect()).collect();
        let rows: Vec<&[i128]> = rows.iter().map(Vec::as_slice).collect();
        near(bits(&rows, &[8.0; 16]), 16.0 * 22.0);
    }
}
