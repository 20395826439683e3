//! `halflight authority`: which functions may be opened, on files. Every decision goes to the ledger.

mod approve;
mod ceremony;
mod collect;
mod decision;
mod init;
mod issue;
mod keys;
mod ledger;
mod project;
mod register;
mod renew;
mod rotate;
mod sign_audit;
mod verify_key;
mod witness;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use encoder::Encoder;
use model::CompiledNetwork;
use qfe::PublicKey;
use roles::keyfile::Unlock;
use roles::{COMMITMENTS, Published};
use service::authority::{Issuer, KeySource};
use service::hash::Hash;

use crate::console::Console;

/// Name of the first project.
const MAIN: &str = "main";
/// Largest compiled network.
const NETWORK_LIMIT: u64 = 64 << 20;

/// The authority's verbs.
#[derive(Subcommand)]
pub enum Authority {
    /// Make an authority: policy, ledger, and a first public key for the inputs of a network's encoder
    Init(init::Init),
    /// Register a compiled network or a signed audit
    Register(register::Register),
    /// Make another project, with its own public key
    Project(project::Project),
    /// Give a project a new public key
    Rotate(rotate::Rotate),
    /// Issue the functional key of a compiled network, if the policy allows it
    Issue(issue::Issue),
    /// List who holds valid keys
    Keys(keys::Keys),
    /// Replace the current share with one that a ceremony renewed
    Renew(renew::Renew),
    /// Several institutions hold one key: make it together, renew its shares, check how it was made
    #[command(subcommand)]
    Ceremony(ceremony::Ceremony),
    /// Anyone: check a functional key against the public key
    VerifyKey(verify_key::VerifyKey),
    /// Approver: sign for one key
    Approve(approve::Approve),
    /// Auditor: sign the report of exactly one compiled network
    SignAudit(sign_audit::SignAudit),
    /// Witness: cosign the head of an authority's ledger, if it continues the last one seen
    Witness(witness::Witness),
    /// Verify and read what was issued and refused
    #[command(subcommand)]
    Ledger(ledger::Ledger),
}

impl Authority {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Init(init) => init.run(console),
            Self::Register(register) => register.run(console),
            Self::Project(project) => project.run(console),
            Self::Rotate(rotate) => rotate.run(console),
            Self::Issue(issue) => issue.run(console),
            Self::Keys(keys) => keys.run(console),
            Self::Renew(renew) => renew.run(console),
            Self::Ceremony(ceremony) => ceremony.run(console),
            Self::VerifyKey(verify) => verify.run(console),
            Self::Approve(approve) => approve.run(console),
            Self::SignAudit(sign) => sign.run(console),
            Self::Witness(witness) => witness.run(console),
            Self::Ledger(ledger) => ledger.run(console),
        }
    }
}

/// A shared key.
#[derive(Args)]
struct Share {
    /// Folder with this authority's share of a key, from `halflight authority ceremony join`, instead of a key drawn here
    #[arg(long, value_name = "FOLDER")]
    share: Option<PathBuf>,
}

impl Share {
    fn source(&self) -> KeySource<'_> {
        self.share.as_deref().map_or(KeySource::Drawn, KeySource::Share)
    }
}

/// The authority's folder and its ledger.
#[derive(Args)]
struct Home {
    /// The authority's folder
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Ledger elsewhere: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
}

impl Home {
    /// Opens the authority, runs the work, and closes it. Without `unlock`, the master keys stay locked.
    fn open<T>(&self, unlock: Option<Unlock>, work: impl AsyncFnOnce(&Issuer) -> Result<T>) -> Result<T> {
        service::run::block_on(async {
            let (folder, ledger) = (&self.folder, self.ledger.as_deref());
            let issuer = match unlock {
                Some(unlock) => Issuer::open(folder, ledger, unlock).await?,
                None => Issuer::open_locked(folder, ledger).await?,
            };
            let result = work(&issuer).await;
            issuer.close().await;
            result
        })?
    }

    /// Where the public key and the encoder of a project are published: `public/`, and `public/NAME/` for all projects
    /// but the first.
    fn public(&self, project: &str) -> PathBuf {
        let public = self.folder.join("public");
        if project == MAIN { public } else { public.join(project) }
    }

    /// Puts a project's current public key, and the encoder of its inputs, where owners get them.
    async fn publish(&self, issuer: &Issuer, project: &str, id: Hash, encoder: Encoder) -> Result<()> {
        let key = PublicKey::from_bytes(&issuer.public_key(id).await?)?;
        self.publish_commitments(issuer, project, id).await?;
        Ok(Published::new(key, encoder)?.write(&self.public(project))?)
    }

    /// Adds the commitments of a shared key, which check the answers of servers.
    async fn publish_commitments(&self, issuer: &Issuer, project: &str, id: Hash) -> Result<()> {
        let path = self.public(project).join(COMMITMENTS);
        if issuer.state().await?.shares.contains_key(&id) {
            let commitments = issuer.commitments(id).await?;
            host::files::make_folder(&self.public(project))?;
            crate::files::write(&path, &commitments)?;
        } else if path.exists() {
            std::fs::remove_file(&path)?;
        }
        Ok(())
    }
}

/// Who makes the request, for the ledger.
fn caller() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    match user.filter(|user| !user.is_empty() && user.len() <= 64 && !user.chars().any(char::is_control)) {
        Some(user) => format!("{user} at the command line"),
        None => "the command line".to_owned(),
    }
}

/// The hash of a compiled network file.
fn network_hash(path: &Path) -> Result<Hash> {
    Ok(Hash(CompiledNetwork::load(path)?.hash()))
}
