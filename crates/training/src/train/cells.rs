//! Which items may fill which place of a batch.
//!
//! A *cell* is a main class together with a value of the collateral attribute. Stratified batches hold
//! the same number of items of every cell, ordered by class, value, item; with pairs, item `i` of all
//! cells of a class shows one and the same drawing.

use std::collections::BTreeMap;

use dataset::Dataset;

use super::TrainError;

/// Labels of every item, as numbers: the main class, and the combination of collateral values.
pub(crate) struct Targets {
    pub main: Vec<u32>,
    pub classes: Vec<String>,
    pub collateral: Vec<u32>,
    /// Combinations of collateral values that occur.
    pub values: usize,
}

impl Targets {
    /// Reads the label columns; several collateral columns become one of their combinations.
    pub(crate) fn read(data: &Dataset, main: &str, collateral: &[String]) -> Result<Self, TrainError> {
        let labels = data.labels(main)?;
        let mut keys = vec![Vec::with_capacity(collateral.len()); data.len()];
        for name in collateral {
            let column = data.labels(name)?;
            for (key, &value) in keys.iter_mut().zip(&column.values) {
                key.push(value);
            }
        }
        let mut numbers: BTreeMap<&[u32], u32> = keys.iter().map(|key| (key.as_slice(), 0)).collect();
        for (number, value) in (0..).zip(numbers.values_mut()) {
            *value = number;
        }
        let values = numbers.len();
        let collateral = keys.iter().map(|key| numbers[key.as_slice()]).collect();
        Ok(Self { main: labels.values.clone(), classes: labels.classes.clone(), collateral, values })
    }

    /// Whether the items come in consecutive groups of one per collateral value, all of one class.
    pub(crate) fn are_paired(&self) -> bool {
        let group = self.values;
        group > 1
            && !self.main.is_empty()
            && self.main.len().is_multiple_of(group)
            && self.main.chunks(group).all(|classes| classes.iter().all(|class| *class == classes[0]))
            && self.collateral.chunks(group).all(|values| {
                let mut seen = values.to_vec();
                seen.sort_unstable();
                seen.iter().zip(0..).all(|(&value, expected)| value == expected)
            })
    }
}

/// The cells of a data set.
pub(crate) struct Cells {
    /// For each main class that occurs, its cells in the order of values.
    pub classes: Vec<Vec<Cell>>,
    pub paired: bool,
}

/// The items of one cell. In paired data, entry `i` of all cells of a class shows the same drawing.
pub(crate) struct Cell {
    pub items: Vec<u32>,
}

impl Cells {
    pub(crate) fn new(targets: &Targets, paired: bool) -> Self {
        let mut cells: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for (item, (&class, &value)) in (0..).zip(targets.main.iter().zip(&targets.collateral)) {
            cells.entry((class, value)).or_default().push(item);
        }
        let mut classes: BTreeMap<u32, Vec<Cell>> = BTreeMap::new();
        for ((class, _), items) in cells {
            classes.entry(class).or_default().push(Cell { items });
        }
        Self { classes: classes.into_values().collect(), paired }
    }

    /// The number of cells.
    pub(crate) fn len(&self) -> usize {
        self.classes.iter().map(Vec::len).sum()
    }
}
