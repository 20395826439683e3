//! `halflight audit`.

mod outputs;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use dataset::Dataset;
use experiments::Certifier;
use experiments::audit::{self, Audited, Beside, Subject};
use leakage::certificate::{Certificate, CertificateOptions};
use leakage::{AttackerConfig, AuditOptions, Observations};
use model::CompiledNetwork;
use serde_json::json;
use service::audit::{Evidence, SignedAudit};
use service::hash::Hash;
use service::signature::SigningKey;

use super::{certify, matching};
use crate::console::Console;
use crate::files;
pub use text::finding;

/// Trains fresh attackers on the outputs of one data set and scores them on another.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight audit compiled.safetensors --train attackers.safetensors \\\n    \
    --test test.safetensors --main character --collateral font --panel full --report report.html\n  \
    halflight audit compiled.safetensors --train attackers.safetensors --test test.safetensors \\\n    \
    --outputs outputs.safetensors --outputs-only")]
pub struct Audit {
    /// Compiled network
    network: PathBuf,
    /// Data set that attackers learn from; use one that the network never saw
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Data set that attackers are scored on
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// The label that everyone may know
    #[arg(long, default_value = "character", value_name = "LABEL")]
    main: String,
    /// The label that attackers try to learn
    #[arg(long, default_value = "font", value_name = "LABEL")]
    collateral: String,
    /// Also attack every other label of the data, which was not considered when the network was defended
    #[arg(long)]
    unlisted: bool,
    /// Attackers
    #[arg(long, value_enum, default_value_t = Panel::Quick)]
    panel: Panel,
    /// These attackers instead of a panel
    #[arg(long, value_delimiter = ',', value_name = "FAMILY")]
    families: Option<Vec<AttackerConfig>>,
    /// A compiled undefended network of the same data: attackers map outputs to its outputs first (de-censoring), and
    /// its own leak is reported for comparison
    #[arg(long, value_name = "FILE")]
    undefended: Option<PathBuf>,
    /// Train the strongest attacker on growing parts of its items (the full panel does)
    #[arg(long)]
    growth: bool,
    /// Rebuild inputs from outputs (the full panel does)
    #[arg(long)]
    reconstruction: bool,
    /// Also attack a random network of the same shape and the raw inputs, for comparison (the full panel does)
    #[arg(long)]
    controls: bool,
    /// Random seeds, each a whole run of the panel; figures are averaged [default: 0; with `--panel full`, 0,1,2]
    #[arg(long, value_delimiter = ',', value_name = "SEED")]
    seeds: Vec<u64>,
    /// Maximum number of items that attackers learn from
    #[arg(long, value_name = "ITEMS")]
    attack_size: Option<usize>,
    /// HTML page to write; the same report is written as JSON next to it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The auditor's secret key, from `halflight keygen`: the signed report for exactly this network is written next to
    /// the page as `.signed.json`, as an authority's policy requires
    #[arg(long, value_name = "FILE", requires = "report")]
    sign: Option<PathBuf>,
    /// Also bound every attacker, known or not: a certificate on the items of both data sets, or of the test set alone
    /// if the network was trained on the other; the outputs need noise
    #[arg(long)]
    certify: bool,
    /// With `--certify`: the population has few distinct values, so repeated items are still independent draws
    #[arg(long, requires = "certify")]
    repeated: bool,
    /// Items that the network was trained on, for a control attack: what it reveals about them and not about others, it
    /// has memorised
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    /// Write outputs and labels of both data sets, for your own attackers
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,
    /// Write the outputs and attack nothing
    #[arg(long, requires = "outputs")]
    outputs_only: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Panel {
    /// Every kind that is known to find what others miss; takes seconds
    Quick,
    /// Every family, growth curve, reconstruction and controls; takes minutes
    Full,
}

impl Audit {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let files = self.report.as_deref().map(|html| [html.to_owned(), html.with_extension("json")]);
        let signer = self.sign.as_deref().map(SigningKey::load).transpose()?;
        let signed = self.report.as_deref().filter(|_| signer.is_some()).map(|html| html.with_extension("signed.json"));
        let written = files.iter().flatten().chain(&signed).chain(&self.outputs);
        written.into_iter().try_for_each(|path| files::check_writable(path, self.force))?;
        let network = CompiledNetwork::load(&self.network)?;
        let [train, test] = [&self.train, &self.test].map(|path| Split::load(path, &network, &self));
        let (train, test) = (train?, test?);
        let labels = [&self.main, &self.collateral];
        matching::pair((&self.train, &train.data), (&self.test, &test.data), labels)?;
        if let Some(path) = &self.outputs {
            outputs::write(path, (&train.seen, &train.outputs), (&test.seen, &test.outputs))?;
            if self.outputs_only {
                let value = json!({ "file": path, "train": train.seen.len(), "test": test.seen.len() });
                return console.result(&value, || format!("{}: outputs and labels", path.display()));
            }
        }
        // Checked before attackers start, not after.
        let certificate = if self.certify { Some(self.certificate(&network, &train, &test)?) } else { None };
        let outcome = Audited { certificate, ..self.attack(&network, &train, &test, console)? };
        if let Some([html, json]) = &files {
            let title = format!("What {} reveals about {}", name_of(&self.network), self.collateral);
            files::write(html, outcome.page(title).html().as_bytes())?;
            let text = serde_json::to_string_pretty(&outcome)?;
            files::write(json, text.as_bytes())?;
            if let (Some(path), Some(key)) = (&signed, &signer) {
                let data = data_hash([&self.train, &self.test])?;
                let panel = match self.panel {
                    _ if self.families.is_some() => None,
                    Panel::Quick => Some("quick"),
                    Panel::Full => Some("full"),
                };
                let evidence = Evidence::now(&text, Some(data), panel)?;
                files::write(path, &SignedAudit::sign(Hash(network.hash()), &text, &evidence, key)?.to_bytes())?;
            }
        }
        console.result(&outcome, || {
            let reports = std::iter::once(&outcome.report).chain(&outcome.attributes).map(text::report);
            let parity = outcome.parity.as_ref().map(text::parity);
            let certificate = outcome.certificate.as_ref().map(certify::bounds);
            reports.chain(parity).chain(certificate).collect::<Vec<_>>().join("\n\n")
        })
    }

    fn attack(&self, network: &CompiledNetwork, train: &Split, test: &Split, console: &Console) -> Result<Audited> {
        let named = [self.main.as_str(), self.collateral.as_str()];
        let others = if self.unlisted { audit::unlisted(&train.data, &test.data, &named)? } else { Vec::new() };
        let undefended = self.undefended.as_deref().map(CompiledNetwork::load).transpose()?;
        let bare = undefended.as_ref().map(|bare| anyhow::Ok((train.seen_by(bare, self)?, test.seen_by(bare, self)?)));
        let bare = bare.transpose()?;
        let members = self.members.as_deref().map(|path| self.members(path, network, &train.data)).transpose()?;
        let names = [&self.train, &self.test].map(|path| path.display().to_string());
        let subject = Subject {
            seen: [&train.seen, &test.seen],
            data: Some([&train.data, &test.data]),
            names: [&names[0], &names[1]],
            network: Some(network),
            undefended: bare.as_ref().map(|(train, test)| [train, test]),
            members: members.as_ref(),
            others: &others,
        };
        let full = self.panel == Panel::Full;
        let beside = Beside { reconstruction: self.reconstruction || full, controls: self.controls || full };
        let bar = console.bar("auditing");
        let audited = audit::audit(&subject, beside, &self.options(), &bar)?;
        bar.finish_and_clear();
        Ok(audited)
    }

    /// What attackers see of the items that the network was trained on.
    fn members(&self, path: &Path, network: &CompiledNetwork, train: &Dataset) -> Result<Observations> {
        let members = Split::load(path, network, self)?;
        matching::pair((&self.train, train), (path, &members.data), [&self.main, &self.collateral])?;
        Ok(members.seen)
    }

    fn certificate(&self, network: &CompiledNetwork, train: &Split, test: &Split) -> Result<Certificate> {
        if network.main() != self.main {
            bail!("--main {}: a certificate holds for the network's own main label, {}", self.main, network.main());
        }
        let certifier = Certifier::new(vec![network]).with_context(|| self.network.display().to_string())?;
        let items = certifier.unseen(&train.data, &test.data, &self.collateral, self.repeated);
        let items = items.map_err(certify::remedy).with_context(|| self.test.display().to_string())?;
        Ok(certifier.certify(&items, &CertificateOptions::default(), None)?.certificate)
    }

    fn options(&self) -> AuditOptions {
        let standard = match self.panel {
            Panel::Quick => AuditOptions::default(),
            Panel::Full => AuditOptions::full(),
        };
        let mut families = self.families.clone().unwrap_or_else(|| standard.families.clone());
        if self.undefended.is_some() && self.families.is_none() {
            families.extend(audit::decensoring());
        }
        AuditOptions {
            network: name_of(&self.network),
            attribute: self.collateral.clone(),
            families,
            seeds: if self.seeds.is_empty() { standard.seeds.clone() } else { self.seeds.clone() },
            train_limit: self.attack_size,
            growth: self.growth || standard.growth,
            ..standard
        }
    }
}

/// One identifier for the data sets of an audit, in their order: a hash over the hash of each file.
pub fn data_hash(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Hash> {
    let hash = |path: &Path| -> Result<Hash> {
        let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
        Ok(Hash::of_bytes(&bytes))
    };
    let hashes = paths.into_iter().map(|path| hash(path.as_ref())).collect::<Result<Vec<_>>>()?;
    let parts: Vec<&[u8]> = hashes.iter().map(|hash| &hash.0[..]).collect();
    Ok(Hash::of("halflight audit data v1", &parts))
}

/// One data set, with the outputs of the network.
struct Split {
    data: Dataset,
    outputs: Vec<i64>,
    seen: Observations,
}

impl Split {
    fn load(path: &Path, network: &CompiledNetwork, audit: &Audit) -> Result<Self> {
        let load = || {
            let data = Dataset::load(path)?;
            data.check_encoder(network.encoder())?;
            let outputs = network.evaluate_all(&data)?;
            let seen = experiments::labelled(&outputs, network.outputs(), &data, &audit.main, &audit.collateral)?;
            Ok::<_, anyhow::Error>(Self { data, outputs, seen })
        };
        load().with_context(|| path.display().to_string())
    }

    fn seen_by(&self, network: &CompiledNetwork, audit: &Audit) -> Result<Observations> {
        Ok(experiments::observations(network, &self.data, &audit.main, &audit.collateral)?)
    }
}

fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "network".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
