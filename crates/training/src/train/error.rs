//! Why a network cannot be trained.

use std::path::PathBuf;

use dataset::DatasetError;
use dataset::draw::DrawError;
use encoder::EncodeError;

use crate::MeasureError;

/// Why a network cannot be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A label column that does not exist.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Images that cannot be standardised.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// More units, outputs or inputs than a key opens.
    #[error(transparent)]
    Size(#[from] quadratic::MapError),
    /// An accuracy that cannot be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Fresh images that cannot be drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// An option outside its range.
    #[error("training option `{field}` is {value}: {remedy}")]
    Option {
        /// The field of [`TrainOptions`](crate::TrainOptions).
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        remedy: String,
    },
    /// Too few items to train or validate on.
    #[error("the {which} data has {found} items and needs at least {needed}: {remedy}")]
    Items {
        /// `training` or `validation`.
        which: &'static str,
        /// Items there.
        found: usize,
        /// Items needed.
        needed: usize,
        /// The remedy.
        remedy: String,
    },
    /// A validation set with other classes than the training set.
    #[error(
        "label `{label}` has {found} classes in the validation data and {expected} in the training data: use one split of one data set"
    )]
    Classes {
        /// The label column.
        label: String,
        /// Classes in the validation data.
        found: usize,
        /// Classes in the training data.
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
    /// Pairs were requested, but the data have none.
    #[error(
        "`paired` is true, but the training items are not consecutive groups of one per collateral value and one class: draw the data with pairs, or leave `paired` out"
    )]
    NotPaired,
    /// A checkpoint that cannot be read or written.
    #[error("checkpoint {}: {problem}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
}
