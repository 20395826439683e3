//! Why a network cannot be compiled.

use dataset::DatasetError;
use encoder::EncodeError;
use model::{EvaluateError, ModelError};

use crate::train::TrainError;
use crate::{HistoryError, MeasureError};

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
    /// An accuracy that cannot be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Integers that do not make a network, or ranges too wide for a discrete logarithm.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A history that has no stored form.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Labels or batches that do not fit the defence.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// An option outside its range.
    #[error("compile option `{field}` is {value}: {remedy}")]
    Option {
        /// The field of [`CompileOptions`](crate::CompileOptions).
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
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
}

/// Refuses an option whose condition fails.
pub(super) fn require(
    holds: bool,
    field: &'static str,
    value: impl ToString,
    remedy: &str,
) -> Result<(), CompileError> {
    if holds {
        return Ok(());
    }
    Err(CompileError::Option { field, value: value.to_string(), remedy: remedy.to_string() })
}
