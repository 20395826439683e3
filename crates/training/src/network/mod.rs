//! A trained network in floats: encoder, private part, public head, and its record.

mod file;
mod parts;
mod record;

pub use parts::{Affine, NetworkParts, PartsError};
pub use record::TrainingRecord;

use burn::tensor::Device;
use dataset::Dataset;
use encoder::{EncodeError, Encoder};
use model::{EvaluateError, Parameters, largest};
use rayon::prelude::*;

use crate::MeasureError;
use crate::float::parameters::{Trained, matrix, to_host};
use crate::float::private::{self, UnitKind};

/// Items evaluated at a time.
const CHUNK: usize = 2048;

/// A trained network. Its outputs have variance 1 over the training data; the head reads them unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(crate) kind: UnitKind,
    pub(crate) encoder: Encoder,
    pub(crate) classes: Vec<String>,
    pub(crate) private: Parameters,
    pub(crate) head: Parameters,
    pub(crate) record: TrainingRecord,
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

    /// How the network was trained.
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

    /// `output(x)` for every item, `[N, S]` row-major: everything that a predictor learns.
    ///
    /// # Errors
    /// Items that the encoder does not take.
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
        model::probabilities(&self.head, outputs, self.width())
    }

    /// The most probable class of every item.
    ///
    /// # Errors
    /// Items that the encoder does not take.
    pub fn predict(&self, data: &Dataset) -> Result<Vec<u32>, EncodeError> {
        let probabilities = self.probabilities(&self.outputs(data)?);
        Ok(probabilities.chunks_exact(self.classes.len()).map(|row| largest(row) as u32).collect())
    }

    /// Percent of items whose main label is predicted.
    ///
    /// # Errors
    /// No such label column, no item, items that the encoder does not take.
    pub fn accuracy(&self, data: &Dataset) -> Result<f64, MeasureError> {
        let labels = &data.labels(&self.record.main)?.values;
        share_right(&self.predict(data)?, labels)
    }
}

/// Rows `(1, z)` of the left side, with `z` as coarse as when it is encrypted, and of the right side if it reads fewer
/// columns.
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

/// Percent of predictions that equal their label.
fn share_right(predicted: &[u32], labels: &[u32]) -> Result<f64, MeasureError> {
    if labels.is_empty() {
        return Err(EvaluateError::Empty.into());
    }
    let right = predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count();
    Ok(percent(right, labels.len()))
}

/// A fraction in percent, rounded to a ten-thousandth so that its text form is exact.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    rounded(100.0 * part as f64 / whole.max(1) as f64)
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
