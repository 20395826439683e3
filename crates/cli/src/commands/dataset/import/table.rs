//! `halflight dataset import table`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use dataset::import::{self, ArrayOptions, Imported, TableOptions};
use host::Progress;

use super::{Target, finish};
use crate::console::Console;

/// Reads a table: some columns are labels, the others features; texts become one column for each value.
#[derive(Args)]
#[command(after_help = "Train on tables with `--normalise column`.\n\nExamples:\n  \
    halflight dataset import table people.csv --labels income,sex --out people.safetensors\n  \
    halflight dataset import table arrays.npz --items x --labels y,z --out arrays.safetensors")]
pub struct Table {
    /// File; its extension (.csv, .tsv, .txt, .npz, .parquet) tells its kind
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// The columns, or arrays, that are labels; for .npz by default all fitting arrays of integers or texts
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    labels: Vec<String>,
    /// The columns that are features [default: all others]
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    features: Vec<String>,
    /// Features to take as texts though they look like numbers, such as postcodes
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    texts: Vec<String>,
    /// .npz: the array of items [default: the one of most dimensions]
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ARRAY")]
    items: String,
}

impl Table {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.target.path()?;
        let bar = console.bar("reading rows");
        let kind = self.file.extension().map(|kind| kind.to_string_lossy().to_lowercase()).unwrap_or_default();
        let imported = match kind.as_str() {
            "csv" | "tsv" | "txt" => import::csv(&self.file, &self.options(), self.target.skip_bad, &bar)?,
            "npz" => {
                let options = ArrayOptions { items: self.items.clone(), labels: self.labels.clone() };
                import::npz(&self.file, &options)?
            }
            "parquet" => self.parquet(&bar)?,
            _ => bail!(
                "{}: its extension tells no kind of table: name it .csv, .tsv, .txt, .npz or .parquet",
                self.file.display()
            ),
        };
        bar.finish_and_clear();
        let shape = match imported.data.height() {
            1 => format!("{} features a row", imported.data.width()),
            height => format!("items of {height}×{}", imported.data.width()),
        };
        finish(&imported, &format!("table, {kind}, {shape}"), path, console)
    }

    fn options(&self) -> TableOptions {
        let (labels, features, texts) = (self.labels.clone(), self.features.clone(), self.texts.clone());
        TableOptions { labels, features, texts }
    }

    #[cfg(feature = "parquet")]
    fn parquet(&self, bar: &dyn Progress) -> Result<Imported> {
        Ok(import::parquet(&self.file, &self.options(), self.target.skip_bad, bar)?)
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(&self, _: &dyn Progress) -> Result<Imported> {
        bail!(
            "{}: this halflight was built without Parquet: build it with `--features parquet`, or save the table as CSV",
            self.file.display()
        )
    }
}
