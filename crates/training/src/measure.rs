//! Accuracies on labelled data.

use dataset::{Dataset, DatasetError};
use encoder::EncodeError;
use model::{CompiledNetwork, EvaluateError};

/// Why a network cannot be measured on a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// A label column that does not exist.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Items that the network does not take.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl From<EncodeError> for MeasureError {
    fn from(error: EncodeError) -> Self {
        Self::Evaluate(error.into())
    }
}

/// Percent of items whose main label the integer network predicts.
///
/// # Errors
/// No such label column, no item, items that the encoder does not take, outputs outside the declared range.
pub fn accuracy(network: &CompiledNetwork, data: &Dataset) -> Result<f64, MeasureError> {
    Ok(network.accuracy(data, &data.labels(network.main())?.values)?)
}
