//! `halflight authority keys`: who holds keys.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use service::clock;

use super::MAIN;
use super::ledger::Reading;
use crate::console::{self, Console};

/// Prints who holds which functional key, from the ledger alone: no secret is needed. Lists keys that are valid now, or
/// all with --all.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight authority keys --folder authority\n  \
    halflight authority keys --folder authority --project faces --all --json")]
pub struct Keys {
    #[command(flatten)]
    reading: Reading,
    /// The project
    #[arg(long, default_value = MAIN, value_name = "NAME")]
    project: String,
    /// Also keys whose grant has expired, and those under earlier public keys
    #[arg(long)]
    all: bool,
}

impl Keys {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let keys = self.reading.state()?.keys(&self.project, clock::now());
        let mut keys =
            keys.with_context(|| format!("--project is {}: the ledger has no such project", self.project))?;
        keys.retain(|key| self.all || (key.valid && key.current));
        console.result(&json!({ "project": self.project, "keys": keys }), || {
            let rows = keys.iter().map(|key| {
                let expires = key.expires.map_or_else(|| "does not expire".to_owned(), clock::utc);
                let state = match (key.current, key.valid) {
                    (true, true) => "valid",
                    (true, false) => "expired",
                    (false, _) => "earlier public key",
                };
                // Callers choose some of this text; it must not contain terminal control characters.
                let holder = key.holder.replace(char::is_control, "?");
                let network = key.network.to_string()[..16].to_owned();
                [holder, network, key.epoch.to_string(), clock::utc(key.issued), expires, state.to_owned()]
            });
            console::table(["holder", "network", "epoch", "issued", "expires", "state"], rows)
        })
    }
}
