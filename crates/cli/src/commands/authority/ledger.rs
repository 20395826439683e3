//! `halflight authority ledger`.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use service::authority::{LEDGER, State, adopt_head, read_ledger, rotate_ledger_key};
use service::clock;
use service::ledger::note::MAX_BYTES;
use service::ledger::{Entry, Event, Head};
use service::signature::VerifyingKey;

use super::{Home, caller};
use crate::console::{self, Console};
use crate::files::{self, Output};

/// Reads the ledger; no secret is needed.
#[derive(Subcommand)]
pub enum Ledger {
    /// Verify that nothing was changed, removed or inserted
    Verify(Verify),
    /// Print what was set up, issued and refused
    Show(Show),
    /// Write the signed head, and the entries that lead to it, for witnesses
    Checkpoint(Checkpoint),
    /// Store the heads that witnesses cosigned
    Cosign(Cosign),
    /// Retire the ledger key, and sign with a new one from here on
    RotateKey(RotateKey),
    /// Accept the end of the ledger if its head file was lost
    AdoptHead(AdoptHead),
}

impl Ledger {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Verify(verify) => verify.run(console),
            Self::Show(show) => show.run(console),
            Self::Checkpoint(checkpoint) => checkpoint.run(console),
            Self::Cosign(cosign) => cosign.run(console),
            Self::RotateKey(rotate) => rotate.run(console),
            Self::AdoptHead(adopt) => adopt.run(console),
        }
    }
}

/// Recomputes every hash of the chain, checks every signature, and compares its end with the head file and with a copy of it kept elsewhere.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger verify --folder authority --witness copy/ledger.head")]
pub struct Verify {
    #[command(flatten)]
    reading: Reading,
    /// Copy of ledger.head kept elsewhere: its entry must still be there
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
}

impl Verify {
    fn run(self, console: &Console) -> Result<()> {
        let witness = self.witness.as_deref().map(|path| -> Result<Head> {
            let text = String::from_utf8(files::read(path, MAX_BYTES as u64)?).unwrap_or_default();
            Head::parse_copy(&text).map_err(|problem| anyhow!("{}: not a ledger head: {problem}", path.display()))
        });
        let witness = witness.transpose()?;
        let entries = self.reading.entries()?;
        if let Some(Head { sequence, hash }) = witness.filter(|head| head.sequence > 0) {
            match entries.iter().find(|entry| entry.sequence == sequence) {
                Some(entry) if entry.hash == hash => {}
                Some(entry) => bail!("ledger entry {sequence} has hash {}, but the witness saw {hash}", entry.hash),
                None => bail!("the ledger ends before entry {sequence}, which the witness saw with hash {hash}"),
            }
        }
        let head = entries.last().map(|entry| json!({ "sequence": entry.sequence, "hash": entry.hash }));
        console.result(&json!({ "entries": entries.len(), "head": head }), || match entries.last() {
            None => "an empty ledger".to_owned(),
            Some(last) => format!("{} entries hold; the last one is {}", entries.len(), last.hash),
        })
    }
}

/// Prints the entries of a verified ledger.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger show --folder authority --after 10")]
pub struct Show {
    #[command(flatten)]
    reading: Reading,
    /// Only entries after this number
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    after: i64,
}

impl Show {
    fn run(self, console: &Console) -> Result<()> {
        let mut entries = self.reading.entries()?;
        entries.retain(|entry| entry.sequence > self.after);
        let events = entries
            .iter()
            .map(|entry| serde_json::from_str::<Value>(&entry.text).map(|event| (entry, event)))
            .collect::<Result<Vec<_>, _>>()?;
        let machine = events.iter().map(|(entry, event)| {
            json!({ "sequence": entry.sequence, "at": clock::utc(entry.at), "hash": entry.hash, "event": event })
        });
        console.result(&json!({ "entries": machine.collect::<Vec<_>>() }), || {
            let rows = events.iter().map(|(entry, event)| {
                let event = serde_json::from_value::<Event>(event.clone());
                let line = event.map_or_else(|_| entry.text.clone(), |event| event.to_string());
                // Callers choose some of this text; it must not contain terminal control characters.
                let line = line.replace(char::is_control, "?");
                [entry.sequence.to_string(), clock::utc(entry.at), line]
            });
            console::table(["entry", "at", "what"], rows)
        })
    }
}

/// Writes what a witness needs: the head that the ledger key signed, and the entries after those that the witness has
/// seen.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger checkpoint --folder authority --out handover.json")]
pub struct Checkpoint {
    #[command(flatten)]
    home: Home,
    /// Only entries after this number, if the witness has seen the earlier ones
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    after: i64,
    #[command(flatten)]
    output: Output,
}

impl Checkpoint {
    fn run(self, console: &Console) -> Result<()> {
        let path = self.output.path()?;
        let after = self.after;
        let (handover, key, entries) = self.home.open(None, async |issuer| {
            let handover = issuer.handover(after).await?;
            Ok((handover, issuer.ledger().signers().key(), issuer.state().await?.entries.len()))
        })?;
        files::write(path, &handover.to_bytes())?;
        let (key, head) = (key.to_string(), handover.size().unwrap_or(0));
        let about = json!({ "file": path, "after": after, "head": head, "entries": entries, "ledger_key": key });
        console.result(&about, || {
            let mut text = format!("{}: give it to the witnesses, who know this ledger by {key}", path.display());
            if head < entries {
                text += &format!(
                    "\nit ends with entry {head} of {entries}, as more do not fit: once it is cosigned, make another \
                     one with --after {head}"
                );
            }
            text
        })
    }
}

/// Stores cosigned heads: a key whose issue they include is handed out once the policy's quorum has cosigned.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger cosign --folder authority north.head south.head")]
pub struct Cosign {
    /// Output of `halflight authority witness`
    #[arg(required = true, value_name = "FILE")]
    cosigned: Vec<PathBuf>,
    #[command(flatten)]
    home: Home,
}

impl Cosign {
    fn run(self, console: &Console) -> Result<()> {
        let read = |path: &PathBuf| -> Result<String> {
            String::from_utf8(files::read(path, MAX_BYTES as u64)?).with_context(|| path.display().to_string())
        };
        let notes = self.cosigned.iter().map(read).collect::<Result<Vec<_>>>()?;
        let (head, witnesses) = self.home.open(None, async |issuer| {
            let mut kept = None;
            for (path, note) in self.cosigned.iter().zip(&notes) {
                kept = Some(issuer.keep_cosigned(note).await.with_context(|| path.display().to_string())?);
            }
            kept.context("no file was named")
        })?;
        console.result(&json!({ "head": head, "witnesses": witnesses }), || {
            format!("{witnesses} witnesses cosigned the head of {} entries", head.sequence)
        })
    }
}

/// Records that the ledger key is valid up to this entry, signed by it and by a new key that is valid from the next
/// entry on. Entries that the old key signs later are refused everywhere. Stop the servers of this folder first, and
/// give the witnesses the next checkpoint: it leads them from the old key to the new one.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger rotate-key --folder authority")]
pub struct RotateKey {
    #[command(flatten)]
    home: Home,
}

impl RotateKey {
    fn run(self, console: &Console) -> Result<()> {
        self.home.present()?;
        let (folder, url) = (&self.home.folder, self.home.ledger.as_deref());
        let (key, head) = service::run::block_on(rotate_ledger_key(folder, url, &caller()))??;
        console.result(&json!({ "ledger_key": key, "head": head }), || {
            format!(
                "the old ledger key counts up to entry {}; witnesses and readers check with {key} next",
                head.sequence
            )
        })
    }
}

/// Proves the existing entries, records that their end was accepted, and writes a new signed head. First compare the
/// ledger with the grants that predictors hold: truncated entries are lost permanently.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight authority ledger adopt-head --folder authority --by anna")]
pub struct AdoptHead {
    #[command(flatten)]
    home: Home,
    /// Who accepts the end, for the record
    #[arg(long, value_name = "NAME")]
    by: String,
}

impl AdoptHead {
    fn run(self, console: &Console) -> Result<()> {
        self.home.present()?;
        let head = service::run::block_on(async {
            let ledger = adopt_head(&self.home.folder, self.home.ledger.as_deref(), &self.by).await?;
            let head = ledger.verify().await;
            ledger.close().await;
            anyhow::Ok(head?)
        })??;
        console.result(&json!({ "head": head }), || {
            format!("the ledger has {} entries now; the last one records what {} accepted", head.sequence, self.by)
        })
    }
}

impl Home {
    /// Checks that a ledger exists: opening would create an empty one.
    fn present(&self) -> Result<()> {
        let path = self.folder.join(LEDGER);
        if self.ledger.is_none() && !path.is_file() {
            bail!("{}: no ledger is here; name the authority's folder, or the ledger's address", path.display());
        }
        Ok(())
    }
}

/// A ledger that is only read.
#[derive(Args)]
pub(super) struct Reading {
    #[command(flatten)]
    home: Home,
    /// Public key of the ledger, instead of the secret one in the folder; may be given several times for other writers
    #[arg(long, value_name = "KEY")]
    ledger_key: Vec<VerifyingKey>,
}

impl Reading {
    /// All entries, once the chain, its end and its meaning have been verified.
    fn entries(&self) -> Result<Vec<Entry>> {
        Ok(self.read()?.0)
    }

    /// The state that they add up to.
    pub(super) fn state(&self) -> Result<State> {
        Ok(self.read()?.1)
    }

    fn read(&self) -> Result<(Vec<Entry>, State)> {
        self.home.present()?;
        service::run::block_on(async {
            let (folder, url) = (&self.home.folder, self.home.ledger.as_deref());
            let reader = read_ledger(folder, url, self.ledger_key.clone()).await?;
            let checked = async {
                let entries = reader.entries().await?;
                let mut state = State::default();
                state.extend(&entries, reader.keyring())?;
                Ok((entries, state))
            };
            let read = checked.await;
            reader.close().await;
            read
        })?
    }
}
