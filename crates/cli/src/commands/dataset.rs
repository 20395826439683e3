//! `halflight dataset`: draw, import, show.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use dataset::Summary;
use dataset::draw::{DrawSpec, FontSpec, Generator};
use dataset::sheet::{self, SheetOptions};
use serde_json::json;

use crate::console::Console;
use crate::files::{self, Output};

/// The verbs on data sets.
#[derive(Subcommand)]
pub enum Dataset {
    /// Draw characters in several fonts, as the paper does
    Draw(Draw),
    /// Bring data in from elsewhere
    #[command(subcommand)]
    Import(Import),
    /// Say what is in a data set, and draw a contact sheet
    Show(Show),
}

impl Dataset {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Draw(draw) => draw.run(console),
            Self::Import(import) => import.run(console),
            Self::Show(show) => show.run(console),
        }
    }
}

/// Draws images with the labels `character` and `font`.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight dataset draw --count 60000 --seed 1 --out train.safetensors")]
pub struct Draw {
    #[command(flatten)]
    output: Output,
    /// Images to draw
    #[arg(long, default_value_t = 60_000)]
    count: usize,
    /// Names the set: equal seeds give equal images, whatever the number of threads
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The main classes
    #[arg(long, default_value = "0123456789")]
    characters: String,
    /// A font: `cursive`, `serif` (both embedded), or a TTF or OTF file; give it once for each font
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
    /// Standard deviation of the em size, as a share of it
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
    fn run(self, console: &Console) -> Result<()> {
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

/// Sources of data.
#[derive(Subcommand)]
pub enum Import {
    /// IDX files as MNIST has them, plain or gzipped; the label is `digit`
    Idx {
        /// File of images
        images: PathBuf,
        /// File of labels
        labels: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// The embedded 1,797 handwritten digits (UCI), 8×8
    Handwriting {
        #[command(flatten)]
        output: Output,
    },
}

impl Import {
    fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Idx { images, labels, output } => {
                let path = output.path()?;
                save(&dataset::idx::read(&images, &labels)?, path, console)
            }
            Self::Handwriting { output } => {
                let path = output.path()?;
                save(&dataset::handwriting::digits(), path, console)
            }
        }
    }
}

fn save(data: &dataset::Dataset, path: &std::path::Path, console: &Console) -> Result<()> {
    data.save(path)?;
    let labels: Vec<&str> = data.columns().iter().map(|column| column.name.as_str()).collect();
    console.result(
        &json!({
            "file": path, "items": data.len(), "height": data.height(), "width": data.width(), "labels": labels,
        }),
        || {
            let size = format!("{}×{}", data.height(), data.width());
            format!("{}: {} images of {size}, labels {}", path.display(), data.len(), labels.join(", "))
        },
    )
}

/// Summary and contact sheet.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight dataset show train.safetensors --sheet sheet.png")]
pub struct Show {
    /// Data set
    file: PathBuf,
    /// PNG file for a contact sheet of the first images
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
    /// Replace the sheet if it exists
    #[arg(long)]
    force: bool,
}

impl Show {
    fn run(self, console: &Console) -> Result<()> {
        if let Some(sheet) = &self.sheet {
            files::check_writable(sheet, self.force)?;
        }
        let data = dataset::Dataset::load(&self.file)?;
        if let Some(path) = &self.sheet {
            let png = sheet::png(&data, &SheetOptions::default()).context("the contact sheet cannot be drawn")?;
            files::write(path, &png)?;
        }
        let summary = Summary::of(&data);
        console.result(&summary, || summary.to_string())
    }
}
