//! `halflight dataset show`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dataset::Summary;
use dataset::sheet::{self, SheetOptions};

use crate::console::Console;
use crate::files;

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
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
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
