//! Speech: WAV recordings to log-mel energies of a fixed size, as [`items::sound`] has them.
//!
//! Cepstral coefficients are the cosine transform of these energies: [`Transform::Dct`](encoder::Transform::Dct) of the
//! encoder takes them over frequency and time at once.

mod augment;
mod options;
mod synthesis;

pub use options::SpeechOptions;
pub use synthesis::{SynthesisError, SynthesisOptions, synthesise};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use host::Progress;
use items::Features;
use items::sound::{Recording, SoundReader, WavFile};

use super::{Budget, Held, ImportError, Imported, Job, LabelSource};

/// What a sample takes while it is worked on: itself, a changed copy, its part of overlapping windows.
const SAMPLE: u64 = 32;

/// Imports the WAV files of a folder.
pub fn speech(
    folder: &Path,
    labels: &LabelSource,
    options: &SpeechOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    options.check()?;
    // A rate that reaches every frequency: that of the recordings is known once they are read.
    let analysis = options.analysis((2.0 * options.high).ceil() as u32);
    let reader = || SoundReader::new(analysis.clone());
    reader()?;
    let rates = Mutex::new(BTreeMap::<u32, usize>::new());
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
    let imported = job.run(progress, reader, |reader, entry| {
        let reader = reader.as_mut().map_err(|wrong| wrong.to_string())?;
        let (recording, _held) = read(&entry.path, &budget)?;
        let mut items = Vec::with_capacity((1 + options.augment) * options.bands * options.frames);
        for copy in 0..=options.augment {
            let changed = (copy > 0).then(|| augment::change(&recording, options.seed, entry.index, copy)).transpose();
            let changed = changed.map_err(|wrong| wrong.to_string())?;
            items.extend(reader.read(changed.as_ref().unwrap_or(&recording)).map_err(|wrong| wrong.to_string())?);
        }
        *rates.lock().unwrap_or_else(PoisonError::into_inner).entry(recording.rate()).or_default() += 1;
        Ok(items)
    })?;
    let rates = rates.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rate = rates.into_iter().max_by_key(|&(_, count)| count).map_or(analysis.rate, |(rate, _)| rate);
    Ok(Imported { data: imported.data.with_features(Features::of_sound(options.analysis(rate)))?, ..imported })
}

/// A recording, and the room that it takes until it has been worked on.
fn read<'a>(path: &Path, budget: &'a Budget) -> Result<(Recording, Held<'a>), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let file = WavFile::open(BufReader::new(file)).map_err(|wrong| wrong.to_string())?;
    let held = budget.hold(SAMPLE * file.frames() as u64).map_err(|over| over.to_string())?;
    Ok((file.read().map_err(|wrong| wrong.to_string())?, held))
}
