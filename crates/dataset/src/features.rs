//! Measured values as bytes: what a byte of each column stands for.

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;

/// The meaning of the bytes of a data set that holds features rather than pictures:
/// `value = low + step · byte`, for each of the `H · W` columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// The columns' names, row by row; or none.
    pub names: Vec<String>,
    /// The value of byte 0: one for all columns, or one for each.
    pub low: Vec<f32>,
    /// The difference between neighbouring bytes, positive: as many as `low`.
    pub step: Vec<f32>,
}

impl Features {
    /// Turns rows of `columns` values into bytes with one scale per column.
    ///
    /// The scale spans the values between the quantiles 0.001 and 0.999, so that a single outlier
    /// does not blur all others; outliers are clamped. A value inside is kept to within half a step,
    /// 1/510 of the span. `values` must be finite, whole rows.
    pub fn quantise(values: &[f32], columns: usize, names: Vec<String>) -> (Vec<u8>, Self) {
        let mut features = Self { names, low: Vec::with_capacity(columns), step: Vec::with_capacity(columns) };
        for column in 0..columns {
            let (low, step) = scale(values.iter().skip(column).step_by(columns).copied().collect());
            features.low.push(low);
            features.step.push(step);
        }
        let bytes = values.iter().enumerate().map(|(place, &value)| features.byte(place % columns, value));
        (bytes.collect(), features)
    }

    /// Turns values into bytes with one scale for all columns, clamped at `low` and `high`.
    pub fn quantise_all(values: &[f32], low: f32, high: f32) -> (Vec<u8>, Self) {
        let features = Self { names: vec![], low: vec![low], step: vec![(high - low) / 255.0] };
        (values.iter().map(|&value| features.byte(0, value)).collect(), features)
    }

    /// The value that a byte of a column stands for.
    pub fn value(&self, column: usize, byte: u8) -> f32 {
        self.low[column.min(self.low.len() - 1)] + self.step[column.min(self.step.len() - 1)] * f32::from(byte)
    }

    /// The byte nearest to a value of a column that has its own scale; use column 0 where all columns share one.
    pub(crate) fn byte(&self, column: usize, value: f32) -> u8 {
        // The cast clamps.
        ((value - self.low[column]) / self.step[column]).round() as u8
    }

    pub(crate) fn check(&self, columns: usize) -> Result<(), DatasetError> {
        let fails = |problem: String| Err(DatasetError::Features { problem });
        if !self.names.is_empty() && self.names.len() != columns {
            return fails(format!("{} names for {columns} columns", self.names.len()));
        }
        if self.low.len() != self.step.len() || ![1, columns].contains(&self.low.len()) {
            return fails(format!("{} lows and {} steps for {columns} columns", self.low.len(), self.step.len()));
        }
        let sound = |(low, step): (&f32, &f32)| low.is_finite() && step.is_finite() && *step > 0.0;
        match self.low.iter().zip(&self.step).position(|pair| !sound(pair)) {
            Some(place) => fails(format!("low {} and step {} at {place}", self.low[place], self.step[place])),
            None => Ok(()),
        }
    }
}

/// Low and step of a column of these values.
fn scale(values: Vec<f32>) -> (f32, f32) {
    let (low, high) = span(values);
    (low, step(low, high))
}

/// The step between bytes of a column whose values go from `low` to `high`.
pub(crate) fn step(low: f32, high: f32) -> f32 {
    let step = (high - low) / 255.0;
    if step > 0.0 && step.is_finite() { step } else { 1.0 }
}

/// The quantiles 0.001 and 0.999.
pub(crate) fn span(mut values: Vec<f32>) -> (f32, f32) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    values.sort_by(f32::total_cmp);
    let tail = values.len() / 1000;
    let (low, high) = (values[tail], values[values.len() - 1 - tail]);
    // A column that is almost constant keeps its rare values.
    if low < high { (low, high) } else { (values[0], values[values.len() - 1]) }
}
