//! `halflight dataset import speech`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::import::{self, SpeechOptions};

use super::labels::LabelArguments;
use super::{Target, finish};
use crate::console::Console;

/// Reads a folder of recordings, one word or phrase each: trims silence, computes log-mel energies of a fixed size.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    halflight dataset import speech recordings --pattern '{digit}_{speaker}_{index}.wav' --out words.safetensors")]
pub struct Speech {
    /// Folder of WAV files, with all folders in it
    folder: PathBuf,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    labels: LabelArguments,
    #[command(flatten)]
    features: SpeechFeatures,
}

/// Options of the recordings.
#[derive(Args)]
pub struct SpeechFeatures {
    /// Mel bands
    #[arg(long, default_value_t = 20)]
    bands: usize,
    /// Frames in time
    #[arg(long, default_value_t = 24)]
    frames: usize,
    /// Lowest frequency, Hz
    #[arg(long, default_value_t = 60.0)]
    low: f32,
    /// Highest frequency, Hz, at most half of every recording's sample rate
    #[arg(long, default_value_t = 4000.0)]
    high: f32,
    /// Cut silence at both ends that is this many dB below the loudest frame
    #[arg(long, default_value_t = 40.0)]
    trim: f32,
    /// Changed copies of every recording besides itself: other speed, start, end, noise
    #[arg(long, default_value_t = 0, value_name = "COPIES")]
    augment: usize,
    /// Random seed of the copies
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl SpeechFeatures {
    /// The library's options.
    pub fn options(&self, budget: u64) -> SpeechOptions {
        SpeechOptions {
            bands: self.bands,
            frames: self.frames,
            low: self.low,
            high: self.high,
            trim: self.trim,
            augment: self.augment,
            seed: self.seed,
            budget,
        }
    }
}

impl Speech {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.target.path()?;
        let (source, understood) = self.labels.source(&self.folder)?;
        let options = self.features.options(self.target.memory);
        let bar = console.bar("reading recordings");
        let imported = import::speech(&self.folder, &source, &options, self.target.skip_bad, &bar)?;
        bar.finish_and_clear();
        let SpeechOptions { bands, frames, .. } = options;
        finish(&imported, &format!("speech, {bands} bands in {frames} frames, {understood}"), path, console)
    }
}
