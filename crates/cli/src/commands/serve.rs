//! `halflight serve`: the authority and the predictor over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};
use qfe::LogTable;
use service::predictor::PredictorOptions;
use service::run::{self, AuthorityPart, Listen, PredictorPart};
use service::transport::{self, ServerOptions, TlsOptions};

use crate::console::Console;
use crate::passphrase::Secret;

/// The servers.
#[derive(Subcommand)]
pub enum Serve {
    /// Decide under a policy which functions may be opened, and keep the ledger
    Authority(ServeAuthority),
    /// Evaluate ciphertexts: Open Inference Protocol v2, several models, hot reload
    Predictor(ServePredictor),
}

impl Serve {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Authority(authority) => authority.run(console),
            Self::Predictor(predictor) => predictor.run(console),
        }
    }
}

/// Where to listen, and who is let in.
#[derive(Args)]
struct Listening {
    /// Bearer tokens with scopes; without it everyone on this machine is let in
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Certificate chain in PEM, for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificates: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificates")]
    tls_key: Option<PathBuf>,
    /// Let in only clients with a certificate from these authorities, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificates")]
    client_authorities: Option<PathBuf>,
    /// Listen beyond this machine without TLS or without tokens
    #[arg(long)]
    insecure: bool,
    /// Most connections at once
    #[arg(long, default_value_t = 512)]
    connections: usize,
    /// Logs as lines of JSON
    #[arg(long)]
    log_json: bool,
    /// Log more
    #[arg(long, short)]
    verbose: bool,
}

impl Listening {
    fn scheme(&self) -> &'static str {
        if self.tls_certificates.is_some() { "https" } else { "http" }
    }

    fn listen(self, address: SocketAddr) -> Listen {
        transport::init_log(self.log_json, self.verbose);
        let tls = match (self.tls_certificates, self.tls_key) {
            (Some(certificates), Some(key)) => {
                Some(TlsOptions { certificates, key, client_authorities: self.client_authorities })
            }
            _ => None,
        };
        let server =
            ServerOptions { tls, insecure: self.insecure, connections: self.connections, ..ServerOptions::on(address) };
        Listen { server, tokens: self.tokens }
    }
}

/// Serves an authority's folder: policy.toml, ledger, keys, networks, audits.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight serve authority --folder authority --identity authority.identity")]
pub struct ServeAuthority {
    /// The authority's folder; it must hold policy.toml
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Ledger elsewhere: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    listening: Listening,
}

impl ServeAuthority {
    fn run(self, console: &Console) -> Result<()> {
        let unlock = self.secret.unlock(false)?;
        let scheme = self.listening.scheme();
        let listen = self.listening.listen(self.listen);
        let part = AuthorityPart { listen, folder: self.folder, ledger: self.ledger, unlock };
        Ok(run::authority(part, |address| console.step(&format!("authority at {scheme}://{address}")))?)
    }
}

/// Serves a folder of models: NAME/network.safetensors and NAME/functional.key, and if they are there public.key,
/// grant.json, audit.json and model.toml. Changed files are taken up while it runs.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight serve predictor --models models")]
pub struct ServePredictor {
    /// Folder with one folder per model
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8481")]
    listen: SocketAddr,
    /// Worker threads; 0 means as many as cores
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Ciphertexts that may wait; further ones are turned away with 503
    #[arg(long, default_value_t = 128)]
    queue: usize,
    /// Most ciphertexts of one request
    #[arg(long, default_value_t = 32)]
    items: usize,
    /// Size of the discrete-log table: 2^BITS entries of 16 bytes; 22 suits outputs of 32 bits and more
    #[arg(long, default_value_t = 20, value_name = "BITS")]
    table_bits: u32,
    #[command(flatten)]
    listening: Listening,
}

impl ServePredictor {
    fn run(self, console: &Console) -> Result<()> {
        let scheme = self.listening.scheme();
        let listen = self.listening.listen(self.listen);
        let bar = console.bar("discrete-log table");
        let table = Arc::new(LogTable::build(self.table_bits, &bar)?);
        bar.finish_and_clear();
        let options = PredictorOptions {
            workers: self.workers,
            queue: self.queue,
            items: self.items,
            ..PredictorOptions::over(self.models)
        };
        let part = PredictorPart { listen, options, table };
        Ok(run::predictor(part, |address| console.step(&format!("predictor at {scheme}://{address}")))?)
    }
}
