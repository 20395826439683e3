//! A functional key spread over units.
//!
//! The values of a key are `f = D·κ` for the values `κ` that the units would have alone. Any other solution
//! `f = D·κ'` serves as well: then unit `k` takes the pair `(γ, κ'_k)` into its product of pairings, and outputs
//! need no pairings of their own. There is one where no more `κ'_k` differ from zero than `D` has rank.

use crate::{
    QuadraticMap,
    raw::{Coordinate, Fp2, G2, Scalar},
};

/// Units and their values `κ'`.
///
/// Where rows of `D` depend on each other, those that come later are taken to agree, as they do in the key of an
/// authority.
pub(crate) fn spread(map: &QuadraticMap, values: &[G2]) -> Vec<(usize, G2)> {
    let (units, outputs) = (map.units(), map.outputs());
    // Every row of D with the combination of rows that it has become.
    let mut rows: Vec<Vec<Scalar>> = map
        .combine()
        .chunks_exact(units)
        .enumerate()
        .map(|(j, row)| {
            let own = (0..outputs).map(|k| Scalar::from_i64(i64::from(j == k)));
            row.iter().map(|&weight| Scalar::from_i64(i64::from(weight))).chain(own).collect()
        })
        .collect();
    let mut pivots = Vec::new();
    for unit in 0..units {
        let done = pivots.len();
        let Some(found) = (done..outputs).find(|&row| !rows[row][unit].is_zero()) else { continue };
        rows.swap(done, found);
        let inverse = rows[done][unit].inverse();
        let pivot: Vec<Scalar> = rows[done].iter().map(|entry| entry.mul(&inverse)).collect();
        for (place, row) in rows.iter_mut().enumerate() {
            let factor = row[unit];
            if place == done {
                row.clone_from(&pivot);
            } else if !factor.is_zero() {
                row.iter_mut().zip(&pivot).for_each(|(entry, pivot)| *entry = entry.sub(&factor.mul(pivot)));
            }
        }
        pivots.push(unit);
    }
    let value = |row: &Vec<Scalar>| Fp2::combine_vartime(values, &row[units..], 255);
    pivots.into_iter().zip(rows.iter().map(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::batch::add_one;

    fn times(point: &G2, weight: i32) -> G2 {
        Fp2::scalar_mul(point, &Scalar::from_i64(i64::from(weight)))
    }

    #[test]
    fn values_of_units_combine_to_those_of_outputs() {
        // Of rank 2: a zero column, a zero row, a row that is twice another one.
        let combine = [0, 3, -2, 5, 0, 0, 0, 0, 0, 6, -4, 10, 0, 3, 7, -1];
        let map = QuadraticMap::new(1, 1, 4, 4, vec![1; 4], vec![1; 4], combine.to_vec()).unwrap();
        let own: Vec<G2> = (1..5).map(|k| times(&Fp2::generator(), k * k + 1)).collect();
        let combined = |units: &[(usize, G2)]| -> Vec<G2> {
            let rows = combine.chunks_exact(4);
            let sum = |row: &[i32]| units.iter().map(|(k, value)| times(value, row[*k])).fold(G2::INFINITY, add_one);
            rows.map(sum).collect()
        };
        let values = combined(&own.iter().copied().enumerate().collect::<Vec<_>>());
        let spread = spread(&map, &values);
        assert_eq!(spread.iter().map(|unit| unit.0).collect::<Vec<_>>(), [1, 2]);
        assert!(combined(&spread) == values);
    }
}
