//! `halflight compile`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use serde_json::json;
use service::hash::Hash;
use training::{CompileDefence, CompileOptions, CompileReport, Network, OutputRange, Precision};

use super::matching;
use super::range::RangeName;
use crate::console::{self, Console};
use crate::files::Output;

/// Fine-tunes a trained network to integers and computes exact bounds of every output.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight compile network.safetensors --data train.safetensors --out compiled.safetensors"
)]
pub struct Compile {
    #[command(flatten)]
    output: Output,
    /// Trained network
    network: PathBuf,
    /// Data set to fine-tune on: the one that the network was trained on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Data set to report accuracy on, before and after
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,
    /// Preset for all options that are not given
    #[arg(long, value_enum, default_value_t = Preset::Quick)]
    preset: Preset,
    /// Bits of the weights of P and R, sign included; 2 for ternary weights
    #[arg(long)]
    bits: Option<u32>,
    /// Bits of the weights of D
    #[arg(long)]
    combine_bits: Option<u32>,
    /// Bits of the encoded inputs, instead of the network's own
    #[arg(long)]
    input_bits: Option<u32>,
    /// Gradient steps of the fine-tuning; 0 rounds only
    #[arg(long)]
    steps: Option<usize>,
    /// Items per step
    #[arg(long)]
    batch: Option<usize>,
    /// Peak learning rate of the fine-tuning
    #[arg(long)]
    rate: Option<f64>,
    /// Fraction of the steps, at the end, in which only biases move [default: none]
    #[arg(long, value_name = "SHARE")]
    settle: Option<f64>,
    /// Weight λ of matching while fine-tuning [default: five times the training's]
    #[arg(long)]
    weight: Option<f32>,
    /// Weight of the discriminant ratio, the advantage of linear attackers on random features, in addition to λ; needs
    /// the large batches of `--preset thorough` [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    discriminant: Option<f32>,
    /// Noise that owners add under encryption, as a fraction of each output's deviation, instead of the training's
    #[arg(long, value_name = "SHARE")]
    noise: Option<f32>,
    /// Noise that fine-tuning learns with [default: that of the owners]; more keeps main classes further apart
    #[arg(long, value_name = "SHARE")]
    learned_noise: Option<f32>,
    /// The declared range of an output: everything that inputs can reach, or the range of the data plus a margin
    #[arg(long, value_enum, default_value_t = RangeName::Exact)]
    range: RangeName,
    /// Bits by which `--range seen` widens the range of the data
    #[arg(long, default_value_t = 2.0)]
    margin: f64,
    /// Refuse a network that has an output with more bits than this
    #[arg(long, value_name = "BITS")]
    log_range: Option<u32>,
    /// Keep only this many inputs, those that matter most: encryption costs grow with the inputs
    #[arg(long)]
    columns: Option<usize>,
    /// Keep inputs that no weight reads, so that networks of one encoder can share a public key
    #[arg(long)]
    keep_dead: bool,
    /// Random seed of the order of the data
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// Half a minute
    Quick,
    /// The best recipe known; takes minutes
    Thorough,
}

impl Compile {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let network = Network::load(&self.network)?;
        let data = Dataset::load(&self.data)?;
        let validation = self.validation.as_deref().map(Dataset::load).transpose()?;
        matching::encoder((&self.data, &data), network.encoder())?;
        if let (Some(file), Some(validation)) = (&self.validation, &validation) {
            matching::pair((&self.data, &data), (file, validation), [])?;
        }
        let bar = console.bar("compiling");
        let (compiled, report) = training::compile(&network, &data, &self.options(&network), &bar)
            .with_context(|| self.network.display().to_string())?;
        bar.finish_and_clear();
        let accuracy = validation
            .map(|data| anyhow::Ok((network.accuracy(&data)?, training::accuracy(&compiled, &data)?)))
            .transpose()?;
        compiled.save(path)?;
        let hash = Hash(compiled.hash()).to_string();
        let value = json!({
            "file": path, "hash": hash, "report": report,
            "main_accuracy_float": accuracy.map(|(float, _)| float),
            "main_accuracy_integer": accuracy.map(|(_, integer)| integer),
        });
        console.result(&value, || {
            let validated = accuracy.map_or_else(String::new, |(float, integer)| {
                format!("main accuracy on the validation data: float {float:.2} %, integer {integer:.2} %\n")
            });
            format!("{}: network {}\n{validated}{}", path.display(), &hash[..16], text(&report))
        })
    }

    fn options(&self, network: &Network) -> CompileOptions {
        let standard = match self.preset {
            Preset::Quick => CompileOptions::quick(),
            Preset::Thorough => CompileOptions::thorough(),
        };
        let precision = Precision {
            left: self.bits.unwrap_or(standard.precision.left),
            right: self.bits.unwrap_or(standard.precision.right),
            combine: self.combine_bits.unwrap_or(standard.precision.combine),
            input: self.input_bits.or(standard.precision.input),
        };
        let range = self.range.with_margin(self.margin);
        let with_weight = |weight| CompileDefence::with_weight(&network.record().options.defence, weight);
        CompileOptions {
            precision,
            range,
            discriminant: self.discriminant.unwrap_or(standard.discriminant),
            noise: self.noise,
            learned_noise: self.learned_noise,
            batch: self.batch.unwrap_or(standard.batch),
            rate: self.rate.unwrap_or(standard.rate),
            settle: self.settle.unwrap_or(standard.settle),
            defence: self.weight.map_or(standard.defence.clone(), with_weight),
            steps: self.steps.unwrap_or(standard.steps),
            log_bits: self.log_range.unwrap_or(standard.log_bits),
            columns: self.columns,
            drop_dead: !self.keep_dead,
            seed: self.seed,
            ..standard
        }
    }
}

fn text(report: &CompileReport) -> String {
    let row = |(output, range): (usize, &OutputRange)| {
        let between = |low: String, high: String| format!("{low} to {high}");
        [
            output.to_string(),
            between(range.exact.0.to_string(), range.exact.1.to_string()),
            between(range.empirical.0.to_string(), range.empirical.1.to_string()),
            format!("{:.1}", range.bits),
            format!("{:.1}", range.idle_bits),
        ]
    };
    format!(
        "main accuracy on {} items kept from fine-tuning: float {:.2} %, rounded {:.2} %, integer {:.2} %\n\
         {:.0} % of the weights of P and R are 0; {} + {} inputs\n{}",
        report.items,
        report.accuracy_float,
        report.accuracy_rounded,
        report.accuracy_integer,
        report.zeros,
        report.inputs.0,
        report.inputs.1,
        console::table(
            ["output", "exact range", "range on the data", "bits", "idle"],
            report.outputs.iter().enumerate().map(row)
        )
    ) + &report.warning().map_or_else(String::new, |warning| format!("\nwarning: {warning}"))
}
