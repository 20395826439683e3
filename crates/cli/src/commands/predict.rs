//! `halflight predict`: the predictor.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use host::Progress;
use model::CompiledNetwork;
use roles::{Prediction, Predictor};
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
struct Row {
    file: PathBuf,
    /// Everything that the predictor learns.
    output: Vec<i64>,
    label: String,
    probabilities: Vec<f32>,
}

impl Predict {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let key = keys::functional_key(&self.key)?;
        let predictor = keys::predictor(network, &key, self.tables.as_deref(), console)
            .with_context(|| self.key.display().to_string())?;
        let bar = console.bar("predicting");
        bar.begin(self.ciphertexts.len() as u64);
        let results = self
            .ciphertexts
            .iter()
            .map(|file| {
                let prediction = predict(&predictor, file);
                bar.advance(1);
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

fn predict(predictor: &Predictor, file: &Path) -> Result<Row> {
    let found = predictor.predict(&keys::ciphertext(file)?).with_context(|| file.display().to_string())?;
    let Prediction { output, label, probabilities, .. } = found;
    Ok(Row { file: file.to_owned(), output, label, probabilities })
}
