//! `halflight health`: whether a server answers, for containers and scripts.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use service::owner::{Connection, ConnectionOptions};

use crate::console::Console;

/// Maximum size of an answer, in bytes.
const MOST: usize = 64 << 10;

/// Checks that a server answers; exits with 0 if it does and with 1 if not. Needs no token.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight health http://127.0.0.1:8490\n  \
    halflight health https://predictor:8481 --authorities ca.pem --ready")]
pub struct Health {
    /// The server: https://HOST:PORT or, on this machine, http://HOST:PORT
    url: String,
    /// For a predictor: also check that a model can predict
    #[arg(long)]
    ready: bool,
    /// Certificate authorities of the server, in PEM, instead of the public ones
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// Seconds to wait for the answer
    #[arg(long, default_value_t = 5)]
    patience: u64,
}

impl Health {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        ensure!(self.patience > 0, "--patience is 0; give the seconds to wait");
        let options = ConnectionOptions { url: self.url, authorities: self.authorities, ..Default::default() };
        let connection = Connection::new(options)?.with_patience(Duration::from_secs(self.patience));
        let answer = connection.get(&["health"], MOST)?;
        // The board of a ceremony answers with one word.
        let health: Value = serde_json::from_slice(&answer).unwrap_or(json!({ "status": "ok" }));
        if self.ready {
            connection.get(&["v2", "health", "ready"], MOST).context("it answers, but it cannot predict")?;
        }
        console.result(&json!({ "url": connection.url(), "ready": self.ready, "health": health }), || {
            let models = health["ready"].as_u64().zip(health["models"].as_u64());
            let models =
                models.map_or(String::new(), |(ready, models)| format!(": {ready} of {models} models are ready"));
            format!("{} answers{models}", connection.url())
        })
    }
}
