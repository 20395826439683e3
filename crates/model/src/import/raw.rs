//! The result of an importer.

use crate::PublicHead;

/// A network in the layout of its file: biases first, rows by unit or output.
pub(super) struct Raw {
    pub left: Vec<i32>,
    /// `None` for squares.
    pub right: Option<Vec<i32>>,
    pub combine: Vec<i32>,
    pub units: usize,
    pub outputs: usize,
    pub head: Option<PublicHead>,
}
