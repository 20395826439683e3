//! `halflight import`: integer networks from elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use model::{BiasColumn, CompiledNetwork, ImportOptions, Inputs};
use serde_json::json;
use service::hash::Hash;

use super::range::RangeName;
use crate::console::Console;
use crate::files::Output;

/// Reads `P`, `R` (or none: squares) and `D` from safetensors, or the paper's `.mlm` text.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight import mine.safetensors --height 28 --width 28 --input-bits 8 --bias first \\\n    \
    --out compiled.safetensors\n  \
    halflight import final.mlm --data mnist.safetensors --range seen --out compiled.safetensors"
)]
pub struct Import {
    #[command(flatten)]
    output: Output,
    /// Integer network
    network: PathBuf,
    /// Rows of an image
    #[arg(long, default_value_t = 28)]
    height: usize,
    /// Columns of an image
    #[arg(long, default_value_t = 28)]
    width: usize,
    /// Bits of an input: pixels 0 to 255 are scaled to this many bits and rounded
    #[arg(long, default_value_t = 8)]
    input_bits: u32,
    /// Take this encoder (JSON, as `authority init` publishes it) instead of pixels
    #[arg(long, value_name = "FILE", conflicts_with_all = ["height", "width", "input_bits"])]
    encoder: Option<PathBuf>,
    /// The integer that the network reads for an input of 0
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    low: i64,
    /// Where the biases of P and R are
    #[arg(long, value_enum, default_value_t = Bias::First)]
    bias: Bias,
    /// The constant that the biases are multiplied by
    #[arg(long, default_value_t = 1)]
    constant: i32,
    /// Class names, separated by commas; otherwise numbers from 0
    #[arg(long, value_delimiter = ',')]
    classes: Option<Vec<String>>,
    /// The label that it predicts
    #[arg(long, default_value = "digit", value_name = "LABEL")]
    main: String,
    /// Data set on which the range of every output is measured, and the accuracy, if it has the label
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The declared range of an output: everything that inputs can reach, or the range of the data and a margin
    /// [default: seen with --data, else exact]
    #[arg(long, value_enum)]
    range: Option<RangeName>,
    /// Bits by which `--range seen` widens the range of the data
    #[arg(long, default_value_t = 2.0, value_parser = parse_margin)]
    margin: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bias {
    /// Column 0
    First,
    /// The last column
    Last,
    /// There are none
    None,
}

impl Import {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let inputs = match &self.encoder {
            Some(file) => {
                let text = fs::read(file).with_context(|| format!("{}: cannot be read", file.display()))?;
                let encoder = serde_json::from_slice(&text);
                Inputs::Encoder(Box::new(encoder.with_context(|| format!("{}: not an encoder", file.display()))?))
            }
            None => Inputs::Pixels { height: self.height, width: self.width, bits: self.input_bits },
        };
        let options = ImportOptions {
            inputs,
            low: self.low,
            bias: match self.bias {
                Bias::First => BiasColumn::First,
                Bias::Last => BiasColumn::Last,
                Bias::None => BiasColumn::None,
            },
            constant: self.constant,
            classes: self.classes,
            main: self.main,
        };
        let network = CompiledNetwork::import(&self.network, &options)?;
        let measured = self.data.as_deref().map(|file| Measured::of(&network, file)).transpose()?;
        let range = match (self.range, &measured) {
            (Some(RangeName::Seen), None) => bail!("--range seen: it is measured on data; name a data set with --data"),
            (None, Some(_)) => RangeName::Seen,
            (range, _) => range.unwrap_or(RangeName::Exact),
        };
        let network = match (range, &measured) {
            // Anything that fits 64 bits: the size of tables is the limit, and it is checked next.
            (RangeName::Seen, Some(measured)) => {
                network.with_declared(range.with_margin(self.margin), &measured.seen, 63)?
            }
            _ => network,
        };
        roles::openable(&network).with_context(|| self.network.display().to_string())?;
        network.save(path)?;
        let hash = Hash(network.hash()).to_string();
        let ((n, m), bounds) = (network.inputs(), network.bounds());
        let table = roles::table_bits([&network]);
        let accuracy = measured.as_ref().and_then(|measured| measured.accuracy);
        let value = json!({
            "file": path, "hash": hash, "inputs": [n, m], "units": network.units(), "outputs": network.outputs(),
            "bounds": bounds, "exact_bounds": network.exact_bounds(), "table_bits": table,
            "seen": measured.as_ref().map(|measured| &measured.seen), "main_accuracy": accuracy,
        });
        console.result(&value, || {
            let (units, outputs) = (network.units(), network.outputs());
            let widest = bounds.iter().map(|&(low, high)| model::width_bits(low.into(), high.into()));
            let found =
                accuracy.map_or_else(String::new, |accuracy| format!("\nmain accuracy on the data: {accuracy:.2} %"));
            format!(
                "{}: network {}, {n} + {m} inputs, {units} units, {outputs} outputs, bounds {bounds:?}\n\
                 the widest output has {:.1} bits; it takes a table of {table} bits{found}",
                path.display(),
                &hash[..16],
                widest.fold(0.0, f64::max)
            )
        })
    }
}

/// The network's results on data.
struct Measured {
    /// Least and greatest value of every output.
    seen: Vec<(i64, i64)>,
    /// In percent; none where the data lack the label.
    accuracy: Option<f64>,
}

impl Measured {
    fn of(network: &CompiledNetwork, file: &Path) -> Result<Self> {
        let measure = || {
            let data = Dataset::load(file)?;
            data.check_encoder(network.encoder())?;
            let seen = network.seen(&network.evaluate_all(&data)?);
            let labelled = data.labels(network.main()).is_ok();
            let accuracy = if labelled { Some(training::accuracy(network, &data)?) } else { None };
            anyhow::Ok(Self { seen, accuracy })
        };
        measure().with_context(|| file.display().to_string())
    }
}

fn parse_margin(text: &str) -> Result<f64, String> {
    let margin = text.parse().ok().filter(|margin| (0.0..=60.0).contains(margin));
    margin.ok_or_else(|| format!("`{text}`: give a number of bits from 0 to 60"))
}
