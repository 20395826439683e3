//! `halflight dataset schema`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::schema;
use serde_json::json;

use crate::console::Console;
use crate::files::Output;

/// Writes the schema of a data set that came from a table: names, kinds, categories, scales and rules of its columns, and
/// the classes of its labels, but no row. Categories, classes, quantiles and the ends of scales are values of the data.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight dataset schema train.safetensors --out schema.json\n  \
    halflight dataset import table mine.csv --like schema.json --unlabelled --out mine.safetensors")]
pub struct Schema {
    /// Data set
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

impl Schema {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let schema = schema::load(&self.file)?;
        schema::save(&schema, path)?;
        let (columns, features) = (schema.columns.len(), schema.width());
        let labels: Vec<&str> = schema.labels.iter().map(|label| label.name.as_str()).collect();
        let value = json!({ "file": path, "columns": columns, "features": features, "labels": labels });
        console.result(&value, || format!("{}: {columns} columns, {features} features", path.display()))
    }
}
