//! `halflight authority ceremony refresh`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use roles::SharedKey;
use roles::ceremony::{Definition, MAX_TRANSCRIPT_BYTES, Transcript};

use super::{Card, Servers, publish};
use crate::console::Console;
use crate::files;

/// Writes the definition of a ceremony that gives servers new shares of a key, of the next epoch. The public key stays
/// the same; old shares cannot be combined with new ones. The same servers renew their shares, or get a lost one back;
/// or other servers take over. More than the threshold of the current holders must deal.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight authority ceremony refresh --from north --transcript north/transcript --out renewal\n  \
    halflight authority ceremony refresh --from north --transcript north/transcript --threshold 1 \\\n    \
    --server east=ed25519:…,age1… --server south=ed25519:…,age1… --server west=ed25519:…,age1… --out move"
)]
pub struct Refresh {
    /// Folder with the key's public.key and commitments, from the last ceremony
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Transcript of the last ceremony, which lists the current holders
    #[arg(long, value_name = "FILE", required_unless_present = "holders")]
    transcript: Option<PathBuf>,
    /// A current holder, if there is no transcript, as after `deal`; repeat for each, in the order of their numbers
    #[arg(long = "holder", value_name = "NAME=KEY,RECIPIENT", conflicts_with = "transcript")]
    holders: Vec<Card>,
    #[command(flatten)]
    servers: Servers,
    /// Folder of the ceremony
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

impl Refresh {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let key = SharedKey::read(&self.from)?;
        let holders = match &self.transcript {
            None => self.holders.iter().map(|card| card.0.clone()).collect(),
            Some(path) => {
                let place = || path.display().to_string();
                let bytes = files::read(path, MAX_TRANSCRIPT_BYTES)?;
                let verified = Transcript::from_bytes(&bytes).and_then(|transcript| transcript.verify());
                let verified = verified.with_context(place)?;
                if verified.key()? != key {
                    bail!("{}: made other shares than those in {}", path.display(), self.from.display());
                }
                verified.definition.servers().to_vec()
            }
        };
        let servers = if self.servers.servers.is_empty() { holders.clone() } else { self.servers.cards() };
        let threshold = self.servers.threshold.unwrap_or(key.seat().sharing.threshold());
        let definition = Definition::renew(self.servers.terms(servers, threshold)?, &key, holders)?;
        publish(&definition, &self.out, console)
    }
}
