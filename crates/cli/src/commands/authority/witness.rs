//! `halflight authority witness`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use service::ledger::{Handover, MAX_HANDOVER_BYTES, Witness as Watch};
use service::signature::{SigningKey, VerifyingKey};

use crate::console::Console;
use crate::files::{self, Output};

/// Cosigns the head of a ledger elsewhere, after checking that it continues the last one that this witness cosigned; an
/// older or forked one is refused. Run it on another machine than the authority's.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority witness --name north --key north.key --ledger-key ed25519:… \\\n    \
    --state north.state --handover handover.json --out north.head"
)]
pub struct Witness {
    /// Name of this witness in the authority's policy
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The witness's secret key, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The ledger's public key, which `halflight authority ledger checkpoint` prints; from the authority, not from the
    /// file
    #[arg(long, value_name = "KEY")]
    ledger_key: VerifyingKey,
    /// The ledger key of another authority that writes to the same ledger; may be given several times. Keep one state
    /// for all
    #[arg(long, value_name = "KEY")]
    writer: Vec<VerifyingKey>,
    /// File that remembers what was cosigned last: keep it, and never replace it with an older one
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Nothing was cosigned before: begin with this head
    #[arg(long)]
    first: bool,
    /// Handover file from the authority
    #[arg(long, value_name = "FILE")]
    handover: PathBuf,
    #[command(flatten)]
    output: Output,
}

impl Witness {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let place = || self.handover.display().to_string();
        let handover = Handover::from_bytes(&files::read(&self.handover, MAX_HANDOVER_BYTES)?).with_context(place)?;
        let witness =
            Watch::new(&self.name, SigningKey::load(&self.key)?, self.ledger_key.clone(), self.state.clone())?
                .with_writers(self.writer.clone());
        let (head, note) = witness.cosign(&handover, self.first)?;
        files::write(path, note.as_bytes())?;
        console.result(&json!({ "file": path, "head": head, "witness": self.name }), || {
            format!("{}: the head of {} entries, cosigned by {}", path.display(), head.sequence, self.name)
        })
    }
}
