//! `halflight token`: who may call a server.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Args, Subcommand};
use serde_json::json;
use service::clock;
use service::transport::{Scope, Tokens, new_token};
use zeroize::Zeroizing;

use crate::console::{self, Console};
use crate::files;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days until a token expires, unless another number is asked for.
pub const DAYS: u32 = 365;

/// Largest file with a token.
const LIMIT: u64 = 32 << 10;

/// Bearer tokens, and the callers that they identify.
#[derive(Subcommand)]
pub enum Token {
    /// Say whom a token identifies, and what its holder may do
    Check(Check),
    /// List the callers that a file of tokens admits, and until when
    List(List),
    /// Draw a token, and print its entry for a server's file of tokens
    New(New),
}

impl Token {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Check(check) => check.run(console),
            Self::List(list) => list.run(console),
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
    pub name: String,
    /// What it allows: infer, metrics, admin, register, issue, ledger, ceremony
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    pub scopes: Vec<Scope>,
    /// File for the token; an existing one is never replaced
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Days until it expires
    #[arg(long, default_value_t = DAYS, conflicts_with = "no_expiry")]
    pub days: u32,
    /// A token that does not expire
    #[arg(long)]
    pub no_expiry: bool,
}

impl New {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        ensure!(self.days > 0, "--days is 0; give the days until the token expires, or --no-expiry");
        files::check_writable(&self.out, false)?;
        let expires = (!self.no_expiry).then(|| in_days(self.days));
        let entry = new_token(&self.out, &self.name, &self.scopes, expires)?;
        let scopes: Vec<String> = self.scopes.iter().map(Scope::to_string).collect();
        let machine = json!({
            "file": self.out, "name": self.name, "scopes": scopes, "expires": expires.map(clock::utc), "entry": entry,
        });
        console.result(&machine, || entry.trim_end().to_owned())
    }
}

/// Lists the callers in a server's file: tokens, certificates, people and groups, with what they may do.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight token list --tokens tokens.toml")]
pub struct List {
    /// The server's file of callers
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
}

impl List {
    fn run(self, console: &Console) -> Result<()> {
        let callers = Tokens::load(&self.tokens)?.listed();
        console.result(&json!({ "callers": callers }), || {
            let rows = callers.iter().map(|caller| {
                let limit = caller.requests_per_minute.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
                let expires = caller.expires.map_or_else(|| "does not expire".to_owned(), clock::utc);
                let state = if caller.valid { "valid" } else { "expired" };
                // Whoever wrote the file chose the names; none may move the cursor.
                let name = caller.name.replace(char::is_control, "?");
                [name, caller.shown_by.to_owned(), joined(&caller.scopes), limit, expires, state.to_owned()]
            });
            console::table(["name", "shown by", "scopes", "per minute", "expires", "state"], rows)
        })
    }
}

/// Says whom a token identifies at a server with this file: one that the file lists, or one that an identity provider
/// signed. Fails with the server's answer if the server would refuse it.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight token check --tokens tokens.toml --token-file maria.jwt")]
pub struct Check {
    /// The server's file of callers
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
    /// File that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
}

impl Check {
    fn run(self, console: &Console) -> Result<()> {
        let tokens = Tokens::load(&self.tokens)?;
        let token = Zeroizing::new(files::read(&self.token_file, LIMIT)?);
        let named = || self.token_file.display().to_string();
        let token = std::str::from_utf8(&token).with_context(named)?.trim();
        let caller = tokens.who(token).map_err(|problem| anyhow!("{}: {}", named(), problem.detail()))?;
        let scopes: Vec<Scope> = caller.scopes().into_iter().flatten().copied().collect();
        console.result(&json!({ "name": caller.name, "scopes": scopes }), || {
            format!("{}: {}", caller.name, joined(&scopes))
        })
    }
}

/// Seconds since 1970 so many days from now.
pub fn in_days(days: u32) -> i64 {
    clock::now() + DAY * i64::from(days)
}

fn joined(scopes: &[Scope]) -> String {
    scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(", ")
}
