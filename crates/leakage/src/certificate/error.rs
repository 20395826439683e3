//! Why nothing was certified.

/// Why [`certify`](super::certify) refused. Every message names the field and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// An output carries no noise.
    #[error("output {output} has no noise; nothing can be certified without noise under encryption")]
    NoNoise {
        /// Index of the output.
        output: usize,
    },
    /// The noise of an output is wider than its table holds.
    #[error(
        "output {output}: its noise reaches {reach} steps; at most {limit} can be evaluated: compile with fewer bits of \
         weights or inputs"
    )]
    WideNoise {
        /// Index of the output.
        output: usize,
        /// `deviation · tail`.
        reach: u64,
        /// Largest reach accepted.
        limit: u64,
    },
    /// The range of an output is empty, or overflows once noise is added.
    #[error("output {output}: the range {low} to {high} is empty or leaves 64 bits once noise is added")]
    Range {
        /// Index of the output.
        output: usize,
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
    },
    /// A sample lies outside the range that its output states.
    #[error("`outputs` row {row}, column {output} is {value}, outside {low} to {high}; give the exact range")]
    OutOfRange {
        /// Index of the item.
        row: usize,
        /// Index of the output.
        output: usize,
        /// The value found.
        value: i64,
        /// Smallest value stated.
        low: i64,
        /// Largest value stated.
        high: i64,
    },
    /// No noise, hence no output, was given.
    #[error("`noise` is empty; describe the noise of at least one output")]
    NoOutputs,
    /// A field's length does not fit the number of items.
    #[error("`{field}` has {actual} values, {expected} expected for the items in `main`")]
    Length {
        /// `outputs` or `collateral`.
        field: &'static str,
        /// Values given.
        actual: usize,
        /// Values needed.
        expected: usize,
    },
    /// A label names no class.
    #[error("`{field}` row {row} is {value}, but there are {classes} classes")]
    Label {
        /// `main` or `collateral`.
        field: &'static str,
        /// Index of the item.
        row: usize,
        /// The label found.
        value: u32,
        /// Number of classes.
        classes: usize,
    },
    /// Too few names of classes.
    #[error("`{field}` has {actual} names; at least {least} needed")]
    Classes {
        /// `main_classes` or `collateral_classes`.
        field: &'static str,
        /// Names given.
        actual: usize,
        /// Names needed.
        least: usize,
    },
    /// A class has too few samples of a value for a bound below certainty.
    #[error("main class `{class}` has {found} samples of `{value}`; at least {needed} of each are needed")]
    TooFewSamples {
        /// Name of the main class.
        class: String,
        /// Name of the attribute's value.
        value: String,
        /// Samples given.
        found: usize,
        /// Samples needed.
        needed: usize,
    },
    /// An option is out of its range.
    #[error("`{field}` is {value}; it must be {range}")]
    Option {
        /// `confidence`, `points`, `votes` or `prior`.
        field: &'static str,
        /// The value given.
        value: f64,
        /// What is accepted, in words.
        range: &'static str,
    },
}
