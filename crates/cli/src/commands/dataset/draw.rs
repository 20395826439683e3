//! `halflight dataset draw`.

use anyhow::Result;
use clap::Args;
use dataset::draw::{DrawSpec, FontSpec, Generator};

use super::save;
use crate::console::Console;
use crate::files::Output;

/// Draws images with the labels `character` and `font`.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight dataset draw --count 60000 --seed 1 --out train.safetensors")]
pub struct Draw {
    #[command(flatten)]
    output: Output,
    /// Images to draw
    #[arg(long, default_value_t = 60_000)]
    count: usize,
    /// Random seed: equal seeds give equal images, whatever the number of threads
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The main classes
    #[arg(long, default_value = "0123456789")]
    characters: String,
    /// A font: `cursive`, `serif` (both embedded), or a TTF or OTF file; repeat for more
    #[arg(long = "font", value_name = "FONT", default_values = ["cursive", "serif"])]
    fonts: Vec<String>,
    /// Draw each deformation in every font, one after the other, for the pairing loss
    #[arg(long)]
    pairs: bool,
    /// Rows and columns of an image
    #[arg(long, default_value_t = 28)]
    size: usize,
    /// Mean em size in pixels
    #[arg(long, default_value_t = 50.0 * 28.0 / 72.0)]
    em: f32,
    /// Standard deviation of the em size, as a fraction of it
    #[arg(long, default_value_t = 0.05)]
    em_deviation: f32,
    /// Standard deviation of the rotation, degrees
    #[arg(long, default_value_t = 10.0)]
    rotation: f32,
    /// Do not centre the images on their ink
    #[arg(long)]
    no_recentre: bool,
    /// Strength of the elastic warp, pixels
    #[arg(long, default_value_t = 68.0)]
    elastic_alpha: f32,
    /// Smoothness of the elastic warp, pixels
    #[arg(long, default_value_t = 9.0)]
    elastic_sigma: f32,
}

impl Draw {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let generator = Generator::new(&DrawSpec {
            characters: self.characters.chars().collect(),
            fonts: self.fonts.iter().map(|font| FontSpec::parse(font)).collect(),
            height: self.size,
            width: self.size,
            em: self.em,
            em_deviation: self.em_deviation,
            rotation: self.rotation,
            recentre: !self.no_recentre,
            elastic_alpha: self.elastic_alpha,
            elastic_sigma: self.elastic_sigma,
        })?;
        let bar = console.bar("drawing");
        let data = match self.pairs {
            true => generator.draw_pairs(self.count, self.seed, &bar),
            false => generator.draw(self.count, self.seed, &bar),
        };
        bar.finish_and_clear();
        save(&data, path, console)
    }
}
