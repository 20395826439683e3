//! Why a network cannot be made or evaluated.

use encoder::EncodeError;
use quadratic::MapError;

/// Why a network cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// An image that the encoder does not take.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Vectors that the map does not take.
    #[error(transparent)]
    Map(#[from] MapError),
    /// No item to measure an accuracy on.
    #[error("an accuracy needs items: the data set is empty")]
    Empty,
    /// A number of labels that differs from the number of items.
    #[error("{found} labels were given for {expected} items: give one for each")]
    Labels {
        /// Labels given.
        found: usize,
        /// Items.
        expected: usize,
    },
    /// A vector of another length than the network's.
    #[error("`{field}` has {found} values, and this network needs {expected}: encode with its own encoder")]
    Length {
        /// `u`, `v` or `output`.
        field: &'static str,
        /// Values given.
        found: usize,
        /// Values needed.
        expected: usize,
    },
    /// A coordinate outside the range that the bounds were computed for.
    #[error("`{side}[{coordinate}]` is {value}, outside {low}..={high}: encode with the network's own encoder")]
    Coordinate {
        /// `u` or `v`.
        side: &'static str,
        /// Which coordinate.
        coordinate: usize,
        /// Its value.
        value: i64,
        /// Least value allowed.
        low: i64,
        /// Greatest value allowed.
        high: i64,
    },
    /// An output outside the declared range, which a discrete logarithm would not find.
    #[error(
        "output {output} is {value}, outside the declared {low}..={high}: compile with a larger margin or the exact bounds"
    )]
    OutOfRange {
        /// Which output.
        output: usize,
        /// Its value.
        value: i128,
        /// Least value declared.
        low: i64,
        /// Greatest value declared.
        high: i64,
    },
}

/// Why parts do not make a network, or a network cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A change that the encoder refuses.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A map of sizes that no key opens.
    #[error(transparent)]
    Map(#[from] MapError),
    /// An evaluation that failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A part or an option that does not fit the others.
    #[error("`{field}` is {value}: {remedy}")]
    Field {
        /// The part or option.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        remedy: String,
    },
    /// Projections beyond 64 bits, or outputs beyond 128.
    #[error("the integers leave 64-bit projections: lower the precision, or train with smaller weights")]
    Overflow,
    /// An output with more values than the discrete logarithm may cover.
    #[error(
        "output {output} ranges over {low}..={high}, {bits:.1} bits, and `log_bits` is {limit}: lower the precision or the number of units, raise `log_bits`, or declare the empirical range with a margin"
    )]
    Range {
        /// Which output.
        output: usize,
        /// Its least value.
        low: i128,
        /// Its greatest value.
        high: i128,
        /// log₂ of the number of values.
        bits: f64,
        /// The limit.
        limit: u32,
    },
}
