//! Speech: WAV recordings to log-mel energies of a fixed size.
//!
//! | step | default |
//! |---|---|
//! | read | 8-, 16-, 24- or 32-bit integers or 32-bit floats, channels averaged |
//! | trim | leading and trailing silence, 40 dB below the loudest frame |
//! | spectrum | Hann windows of 32 ms every 8 ms |
//! | bands | 20 triangles, equally spaced in mel from 60 to 4,000 Hz |
//! | energy | dB below the loudest band and frame of the recording, cut at −60 |
//! | time | averaged or stretched to 24 frames, so that a fast word equals a slow one |
//!
//! An item is `bands × frames`, low bands first. Cepstral coefficients are the cosine transform of
//! these energies: [`Transform::Dct`](encoder::Transform::Dct) of the encoder takes them over frequency
//! and time at once.

mod augment;
mod mel;
mod synthesis;
mod wav;

pub use synthesis::{SynthesisError, SynthesisOptions, synthesise};

use std::path::Path;

use host::Progress;
use serde::{Deserialize, Serialize};

use super::{Budget, DEFAULT_BUDGET, ImportError, Imported, Job, LabelSource};
use crate::Features;
use mel::Analysers;

/// What recordings become.
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
    /// Changed copies of every recording besides itself, 0 to 100: another speed (±10 %), another
    /// start and end, noise. With any, the label `copy` tells them from the originals (`0`).
    ///
    /// Split by recording before training, or the copies of one lie on both sides.
    pub augment: usize,
    /// Decides the changes.
    pub seed: u64,
    /// Bytes that the import may unpack: recordings in work and all items together.
    pub budget: u64,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        Self { bands: 20, frames: 24, low: 60.0, high: 4000.0, trim: 40.0, augment: 0, seed: 0, budget: DEFAULT_BUDGET }
    }
}

/// The lowest energy kept, in dB below the loudest.
const FLOOR: f32 = -60.0;

/// Imports the WAV files of a folder.
pub fn speech(
    folder: &Path,
    labels: &LabelSource,
    options: &SpeechOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    options.check()?;
    let budget = Budget::new(options.budget);
    let listing = labels.list(folder, &["wav", "wave"], &budget)?;
    let job = Job {
        budget: &budget,
        items: 1 + options.augment,
        path: folder,
        label_names: listing.label_names,
        entries: listing.entries,
        height: options.bands,
        width: options.frames,
        copies: options.augment > 0,
        skip_bad,
        generator: "imported speech, log-mel energies".into(),
    };
    let imported = job.run(progress, Analysers::default, |analysers, entry| {
        let (sound, _held) = wav::read(&entry.path, &budget)?;
        let mut items = Vec::with_capacity((1 + options.augment) * options.bands * options.frames);
        for copy in 0..=options.augment {
            let energies = match copy {
                0 => analysers.energies(&sound, options)?,
                copy => analysers.energies(&augment::change(&sound, options.seed, entry.index, copy), options)?,
            };
            items.extend(Features::quantise_all(&energies, FLOOR, 0.0).0);
        }
        Ok(items)
    })?;
    let scale = Features::quantise_all(&[], FLOOR, 0.0).1;
    Ok(Imported { data: imported.data.with_features(scale)?, ..imported })
}

impl SpeechOptions {
    fn check(&self) -> Result<(), ImportError> {
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
