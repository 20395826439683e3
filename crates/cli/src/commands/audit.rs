//! `halflight audit`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dataset::Dataset;
use leakage::{AuditOptions, AuditReport, Family, Finding, Page, Scope};
use network::CompiledNetwork;

use crate::console::{self, Console};
use crate::files;
use crate::observe::observations;

/// Trains fresh attackers on the outputs of one data set and scores them on another.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight audit compiled.safetensors --train attackers.safetensors \\\n    \
    --test test.safetensors --main character --collateral font --report report.html")]
pub struct Audit {
    /// Compiled network
    network: PathBuf,
    /// Data set that attackers learn from; best one that the network never saw
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Data set that attackers are scored on
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// The label that everyone may know
    #[arg(long, default_value = "character", value_name = "LABEL")]
    main: String,
    /// The label that attackers are after
    #[arg(long, default_value = "font", value_name = "LABEL")]
    collateral: String,
    /// Attackers
    #[arg(long, value_delimiter = ',', value_name = "FAMILY")]
    families: Option<Vec<Family>>,
    /// Whole runs of the panel
    #[arg(long, value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// Most items that attackers learn from
    #[arg(long, value_name = "ITEMS")]
    attack_size: Option<usize>,
    /// HTML page to write; the same in JSON goes beside it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

impl Audit {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let files = self.report.as_deref().map(|html| [html.to_owned(), html.with_extension("json")]);
        files.iter().flatten().try_for_each(|path| files::check_writable(path, self.force))?;
        let network = CompiledNetwork::load(&self.network)?;
        let observe = |path: &Path| {
            let data = Dataset::load(path)?;
            observations(&network, &data, &self.main, &self.collateral).with_context(|| path.display().to_string())
        };
        let (train, test) = (observe(&self.train)?, observe(&self.test)?);
        let options = AuditOptions {
            network: name_of(&self.network),
            attribute: self.collateral.clone(),
            families: self.families.clone().unwrap_or_else(Family::quick),
            seeds: self.seeds.clone(),
            train_limit: self.attack_size,
            ..AuditOptions::default()
        };
        let bar = console.bar("auditing");
        let report = leakage::audit(&train, &test, &options, &bar)?;
        bar.finish_and_clear();
        if let Some([html, json]) = &files {
            let title = format!("What {} gives away about {}", options.network, options.attribute);
            files::write(html, Page::new(title).report(&report).html().as_bytes())?;
            files::write(json, &serde_json::to_vec_pretty(&report)?)?;
        }
        console.result(&report, || text(&report))
    }
}

fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "network".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn text(report: &AuditReport) -> String {
    let pooled = report.attackers.iter().filter(|attacker| attacker.scope == Scope::Pooled);
    let rows = pooled.map(|attacker| {
        let auc = attacker.auc.map_or_else(String::new, |auc| format!("{auc:.3}"));
        let interval = format!("{:.1} to {:.1}", attacker.low, attacker.high);
        [attacker.family.clone(), format!("{:.2}", attacker.accuracy), interval, auc, format!("{:.4}", attacker.bits)]
    });
    let votes = report.vote.iter().map(|vote| format!("vote@{} {:.1} %", vote.k, vote.accuracy)).collect::<Vec<_>>();
    format!(
        "strongest: {}\n{}\n{}",
        finding(&report.strongest),
        votes.join(", "),
        console::table(["attacker, main label given", "accuracy %", "95 %", "AUC", "bits"], rows)
    )
}

/// One finding in words.
pub fn finding(finding: &Finding) -> String {
    let place = finding.class.as_ref().map_or_else(String::new, |class| format!(" within {class}"));
    let Finding { family, accuracy, low, high, chance, .. } = finding;
    format!("{family}{place} {accuracy:.1} % ({low:.1} to {high:.1}), chance {chance:.1} %")
}
