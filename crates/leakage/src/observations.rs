//! The outputs that an attacker sees, and the labels that the audit scores it with.

use crate::error::AuditError;
use crate::outputs::Outputs;

/// Maximum number of outputs per item that the audit accepts: raw inputs of 64×64 pixels still fit, as a control.
pub const WIDTH_LIMIT: usize = 4096;
/// Maximum number of classes of either label.
pub const CLASS_LIMIT: usize = 1024;
/// Fewest training items of a main class.
pub const LEAST_ITEMS: usize = 10;

/// Outputs of one network on labelled items.
///
/// `outputs` is row-major, N·`width`, in any unit and scale; attackers standardise it. Integers are kept as they are,
/// because some attackers read their digits. The attacker knows `main` (the predictor learns it anyway) and tries to
/// predict `collateral`. Labels are indices into the two lists of class names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observations {
    /// Outputs, row-major, N·`width` finite numbers.
    pub outputs: Outputs,
    /// Outputs per item, S.
    pub width: usize,
    /// Main label of each item.
    pub main: Vec<u32>,
    /// Collateral attribute of each item.
    pub collateral: Vec<u32>,
    /// Names of the main classes.
    pub main_classes: Vec<String>,
    /// Names of the values of the collateral attribute.
    pub collateral_classes: Vec<String>,
}

impl Observations {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.main.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.main.is_empty()
    }

    /// Outputs of item `i`, to 53 bits.
    ///
    /// # Panics
    /// If `i` is not an item.
    pub fn row(&self, i: usize) -> Vec<f64> {
        (i * self.width..(i + 1) * self.width).map(|at| self.outputs.value(at)).collect()
    }

    /// The given items, in that order.
    ///
    /// # Panics
    /// If one of them does not exist.
    pub fn subset(&self, items: &[usize]) -> Observations {
        Observations {
            outputs: self.outputs.subset(items, self.width),
            width: self.width,
            main: items.iter().map(|&i| self.main[i]).collect(),
            collateral: items.iter().map(|&i| self.collateral[i]).collect(),
            main_classes: self.main_classes.clone(),
            collateral_classes: self.collateral_classes.clone(),
        }
    }

    /// Checks one split on its own; `split` (`train` or `test`) appears in the message.
    ///
    /// # Errors
    /// No items, columns of different lengths, too many or too few outputs or classes, labels without a class, outputs
    /// that are not finite.
    pub fn validate(&self, split: &'static str) -> Result<(), AuditError> {
        let items = self.main.len();
        if items == 0 {
            return Err(AuditError::Empty { split });
        }
        if self.width == 0 || self.width > WIDTH_LIMIT {
            return Err(AuditError::Width { split, width: self.width, limit: WIDTH_LIMIT });
        }
        let length = |field, actual: usize, expected: Option<usize>| match expected {
            Some(expected) if expected == actual => Ok(()),
            _ => Err(AuditError::Length { split, field, actual, expected: expected.unwrap_or(usize::MAX), items }),
        };
        length("outputs", self.outputs.len(), items.checked_mul(self.width))?;
        length("collateral", self.collateral.len(), Some(items))?;
        class_count("main_classes", self.main_classes.len(), 1)?;
        class_count("collateral_classes", self.collateral_classes.len(), 2)?;
        labels(split, "main", &self.main, &self.main_classes)?;
        labels(split, "collateral", &self.collateral, &self.collateral_classes)?;
        match self.outputs.unsound() {
            Some((at, value)) => {
                Err(AuditError::NotFinite { split, row: at / self.width, column: at % self.width, value })
            }
            None => Ok(()),
        }
    }
}

/// Checks both splits and that they describe the same network and labels.
pub(crate) fn validate_pair(train: &Observations, test: &Observations) -> Result<(), AuditError> {
    train.validate("train")?;
    test.validate("test")?;
    let differs = |field, train: String, test: String| Err(AuditError::Mismatch { field, train, test });
    if train.width != test.width {
        return differs("width", train.width.to_string(), test.width.to_string());
    }
    if train.main_classes != test.main_classes {
        let [a, b] = [train, test].map(|x| x.main_classes.join(", "));
        return differs("main_classes", a, b);
    }
    if train.collateral_classes != test.collateral_classes {
        let [a, b] = [train, test].map(|x| x.collateral_classes.join(", "));
        return differs("collateral_classes", a, b);
    }
    for (class, name) in train.main_classes.iter().enumerate() {
        let items = train.main.iter().filter(|&&m| m as usize == class).count();
        if items < LEAST_ITEMS {
            return Err(AuditError::TooFew { class: name.clone(), items, least: LEAST_ITEMS });
        }
    }
    Ok(())
}

fn class_count(field: &'static str, classes: usize, least: usize) -> Result<(), AuditError> {
    if (least..=CLASS_LIMIT).contains(&classes) {
        return Ok(());
    }
    Err(AuditError::ClassCount { field, classes, least, limit: CLASS_LIMIT })
}

fn labels(split: &'static str, field: &'static str, values: &[u32], classes: &[String]) -> Result<(), AuditError> {
    let mut seen = vec![false; classes.len()];
    for (row, &value) in values.iter().enumerate() {
        match seen.get_mut(value as usize) {
            Some(seen) => *seen = true,
            None => {
                return Err(AuditError::LabelRange {
                    split,
                    field,
                    row,
                    value,
                    classes: classes.len(),
                    last: classes.len().saturating_sub(1),
                });
            }
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(class) => Err(AuditError::MissingClass { split, field, class, name: classes[class].clone() }),
        None => Ok(()),
    }
}
