//! Options of imported recordings, and their limits.

use items::Analysis;
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
    /// How recordings of this rate are analysed.
    pub fn analysis(&self, rate: u32) -> Analysis {
        let Self { bands, frames, low, high, trim, .. } = *self;
        Analysis { bands, frames, low, high, trim, rate }
    }

    pub(super) fn check(&self) -> Result<(), ImportError> {
        if self.augment > 100 {
            let (value, remedy) = (self.augment.to_string(), "choose from 0 to 100".to_owned());
            return Err(ImportError::Option { field: "augment", value, remedy });
        }
        Ok(())
    }
}
