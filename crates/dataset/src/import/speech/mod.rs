//! Speech: WAV recordings to log-mel energies of a fixed size.
//!
//! | step | default |
//! |---|---|
//! | read | 8-, 16-, 24- or 32-bit integers or 32-bit floats, channels averaged |
//! | trim | leading and trailing silence, 40 dB below the loudest frame |
//! | spectrum | Hann windows of 32 ms every 8 ms |
//! | bands | 20 triangles, equally spaced in mel from 60 to 4,000 Hz |
//! | energy | dB below the loudest band and frame of the recording, cut at −60 |
//! | time | averaged or stretched to 24 frames, so that fast and slow words look alike |
//!
//! An item is `bands × frames`, low bands first. Cepstral coefficients are the cosine transform of
//! these energies: [`Transform::Dct`](encoder::Transform::Dct) of the encoder takes them over frequency
//! and time at once.

mod augment;
mod mel;
mod options;
mod synthesis;
mod wav;

pub use options::SpeechOptions;
pub use synthesis::{SynthesisError, SynthesisOptions, synthesise};

use std::path::Path;

use host::Progress;

use super::{Budget, ImportError, Imported, Job, LabelSource};
use crate::Features;
use mel::{Analysers, FLOOR};

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
