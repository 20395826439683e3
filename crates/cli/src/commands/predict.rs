//! `halflight predict`: the predictor.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use network::CompiledNetwork;
use serde::Serialize;

use crate::console::{self, Console};
use crate::keys;

/// Evaluates ciphertexts with a functional key, then applies the public head.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight predict --key functional.key --network compiled.safetensors ciphertexts/*.ct"
)]
pub struct Predict {
    /// Functional key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Compiled network that the key opens
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Folder that keeps the discrete-log table between runs
    #[arg(long, value_name = "FOLDER")]
    tables: Option<PathBuf>,
    /// Ciphertexts
    #[arg(required = true)]
    ciphertexts: Vec<PathBuf>,
}

/// One prediction.
#[derive(Serialize)]
struct Prediction {
    file: PathBuf,
    /// All that the predictor learns.
    output: Vec<i64>,
    label: String,
    probabilities: Vec<f32>,
}

impl Predict {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let key = keys::functional_key(&self.key)?;
        let table = keys::log_table([&network], self.tables.as_deref(), console)?;
        let evaluator = keys::evaluator(&key, &network, table).with_context(|| self.key.display().to_string())?;
        let bar = console.bar("predicting");
        bar.set_length(self.ciphertexts.len() as u64);
        let results = self
            .ciphertexts
            .iter()
            .map(|file| {
                let prediction = predict(&evaluator, &network, file);
                bar.inc(1);
                prediction
            })
            .collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        console.result(&serde_json::json!({ "results": results }), || {
            let rows = results.iter().map(|result| {
                let probability = result.probabilities.iter().copied().fold(0.0, f32::max);
                let percent = format!("{:.1} %", 100.0 * probability);
                [result.file.display().to_string(), format!("{:?}", result.output), result.label.clone(), percent]
            });
            console::table(["ciphertext", "output(x)", "label", "probability"], rows)
        })
    }
}

fn predict(evaluator: &qfe::Evaluator, network: &CompiledNetwork, file: &Path) -> Result<Prediction> {
    let ciphertext = keys::ciphertext(file)?;
    let output = evaluator.evaluate(&ciphertext).with_context(|| file.display().to_string())?;
    let probabilities = network.probabilities(&output)?;
    let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let label = best.and_then(|class| network.classes().get(class)).cloned().unwrap_or_default();
    Ok(Prediction { file: file.to_owned(), output, label, probabilities })
}
