//! `halflight authority sign-audit`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use service::audit::{Evidence, MAX_BYTES, SignedAudit};
use service::signature::SigningKey;

use super::network_hash;
use crate::commands::audit::data_hash;
use crate::console::Console;
use crate::files::{self, Output};

/// Signs, as an auditor of the policy, that a report of `halflight audit` is about exactly this network.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority sign-audit --key lab.key --network compiled.safetensors \\\n    \
    --report report.json --out audit.json"
)]
pub struct SignAudit {
    /// The auditor's secret key, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Network that was audited
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// JSON report, which `halflight audit --report` writes next to the page
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// Data set that attackers learned from or were scored on, whose hash is signed too; may be given several times, as
    /// `halflight audit --sign` does: first --train, then --test
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Panel of the report, if it was a panel
    #[arg(long, value_name = "PANEL", value_parser = ["quick", "full"])]
    panel: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl SignAudit {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let key = SigningKey::load(&self.key)?;
        let network = network_hash(&self.network)?;
        let place = || self.report.display().to_string();
        let report = String::from_utf8(files::read(&self.report, MAX_BYTES as u64 / 2)?).with_context(place)?;
        let data = if self.data.is_empty() { None } else { Some(data_hash(&self.data)?) };
        let evidence = Evidence::now(&report, data, self.panel.as_deref()).with_context(place)?;
        let signed = SignedAudit::sign(network, &report, &evidence, &key).with_context(place)?;
        files::write(path, &signed.to_bytes())?;
        let (auditor, summary) = (signed.auditor().to_string(), signed.summary());
        console.result(
            &json!({
                "file": path, "network": network, "auditor": auditor, "attribute": summary.attribute,
                "strongest": summary.strongest.accuracy, "high": summary.high(), "evidence": evidence,
            }),
            || {
                format!(
                    "{}: strongest attacker on '{}' {:.2} %, up to {:.2} %, signed by {auditor}",
                    path.display(),
                    summary.attribute,
                    summary.strongest.accuracy,
                    summary.high()
                )
            },
        )
    }
}
