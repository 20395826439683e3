//! Errors of an audit's input.

/// Why [`crate::audit`] refused its input. Every message names the split, the field and, where
/// there is one, the row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A split holds no items.
    #[error("{split}: no items; give at least one item per class")]
    Empty {
        /// `train` or `test`.
        split: &'static str,
    },
    /// An item has no outputs, or more than the audit handles.
    #[error("{split}: `width` is {width}; an item needs 1 to {limit} outputs")]
    Width {
        /// `train` or `test`.
        split: &'static str,
        /// The value given.
        width: usize,
        /// The largest value accepted.
        limit: usize,
    },
    /// A field's length does not fit the number of items.
    #[error(
        "{split}: `{field}` has {actual} values, {expected} expected ({items} items in `main`); \
         every item needs its outputs, its main label and its collateral attribute"
    )]
    Length {
        /// `train` or `test`.
        split: &'static str,
        /// `outputs` or `collateral`.
        field: &'static str,
        /// Values given.
        actual: usize,
        /// Values needed.
        expected: usize,
        /// Items, from the length of `main`.
        items: usize,
    },
    /// An output is NaN or infinite.
    #[error("{split}: `outputs` row {row}, column {column} is {value}; outputs must be finite numbers")]
    NotFinite {
        /// `train` or `test`.
        split: &'static str,
        /// The item.
        row: usize,
        /// The output.
        column: usize,
        /// The value found.
        value: f32,
    },
    /// A label is not the index of a class.
    #[error(
        "{split}: `{field}` row {row} is {value}, but there are {classes} classes \
         (0 to {last}); give the class's index"
    )]
    LabelRange {
        /// `train` or `test`.
        split: &'static str,
        /// `main` or `collateral`.
        field: &'static str,
        /// The item.
        row: usize,
        /// The value found.
        value: u32,
        /// Number of classes named.
        classes: usize,
        /// The largest label allowed.
        last: usize,
    },
    /// Too few or too many classes are named.
    #[error("`{field}` names {classes} classes; {least} to {limit} are needed")]
    ClassCount {
        /// `main_classes` or `collateral_classes`.
        field: &'static str,
        /// Number of classes named.
        classes: usize,
        /// The smallest number accepted.
        least: usize,
        /// The largest number accepted.
        limit: usize,
    },
    /// A class has no item in a split.
    #[error(
        "{split}: `{field}` class {class} (`{name}`) has no item; every class must appear in \
         both splits, or be left out of `{field}_classes`"
    )]
    MissingClass {
        /// `train` or `test`.
        split: &'static str,
        /// `main` or `collateral`.
        field: &'static str,
        /// The class's index.
        class: usize,
        /// The class's name.
        name: String,
    },
    /// The two splits do not describe the same network and attribute.
    #[error(
        "`{field}` differs between train ({train}) and test ({test}); audit both splits of the \
         same network and attribute"
    )]
    Mismatch {
        /// `width`, `main_classes` or `collateral_classes`.
        field: &'static str,
        /// The value in the training split.
        train: String,
        /// The value in the test split.
        test: String,
    },
    /// The training split is too small to train attackers and to choose among them on held-out items.
    #[error(
        "train: main class `{class}` has {items} items, at least {least} are needed to train \
         attackers and to choose the strongest on held-out items"
    )]
    TooFew {
        /// The main class.
        class: String,
        /// Items found.
        items: usize,
        /// Items needed.
        least: usize,
    },
    /// An option is out of its range.
    #[error("option `{option}` is {value}; {remedy}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// The value given.
        value: String,
        /// The accepted values.
        remedy: &'static str,
    },
    /// An attacker's name is unknown.
    #[error("unknown attacker family `{name}`; known: {known}")]
    UnknownFamily {
        /// The name given.
        name: String,
        /// The names that exist.
        known: String,
    },
}
