//! Why a network cannot be compiled.

use dataset::{DatasetError, EncodeError};

use crate::network::EvaluateError;
use crate::train::TrainError;

/// Why a network cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A label column that does not exist.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Images that the encoder does not take.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An evaluation that failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Labels or batches that do not fit the defence.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// An option outside its range.
    #[error("compile option `{field}` is {value}: {remedy}")]
    Option {
        /// The field of [`CompileOptions`](crate::CompileOptions).
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        remedy: String,
    },
    /// Too few items to tune and measure on.
    #[error("the calibration data has {found} items and needs at least {needed}: give a larger data set")]
    Items {
        /// Items there.
        found: usize,
        /// Items needed.
        needed: usize,
    },
    /// Data with other classes than the network's.
    #[error(
        "label `{label}` has {found} classes in the calibration data and {expected} in the network: give data like the training data"
    )]
    Classes {
        /// The label column.
        label: String,
        /// Classes in the data.
        found: usize,
        /// Classes in the network.
        expected: usize,
    },
    /// A number that is not finite.
    #[error("`{tensor}` stopped being a finite number at step {step}: lower `rate`, or the weight of the defence")]
    NotFinite {
        /// The loss or the weights at fault.
        tensor: String,
        /// The step, from 0.
        step: usize,
    },
    /// Projections beyond 64 bits.
    #[error("the integers leave 64-bit projections: lower the precision, or train with smaller weights")]
    Overflow,
    /// An output that the discrete logarithm is not to cover.
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
