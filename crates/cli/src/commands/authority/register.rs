//! `halflight authority register`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use service::audit::MAX_BYTES;

use super::{Home, NETWORK_LIMIT, caller};
use crate::console::Console;
use crate::files;

/// Registers compiled networks and signed audits; keys are issued only for registered networks.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight authority register --folder authority --network other.safetensors\n  \
    halflight authority register --folder authority --audit audit.json")]
pub struct Register {
    #[command(flatten)]
    home: Home,
    /// Compiled network; may be given several times
    #[arg(long, value_name = "FILE", required_unless_present = "audit")]
    network: Vec<PathBuf>,
    /// Audit signed by an auditor of the policy; may be given several times
    #[arg(long, value_name = "FILE")]
    audit: Vec<PathBuf>,
}

impl Register {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let read = |path: &PathBuf, limit| Ok((path.clone(), files::read(path, limit)?));
        let networks: Vec<_> = self.network.iter().map(|path| read(path, NETWORK_LIMIT)).collect::<Result<_>>()?;
        let audits: Vec<_> = self.audit.iter().map(|path| read(path, MAX_BYTES as u64)).collect::<Result<_>>()?;
        let name = |path: &Path| path.display().to_string();
        let (networks, audits) = self.home.open(None, async |issuer| {
            let (mut known, mut recorded) = (Vec::new(), Vec::new());
            for (path, bytes) in networks {
                known.push(issuer.register(bytes, &caller()).await.with_context(|| name(&path))?);
            }
            for (path, bytes) in audits {
                recorded.push(issuer.record_audit(bytes, &caller()).await.with_context(|| name(&path))?);
            }
            Ok((known, recorded))
        })?;
        console.result(&json!({ "networks": networks, "audits": audits }), || {
            let networks = networks.iter().map(|hash| format!("network {hash}"));
            let audits = audits.iter().map(|hash| format!("audit {hash}"));
            networks.chain(audits).collect::<Vec<_>>().join("\n")
        })
    }
}
