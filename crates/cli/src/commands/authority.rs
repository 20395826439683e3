//! `halflight authority`: master keys and functional keys.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use network::CompiledNetwork;
use qfe::keyfile::{self, Lock, Unlock};
use serde_json::json;

use crate::console::{self, Console};
use crate::files::{self, Output};
use crate::keys::{ENCODER, PUBLIC_KEY, hex, map_of};
use crate::passphrase::Passphrase;

/// Name of the master key in the authority's folder.
const MASTER_KEY: &str = "master.age";
/// Name of the folder of published parameters in the authority's folder.
const PUBLIC: &str = "public";

/// The authority's verbs.
#[derive(Subcommand)]
pub enum Authority {
    /// Make a master key and its public key for the inputs of a network's encoder
    Init(Init),
    /// Issue the functional key of a compiled network
    Issue(Issue),
}

impl Authority {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Init(init) => init.run(console),
            Self::Issue(issue) => issue.run(console),
        }
    }
}

/// Writes `master.age` (keep it) and `public/` (publish it: public key and encoder).
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority init --network compiled.safetensors --folder authority")]
pub struct Init {
    /// Compiled network whose encoder owners will use
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Folder to make
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Encrypt the master key to an age recipient (`age1…`) instead of a passphrase
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase_file")]
    recipient: Option<String>,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Init {
    fn run(self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.network)?;
        let (master_path, public) = (self.folder.join(MASTER_KEY), self.folder.join(PUBLIC));
        for path in [&master_path, &public] {
            if path.exists() {
                bail!("{}: exists, and a master key is never replaced; choose another folder", path.display());
            }
        }
        let lock = match &self.recipient {
            Some(recipient) => Lock::recipient(recipient)?,
            None => Lock::passphrase(self.passphrase.get(true)?.to_string()),
        };
        fs::create_dir_all(&public).with_context(|| format!("{}: cannot be made", public.display()))?;

        console.step("drawing keys");
        let (n, m) = network.inputs();
        let (master, key) = qfe::setup(n, m, &mut rand::rng())?;
        keyfile::save_master_key(&master_path, &master, &lock)?;
        let bytes = key.to_bytes();
        files::write(&public.join(PUBLIC_KEY), &bytes)?;
        files::write(&public.join(ENCODER), &serde_json::to_vec_pretty(network.encoder())?)?;
        let id = key.id().to_string();
        console.result(
            &json!({ "public_key": id, "inputs": [n, m], "master_key": master_path, "published": public, "bytes": bytes.len() }),
            || {
                let size = console::bytes(bytes.len());
                format!("public key {id}, {n} + {m} inputs, {size}; publish {}", public.display())
            },
        )
    }
}

/// Writes the key that opens one network on every ciphertext of the public key.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight authority issue --folder authority --network compiled.safetensors \\\n    \
    --out functional.key"
)]
pub struct Issue {
    #[command(flatten)]
    output: Output,
    /// The authority's folder
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Compiled network to open
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// File with the age identity that opens the master key, instead of a passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Issue {
    fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let network = CompiledNetwork::load(&self.network)?;
        let unlock = match &self.identity {
            Some(file) => {
                let text = String::from_utf8(files::read(file, 1 << 16)?)
                    .with_context(|| format!("{}: not an age identity", file.display()))?;
                Unlock::identity(&text)?
            }
            None => Unlock::passphrase(self.passphrase.get(false)?.to_string()),
        };
        let master = keyfile::load_master_key(&self.folder.join(MASTER_KEY), &unlock)?;
        let key = master.issue(&map_of(&network)?).with_context(|| self.network.display().to_string())?;
        let bytes = key.to_bytes();
        files::write(path, &bytes)?;
        let (id, hash) = (master.id().to_string(), hex(&network.hash()));
        console.result(
            &json!({ "file": path, "public_key": id, "network": hash, "outputs": network.outputs(), "bytes": bytes.len() }),
            || {
                format!(
                    "{}: opens {} outputs of network {} on every ciphertext of public key {}",
                    path.display(),
                    network.outputs(),
                    &hash[..16],
                    &id[..16]
                )
            },
        )
    }
}
