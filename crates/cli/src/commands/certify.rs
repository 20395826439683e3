//! `halflight certify`.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use experiments::{Certified, Certifier, ExperimentError, Source};
use leakage::certificate::{Certificate, CertificateOptions, Prior};
use model::CompiledNetwork;

use super::matching;
use crate::console::Console;

/// Bounds the accuracy of every attacker, known or not, on items that the network never saw.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight certify compiled.safetensors --data fresh.safetensors --collateral font\n  \
    halflight certify compiled.safetensors --draw 1200000 --collateral font"
)]
pub struct Certify {
    /// Compiled networks with noise; several that open the same ciphertext are certified together
    #[arg(required = true, value_name = "NETWORK")]
    networks: Vec<PathBuf>,
    /// Data set that neither trained nor selected nor tuned the networks
    #[arg(long, value_name = "FILE", required_unless_present = "draw", conflicts_with = "draw")]
    data: Option<PathBuf>,
    /// Draw this many images like the training images, instead of a data set
    #[arg(long, value_name = "ITEMS")]
    draw: Option<usize>,
    /// The label that attackers try to learn
    #[arg(long, value_name = "LABEL")]
    collateral: String,
    /// Confidence, in percent, that all bounds hold at once
    #[arg(long, default_value_t = 99.9, value_name = "PERCENT")]
    confidence: f64,
    /// Evaluation points for every main class
    #[arg(long, default_value_t = 10_000)]
    points: usize,
    /// Also bound these numbers of items of one subject
    #[arg(long, value_delimiter = ',', default_values_t = [5, 20, 50, 140], value_name = "ITEMS")]
    votes: Vec<u32>,
    /// A second bound, in addition to the one for equally frequent classes and values
    #[arg(long, value_enum, default_value_t = PriorName::Alike)]
    prior: PriorName,
    /// Also certify this many parts of the items, each twice as large as the last, and estimate the limit
    #[arg(long, value_name = "PARTS")]
    growth: Option<u32>,
    /// Random seed of drawn images and evaluation points; choose it before you see results
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Over all items at once, without the main label: also bounds demographic parity, for predictions of any kind
    #[arg(long)]
    overall: bool,
    /// Allow repeated items, because the population itself has few distinct values
    #[arg(long)]
    repeated: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum PriorName {
    /// No second bound
    Alike,
    /// For classes and values as frequent as in the data
    Sampled,
}

impl Certify {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let networks = self.networks.iter().map(|path| CompiledNetwork::load(path)).collect::<Result<Vec<_>, _>>()?;
        let certifier = Certifier::new(networks.iter().collect());
        let certifier = certifier.with_context(|| self.networks[0].display().to_string())?;
        let certifier = if self.overall { certifier.overall() } else { certifier };
        let data = self.data.as_ref().map(|path| anyhow::Ok((path, Dataset::load(path)?))).transpose()?;
        let bar = console.bar("evaluating");
        let items = match &data {
            Some((path, data)) => {
                matching::encoder((path, data), networks[0].encoder())?;
                let source = Source::Data { sets: &[data], repeated: self.repeated };
                let items = certifier.items(source, &self.collateral, &bar);
                items.map_err(remedy).with_context(|| path.display().to_string())?
            }
            None => {
                let source = Source::Drawn { count: self.draw.unwrap_or(0), seed: self.seed };
                certifier.items(source, &self.collateral, &bar).map_err(remedy)?
            }
        };
        bar.finish_and_clear();
        let options = CertificateOptions {
            confidence: self.confidence / 100.0,
            points: self.points,
            votes: self.votes,
            seed: self.seed,
            prior: (self.prior == PriorName::Sampled).then_some(Prior::Sampled),
        };
        let certified = certifier.certify(&items, &options, self.growth)?;
        console.result(&certified, || text(&certified))
    }
}

/// The error with the option that helps.
pub fn remedy(error: ExperimentError) -> anyhow::Error {
    let option = match error {
        ExperimentError::NotDrawn | ExperimentError::Drawing => " (--data)",
        ExperimentError::Repeated { .. } => " (--repeated)",
        _ => "",
    };
    anyhow!("{error}{option}")
}

fn text(certified: &Certified) -> String {
    let Certified { certificate, growth, .. } = certified;
    let mut lines = vec![bounds(certificate)];
    if let Some(growth) = growth {
        lines.push("with more and more items".to_owned());
        lines.extend(growth.points.iter().map(|point| {
            format!("  {:.2} %  {} items (estimate {:.2} %)", above(point.bound), point.items, point.plug_in)
        }));
        lines.extend(growth.limit.map(|limit| format!("  the estimate would end near {limit:.2} % (no bound)")));
    }
    lines.push("provided that".to_owned());
    lines.extend(certificate.assumptions.iter().map(|assumption| format!("  {assumption}")));
    lines.join("\n")
}

/// A bound is never rounded down.
fn above(bound: f64) -> f64 {
    (100.0 * bound).ceil() / 100.0
}

/// The bounds of a certificate, line by line.
pub fn bounds(certificate: &Certificate) -> String {
    let pooled = &certificate.pooled;
    let mut lines = vec![
        format!("no attacker is right in more than (confidence {} %)", 100.0 * certificate.confidence),
        format!(
            "  {:.2} %  all classes alike, {} items (area under the curve {:.3})",
            above(pooled.bound),
            pooled.items,
            pooled.auc
        ),
    ];
    lines.extend(certificate.weighted.iter().map(|weighted| {
        format!(
            "  {:.2} %  as frequent as in the data, where guessing gives {:.2}",
            above(weighted.bound),
            weighted.guessing
        )
    }));
    lines.extend(certificate.classes.iter().map(|class| {
        format!(
            "  {:.2} %  {}, {} items (estimate {:.2} %)",
            above(class.bound),
            class.class,
            class.items,
            class.plug_in
        )
    }));
    lines.extend(certificate.votes.iter().map(|vote| {
        let mixed = vote.mixed.map_or_else(String::new, |mixed| format!("; {:.2} % of random classes", above(mixed)));
        format!("  {:.2} %  {} items of one subject, of any classes{mixed}", above(vote.bound), vote.k)
    }));
    lines.push(format!("about any attribute: at most {:.2} bits an item", above(certificate.maximal_leakage_bits)));
    lines.join("\n")
}
