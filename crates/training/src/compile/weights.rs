//! The integers of a network before they become a map.

use model::ModelError;
use quadratic::QuadraticMap;

/// `P` `[d, n]`, `R` `[d, m]` or none for squares, `D` `[S, d]`, row-major; column 0 is the bias.
pub(super) struct Weights {
    pub left: Vec<i32>,
    pub right: Option<Vec<i32>>,
    pub combine: Vec<i32>,
    pub units: usize,
}

impl Weights {
    /// The map, and whether its units are squares.
    pub(super) fn into_map(self) -> Result<(QuadraticMap, bool), ModelError> {
        let Self { left, right, combine, units } = self;
        let squares = right.is_none();
        let right = right.unwrap_or_else(|| left.clone());
        let per_unit = |entries: usize| entries.checked_div(units).unwrap_or(0);
        let (n, m, outputs) = (per_unit(left.len()), per_unit(right.len()), per_unit(combine.len()));
        Ok((QuadraticMap::new(n, m, units, outputs, left, right, combine)?, squares))
    }
}
