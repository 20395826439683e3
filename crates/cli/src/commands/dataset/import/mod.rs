//! `halflight dataset import`: one file per source.

mod faces;
mod labels;
mod pictures;
mod speech;
mod table;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use dataset::Summary;
use dataset::idx::{self, IdxOptions};
use dataset::import::{Handled, Imported, Skipped};
use serde_json::json;

pub use self::speech::SpeechFeatures;
use super::save;
use crate::console::Console;
use crate::files::Output;

/// Sources of data.
#[derive(Subcommand)]
pub enum Import {
    /// IDX files, the format of MNIST and EMNIST, plain or gzipped
    Idx(Idx),
    /// The embedded 1,797 handwritten digits (UCI), 8×8
    Handwriting {
        #[command(flatten)]
        output: Output,
    },
    /// A folder of pictures: PNG, JPEG, BMP, WebP, PNM
    Pictures(pictures::Pictures),
    /// A folder of WAV recordings of words, as log-mel energies
    Speech(speech::Speech),
    /// Faces with age and gender: UTKFace's file names, or the description of IMDB-WIKI
    Faces(faces::Faces),
    /// A table: CSV, NumPy archive (.npz) or Parquet
    Table(table::Table),
}

/// Reads a pair of IDX files.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    halflight dataset import idx t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz --out mnist.safetensors")]
pub struct Idx {
    /// File of images
    images: PathBuf,
    /// File of labels
    labels: PathBuf,
    #[command(flatten)]
    output: Output,
    /// Name of the label
    #[arg(long, default_value = "digit")]
    label: String,
    /// Exchange rows and columns, which EMNIST stores the other way round
    #[arg(long)]
    transpose: bool,
    /// Maximum memory for unpacked data, such as 512MB or 4GB
    #[arg(long, default_value = "2GB", value_name = "BYTES", value_parser = parse_bytes)]
    memory: u64,
}

/// Where an import goes, and how bad items are handled.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    output: Output,
    /// Skip items that cannot be read, and list them, instead of stopping at the first
    #[arg(long)]
    skip_bad: bool,
    /// Maximum memory for unpacked data, such as 512MB or 4GB
    #[arg(long, default_value = "2GB", value_name = "BYTES", value_parser = parse_bytes)]
    pub memory: u64,
}

/// `512MB`, `4GB`, or a number of bytes; in powers of 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [("GB", 30), ("MB", 20), ("kB", 10), ("B", 0), ("", 0)];
    let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (number, shift) = found.unwrap_or((text, 0));
    let number = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number.filter(|&bytes| bytes > 0).ok_or_else(|| format!("`{text}`: write 512MB, 4GB, or a number of bytes"))
}

impl Import {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Idx(Idx { images, labels, output, label, transpose, memory: budget }) => {
                let path = output.path()?;
                save(&idx::read_with(&images, &labels, &IdxOptions { label, transpose, budget })?, path, console)
            }
            Self::Handwriting { output } => {
                let path = output.path()?;
                save(&dataset::handwriting::digits(), path, console)
            }
            Self::Pictures(pictures) => pictures.run(console),
            Self::Speech(speech) => speech.run(console),
            Self::Faces(faces) => faces.run(console),
            Self::Table(table) => table.run(console),
        }
    }
}

impl Target {
    /// The output path, checked to be writable.
    fn path(&self) -> Result<&Path> {
        self.output.path()
    }
}

/// Bad items that the text form shows; JSON lists all.
const SHOWN: usize = 20;

/// Writes the imported data and reports how they were understood.
pub fn finish(imported: &Imported, understood: &str, path: &Path, console: &Console) -> Result<()> {
    let Imported { data, skipped, filtered, handled, ignored, .. } = imported;
    data.save(path)?;
    let summary = Summary::of(data);
    let names: Vec<&str> = data.columns().iter().map(|column| column.name.as_str()).collect();
    let kinds = data.schema().map(|schema| {
        schema
            .columns
            .iter()
            .map(|column| json!({ "name": column.name, "kind": column.kind_name() }))
            .collect::<Vec<_>>()
    });
    let value = json!({
        "columns": kinds, "handled": handled, "ignored": ignored,
        "file": path, "understood": understood, "items": data.len(), "height": data.height(), "width": data.width(),
        "labels": names, "classes": summary.labels, "associations": summary.associations,
        "features": data.features().map(|features| &features.names),
        "skipped": { "count": skipped.len(), "items": skipped }, "filtered": filtered,
    });
    console.result(&value, || {
        let mut text = format!("{}\n{}: {summary}", understood, path.display());
        for (reason, count) in filtered {
            text += &format!("left out by the options: {count} ({reason})\n");
        }
        for Handled { column, what, rule, count } in handled {
            text += &format!("{what} in `{column}`: {count} (rule {rule})\n");
        }
        if !ignored.is_empty() {
            text += &format!("columns that are not used: {}\n", ignored.join(", "));
        }
        text + &listed(skipped)
    })
}

fn listed(skipped: &[Skipped]) -> String {
    if skipped.is_empty() {
        return "skipped: none".into();
    }
    let mut text = format!("skipped: {}", skipped.len());
    for Skipped { place, reason } in skipped.iter().take(SHOWN) {
        text += &format!("\n  {place}: {reason}");
    }
    if skipped.len() > SHOWN {
        text += &format!("\n  and {} more, which --json lists", skipped.len() - SHOWN);
    }
    text
}
