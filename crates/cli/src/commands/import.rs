//! `halflight import`: integer networks made elsewhere.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use model::{BiasColumn, CompiledNetwork, ImportOptions, Inputs};
use serde_json::json;
use service::hash::Hash;

use crate::console::Console;
use crate::files::Output;

/// Reads `P`, `R` (or none: squares) and `D` from safetensors, or the paper's `.mlm` text.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight import mine.safetensors --height 28 --width 28 --input-bits 8 --bias first \\\n    \
    --out compiled.safetensors"
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
    /// What the network reads where an input is 0
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    low: i64,
    /// Where the biases of P and R are
    #[arg(long, value_enum, default_value_t = Bias::First)]
    bias: Bias,
    /// What the biases are multiplied by
    #[arg(long, default_value_t = 1)]
    constant: i32,
    /// Class names, separated by commas; otherwise numbers from 0
    #[arg(long, value_delimiter = ',')]
    classes: Option<Vec<String>>,
    /// The label that it predicts
    #[arg(long, default_value = "digit", value_name = "LABEL")]
    main: String,
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
        network.save(path)?;
        let hash = Hash(network.hash()).to_string();
        let ((n, m), bounds) = (network.inputs(), network.bounds());
        console.result(
            &json!({ "file": path, "hash": hash, "inputs": [n, m], "units": network.units(),
                "outputs": network.outputs(), "bounds": bounds }),
            || {
                let (units, outputs) = (network.units(), network.outputs());
                format!(
                    "{}: network {}, {n} + {m} inputs, {units} units, {outputs} outputs, bounds {bounds:?}",
                    path.display(),
                    &hash[..16]
                )
            },
        )
    }
}
