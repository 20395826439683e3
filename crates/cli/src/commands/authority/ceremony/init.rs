//! `halflight authority ceremony init`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{Servers, publish};
use crate::console::Console;

/// Writes the definition of a ceremony into a new folder that all servers can read and write: a network share, a
/// repository, or a memory stick that is passed around. The folder is not trusted.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority ceremony init --network compiled.safetensors --threshold 1 \\\n    \
    --server north=ed25519:…,age1… --server south=ed25519:…,age1… --server west=ed25519:…,age1… --out ceremony"
)]
pub struct Init {
    /// Compiled network whose encoder's inputs the key will encrypt
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    #[command(flatten)]
    servers: Servers,
    /// Folder of the ceremony
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

impl Init {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        publish(&self.servers.define(&self.network)?, &self.out, console)
    }
}
