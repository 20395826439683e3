//! `halflight token`: who may call a server.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::json;
use service::clock;
use service::transport::{Scope, new_token};

use crate::console::Console;
use crate::files;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Bearer tokens.
#[derive(Subcommand)]
pub enum Token {
    /// Draw a token, and print its entry for a server's file of tokens
    New(New),
}

impl Token {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::New(new) => new.run(console),
        }
    }
}

/// Draws a token of 256 bits into a file that only its owner can read. Prints the entry that registers it: append it to
/// the server's --tokens file, which a running server reloads. To revoke a token, remove its entry.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight token new ward-3 --scopes infer --days 90 --out ward-3.token >> tokens.toml\n  \
    halflight token new scraper --scopes metrics --no-expiry --out scraper.token >> tokens.toml")]
pub struct New {
    /// Who it is for: this name appears in the log and in the ledger
    name: String,
    /// What it allows: infer, metrics, admin, register, issue, ledger, ceremony
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    scopes: Vec<Scope>,
    /// File for the token; an existing one is never replaced
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Days until it expires
    #[arg(long, default_value_t = 365, conflicts_with = "no_expiry")]
    days: u32,
    /// A token that does not expire
    #[arg(long)]
    no_expiry: bool,
}

impl New {
    fn run(self, console: &Console) -> Result<()> {
        ensure!(self.days > 0, "--days is 0; give the days until the token expires, or --no-expiry");
        files::check_writable(&self.out, false)?;
        let expires = (!self.no_expiry).then(|| clock::now() + DAY * i64::from(self.days));
        let entry = new_token(&self.out, &self.name, &self.scopes, expires)?;
        let scopes: Vec<String> = self.scopes.iter().map(Scope::to_string).collect();
        let machine = json!({
            "file": self.out, "name": self.name, "scopes": scopes, "expires": expires.map(clock::utc), "entry": entry,
        });
        console.result(&machine, || entry.trim_end().to_owned())
    }
}
