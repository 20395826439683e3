//! `halflight authority ceremony deal`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::Servers;
use crate::console::Console;
use crate::files;

/// Draws a key on this machine and seals a share to every server. Weaker than a ceremony: whoever controls this machine
/// at that moment has the whole key, and nothing shows it afterwards.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority ceremony deal --network compiled.safetensors --threshold 1 \\\n    \
    --server north=ed25519:…,age1… --server south=ed25519:…,age1… --server west=ed25519:…,age1… --out dealt"
)]
pub struct Deal {
    /// Compiled network whose encoder's inputs the key will encrypt
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    #[command(flatten)]
    servers: Servers,
    /// Output folder, with one folder for each server: give it to that server alone
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

impl Deal {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let definition = self.servers.define(&self.network)?;
        let names: Vec<_> = definition.servers().iter().map(|server| server.name.as_str()).collect();
        files::check_folder(&self.out, &names, false)?;
        console.step("drawing keys");
        let key = roles::ceremony::deal(&definition, &self.out)?;
        console.warn("this machine held the whole key for a moment; a ceremony has no such moment");
        let id = key.public().id().to_string();
        let homes: Vec<PathBuf> = names.iter().map(|name| self.out.join(name)).collect();
        console.result(
            &json!({ "public_key": id, "folders": homes, "threshold": definition.threshold(), "dealer": true }),
            || format!("public key {id}; give each server its folder in {}", self.out.display()),
        )
    }
}
