//! `halflight keygen`: keys of people.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use service::signature::SigningKey;

use crate::console::Console;
use crate::files;

/// Writes a new secret key, readable by its owner only, and prints its public key.
///
/// Auditors, approvers and senders sign with such keys; policies and `model.toml` name their public keys.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight keygen --out lab.key\n  \
    halflight keygen --identity --out authority.identity")]
pub struct Keygen {
    /// File for the secret key; an existing one is never replaced
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// An age identity, which unlocks master keys in place of a passphrase, instead of a signing key
    #[arg(long)]
    identity: bool,
}

impl Keygen {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        files::check_writable(&self.out, false)?;
        let public = if self.identity {
            roles::keyfile::save_new_identity(&self.out)?
        } else {
            let key = SigningKey::generate()?;
            key.save_new(&self.out)?;
            key.verifying_key().to_string()
        };
        console.result(&json!({ "file": self.out, "public": public }), || public.clone())
    }
}
