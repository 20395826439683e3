//! Quadratic maps of low rank: the functions that keys open.

use thiserror::Error;

/// Why numbers do not form a quadratic map.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapError {
    /// A dimension is zero or too large.
    #[error("{field} is {value}: must be from 1 to {most}")]
    Dimension {
        /// Name of the dimension.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The largest value allowed.
        most: usize,
    },
    /// A matrix does not have rows × columns entries.
    #[error("matrix `{field}` has {found} entries: {expected} expected from its dimensions")]
    Shape {
        /// Name of the matrix.
        field: &'static str,
        /// Entries given.
        found: usize,
        /// Entries that the dimensions require.
        expected: usize,
    },
    /// An input vector does not fit the map.
    #[error("input `{field}` has {found} coordinates: the function takes {expected}")]
    Input {
        /// `u` or `v`.
        field: &'static str,
        /// Coordinates given.
        found: usize,
        /// Coordinates of the map.
        expected: usize,
    },
    /// The exact result does not fit in 128 bits.
    #[error("output {output} overflows 128 bits on this input: use smaller weights or inputs")]
    Overflow {
        /// Index of the output.
        output: usize,
    },
}

/// `f_j(u, v) = Σ_k D[j][k]·(P[k]·u)·(R[k]·v)` for `j = 1..S`, `k = 1..d`, with
/// integer `P` (`d×n`), `R` (`d×m`), `D` (`S×d`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuadraticMap {
    n: usize,
    m: usize,
    units: usize,
    outputs: usize,
    left: Vec<i32>,
    right: Vec<i32>,
    combine: Vec<i32>,
}

impl QuadraticMap {
    /// Largest number of inputs of either side.
    pub const MAX_INPUTS: usize = 1 << 17;
    /// Largest number of units.
    pub const MAX_UNITS: usize = 1 << 13;
    /// Largest number of outputs.
    pub const MAX_OUTPUTS: usize = 1 << 12;
    /// Largest number of entries of one matrix.
    pub const MAX_ENTRIES: usize = 1 << 25;

    /// A map from row-major matrices: `left` is `units×n`, `right` is `units×m`,
    /// `combine` is `outputs×units`.
    ///
    /// # Errors
    /// As [`check_dimensions`](Self::check_dimensions), or a matrix has another number of entries than its dimensions
    /// require.
    pub fn new(
        n: usize,
        m: usize,
        units: usize,
        outputs: usize,
        left: Vec<i32>,
        right: Vec<i32>,
        combine: Vec<i32>,
    ) -> Result<Self, MapError> {
        Self::check_dimensions(n, m, units, outputs)?;
        for (field, found, expected) in [
            ("left", left.len(), units * n),
            ("right", right.len(), units * m),
            ("combine", combine.len(), outputs * units),
        ] {
            if found != expected {
                return Err(MapError::Shape { field, found, expected });
            }
        }
        Ok(Self { n, m, units, outputs, left, right, combine })
    }

    /// Checks dimensions before anything is allocated for them.
    ///
    /// # Errors
    /// A dimension, or the product of two, is zero or beyond its limit.
    pub fn check_dimensions(n: usize, m: usize, units: usize, outputs: usize) -> Result<(), MapError> {
        for (field, value, most) in [
            ("n", n, Self::MAX_INPUTS),
            ("m", m, Self::MAX_INPUTS),
            ("units", units, Self::MAX_UNITS),
            ("outputs", outputs, Self::MAX_OUTPUTS),
            ("units × n", units.saturating_mul(n), Self::MAX_ENTRIES),
            ("units × m", units.saturating_mul(m), Self::MAX_ENTRIES),
            ("outputs × units", outputs.saturating_mul(units), Self::MAX_ENTRIES),
        ] {
            if value == 0 || value > most {
                return Err(MapError::Dimension { field, value, most });
            }
        }
        Ok(())
    }

    /// Inputs `(n, m)`.
    pub fn inputs(&self) -> (usize, usize) {
        (self.n, self.m)
    }

    /// Units `d`.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Outputs `S`.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `P`, row-major `d×n`.
    pub fn left(&self) -> &[i32] {
        &self.left
    }

    /// `R`, row-major `d×m`.
    pub fn right(&self) -> &[i32] {
        &self.right
    }

    /// `D`, row-major `S×d`.
    pub fn combine(&self) -> &[i32] {
        &self.combine
    }

    /// The outputs in the clear, exactly.
    ///
    /// # Errors
    /// `u` or `v` has another length, or a value exceeds 128 bits.
    pub fn evaluate(&self, u: &[i64], v: &[i64]) -> Result<Vec<i128>, MapError> {
        for (field, found, expected) in [("u", u.len(), self.n), ("v", v.len(), self.m)] {
            if found != expected {
                return Err(MapError::Input { field, found, expected });
            }
        }
        let project = |rows: &[i32], x: &[i64]| -> Vec<Option<i128>> {
            rows.chunks_exact(x.len())
                .map(|row| {
                    row.iter().zip(x).try_fold(0i128, |sum, (&w, &x)| sum.checked_add(i128::from(w) * i128::from(x)))
                })
                .collect()
        };
        let products: Vec<Option<i128>> =
            project(&self.left, u).into_iter().zip(project(&self.right, v)).map(|(a, b)| a?.checked_mul(b?)).collect();
        let row = |weights: &[i32]| {
            weights.iter().zip(&products).try_fold(0i128, |sum, (&w, product)| {
                if w == 0 {
                    return Some(sum);
                }
                sum.checked_add((*product)?.checked_mul(i128::from(w))?)
            })
        };
        self.combine
            .chunks_exact(self.units)
            .enumerate()
            .map(|(output, weights)| row(weights).ok_or(MapError::Overflow { output }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_reaches_its_limit_and_no_further() {
        let is_fit = |n, m, units, outputs| QuadraticMap::check_dimensions(n, m, units, outputs).is_ok();
        let (inputs, units, outputs) = (QuadraticMap::MAX_INPUTS, QuadraticMap::MAX_UNITS, QuadraticMap::MAX_OUTPUTS);
        assert_eq!((inputs, units, outputs, QuadraticMap::MAX_ENTRIES), (131_072, 8192, 4096, 33_554_432));
        assert!(
            is_fit(inputs, 1, 1, 1) && is_fit(1, inputs, 1, 1) && is_fit(1, 1, units, 1) && is_fit(1, 1, 1, outputs)
        );
        assert!(!is_fit(inputs + 1, 1, 1, 1) && !is_fit(1, inputs + 1, 1, 1));
        assert!(!is_fit(1, 1, units + 1, 1) && !is_fit(1, 1, 1, outputs + 1));
        assert!(!is_fit(0, 1, 1, 1) && !is_fit(1, 0, 1, 1) && !is_fit(1, 1, 0, 1) && !is_fit(1, 1, 1, 0));
        // 2^25 entries, and one column or output more.
        let columns = QuadraticMap::MAX_ENTRIES / units;
        assert!(is_fit(columns, columns, units, 1) && is_fit(1, 1, units, outputs));
        assert!(!is_fit(columns + 1, 1, units, 1) && !is_fit(1, columns + 1, units, 1));
    }

    #[test]
    fn matrices_and_inputs_of_other_shapes_are_refused() {
        let map = |left, right, combine| QuadraticMap::new(2, 3, 2, 3, vec![1; left], vec![1; right], vec![1; combine]);
        assert!(map(4, 6, 6).is_ok());
        for (left, right, combine) in [(5, 6, 6), (4, 5, 6), (4, 6, 5)] {
            assert!(matches!(map(left, right, combine), Err(MapError::Shape { .. })));
        }
        let map = map(4, 6, 6).unwrap();
        assert_eq!(map.evaluate(&[1, 2], &[1, 1, 1]).unwrap(), [18; 3]);
        assert!(map.evaluate(&[1], &[1; 3]).is_err() && map.evaluate(&[1; 2], &[1; 2]).is_err());
    }

    /// A unit that no output reads may exceed 128 bits.
    #[test]
    fn outputs_beyond_128_bits_are_refused() {
        let map = |weight| QuadraticMap::new(1, 1, 1, 1, vec![i32::MAX], vec![i32::MAX], vec![weight]).unwrap();
        let largest = [i64::MAX];
        assert!(map(1).evaluate(&largest, &largest).is_err());
        assert_eq!(map(0).evaluate(&largest, &largest).unwrap(), [0]);
    }
}
