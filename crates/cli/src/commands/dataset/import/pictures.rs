//! `halflight dataset import pictures`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::import::{self, Crop, PictureOptions};

use super::labels::LabelArguments;
use super::{Target, finish};
use crate::console::Console;

/// Reads a folder of pictures: grey, cropped to the middle, resized.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight dataset import pictures letters --folders letter,writer --out letters.safetensors\n  \
    halflight dataset import pictures letters --csv letters/list.csv --file-column name --out letters.safetensors")]
pub struct Pictures {
    /// Folder of pictures, with all folders in it
    folder: PathBuf,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    labels: LabelArguments,
    #[command(flatten)]
    size: Size,
}

/// Size and shape.
#[derive(Args)]
pub struct Size {
    /// Rows of the data set
    #[arg(long, default_value_t = 28)]
    height: usize,
    /// Columns of the data set
    #[arg(long, default_value_t = 28)]
    width: usize,
    /// Stretch pictures of another shape instead of cropping them
    #[arg(long)]
    stretch: bool,
    /// Refuse pictures with fewer rows or columns than this
    #[arg(long, default_value_t = 1, value_name = "PIXELS")]
    smallest: u32,
}

impl Size {
    /// The library's options.
    pub fn options(&self, budget: u64) -> PictureOptions {
        let crop = if self.stretch { Crop::Stretch } else { Crop::Centre };
        PictureOptions { height: self.height, width: self.width, crop, smallest: self.smallest, budget }
    }
}

impl Pictures {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.target.path()?;
        let (source, understood) = self.labels.source(&self.folder)?;
        let bar = console.bar("reading pictures");
        let imported = import::pictures(
            &self.folder,
            &source,
            &self.size.options(self.target.memory),
            self.target.skip_bad,
            &bar,
        )?;
        bar.finish_and_clear();
        finish(&imported, &format!("pictures, {understood}"), path, console)
    }
}
