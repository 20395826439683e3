//! `halflight dataset split`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use serde_json::{Value, json};

use crate::console::Console;
use crate::files;

/// Splits a data set in two. Items of one person or one recording must be on one side: use `--by`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight dataset split words.safetensors --by speaker --hold theo,lucas --rest train.safetensors --held test.safetensors\n  \
    halflight dataset split words.safetensors --by index --hold 0..5 --rest train.safetensors --held test.safetensors\n  \
    halflight dataset split digits.safetensors --share 0.2 --balance digit --rest train.safetensors --held test.safetensors")]
pub struct Split {
    /// Data set
    file: PathBuf,
    /// The label to split by
    #[arg(long, value_name = "LABEL", requires = "hold", required_unless_present = "share")]
    by: Option<String>,
    /// Classes of that label to hold out: names, or numbers as 0..5
    #[arg(long, value_delimiter = ',', value_name = "CLASSES", requires = "by")]
    hold: Vec<String>,
    /// Instead, hold out this fraction of the items, drawn at random
    #[arg(long, conflicts_with = "by")]
    share: Option<f64>,
    /// Take this fraction of every combination of these labels
    #[arg(long, value_delimiter = ',', value_name = "LABELS", requires = "share")]
    balance: Vec<String>,
    /// Random seed of the choice
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// File for the items that are not held out
    #[arg(long, value_name = "FILE", required_unless_present = "held")]
    rest: Option<PathBuf>,
    /// File for the items that are held out
    #[arg(long, value_name = "FILE")]
    held: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

impl Split {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        if self.rest.is_some() && self.rest == self.held {
            bail!("--rest and --held name the same file: give each its own");
        }
        let outputs = [self.rest.as_deref(), self.held.as_deref()];
        outputs.iter().flatten().try_for_each(|path| files::check_writable(path, self.force))?;
        let data = Dataset::load(&self.file)?;
        let (rest, held) = match (&self.by, self.share) {
            (Some(label), _) => {
                let classes = expand(&self.hold)?;
                data.split_by(label, &classes.iter().map(String::as_str).collect::<Vec<_>>())
            }
            (None, share) => {
                let balance: Vec<&str> = self.balance.iter().map(String::as_str).collect();
                data.split(share.unwrap_or_default(), &balance, self.seed)
            }
        }
        .with_context(|| self.file.display().to_string())?;
        let parts = [("rest", outputs[0], &rest), ("held", outputs[1], &held)];
        for (name, path, data) in parts {
            if path.is_some() && data.is_empty() {
                bail!(
                    "{}: no item would be in --{name}: choose other classes or another fraction",
                    self.file.display()
                );
            }
        }
        let (mut value, mut lines) = (json!({}), Vec::new());
        for (name, path, data) in parts {
            let Some(path) = path else { continue };
            data.save(path)?;
            value[name] = described(path, data);
            lines.push(format!("{}: {} items", path.display(), data.len()));
        }
        console.result(&value, || lines.join("\n"))
    }
}

fn described(path: &Path, data: &Dataset) -> Value {
    json!({ "file": path, "items": data.len() })
}

/// `0..5` becomes 0, 1, 2, 3, 4.
fn expand(classes: &[String]) -> Result<Vec<String>> {
    const MOST: u64 = 1 << 20;
    let mut names = Vec::new();
    for class in classes {
        let range = class.split_once("..").map(|(from, to)| (from.parse::<u64>(), to.parse::<u64>()));
        match range {
            Some((Ok(from), Ok(to))) if from < to && to - from <= MOST => {
                names.extend((from..to).map(|number| number.to_string()));
            }
            Some((Ok(_), Ok(_))) => bail!("--hold {class}: write an ascending range, as in 0..5"),
            _ => names.push(class.clone()),
        }
    }
    Ok(names)
}
