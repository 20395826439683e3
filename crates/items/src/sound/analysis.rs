//! How recordings become items.

use serde::{Deserialize, Serialize};

/// The lowest energy kept, in dB below the loudest.
pub(crate) const FLOOR: f32 = -60.0;

/// How recordings become items: the options of the import of the training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    /// Rows of an item: mel bands, 2 to 128.
    pub bands: usize,
    /// Columns of an item: frames in time, 1 to 1024.
    pub frames: usize,
    /// Lowest frequency in Hz.
    pub low: f32,
    /// Highest frequency in Hz, at most half of every recording's rate.
    pub high: f32,
    /// Frames at both ends that are this many dB below the loudest are cut, 10 to 120.
    pub trim: f32,
    /// The sample rate of most training recordings in Hz, to which a microphone is resampled.
    pub rate: u32,
}

/// A field of an analysis outside its limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}: {remedy}")]
pub struct AnalysisError {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// The allowed values.
    pub remedy: String,
}

impl Default for Analysis {
    fn default() -> Self {
        Self { bands: 20, frames: 24, low: 60.0, high: 4000.0, trim: 40.0, rate: 8000 }
    }
}

impl Analysis {
    /// Checks that every field lies within its limits.
    ///
    /// # Errors
    /// The first field that does not.
    pub fn check(&self) -> Result<(), AnalysisError> {
        let limits = [
            ("bands", self.bands as f32, 2.0, 128.0),
            ("frames", self.frames as f32, 1.0, 1024.0),
            ("low", self.low, 0.0, 20_000.0),
            ("high", self.high, self.low + 100.0, 24_000.0),
            ("trim", self.trim, 10.0, 120.0),
            ("rate", self.rate as f32, 2.0 * self.high, 192_000.0),
        ];
        match limits.into_iter().find(|&(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((field, value, low, high)) => {
                let remedy = format!("choose from {low} to {high}");
                Err(AnalysisError { field, value: value.to_string(), remedy })
            }
            None => Ok(()),
        }
    }
}
