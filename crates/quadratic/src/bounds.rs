//! Exact ranges of the integer map by interval arithmetic over the encoder's ranges.
//!
//! Each projection's interval is exact (coordinates vary independently). A unit's interval is the product of the two,
//! or for squares `[0 or the nearest to 0, …]²`. An output's interval is their combination. Absolute values are summed
//! first, in checked 128-bit arithmetic, so that no partial sum of an evaluation can overflow either.

use crate::QuadraticMap;

/// An inclusive range.
pub type Interval = (i128, i128);

/// The exact ranges of a map over ranges of its coordinates, each independent of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Of every left projection.
    pub left: Vec<Interval>,
    /// Of every right projection.
    pub right: Vec<Interval>,
    /// Of every output.
    pub outputs: Vec<Interval>,
}

impl Bounds {
    /// The ranges over inclusive ranges of `u` and `v`; `None` if they exceed the arithmetic (64 bits for projections,
    /// 128 for outputs), or if the lengths are not the map's.
    pub fn of(map: &QuadraticMap, u: &[(i64, i64)], v: &[(i64, i64)]) -> Option<Self> {
        if map.inputs() != (u.len(), v.len()) {
            return None;
        }
        let (left, right) = (projections(map.left(), u)?, projections(map.right(), v)?);
        let units = left.iter().zip(&right).map(|(&left, &right)| product(left, right));
        let outputs = outputs(map, &units.collect::<Option<Vec<_>>>()?)?;
        Some(Self { left, right, outputs })
    }

    /// As [`of`](Self::of) where `P = R` and `v = u`, so that no unit is negative.
    pub fn of_squares(map: &QuadraticMap, u: &[(i64, i64)]) -> Option<Self> {
        if map.inputs() != (u.len(), u.len()) {
            return None;
        }
        let left = projections(map.left(), u)?;
        let units: Option<Vec<Interval>> = left.iter().map(|&interval| square(interval)).collect();
        let outputs = outputs(map, &units?)?;
        Some(Self { right: left.clone(), left, outputs })
    }
}

fn outputs(map: &QuadraticMap, units: &[Interval]) -> Option<Vec<Interval>> {
    map.combine().chunks_exact(map.units()).map(|row| combination(row, units.iter().copied())).collect()
}

fn projections(rows: &[i32], ranges: &[(i64, i64)]) -> Option<Vec<Interval>> {
    let widened = || ranges.iter().map(|&(low, high)| (i128::from(low), i128::from(high)));
    rows.chunks_exact(ranges.len())
        .map(|row| {
            let interval = combination(row, widened())?;
            // No value is larger than the sum of the magnitudes.
            i64::try_from(magnitude(row, widened())?).ok().map(|_| interval)
        })
        .collect()
}

/// The range of `Σ weight·value` over independent values.
fn combination(weights: &[i32], values: impl Iterator<Item = Interval> + Clone) -> Option<Interval> {
    magnitude(weights, values.clone())?;
    let mut sum: Interval = (0, 0);
    for (&weight, value) in weights.iter().zip(values) {
        let term = product((weight.into(), weight.into()), value)?;
        sum = (sum.0.checked_add(term.0)?, sum.1.checked_add(term.1)?);
    }
    Some(sum)
}

/// `Σ |weight|·max |value|`, which bounds every partial sum.
fn magnitude(weights: &[i32], values: impl Iterator<Item = Interval>) -> Option<i128> {
    weights.iter().zip(values).try_fold(0_i128, |sum, (&weight, (low, high))| {
        let largest = low.checked_abs()?.max(high.checked_abs()?);
        sum.checked_add(i128::from(weight).abs().checked_mul(largest)?)
    })
}

fn product(a: Interval, b: Interval) -> Option<Interval> {
    let corners = [a.0.checked_mul(b.0)?, a.0.checked_mul(b.1)?, a.1.checked_mul(b.0)?, a.1.checked_mul(b.1)?];
    Some(corners.iter().fold((corners[0], corners[0]), |(low, high), &c| (low.min(c), high.max(c))))
}

fn square(a: Interval) -> Option<Interval> {
    let (low, high) = (a.0.checked_mul(a.0)?, a.1.checked_mul(a.1)?);
    let nearest = a.0.max(a.1.checked_neg()?).max(0);
    Some((nearest.checked_mul(nearest)?, low.max(high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All corners of a small box: the extremes of the projections, and every output within its range.
    fn corners(ranges: &[(i64, i64)]) -> Vec<Vec<i64>> {
        let pick = |corner: usize| {
            let choose = |(i, &(low, high)): (usize, &(i64, i64))| if corner >> i & 1 == 0 { low } else { high };
            ranges.iter().enumerate().map(choose).collect()
        };
        (0..1 << ranges.len()).map(pick).collect()
    }

    fn dot(row: &[i32], values: &[i64]) -> i128 {
        row.iter().zip(values).map(|(&w, &v)| i128::from(w) * i128::from(v)).sum()
    }

    proptest! {
        #[test]
        fn projections_are_exact_and_outputs_are_within(
            left in prop::collection::vec(-9..9, 8),
            right in prop::collection::vec(-9..9, 6),
            combine in prop::collection::vec(-9..9, 4),
            squares in any::<bool>(),
        ) {
            let (u, v) = ([(1, 1), (0, 7), (0, 7), (-2, 3)], [(1, 1), (0, 7), (-4, 5)]);
            let map = QuadraticMap::new(4, 3, 2, 2, left.clone(), right.clone(), combine.clone()).unwrap();
            let bounds = if squares {
                let map = QuadraticMap::new(4, 4, 2, 2, left.clone(), left.clone(), combine.clone()).unwrap();
                Bounds::of_squares(&map, &u)
            } else {
                Bounds::of(&map, &u, &v)
            };
            let bounds = bounds.unwrap();
            for unit in 0..2 {
                let values: Vec<i128> = corners(&u).iter().map(|u| dot(&left[unit * 4..][..4], u)).collect();
                prop_assert_eq!(bounds.left[unit], (*values.iter().min().unwrap(), *values.iter().max().unwrap()));
            }
            for u in corners(&u) {
                for v in corners(&v) {
                    for output in 0..2 {
                        let unit = |k: usize| {
                            let l = dot(&left[k * 4..][..4], &u);
                            l * if squares { l } else { dot(&right[k * 3..][..3], &v) }
                        };
                        let value: i128 = (0..2).map(|k| i128::from(combine[output * 2 + k]) * unit(k)).sum();
                        let (low, high) = bounds.outputs[output];
                        prop_assert!(low <= value && value <= high);
                    }
                }
            }
        }
    }

    #[test]
    fn squares_and_products_of_one_coordinate_are_exact() {
        let map = QuadraticMap::new(1, 1, 1, 1, vec![1], vec![1], vec![1]).unwrap();
        let squares = |range| Bounds::of_squares(&map, &[range]).unwrap().outputs[0];
        assert_eq!([(2, 3), (-3, -2), (-2, 3), (-3, 2), (0, 3)].map(squares), [(4, 9), (4, 9), (0, 9), (0, 9), (0, 9)]);
        let products = |u, v| Bounds::of(&map, &[u], &[v]).unwrap().outputs[0];
        assert_eq!(products((-2, 3), (-5, 4)), (-15, 12));
        assert_eq!(products((2, 3), (4, 5)), (8, 15));
    }

    #[test]
    fn ranges_of_other_lengths_are_refused() {
        let map = QuadraticMap::new(1, 1, 1, 1, vec![1], vec![1], vec![1]).unwrap();
        let one = [(0, 1)];
        assert!(Bounds::of(&map, &one, &[]).is_none() && Bounds::of(&map, &[], &one).is_none());
        assert!(Bounds::of_squares(&map, &[(0, 1), (0, 1)]).is_none());
    }

    #[test]
    fn magnitudes_count_the_end_that_is_farther_from_zero() {
        assert_eq!(magnitude(&[2, -3], [(-4, 1), (0, 5)].into_iter()), Some(2 * 4 + 3 * 5));
        assert_eq!(magnitude(&[1], [(i128::MIN, 0)].into_iter()), None);
    }

    /// The value is zero, but the partial sum after one term exceeds 64 bits.
    #[test]
    fn a_partial_sum_that_overflows_is_refused() {
        let map = QuadraticMap::new(2, 1, 1, 1, vec![2, -2], vec![1], vec![1]).unwrap();
        let fixed = |value| Bounds::of(&map, &[(value, value); 2], &[(1, 1)]);
        assert_eq!(fixed(1 << 62), None);
        assert_eq!(fixed(1 << 60).unwrap().left, [(0, 0)]);
    }

    #[test]
    fn overflow_is_refused() {
        let (u, v) = ([(i64::MIN, i64::MAX)], [(0, 1)]);
        let map = QuadraticMap::new(1, 1, 1, 1, vec![i32::MAX], vec![1], vec![1]).unwrap();
        assert_eq!(Bounds::of(&map, &u, &v), None);
    }
}
