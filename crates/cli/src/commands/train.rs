//! `halflight train`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use dataset::draw::DrawSpec;
use serde_json::{Value, json};
use training::{Checkpoint, Defence, Fresh, Selection, TrainOptions, UnitKind};

use super::matching;
use super::search;
use crate::console::Console;
use crate::encoder::EncoderArguments;
use crate::files::Output;

/// Trains on a data set; the file holds the network, its encoder and the record of its training.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight train --data train.safetensors --validation test.safetensors \\\n    \
    --main character --collateral font --defence match --out network.safetensors")]
pub struct Train {
    #[command(flatten)]
    output: Output,
    /// Data set to train on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Data set to report accuracy on; by default one in ten of the training items, held out
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,
    /// The label that the network predicts
    #[arg(long, default_value = "character", value_name = "LABEL")]
    main: String,
    /// A label that the outputs must not reveal; repeat for more
    #[arg(long, value_name = "LABEL")]
    collateral: Vec<String>,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    encoder: EncoderArguments,
    /// Draw new training images for every batch; the data must be drawn characters
    #[arg(long)]
    fresh: bool,
    /// File that keeps the state of an unfinished run; a run that finds its own state there resumes (a search keeps
    /// those of its points itself)
    #[arg(long, value_name = "FILE", conflicts_with = "search")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    search: search::Arguments,
}

/// Architecture, defence and length of the training.
#[derive(Args)]
struct Recipe {
    /// Defence against the collateral attribute
    #[arg(long, value_parser = defences(), default_value = "match")]
    defence: Defence,
    /// Preset for all options that are not given [default: quick; with `--defence paper`, paper]
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Outputs S of the private part
    #[arg(long, short = 'S')]
    outputs: Option<usize>,
    /// Units d of the private part
    #[arg(long)]
    units: Option<usize>,
    /// The function that a unit computes
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Gradient steps; adversarial defences count `--epochs` instead
    #[arg(long)]
    steps: Option<usize>,
    /// Items per step
    #[arg(long)]
    batch: Option<usize>,
    /// Peak learning rate of Adam, or that of plain SGD for adversarial defences
    #[arg(long)]
    rate: Option<f64>,
    /// Weight of the defence: λ of matching, α of an adversary
    #[arg(long)]
    weight: Option<f32>,
    /// Another option of the defence; repeat for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = option)]
    defence_option: Vec<(String, Value)>,
    /// Train with the noise that owners add under encryption, as a fraction of each output's deviation
    #[arg(long, value_name = "SHARE")]
    noise: Option<f32>,
    /// Epochs of the three phases of an adversarial defence
    #[arg(long, value_name = "INITIAL,SABOTAGE,RECOVERY", value_parser = epochs::<3>)]
    epochs: Option<[usize; 3]>,
    /// Keep the state on which an independent attacker does worst
    #[arg(long)]
    select: bool,
    /// End the run after this many consecutive candidates, one every 100 steps, were rejected
    #[arg(long, value_name = "CANDIDATES", requires = "select")]
    patience: Option<usize>,
    /// Random seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// Takes a minute; 40,000 items are enough
    Quick,
    /// The best recipe known; needs 240,000 items in pairs
    Thorough,
    /// The paper's: 40 squares, plain SGD, batches of 64
    Paper,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// (P·u)², as in the paper
    Squares,
    /// (P·u)(R·v)
    Bilinear,
}

impl Train {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = if self.search.asked() { self.output.folder()? } else { self.output.path()? };
        let data = Dataset::load(&self.data)?;
        let (train, validation) = match &self.validation {
            Some(file) => {
                let validation = Dataset::load(file)?;
                let labels = std::iter::once(&self.main).chain(&self.collateral);
                matching::pair((&self.data, &data), (file, &validation), labels)?;
                (data, validation)
            }
            None => training::hold_out(&data),
        };
        let mut options = self.recipe.options()?;
        options.encoder = self.encoder.options(&train)?;
        options.main = self.main;
        options.collateral = self.collateral;
        options.checkpoint = self.checkpoint.map(|path| Checkpoint { path, every: 200 });

        if self.fresh {
            let standard = Fresh::default();
            let seed = standard.seed.wrapping_add(options.seed);
            options.fresh = Some(Fresh { specification: specification(&train, &self.data)?, seed, ..standard });
        }

        if self.search.asked() {
            return self.search.run(options, (&train, &self.data), &validation, path, console);
        }

        let bar = console.bar("training");
        let network = training::train(&train, &validation, &options, &bar)?;
        bar.finish_and_clear();
        let accuracy = network.accuracy(&validation)?;
        network.save(path)?;
        console.result(
            &json!({
                "file": path, "main_accuracy": accuracy, "outputs": network.width(), "units": network.units(),
                "inputs": network.encoder().inputs(), "validation_items": validation.len(),
            }),
            || format!("{}: main accuracy {accuracy:.2} % on {} items", path.display(), validation.len()),
        )
    }
}

/// The specification that drew the data.
fn specification(data: &Dataset, path: &Path) -> Result<DrawSpec> {
    let text = data.about().get("specification").with_context(|| {
        format!("{}: was not drawn by `halflight dataset draw`, so --fresh cannot draw more", path.display())
    })?;
    serde_json::from_str(text).with_context(|| format!("{}: metadata `specification`", path.display()))
}

impl Recipe {
    fn options(&self) -> Result<TrainOptions> {
        let counts_epochs = self.defence.counts_epochs();
        if counts_epochs && self.steps.is_some() {
            bail!("--steps: adversarial defences train for epochs; give --epochs INITIAL,SABOTAGE,RECOVERY");
        }
        if !counts_epochs && self.epochs.is_some() {
            bail!("--epochs: only adversarial defences train for epochs; give --steps");
        }
        let defence = self.defence.clone();
        let given = self.defence_option.iter().cloned().collect();
        let mut options = match self.preset {
            None => TrainOptions::standard(defence),
            Some(Preset::Quick) => TrainOptions::quick(defence),
            Some(Preset::Thorough) => TrainOptions::thorough(defence),
            Some(Preset::Paper) => TrainOptions::paper(defence),
        };
        options.defence = options.defence.with_options(&given)?;
        self.adjust(&mut options.defence);
        options.outputs = self.outputs.unwrap_or(options.outputs);
        options.units = self.units.unwrap_or(options.units);
        options.steps = self.steps.unwrap_or(options.steps);
        options.batch = self.batch.unwrap_or(options.batch);
        options.rate = self.rate.unwrap_or(options.rate);
        options.noise = self.noise.unwrap_or(options.noise);
        options.seed = self.seed;
        let patience = self.patience.unwrap_or_default();
        options.selection = self.select.then(|| Selection { patience, ..Selection::default() });
        match self.kind {
            Some(Kind::Squares) => options.kind = UnitKind::Squares,
            Some(Kind::Bilinear) => options.kind = UnitKind::Bilinear,
            None => {}
        }
        Ok(options)
    }

    /// Options given for the defence override those of the preset.
    fn adjust(&self, defence: &mut Defence) {
        if let Some(weight) = self.weight {
            defence.set_weight(weight);
        }
        if let Some([initial, sabotage, recovery]) = self.epochs {
            defence.set_epochs((initial, sabotage, recovery));
        }
        if let Some(rate) = self.rate {
            defence.set_rate(rate as f32);
        }
    }
}

/// Parses `NAME=VALUE`; a value is JSON, so that numbers stay numbers.
fn option(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in width=0.02")?;
    let value = serde_json::from_str(value).map_err(|error| format!("{name}: {error}"))?;
    Ok((name.to_owned(), value))
}

/// Parses the names of defences in the registry.
fn defences() -> impl TypedValueParser<Value = Defence> {
    let names = Defence::kinds().map(|(name, text)| PossibleValue::new(name).help(text));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Defence>())
}

/// Comma-separated numbers, as many as there are phases.
pub fn epochs<const PHASES: usize>(text: &str) -> Result<[usize; PHASES], String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let found = numbers.map_err(|error| format!("{error}; give {PHASES} numbers separated by commas"))?;
    <[usize; PHASES]>::try_from(found).map_err(|found| format!("{} numbers; give {PHASES}", found.len()))
}
