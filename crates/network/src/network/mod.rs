//! A trained network in floats: encoder, private part, public head, and how it came to be.

mod file;
mod record;

pub(crate) use file::{insert_head, read_head};
pub use record::TrainingRecord;

use burn::tensor::Device;
use dataset::{Dataset, DatasetError, EncodeError, Encoder};
use rayon::prelude::*;

use crate::model::head;
use crate::model::parameters::{Parameters, matrix, to_host};
use crate::model::private::{self, UnitKind};

/// Items evaluated at a time.
const CHUNK: usize = 2048;

/// A trained network. Its outputs have variance 1 over the training data; the head reads them as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(crate) kind: UnitKind,
    pub(crate) encoder: Encoder,
    pub(crate) classes: Vec<String>,
    pub(crate) private: Parameters,
    pub(crate) head: Parameters,
    pub(crate) record: TrainingRecord,
}

/// Why a network cannot be evaluated on a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A label column that does not exist.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An image that the encoder does not take.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// No item to measure an accuracy on.
    #[error("an accuracy needs items: the data set is empty")]
    Empty,
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

impl Network {
    /// What a unit computes.
    pub fn kind(&self) -> UnitKind {
        self.kind
    }

    /// The encoder that came with the training data.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Class names of the main label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How the network came to be.
    pub fn record(&self) -> &TrainingRecord {
        &self.record
    }

    /// Units d of the private part.
    pub fn units(&self) -> usize {
        self.private.0[0].shape[1]
    }

    /// Outputs S of the private part.
    pub fn width(&self) -> usize {
        self.private.0[self.private.0.len() - 1].shape[1]
    }

    /// `output(x)` for every item, `[N, S]` row-major: all that a predictor learns.
    pub fn outputs(&self, data: &Dataset) -> Result<Vec<f32>, EncodeError> {
        let device = Device::flex();
        let leaves = self.private.bind(&device, false);
        let mut outputs = Vec::with_capacity(data.len() * self.width());
        for first in (0..data.len()).step_by(CHUNK) {
            let rows = CHUNK.min(data.len() - first);
            let (x, narrow) = quantised(data, &self.encoder, first, rows)?;
            let (n, m) = self.encoder.inputs();
            let x = matrix(x, rows, n, &device);
            let narrow = narrow.map(|narrow| matrix(narrow, rows, m, &device));
            outputs.extend(to_host(private::forward(&leaves, x, narrow)));
        }
        Ok(outputs)
    }

    /// Probabilities of the classes for outputs `[N, S]`, `[N, C]` row-major.
    pub fn probabilities(&self, outputs: &[f32]) -> Vec<f32> {
        head::probabilities(&self.head, outputs)
    }

    /// The most probable class of every item.
    pub fn predict(&self, data: &Dataset) -> Result<Vec<u32>, EncodeError> {
        Ok(largest(&self.probabilities(&self.outputs(data)?), self.classes.len()))
    }

    /// Percent of items whose main label is predicted.
    pub fn accuracy(&self, data: &Dataset) -> Result<f64, EvaluateError> {
        let labels = &data.labels(&self.record.main)?.values;
        share_right(&self.predict(data)?, labels)
    }
}

/// Rows `(1, z)` of the left side, `z` as fine as it is encrypted, and of the right side where it reads fewer columns.
fn quantised(
    data: &Dataset,
    encoder: &Encoder,
    first: usize,
    rows: usize,
) -> Result<(Vec<f32>, Option<Vec<f32>>), EncodeError> {
    let (n, m) = encoder.inputs();
    let mut x = vec![1.0; rows * n];
    x.par_chunks_exact_mut(n)
        .enumerate()
        .try_for_each(|(row, x)| encoder.quantise(data.image(first + row), &mut x[1..]))?;
    if m == n {
        return Ok((x, None));
    }
    let mut narrow = Vec::with_capacity(rows * m);
    for row in x.chunks_exact(n) {
        narrow.push(1.0);
        narrow.extend(encoder.right().iter().map(|&column| row[1 + column]));
    }
    Ok((x, Some(narrow)))
}

/// The column of the largest value of every row; the first of equals.
pub(crate) fn largest(values: &[f32], columns: usize) -> Vec<u32> {
    let best = |row: &[f32]| (1..columns).fold(0, |best, column| if row[column] > row[best] { column } else { best });
    values.chunks_exact(columns).map(|row| best(row) as u32).collect()
}

/// Percent of predictions that equal their label.
pub(crate) fn share_right(predicted: &[u32], labels: &[u32]) -> Result<f64, EvaluateError> {
    if labels.is_empty() {
        return Err(EvaluateError::Empty);
    }
    let right = predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count();
    Ok(percent(right, labels.len()))
}

/// A share in percent, rounded to a ten-thousandth so that its text form is exact.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    rounded(100.0 * part as f64 / whole.max(1) as f64)
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
