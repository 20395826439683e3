//! What importers give.

use crate::PublicHead;

/// A network as a file holds it: biases first, rows by unit or output.
pub(super) struct Raw {
    pub left: Vec<i32>,
    /// `None` for squares.
    pub right: Option<Vec<i32>>,
    pub combine: Vec<i32>,
    pub units: usize,
    pub outputs: usize,
    pub head: Option<PublicHead>,
}
