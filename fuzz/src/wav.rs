//! Recordings: any WAV file, as an item of speech. Samples that are read become an item of the requested size.

use std::sync::LazyLock;

use dataset::import::{LabelSource, SpeechOptions, speech};
use host::Silent;

use crate::{BUDGET, Scratch};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("7_anna_1.wav"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let labels = LabelSource::Pattern("{digit}_{speaker}_{}.wav".into());
    let augment = usize::from(mode % 2);
    let options = SpeechOptions { bands: 4, frames: 3, augment, budget: BUDGET, ..SpeechOptions::default() };
    let folder = FILE.put(data).parent().expect("it lies in a folder");
    if let Ok(read) = speech(folder, &labels, &options, false, &Silent) {
        assert_eq!(read.data.images().len(), 12 * (1 + augment));
    }
}
