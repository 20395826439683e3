//! Rows over `Z_r` in echelon form.

use crate::field::{Element, inverse};

/// The row space of the added rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echelon {
    /// Rows with their pivot column; the pivot is 1.
    rows: Vec<(usize, Vec<Element>)>,
}

impl Echelon {
    /// Dimension.
    pub(crate) fn rank(&self) -> usize {
        self.rows.len()
    }

    /// Whether a row lies in the space.
    pub(crate) fn contains(&self, row: Vec<Element>) -> bool {
        self.reduced(row).iter().all(|value| *value == Element::ZERO)
    }

    /// Adds a row; true if it was not in the space.
    pub(crate) fn add(&mut self, row: Vec<Element>) -> bool {
        self.pivot(row).is_some()
    }

    /// Adds a row; its pivot column, which no other row has, or none if it was in the space. The added rows are
    /// invertible on their pivot columns.
    pub(crate) fn pivot(&mut self, row: Vec<Element>) -> Option<usize> {
        let mut row = self.reduced(row);
        let pivot = row.iter().position(|value| *value != Element::ZERO)?;
        let scale = inverse(&row[pivot]);
        row.iter_mut().for_each(|value| *value = value.mul(&scale));
        self.rows.push((pivot, row));
        Some(pivot)
    }

    fn reduced(&self, mut row: Vec<Element>) -> Vec<Element> {
        for (pivot, known) in &self.rows {
            let factor = row[*pivot];
            if factor != Element::ZERO {
                row.iter_mut().zip(known).for_each(|(value, of_row)| *value = value.sub(&factor.mul(of_row)));
            }
        }
        row
    }
}
