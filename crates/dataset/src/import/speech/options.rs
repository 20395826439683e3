//! Options of imported recordings, and their limits.

use serde::{Deserialize, Serialize};

use crate::import::DEFAULT_BUDGET;
use crate::import::error::ImportError;

/// Options of imported recordings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechOptions {
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
    /// Changed copies of every recording besides itself, 0 to 100: another speed (±10 %), another start and end, noise.
    /// If there are any, the label `copy` distinguishes them from the originals (`0`).
    ///
    /// Split by recording before training, or copies of one recording land on both sides.
    pub augment: usize,
    /// Random seed of the changes.
    pub seed: u64,
    /// Bytes that the import may unpack: the recordings being converted and all items together.
    pub budget: u64,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        Self { bands: 20, frames: 24, low: 60.0, high: 4000.0, trim: 40.0, augment: 0, seed: 0, budget: DEFAULT_BUDGET }
    }
}

impl SpeechOptions {
    pub(super) fn check(&self) -> Result<(), ImportError> {
        let limits = [
            ("bands", self.bands as f32, 2.0, 128.0),
            ("frames", self.frames as f32, 1.0, 1024.0),
            ("low", self.low, 0.0, 20_000.0),
            ("high", self.high, self.low + 100.0, 24_000.0),
            ("trim", self.trim, 10.0, 120.0),
            ("augment", self.augment as f32, 0.0, 100.0),
        ];
        match limits.into_iter().find(|&(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((field, value, low, high)) => {
                let remedy = format!("choose from {low} to {high}");
                Err(ImportError::Option { field, value: value.to_string(), remedy })
            }
            None => Ok(()),
        }
    }
}
