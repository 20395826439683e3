//! `halflight check`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use encoder::Encoded;
use host::Progress;
use model::CompiledNetwork;
use qfe::Ciphertext;
use roles::Authority;
use serde_json::json;
use service::hash::Hash;

use super::encrypt::{Items, parse_items};
use super::matching;
use crate::console::{self, Console};
use crate::keys;

/// Plays all roles at once with temporary keys: encrypts labelled items, evaluates them under encryption, and compares
/// every output with the integer network in the clear.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight check compiled.safetensors --data test.safetensors --items 0..200")]
pub struct Check {
    /// Compiled network
    network: PathBuf,
    /// Labelled data set
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Items to encrypt: `7`, or `0..20` for the first twenty
    #[arg(long, default_value = "0..20", value_parser = parse_items)]
    items: Items,
}

impl Check {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let data = Dataset::load(&self.data)?;
        matching::encoder((&self.data, &data), network.encoder())?;
        let Items(items) = self.items;
        if items.end > data.len() {
            bail!("--items {}..{}: {} holds items 0..{}", items.start, items.end, self.data.display(), data.len());
        }
        let truth = data.labels(network.main()).with_context(|| self.data.display().to_string())?;
        let clear = training::accuracy(&network, &data).with_context(|| self.data.display().to_string())?;
        let encoded = items.clone().map(|item| network.encoder().encode(data.image(item)));
        let encoded: Vec<Encoded> = encoded.collect::<Result<_, _>>()?;

        let (n, m) = network.inputs();
        let authority = Authority::setup(network.encoder().clone())?;
        let owner = keys::owner(authority.published(), None, console)?;
        let predictor = keys::predictor(network.clone(), &authority.issue(&network)?, None, console)?;
        let bar = console.bar("encrypting and evaluating");
        bar.begin(encoded.len() as u64);
        let (mut mismatches, mut right, mut bytes) = (0, 0, 0);
        let (mut encrypting, mut evaluating) = (0.0, 0.0);
        for (item, encoded) in items.zip(&encoded) {
            let start = Instant::now();
            let file = owner.encrypt_encoded(encoded)?.to_bytes();
            encrypting += start.elapsed().as_secs_f64();
            bytes = file.len();
            let ciphertext = Ciphertext::from_bytes(&file)?;
            let start = Instant::now();
            let found = predictor.predict(&ciphertext)?;
            evaluating += start.elapsed().as_secs_f64();
            mismatches += usize::from(found.output != network.evaluate(encoded)?);
            right += usize::from(found.class == truth.values[item] as usize);
            bar.advance(1);
        }
        bar.finish_and_clear();

        let plan = predictor.evaluator().plan();
        let count = encoded.len();
        let accuracy = 100.0 * right as f64 / count as f64;
        let (low, high) = leakage::wilson(right as f64, count as f64, 0.95);
        let each = |seconds: f64| 1000.0 * seconds / count as f64;
        let (ms_encrypt, ms_evaluate) = (each(encrypting), each(evaluating));
        let value = json!({
            "network": Hash(network.hash()).to_string(), "inputs": [n, m], "units": network.units(),
            "outputs": network.outputs(), "items": count, "mismatches": mismatches,
            "accuracy": accuracy, "low": 100.0 * low, "high": 100.0 * high,
            "accuracy_clear": clear, "items_clear": data.len(), "ciphertext_bytes": bytes,
            "encrypt_ms": ms_encrypt, "evaluate_ms": ms_evaluate,
            "strategy": plan.strategy().name(), "evaluate_field_muls": plan.field_muls(),
        });
        console.result(&value, || {
            format!(
                "{count} items of {n} + {m} inputs under encryption: {mismatches} mismatches, {accuracy:.2} % right \
                 ({:.2} to {:.2})\nall {} items in the clear, by the same integers: {clear:.2} % right\n\
                 {} each; encrypting {ms_encrypt:.1} ms, evaluating {ms_evaluate:.1} ms ({:.2} M field multiplications \
                 by the plan: {})",
                100.0 * low,
                100.0 * high,
                data.len(),
                console::bytes(bytes),
                plan.field_muls() / 1e6,
                plan.strategy().name(),
            )
        })
    }
}
