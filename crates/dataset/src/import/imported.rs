//! The result of an import.

use std::collections::BTreeMap;

use crate::Dataset;

/// The result of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The data set.
    pub data: Dataset,
    /// What was left out and why, in order; empty unless bad items may be skipped.
    pub skipped: Vec<Skipped>,
    /// How many sound items the options left out, by reason.
    pub filtered: BTreeMap<String, usize>,
    /// Values of tables that did not fit, and the rule that replaced them.
    pub handled: Vec<Handled>,
    /// Columns of a table that are neither features nor labels.
    pub ignored: Vec<String>,
}

/// Values of one column that a rule replaced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Handled {
    /// The column.
    pub column: String,
    /// `missing`, `unknown` or `outside`.
    pub what: String,
    /// The rule, such as `median`.
    pub rule: String,
    /// The number of such values.
    pub count: usize,
}

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// Its file, or file and row.
    pub place: String,
    /// Why it could not be read.
    pub reason: String,
}
