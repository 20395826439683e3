//! The slow, obvious reference: rank over the rationals, from all `n·m` coefficients.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use crate::QuadraticMap;

/// Rank of all forms of these maps over the rationals.
pub(crate) fn rank(maps: &[QuadraticMap]) -> usize {
    let mut rows: Vec<Vec<BigRational>> = maps.iter().flat_map(coefficients).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|&row| !rows[row][column].is_zero()) else { continue };
        rows.swap(rank, pivot);
        let pivot_row = rows[rank].clone();
        for row in &mut rows[rank + 1..] {
            let factor = &row[column] / &pivot_row[column];
            row.iter_mut().zip(&pivot_row).for_each(|(value, of_pivot)| *value -= &factor * of_pivot);
        }
        rank += 1;
    }
    rank
}

/// Every form of a map by its coefficients of `u_i·v_j`.
fn coefficients(map: &QuadraticMap) -> Vec<Vec<BigRational>> {
    let (n, m) = map.inputs();
    let form = |weights: &[i32]| {
        let coefficient = |i: usize, j: usize| {
            let terms = weights.iter().enumerate().map(|(k, &d)| {
                BigInt::from(d) * BigInt::from(map.left()[k * n + i]) * BigInt::from(map.right()[k * m + j])
            });
            BigRational::from(terms.sum::<BigInt>())
        };
        (0..n).flat_map(|i| (0..m).map(move |j| (i, j))).map(|(i, j)| coefficient(i, j)).collect()
    };
    map.combine().chunks_exact(map.units()).map(form).collect()
}
