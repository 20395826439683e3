//! `halflight serve`: the authority and the predictor over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use qfe::LogTable;
use service::predictor::PredictorOptions;
use service::run::{self, Addresses, AuthorityPart, BoardPart, Listen, PredictorPart};
use service::transport::{self, AuthError, ServerOptions, TlsOptions};

use crate::console::Console;
use crate::passphrase::Secret;

/// The servers.
#[derive(Subcommand)]
pub enum Serve {
    /// Decide under a policy which functions may be opened, and keep the ledger
    Authority(ServeAuthority),
    /// Keep the messages of a ceremony, so that institutions hold it over a network
    Board(ServeBoard),
    /// Evaluate ciphertexts: Open Inference Protocol v2, several models, hot reload
    Predictor(ServePredictor),
}

impl Serve {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Authority(authority) => authority.run(console),
            Self::Board(board) => board.run(console),
            Self::Predictor(predictor) => predictor.run(console),
        }
    }
}

/// Where to listen, and who may connect.
#[derive(Args)]
struct Listening {
    /// Callers that are admitted: bearer tokens and names in client certificates, with scopes. An authority always
    /// needs it; without it a predictor admits everyone on this machine
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Name by which clients call this server, besides its addresses, localhost and the names in its certificate;
    /// repeat for more
    #[arg(long, value_name = "NAME")]
    public_name: Vec<String>,
    /// Separate address for health, metrics and administration only, which answers whatever happens to the first
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Certificate chain in PEM, for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificates: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificates")]
    tls_key: Option<PathBuf>,
    /// Admit only clients with a TLS certificate from these certificate authorities, in PEM; --tokens says what their
    /// holders may do
    #[arg(long, value_name = "FILE", requires = "tls_certificates")]
    client_authorities: Option<PathBuf>,
    /// Listen beyond this machine without TLS or without tokens
    #[arg(long)]
    insecure: bool,
    /// Maximum connections at once
    #[arg(long, default_value_t = 512)]
    connections: usize,
    /// Maximum connections at once from one address; behind a proxy, the same as the total
    #[arg(long, default_value_t = 128, value_name = "COUNT")]
    connections_per_address: usize,
    /// OpenTelemetry collector that accepts spans over HTTP, such as http://127.0.0.1:4318; the environment variable
    /// OTEL_EXPORTER_OTLP_ENDPOINT does the same
    #[arg(long, value_name = "URL")]
    traces: Option<String>,
    /// Write logs as lines of JSON
    #[arg(long)]
    log_json: bool,
    /// Log more
    #[arg(long, short)]
    verbose: bool,
}

impl Listening {
    /// Prints where a server can be reached, once it can.
    fn say<'a>(&self, console: &'a Console, server: &'static str) -> impl FnOnce(Addresses) + 'a {
        let tls = self.tls_certificates.is_some();
        let url = move |address: SocketAddr, tls| format!("{}://{address}", if tls { "https" } else { "http" });
        move |at| {
            // Printed first, because scripts wait for the other line.
            if let Some(admin) = at.admin {
                let admin = url(admin, tls && !admin.ip().is_loopback());
                console.step(&format!("health and metrics at {admin}"));
            }
            console.step(&format!("{server} at {}", url(at.main, tls)));
        }
    }

    fn listen(self, address: SocketAddr, service: &str) -> Result<Listen> {
        transport::init_log(self.log_json, self.verbose);
        let collector = self.traces.or_else(|| std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok());
        if let Some(collector) = collector.filter(|url| !url.is_empty()) {
            transport::init_spans(&collector, service)?;
        }
        let tls = match (self.tls_certificates, self.tls_key) {
            (Some(certificates), Some(key)) => {
                Some(TlsOptions { certificates, key, client_authorities: self.client_authorities })
            }
            _ => None,
        };
        let server = ServerOptions {
            tls,
            names: self.public_name,
            insecure: self.insecure,
            connections: self.connections,
            per_address: self.connections_per_address,
            ..ServerOptions::on(address)
        };
        Ok(Listen { server, tokens: self.tokens, admin: self.admin_listen })
    }
}

/// Serves an authority's folder: policy.toml, ledger, keys, networks, audits.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    halflight keygen --token ops --scopes admin,register,issue,ledger --out ops.token > tokens.toml\n  \
    halflight serve authority --folder authority --identity authority.identity --tokens tokens.toml\n  \
    halflight serve authority --share --folder north --identity north.identity --tokens tokens.toml")]
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
    /// Hold only shares of keys: refuse a folder with a whole master key, and never draw one
    #[arg(long)]
    share: bool,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    listening: Listening,
}

impl ServeAuthority {
    fn run(self, console: &Console) -> Result<()> {
        if self.listening.tokens.is_none() {
            // Before asking for a passphrase.
            return Err(AuthError::Missing.into());
        }
        let unlock = self.secret.unlock(false)?;
        let say = self.listening.say(console, "authority");
        let listen = self.listening.listen(self.listen, "halflight-authority")?;
        let part = AuthorityPart { listen, folder: self.folder, ledger: self.ledger, unlock, shares_only: self.share };
        Ok(run::authority(part, say)?)
    }
}

/// Serves the folder of a ceremony to the participating servers. It is trusted only to keep messages. Each token needs
/// the name of a server and the scope `ceremony`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight keygen --token north --scopes ceremony --out north.token >> tokens.toml\n  \
    halflight serve board --ceremony ceremony --tokens tokens.toml"
)]
pub struct ServeBoard {
    /// Folder of the ceremony, from `halflight authority ceremony init`
    #[arg(long, value_name = "FOLDER")]
    ceremony: PathBuf,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8482")]
    listen: SocketAddr,
    #[command(flatten)]
    listening: Listening,
}

impl ServeBoard {
    fn run(self, console: &Console) -> Result<()> {
        let say = self.listening.say(console, "board");
        let listen = self.listening.listen(self.listen, "halflight-board")?;
        Ok(run::board(BoardPart { listen, folder: self.ceremony }, say)?)
    }
}

/// Serves a folder of models: NAME/network.safetensors and NAME/functional.key, and, if they exist, public.key,
/// grant.json, audit.json and model.toml. Changed files are reloaded while it runs.
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
    /// Ciphertexts that may wait; more are refused with 503
    #[arg(long, default_value_t = 128)]
    queue: usize,
    /// Of these, the most for one caller (token, certificate, or else address); 0 means half
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    queue_per_caller: usize,
    /// Milliseconds that a ciphertext may be expected to wait; beyond that, more are refused though there is room. 0
    /// sets no limit
    #[arg(long, default_value_t = 1500, value_name = "MILLISECONDS")]
    queue_wait: u64,
    /// Maximum ciphertexts per request
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
        let say = self.listening.say(console, "predictor");
        let listen = self.listening.listen(self.listen, "halflight-predictor")?;
        let bar = console.bar("discrete-log table");
        let table = Arc::new(LogTable::build(self.table_bits, &bar)?);
        bar.finish_and_clear();
        let options = PredictorOptions {
            workers: self.workers,
            queue: self.queue,
            share: self.queue_per_caller,
            wait: Duration::from_millis(self.queue_wait),
            items: self.items,
            ..PredictorOptions::over(self.models)
        };
        let part = PredictorPart { listen, options, table };
        Ok(run::predictor(part, say)?)
    }
}
