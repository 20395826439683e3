//! Measured values as bytes: what a byte of each column stands for.

use serde::{Deserialize, Serialize};

use crate::sound::{Analysis, FLOOR};

/// The meaning of the bytes of items that are features rather than pictures:
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
    /// How the columns were made from recordings, where they were and the import said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Analysis>,
}

impl Features {
    /// Turns rows of `columns` values into bytes with one scale per column.
    ///
    /// The scale spans the values between the quantiles 0.001 and 0.999, so that a single outlier
    /// does not blur all others; outliers are clamped. A value inside is kept to within half a step,
    /// 1/510 of the span. `values` must be finite, whole rows.
    pub fn quantise(values: &[f32], columns: usize, names: Vec<String>) -> (Vec<u8>, Self) {
        let (low, step) = (Vec::with_capacity(columns), Vec::with_capacity(columns));
        let mut features = Self { names, low, step, sound: None };
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
        let features = Self { names: vec![], low: vec![low], step: vec![(high - low) / 255.0], sound: None };
        (values.iter().map(|&value| features.byte(0, value)).collect(), features)
    }

    /// The energies of recordings, in dB below the loudest.
    pub fn of_sound(analysis: Analysis) -> Self {
        Self { sound: Some(analysis), ..Self::quantise_all(&[], FLOOR, 0.0).1 }
    }

    /// The value that a byte of a column stands for.
    pub fn value(&self, column: usize, byte: u8) -> f32 {
        self.low[column.min(self.low.len() - 1)] + self.step[column.min(self.step.len() - 1)] * f32::from(byte)
    }

    /// The byte nearest to a value of a column that has its own scale; use column 0 where all columns share one.
    pub fn byte(&self, column: usize, value: f32) -> u8 {
        // The cast clamps.
        ((value - self.low[column]) / self.step[column]).round() as u8
    }

    /// Whether it describes items of `height · width` columns; says what does not fit.
    ///
    /// # Errors
    /// Another number of names or scales, a scale that is none, an analysis of another size.
    pub fn check(&self, height: usize, width: usize) -> Result<(), String> {
        let columns = height * width;
        if !self.names.is_empty() && self.names.len() != columns {
            return Err(format!("{} names for {columns} columns", self.names.len()));
        }
        if self.low.len() != self.step.len() || ![1, columns].contains(&self.low.len()) {
            return Err(format!("{} lows and {} steps for {columns} columns", self.low.len(), self.step.len()));
        }
        let sound = |(low, step): (&f32, &f32)| low.is_finite() && step.is_finite() && *step > 0.0;
        if let Some(place) = self.low.iter().zip(&self.step).position(|pair| !sound(pair)) {
            return Err(format!("low {} and step {} at {place}", self.low[place], self.step[place]));
        }
        let Some(analysis) = &self.sound else { return Ok(()) };
        analysis.check().map_err(|wrong| wrong.to_string())?;
        let own = Self::of_sound(analysis.clone());
        let same = (analysis.bands, analysis.frames, &own.low, &own.step) == (height, width, &self.low, &self.step);
        if same { Ok(()) } else { Err("an analysis of sound with other bands, frames or scale".into()) }
    }
}

/// Low and step of a column of these values.
fn scale(values: Vec<f32>) -> (f32, f32) {
    let (low, high) = span(values);
    (low, step(low, high))
}

/// The step between bytes of a column whose values go from `low` to `high`.
pub fn step(low: f32, high: f32) -> f32 {
    let step = (high - low) / 255.0;
    if step > 0.0 && step.is_finite() { step } else { 1.0 }
}

/// The quantiles 0.001 and 0.999.
pub fn span(mut values: Vec<f32>) -> (f32, f32) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    values.sort_by(f32::total_cmp);
    let tail = values.len() / 1000;
    let (low, high) = (values[tail], values[values.len() - 1 - tail]);
    // A column that is almost constant keeps its rare values.
    if low < high { (low, high) } else { (values[0], values[values.len() - 1]) }
}
