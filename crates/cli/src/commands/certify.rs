//! `halflight certify`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use dataset::Dataset;
use leakage::certificate::{Certificate, CertificateOptions, CertificateSamples, NoisyOutput, certify};
use model::CompiledNetwork;
use training::History;

use super::{matching, train};
use crate::console::Console;

/// Bounds the accuracy of every attacker, known or not, on items that the network never saw.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight certify compiled.safetensors --data fresh.safetensors --collateral font")]
pub struct Certify {
    /// Compiled network with noise
    network: PathBuf,
    /// Data set that neither trained nor selected nor tuned the network
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The label that attackers are after
    #[arg(long, value_name = "LABEL")]
    collateral: String,
    /// Chance, in percent, that all bounds hold at once
    #[arg(long, default_value_t = 99.9, value_name = "PERCENT")]
    confidence: f64,
    /// Evaluation points for every main class
    #[arg(long, default_value_t = 10_000)]
    points: usize,
}

impl Certify {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let noise = noise(&network).with_context(|| self.network.display().to_string())?;
        let data = Dataset::load(&self.data)?;
        matching::encoder((&self.data, &data), network.encoder())?;
        unseen(&network, &data).with_context(|| self.data.display().to_string())?;
        let (main, collateral) = (data.labels(network.main())?, data.labels(&self.collateral)?);
        let samples = CertificateSamples {
            outputs: network.evaluate_all_without_noise(&data)?,
            main: main.values.clone(),
            collateral: collateral.values.clone(),
            main_classes: main.classes.clone(),
            collateral_classes: collateral.classes.clone(),
        };
        let confidence = self.confidence / 100.0;
        let options = CertificateOptions { confidence, points: self.points, ..CertificateOptions::default() };
        let certificate = certify(&samples, &noise, &options)?;
        console.result(&certificate, || text(&certificate))
    }
}

/// Refuses the data of the training record, whole or without the tenth that `train` keeps for validation.
fn unseen(network: &CompiledNetwork, data: &Dataset) -> Result<()> {
    if let Some(History { record, .. }) = History::of(network)? {
        let seen = [training::data_hash(data), training::data_hash(&train::hold_out(data).0)];
        ensure!(!seen.contains(&record.data_hash), "the network was trained on this data; certify it on fresh items");
    }
    Ok(())
}

/// The noise of every output: a unit of noise has nothing but the constant, which is 1, on its left, and one
/// coordinate of noise on its right.
fn noise(network: &CompiledNetwork) -> Result<Vec<NoisyOutput>> {
    let Some(noise) = network.encoder().noise() else {
        bail!("no noise; nothing can be certified without noise under encryption: compile with `--noise`");
    };
    let (n, m) = network.inputs();
    let (units, outputs) = (network.units(), network.outputs());
    let columns = network.encoder().noise_coordinates();
    let mut factors = vec![0_i128; outputs * columns.len()];
    for (unit, (left, right)) in network.left().chunks_exact(n).zip(network.right().chunks_exact(m)).enumerate() {
        let touched: Vec<usize> = (0..columns.len()).filter(|&j| right[columns.start + j] != 0).collect();
        if touched.is_empty() {
            continue;
        }
        let alone = touched.len() == 1 && left[1..].iter().all(|&weight| weight == 0);
        ensure!(alone, "unit {unit} mixes noise with inputs or other noise; give every noise coordinate its own unit");
        for output in 0..outputs {
            let weight = i128::from(network.combine()[output * units + unit]);
            let factor = weight * i128::from(left[0]) * i128::from(right[columns.start + touched[0]]);
            factors[output * columns.len() + touched[0]] += factor;
        }
    }
    let mut used = vec![false; columns.len()];
    let rows = factors.chunks_exact(columns.len()).zip(network.exact_bounds()).enumerate();
    rows.map(|(output, (row, &(low, high)))| {
        let own: Vec<usize> = (0..row.len()).filter(|&column| row[column] != 0).collect();
        let &[column] = own.as_slice() else {
            bail!("output {output} has {} coordinates of noise; it needs exactly one of its own", own.len());
        };
        ensure!(!std::mem::replace(&mut used[column], true), "output {output} shares its noise; give it its own");
        let wide = || format!("output {output}: its range or its factor of noise is beyond 64 bits");
        Ok(NoisyOutput {
            low: low.try_into().with_context(wide)?,
            high: high.try_into().with_context(wide)?,
            step: row[column].try_into().with_context(wide)?,
            deviation: noise.deviations[column],
            tail: noise.tail,
        })
    })
    .collect()
}

fn text(certificate: &Certificate) -> String {
    let pooled = &certificate.pooled;
    let mut lines = vec![
        format!("no attacker is right in more than (confidence {} %)", 100.0 * certificate.confidence),
        format!("  {:.2} %  all classes alike, {} items", pooled.bound, pooled.items),
    ];
    lines.extend(certificate.classes.iter().map(|class| {
        format!("  {:.2} %  {}, {} items (estimate {:.2} %)", class.bound, class.class, class.items, class.plug_in)
    }));
    lines
        .extend(certificate.votes.iter().map(|vote| format!("  {:.2} %  {} items of one subject", vote.bound, vote.k)));
    lines.push(format!("about anything at all: at most {:.1} bits an item", certificate.maximal_leakage_bits));
    lines.push("provided that".to_owned());
    lines.extend(certificate.assumptions.iter().map(|assumption| format!("  {assumption}")));
    lines.join("\n")
}
