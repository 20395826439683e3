//! `halflight dataset synthesise`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dataset::import::{self, SynthesisOptions};

use super::import::{SpeechFeatures, finish};
use crate::console::Console;
use crate::files::Output;

/// Has espeak-ng speak words in several voices: labels `word`, `accent`, `speaker`, `take`.
#[derive(Args)]
#[command(after_help = "Split by speaker or by take. Synthetic voices are far more alike than people.\n\nExample:\n  \
    halflight dataset synthesise --voices en-us,en-gb-scotland --takes 20 --out words.safetensors")]
pub struct Synthesise {
    #[command(flatten)]
    output: Output,
    /// The words
    #[arg(long, value_delimiter = ',', default_value = "zero,one,two,three,four,five,six,seven,eight,nine")]
    words: Vec<String>,
    /// Voices, as `espeak-ng --voices` lists them: the accents
    #[arg(long, value_delimiter = ',', default_value = "en-us,en-gb-scotland,en-gb-x-rp,en-029")]
    voices: Vec<String>,
    /// Variants, as `espeak-ng --voices=variant` lists them: the speakers
    #[arg(long, value_delimiter = ',', default_value = "m1,m3,m5,m7,f1,f2,f4,f5")]
    variants: Vec<String>,
    /// Recordings of every word in every voice and variant
    #[arg(long, default_value_t = 5)]
    takes: usize,
    /// The program, if it is not on the path
    #[arg(long, default_value = "espeak-ng", value_name = "PROGRAM")]
    espeak: PathBuf,
    /// Keep the WAV files in this folder, made if missing
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    features: SpeechFeatures,
}

impl Synthesise {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let temporary = tempfile::tempdir().context("no temporary folder can be made")?;
        let folder = match &self.keep {
            Some(folder) => {
                fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
                folder.as_path()
            }
            None => temporary.path(),
        };
        let features = self.features.options(dataset::import::DEFAULT_BUDGET);
        let options = SynthesisOptions {
            program: self.espeak,
            words: self.words,
            voices: self.voices,
            variants: self.variants,
            takes: self.takes,
            seed: features.seed,
        };
        let bar = console.bar("speaking");
        let source = import::synthesise(folder, &options, &bar)?;
        bar.finish_and_clear();
        let bar = console.bar("listening");
        let imported = import::speech(folder, &source, &features, false, &bar)?;
        bar.finish_and_clear();
        finish(&imported, "speech by espeak-ng: voices are accents, variants are speakers", path, console)
    }
}
