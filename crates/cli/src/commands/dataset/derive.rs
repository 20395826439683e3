//! `halflight dataset derive`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dataset::Dataset;

use super::save;
use crate::console::Console;
use crate::files::Output;

/// Adds a label whose class is looked up by the class of another.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight dataset derive words.safetensors --from speaker --label accent \\\n    \
    --classes jackson=USA,theo=USA,lucas=German --out accents.safetensors")]
pub struct Derive {
    /// Data set
    file: PathBuf,
    #[command(flatten)]
    output: Output,
    /// The label that determines the new one
    #[arg(long, value_name = "LABEL")]
    from: String,
    /// The label to add
    #[arg(long, value_name = "LABEL")]
    label: String,
    /// The new class for every class, as OLD=NEW
    #[arg(long, value_delimiter = ',', required = true, value_name = "OLD=NEW", value_parser = parse_class)]
    classes: Vec<(String, String)>,
}

fn parse_class(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err(format!("`{text}`: write OLD=NEW, as in theo=USA")),
    }
}

impl Derive {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let data = Dataset::load(&self.file)?;
        let classes: BTreeMap<String, String> = self.classes.into_iter().collect();
        let data = data.with_derived(&self.from, &self.label, &classes);
        let data = data.with_context(|| format!("{}: --classes", self.file.display()))?;
        save(&data, path, console)
    }
}
