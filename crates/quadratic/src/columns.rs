//! Evaluation of a map at many points whose bounds are known.

use crate::QuadraticMap;

/// A map with its projections column by column, which skips coordinates that are zero, like most of an image.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    map: &'a QuadraticMap,
    left: Vec<i32>,
    right: Vec<i32>,
}

impl<'a> Columns<'a> {
    /// The columns of `P` (`n × d`) and `R` (`m × d`).
    pub fn of(map: &'a QuadraticMap) -> Self {
        let (n, m) = map.inputs();
        Self { map, left: transposed(map.left(), n), right: transposed(map.right(), m) }
    }

    /// The outputs at `u` and `v`, equal to [`QuadraticMap::evaluate`] if [`Bounds`](crate::Bounds) exist over ranges
    /// that hold the coordinates; otherwise sums may wrap. Missing coordinates count as zero.
    pub fn evaluate(&self, u: &[i64], v: &[i64]) -> Vec<i128> {
        let units = self.map.units();
        let (left, right) = (accumulate(&self.left, units, u), accumulate(&self.right, units, v));
        let products: Vec<i128> = left.iter().zip(&right).map(|(&l, &r)| i128::from(l) * i128::from(r)).collect();
        let rows = self.map.combine().chunks_exact(units);
        rows.map(|row| row.iter().zip(&products).map(|(&weight, product)| i128::from(weight) * product).sum()).collect()
    }
}

fn transposed(rows: &[i32], columns: usize) -> Vec<i32> {
    (0..columns).flat_map(|column| rows.iter().skip(column).step_by(columns).copied()).collect()
}

fn accumulate(columns: &[i32], units: usize, values: &[i64]) -> Vec<i64> {
    let mut sums = vec![0; units];
    for (column, &value) in columns.chunks_exact(units).zip(values) {
        if value != 0 {
            sums.iter_mut().zip(column).for_each(|(sum, &weight)| *sum += i64::from(weight) * value);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_and_rows_give_the_same(
            left in prop::collection::vec(-99..99, 8),
            right in prop::collection::vec(-99..99, 6),
            combine in prop::collection::vec(-99..99, 4),
            u in prop::collection::vec(-9_i64..9, 4),
            v in prop::collection::vec(-9_i64..9, 3),
        ) {
            let map = QuadraticMap::new(4, 3, 2, 2, left, right, combine).unwrap();
            prop_assert_eq!(Columns::of(&map).evaluate(&u, &v), map.evaluate(&u, &v).unwrap());
        }
    }

    /// A wrong sign on both sides cancels in the products.
    #[test]
    fn sums_have_their_signs() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 3), [1, 4, 2, 5, 3, 6]);
        assert_eq!(accumulate(&[1, 2, 3, 4, 5, 6], 2, &[5, 0, -1]), [0, 4]);
    }
}
