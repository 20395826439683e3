//! `halflight dataset augment`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dataset::{AugmentOptions, Dataset};

use super::save;
use crate::console::Console;
use crate::files::Output;

/// Writes every picture followed by its changed copies; the label `copy` is 0 for the originals.
#[derive(Args)]
#[command(after_help = "Split first: copies of one picture must not lie on both sides of a test.\n\nExample:\n  \
    halflight dataset augment train.safetensors --copies 9 --out more.safetensors")]
pub struct Augment {
    /// Data set of pictures
    file: PathBuf,
    #[command(flatten)]
    output: Output,
    /// Copies of every picture besides itself
    #[arg(long, default_value_t = 9)]
    copies: usize,
    /// Largest shift along either axis, pixels
    #[arg(long, default_value_t = 1.5)]
    shift: f32,
    /// Largest angle of rotation, degrees
    #[arg(long, default_value_t = 10.0)]
    rotation: f32,
    /// Largest change of size, as a fraction
    #[arg(long, default_value_t = 0.1)]
    scale: f32,
    /// Largest slant, as a fraction of the height
    #[arg(long, default_value_t = 0.15)]
    shear: f32,
    /// Strength of the elastic warp, pixels; 0 for none
    #[arg(long, default_value_t = 25.0)]
    elastic_alpha: f32,
    /// Smoothness of the elastic warp, pixels
    #[arg(long, default_value_t = 4.0)]
    elastic_sigma: f32,
    /// Random seed of the copies
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Augment {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let data = Dataset::load(&self.file)?;
        let options = AugmentOptions {
            copies: self.copies,
            shift: self.shift,
            rotation: self.rotation,
            scale: self.scale,
            shear: self.shear,
            elastic_alpha: self.elastic_alpha,
            elastic_sigma: self.elastic_sigma,
            seed: self.seed,
        };
        let bar = console.bar("changing");
        let data = data.augmented(&options, &bar).with_context(|| self.file.display().to_string())?;
        bar.finish_and_clear();
        save(&data, path, console)
    }
}
