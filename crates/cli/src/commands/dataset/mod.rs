//! `halflight dataset`: everything about data sets.

mod augment;
mod derive;
mod draw;
mod import;
mod schema;
mod show;
mod split;
mod synthesise;

use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::console::Console;

/// The verbs on data sets.
#[derive(Subcommand)]
pub enum Dataset {
    /// Draw characters in several fonts, as the paper does
    Draw(draw::Draw),
    /// Import data from elsewhere
    #[command(subcommand)]
    Import(import::Import),
    /// Have espeak-ng speak words in several accents
    Synthesise(synthesise::Synthesise),
    /// Split a data set in two: by a label such as the speaker, or at random
    Split(split::Split),
    /// Add a label that follows from another, such as the accent of each speaker
    Derive(derive::Derive),
    /// Add changed copies of pictures: shifted, rotated, scaled, warped
    Augment(augment::Augment),
    /// Write the schema of a table's columns to a file, so that others can read their tables alike
    Schema(schema::Schema),
    /// Print what is in a data set, and draw a contact sheet
    Show(show::Show),
}

impl Dataset {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Draw(draw) => draw.run(console),
            Self::Import(import) => import.run(console),
            Self::Synthesise(synthesise) => synthesise.run(console),
            Self::Split(split) => split.run(console),
            Self::Derive(derive) => derive.run(console),
            Self::Augment(augment) => augment.run(console),
            Self::Schema(schema) => schema.run(console),
            Self::Show(show) => show.run(console),
        }
    }
}

/// Writes a data set and reports what it is.
fn save(data: &dataset::Dataset, path: &Path, console: &Console) -> Result<()> {
    data.save(path)?;
    let labels: Vec<&str> = data.columns().iter().map(|column| column.name.as_str()).collect();
    console.result(
        &json!({
            "file": path, "items": data.len(), "height": data.height(), "width": data.width(), "labels": labels,
        }),
        || {
            let (items, height, width) = (data.len(), data.height(), data.width());
            let size = match (data.features(), height) {
                (None, _) => format!("{items} images of {height}×{width}"),
                (Some(_), 1) => format!("{items} rows of {width} features"),
                (Some(_), _) => format!("{items} items of {height}×{width} values"),
            };
            format!("{}: {size}, labels {}", path.display(), labels.join(", "))
        },
    )
}
