//! `halflight authority issue --servers`: a key from the parts of several authorities, or their answers to a dry run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use model::CompiledNetwork;
use roles::{ModelFolder, SharedKey};
use serde_json::json;
use service::approval::Approval;
use service::hash::Hash;
use service::opinion::{Opinion, Said, consider};
use service::owner::{Connection, ConnectionOptions};
use service::quorum::{Collected, Holder, Verdict, Wish, collect};

use super::decision::text;
use crate::console::Console;
use crate::files;

/// The servers that hold shares, and how to reach them.
#[derive(Args)]
#[command(next_help_heading = "From several authorities")]
pub struct Servers {
    /// Authorities that hold shares of the key, instead of a folder: https://HOST:PORT or NAME=https://HOST:PORT,
    /// separated by commas. All are asked at once; each part is checked, and enough of them make the key
    #[arg(long, value_name = "URLS", value_delimiter = ',', requires = "parameters", conflicts_with_all = ["folder", "ledger"])]
    pub servers: Vec<String>,
    /// Folder with public.key and commitments of the shares, as `halflight authority ceremony verify --out` writes them
    #[arg(long, value_name = "FOLDER", requires = "servers")]
    parameters: Option<PathBuf>,
    /// File with the bearer token for each server, in their order and separated by commas; a single one is used for all
    #[arg(long, value_name = "FILES", value_delimiter = ',', requires = "servers")]
    token_file: Vec<PathBuf>,
    /// Seconds to wait for a server's answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "servers")]
    timeout: u64,
    /// Certificate authorities of the servers, in PEM, instead of the public ones
    #[arg(long, value_name = "FILE", requires = "servers")]
    server_authorities: Option<PathBuf>,
    /// TLS client certificate to show, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
}

/// The request, and where the key goes.
pub struct Order<'a> {
    pub network: &'a CompiledNetwork,
    pub project: &'a str,
    pub holder: &'a str,
    pub approvals: &'a [Approval],
    pub out: Option<&'a PathBuf>,
    pub model: Option<&'a PathBuf>,
}

impl Order<'_> {
    fn wish(&self) -> Wish<'_> {
        let Self { project, holder, approvals, .. } = *self;
        Wish { project, network: Hash(self.network.hash()), holder, approvals }
    }
}

impl Servers {
    fn holders(&self) -> Result<Vec<Holder>> {
        let (tokens, servers) = (&self.token_file, &self.servers);
        if tokens.len() > 1 && tokens.len() != servers.len() {
            bail!(
                "--token-file: {} files for {} servers; give one for all, or one for each",
                tokens.len(),
                servers.len()
            );
        }
        let token = |place: usize| -> Result<Option<String>> {
            let Some(path) = tokens.get(if tokens.len() == 1 { 0 } else { place }) else { return Ok(None) };
            let text = String::from_utf8(files::read(path, 4096)?).with_context(|| path.display().to_string())?;
            Ok(Some(text.trim().to_owned()))
        };
        let holder = |(place, text): (usize, &String)| -> Result<Holder> {
            // A name has no slash; an address has one before any other equals sign.
            let named = text.split_once('=').filter(|(name, _)| !name.contains('/'));
            let (name, url) = named.unwrap_or((text, text));
            let connection = Connection::new(ConnectionOptions {
                url: url.to_owned(),
                token: token(place)?,
                authorities: self.server_authorities.clone(),
                certificate: self.certificate.clone().zip(self.certificate_key.clone()),
            })?;
            let connection = connection.with_patience(Duration::from_secs(self.timeout));
            Ok(Holder { name: name.to_owned(), connection })
        };
        servers.iter().enumerate().map(holder).collect()
    }

    fn key(&self) -> Result<SharedKey> {
        Ok(SharedKey::read(self.parameters.as_ref().context("--parameters is missing")?)?)
    }

    /// Prints what each server would answer. Fails if too few would give their part.
    pub fn consider(&self, order: &Order<'_>, console: &Console) -> Result<()> {
        let key = self.key()?;
        // A function that does not fit the key is refused before any server is asked.
        key.combiner(order.network.map())?;
        let opinions = consider(&key, &self.holders()?, &order.wish());
        let willing = opinions.iter().filter(|said| matches!(said.opinion, Opinion::Willing { .. })).count();
        let needed = key.seat().sharing.quorum();
        let machine = json!({ "dry_run": true, "needed": needed, "willing": willing, "servers": opinions });
        console.result(&machine, || opinions.iter().map(spoken).collect::<Vec<_>>().join("\n"))?;
        if willing < needed {
            bail!("{willing} of {needed} servers would give their part");
        }
        Ok(())
    }

    /// Collects the parts, and writes the key.
    pub fn issue(&self, order: &Order<'_>, console: &Console) -> Result<()> {
        let (key, wish) = (self.key()?, order.wish());
        let network = wish.network;
        let collected = collect(&key, order.network.map(), &self.holders()?, &wish)?;
        let Collected { key: functional, replies, grants, pin } = &collected;
        if let Some(path) = order.out {
            files::write_secret(path, &functional.to_bytes())?;
        }
        if let Some(folder) = order.model {
            let files = ModelFolder {
                network: order.network.clone(),
                key: functional.clone(),
                public_key: Some(key.public().clone()),
                grant: grants.first().map(|grant| grant.to_bytes()),
                audit: None,
                page: None,
            };
            files.write(folder)?;
        }
        for reply in replies {
            match &reply.verdict {
                Verdict::Used | Verdict::Spare => {}
                Verdict::Refused(reason) => console.warn(&format!("{} refused: {reason}", reply.server)),
                Verdict::Silent(reason) => console.warn(&format!("{} gave no answer: {reason}", reply.server)),
                Verdict::Stale(reason) => console.warn(&format!("{} holds another share: {reason}", reply.server)),
                Verdict::Lied(reason) => console.warn(&format!("{} lied: {reason}", reply.server)),
            }
        }
        let (id, outputs, seat) = (key.public().id().to_string(), functional.map().outputs(), key.seat());
        console.result(
            &json!({
                "file": order.out, "model": order.model, "public_key": id, "network": network, "outputs": outputs,
                "epoch": seat.epoch, "needed": seat.sharing.quorum(), "servers": replies, "grants": grants, "pin": pin,
            }),
            || {
                let places = order.out.into_iter().chain(order.model).map(|path| path.display().to_string());
                let used = replies.iter().filter(|reply| reply.verdict == Verdict::Used);
                let used: Vec<&str> = used.map(|reply| reply.server.as_str()).collect();
                let pin = pin.map_or_else(|| "none: the authorities differ".to_owned(), |pin| pin.to_string());
                format!(
                    "{}: opens {outputs} outputs of network {network}\non every ciphertext of public key {id}\n\
                     made from the parts of {}, checked against the public key\npin for owners: {pin}",
                    places.collect::<Vec<_>>().join(" and "),
                    used.join(", ")
                )
            },
        )
    }
}

/// A server's answer to a dry run, in words.
fn spoken(said: &Said) -> String {
    let server = &said.server;
    match &said.opinion {
        Opinion::Willing { decision } | Opinion::Unwilling { decision: Some(decision), .. } => {
            format!("{server}: {}", text(decision))
        }
        Opinion::Unwilling { reasons, decision: None } => format!("{server} would refuse: {}", reasons.join("; ")),
        Opinion::Silent { reason } => format!("{server} gave no answer: {reason}"),
        Opinion::Stale { reason } => format!("{server} holds another share: {reason}"),
    }
}
