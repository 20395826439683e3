//! Integer networks in memory.

use super::error::ImportError;
use super::raw::Raw;

/// The name in errors, instead of a file.
pub(super) const NAME: &str = "the network";

/// A matrix of integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerMatrix {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Row by row.
    pub values: Vec<i32>,
}

/// The matrices of a network, the biases in column 0 of `P` and `R`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integers {
    /// `P`, `[d, n]`.
    pub left: IntegerMatrix,
    /// `R`, `[d, m]`; none for squares.
    pub right: Option<IntegerMatrix>,
    /// `D`, `[S, d]`.
    pub combine: IntegerMatrix,
}

impl Integers {
    /// The matrices, if they fit each other and inputs `(n, m)`.
    pub(super) fn checked(self, (n, m): (usize, usize)) -> Result<Raw, ImportError> {
        let Self { left, right, combine } = self;
        let (units, outputs) = (left.shape.0, combine.shape.0);
        fits("P", &left, units, n, "the inputs need [units, n]")?;
        match &right {
            Some(right) => fits("R", right, units, m, "the units and inputs need [units, m]")?,
            None if n != m => {
                return Err(size("R", "is missing, and the encoder carries fewer columns on the right".into()));
            }
            None => {}
        }
        fits("D", &combine, outputs, units, "the units need [outputs, units]")?;
        let right = right.map(|right| right.values);
        Ok(Raw { left: left.values, right, combine: combine.values, units, outputs, head: None })
    }
}

fn fits(name: &str, matrix: &IntegerMatrix, rows: usize, columns: usize, need: &str) -> Result<(), ImportError> {
    let (found, values) = (matrix.shape, matrix.values.len());
    if found != (rows, columns) || rows == 0 || Some(values) != rows.checked_mul(columns) {
        let (a, b) = found;
        let problem = format!(
            "has shape [{a}, {b}] and {values} values, and {need}, here [{rows}, {columns}]: check the size of the \
             items and the bias column, or transpose it"
        );
        return Err(size(name, problem));
    }
    Ok(())
}

fn size(field: &str, problem: String) -> ImportError {
    ImportError::Size { path: NAME.into(), field: field.into(), problem }
}
