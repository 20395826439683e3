//! A ledger that is read and verified, and never written: for auditors, who have no secret.

use std::path::PathBuf;

use super::super::head::HeadFile;
use super::super::{Chain, Entry, Keyring, LedgerError};
use super::database::Database;
use crate::signature::VerifyingKey;

/// A ledger for those who read it alone. It takes no lock, writes nothing and needs public keys only.
pub struct LedgerReader {
    database: Database,
    head: HeadFile,
    keyring: Keyring,
}

impl LedgerReader {
    /// Opens the ledger at `url`, as [`Ledger::open`](super::Ledger::open) names it, whose head is remembered in `head`.
    ///
    /// # Errors
    /// The address is unknown, or the database refuses.
    pub async fn open(url: &str, head: PathBuf, keyring: Keyring) -> Result<Self, LedgerError> {
        Ok(Self { database: Database::open_read_only(url).await?, head: HeadFile(head), keyring })
    }

    /// The keys whose entries are accepted.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// All entries, once the whole chain and all signatures are proven, and that its end is the one remembered.
    ///
    /// # Errors
    /// [`LedgerError`] names the first entry at fault. One from before entries were signed has to be taken over by its
    /// authority first.
    pub async fn entries(&self) -> Result<Vec<Entry>, LedgerError> {
        // Before the entries: those that are written meanwhile come after it.
        let head = self.head.text()?;
        let entries = self.database.after(&mut *self.database.connection().await?, 0).await?;
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.follow(entry, &self.keyring).map(drop))?;
        chain.finish()?;
        let Some(head) = head else {
            let path = self.head.path().to_owned();
            return if entries.is_empty() { Ok(entries) } else { Err(LedgerError::HeadMissing { path }) };
        };
        let keys = self.keyring.keys().iter().chain(chain.successors());
        let remembered = self.head.parse(&head, keys, false)?;
        // A key that was retired says nothing of entries after its last.
        let of_then = |key: &&VerifyingKey| chain.retired(key).is_none_or(|last| last >= remembered.sequence);
        let keys = self.keyring.keys().iter().chain(chain.successors()).filter(of_then);
        self.head.parse(&head, keys, false)?;
        let Some(place) = remembered.sequence.checked_sub(1).and_then(|place| usize::try_from(place).ok()) else {
            // Only a key that counts can say that there was nothing yet.
            let suspect = self.head.is_unsigned()? && !entries.is_empty();
            return if suspect { Err(self.head.empty()) } else { Ok(entries) };
        };
        match entries.get(place) {
            Some(entry) if entry.hash == remembered.hash => Ok(entries),
            Some(entry) => Err(self.head.cut(remembered, format!("has {} there", entry.hash))),
            None => Err(self.head.cut(remembered, format!("ends with entry {}", chain.head().sequence))),
        }
    }

    /// Ends all connections.
    pub async fn close(self) {
        self.database.close().await;
    }
}
