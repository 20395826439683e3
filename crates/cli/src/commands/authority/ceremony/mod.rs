//! `halflight authority ceremony`: institutions make one key together, renew its shares, and check how it was made.

mod again;
mod deal;
mod init;
mod join;
mod refresh;
mod verify;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::CompiledNetwork;
use roles::ceremony::{Definition, ServerCard, Terms};
use roles::hash::Hash;
use serde_json::json;
use service::board::{DEFINITION, MESSAGES};

use crate::console::Console;
use crate::files;

/// Maximum size of a definition, in bytes.
const LIMIT: u64 = 512 << 20;

/// Several institutions hold one key.
#[derive(Subcommand)]
pub enum Ceremony {
    /// Define a ceremony that makes a key: who takes part, and how many of them issue together
    Init(init::Init),
    /// One server: post its messages, read those of the others, and end with its share
    Join(join::Join),
    /// Anyone: check how a public key was made, without a secret
    Verify(verify::Verify),
    /// Define a ceremony that renews the shares of a key, gives a lost one back, or moves them to other servers
    Refresh(refresh::Refresh),
    /// Define a second attempt at a ceremony that did not end: another clerk, without those who withheld shares
    Again(again::Again),
    /// Weaker alternative: make all shares on this machine, which holds the whole key for a moment
    Deal(deal::Deal),
}

impl Ceremony {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Init(init) => init.run(console),
            Self::Join(join) => join.run(console),
            Self::Verify(verify) => verify.run(console),
            Self::Refresh(refresh) => refresh.run(console),
            Self::Again(again) => again.run(console),
            Self::Deal(deal) => deal.run(console),
        }
    }
}

/// A server as written on the command line.
#[derive(Clone, Debug)]
struct Card(ServerCard);

impl FromStr for Card {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, keys)| Some((name, keys.split_once(',')?)));
        let (name, (key, recipient)) =
            parts.ok_or("write NAME=ed25519:…,age1…, as two calls of `keygen` print them")?;
        let key = key.parse().map_err(|error| format!("{error}"))?;
        Ok(Self(ServerCard { name: name.to_owned(), key, recipient: recipient.to_owned() }))
    }
}

/// The servers that will hold shares.
#[derive(Args)]
struct Servers {
    /// A server: its name, its public signing key, and the age recipient that its share is sealed to; repeat for each,
    /// in the order of their numbers
    #[arg(long = "server", value_name = "NAME=KEY,RECIPIENT")]
    servers: Vec<Card>,
    /// How many servers together learn nothing; one more issues a key. Fewer than half of them
    #[arg(long, value_name = "COUNT")]
    threshold: Option<u16>,
    /// Server that ends the steps of the ceremony [default: the first]
    #[arg(long, value_name = "NAME")]
    clerk: Option<String>,
    /// Name of the ceremony
    #[arg(long, default_value = "ceremony", value_name = "NAME")]
    name: String,
}

impl Servers {
    fn cards(&self) -> Vec<ServerCard> {
        self.servers.iter().map(|card| card.0.clone()).collect()
    }

    fn terms(&self, servers: Vec<ServerCard>, threshold: u16) -> Result<Terms<'_>> {
        let clerk = match &self.clerk {
            None => Some(0),
            Some(name) => servers.iter().position(|server| server.name == *name),
        };
        let Some(clerk) = clerk else {
            bail!("--clerk {}: no server has this name", self.clerk.as_deref().unwrap_or_default());
        };
        Ok(Terms { name: &self.name, servers, threshold, clerk: clerk as u16 + 1 })
    }

    /// The definition of a new key for the inputs of a network.
    fn define(&self, network: &Path) -> Result<Definition> {
        let inputs = CompiledNetwork::load(network)?.inputs();
        let threshold = self.threshold.context("--threshold is missing: how many servers together learn nothing")?;
        Ok(Definition::generate(self.terms(self.cards(), threshold)?, inputs)?)
    }
}

/// Writes a definition into a new folder, and says what to do with it.
fn publish(definition: &Definition, folder: &Path, console: &Console) -> Result<()> {
    let path = folder.join(DEFINITION);
    files::check_folder(folder, &[DEFINITION], false)?;
    let session = Hash(*definition.ceremony()?.session());
    std::fs::create_dir_all(folder.join(MESSAGES)).with_context(|| format!("{}: cannot be made", folder.display()))?;
    files::write(&path, &definition.to_bytes())?;
    let names: Vec<_> = definition.servers().iter().map(|server| server.name.as_str()).collect();
    let dealer = |index: &u16| definition.dealers()[usize::from(*index) - 1].name.as_str();
    let without: Vec<&str> = definition.without().iter().map(dealer).collect();
    console.result(
        &json!({
            "folder": folder, "session": session, "inputs": definition.inputs(), "servers": names,
            "threshold": definition.threshold(), "clerk": definition.clerk().name, "without": without,
        }),
        || {
            let left_out =
                if without.is_empty() { String::new() } else { format!("; {} deals nothing", without.join(", ")) };
            format!(
                "{}: session {session}\n{} of {} servers ({}) will issue together; {} ends the steps{left_out}\n\
                 every server compares the session with the others by telephone, and joins",
                folder.display(),
                definition.threshold() + 1,
                names.len(),
                names.join(", "),
                definition.clerk().name
            )
        },
    )
}

/// The definition in a folder.
fn read(folder: &Path) -> Result<Definition> {
    let path: PathBuf = folder.join(DEFINITION);
    Definition::from_bytes(&files::read(&path, LIMIT)?).with_context(|| path.display().to_string())
}
