//! The ledger in a database: reading it, and the head that remembers its end.

mod address;
mod cosigned;
mod database;
mod lock;
mod open;
mod reader;
mod write;

use std::path::Path;
use std::sync::Arc;

use sqlx::AnyConnection;
use tokio::sync::Mutex;

use super::head::HeadFile;
use super::{Chain, Entry, Head, LedgerError, Signers};
use crate::signature::SigningKey;
use database::Database;
use lock::lock;
pub use reader::LedgerReader;
pub use write::Writing;

/// The ledger of one authority.
pub struct Ledger {
    database: Database,
    head: HeadFile,
    signers: Signers,
    /// One writer of this process at a time: those that wait for the database would hold all of its connections.
    turn: Arc<Mutex<()>>,
    /// As far as this process has proven the entries.
    proven: Mutex<Chain>,
}

impl Ledger {
    /// The entries after `sequence`, in order, unchecked (see [`Entry::check`]).
    ///
    /// # Errors
    /// The database refuses, or holds a hash that is none.
    pub async fn after(&self, sequence: i64) -> Result<Vec<Entry>, LedgerError> {
        self.database.after(&mut *self.database.connection().await?, sequence).await
    }

    /// The first entries after `sequence`, at most `most` of them; otherwise as [`Ledger::after`].
    ///
    /// # Errors
    /// As [`Ledger::after`].
    pub async fn page(&self, sequence: i64, most: usize) -> Result<Vec<Entry>, LedgerError> {
        self.database.page(sequence, most).await
    }

    /// Proves the whole chain with all signatures, and that its end is the one remembered.
    ///
    /// # Errors
    /// [`LedgerError`] names the first entry at fault.
    pub async fn verify(&self) -> Result<Head, LedgerError> {
        let remembered = self.remembered()?;
        let mut chain = Chain::default();
        for entry in self.after(0).await? {
            chain.follow(&entry, self.signers.keyring())?;
        }
        chain.finish()?;
        if let Some(head) = remembered.filter(|head| head.sequence > chain.head().sequence) {
            return Err(self.head.cut(head, format!("ends with entry {}", chain.head().sequence)));
        }
        self.check_head(&mut *self.database.connection().await?).await?;
        Ok(chain.head())
    }

    /// The signing key, and the keys whose entries are accepted.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// The last entry that the own key signed, as far as the ledger was read, where it was retired.
    async fn retired(&self) -> Option<i64> {
        self.proven.lock().await.retired(&self.signers.key())
    }

    /// Whether the own key was retired, and the one that took over is the next one of its signers.
    pub async fn successor_waits(&self) -> bool {
        let proven = self.proven.lock().await;
        let next = self.signers.next().map(SigningKey::verifying_key);
        proven.retired(&self.signers.key()).is_some() && next.is_some_and(|next| proven.successors().contains(&next))
    }

    /// Remembers the last entry, once what comes after the head is proved: where another authority wrote it, this shows
    /// later that it is gone.
    ///
    /// # Errors
    /// The end of the ledger is missing, an entry does not hold, or the head cannot be written.
    pub async fn remember(&self) -> Result<(), LedgerError> {
        let _turn = self.turn.lock().await;
        let _lock = lock(&self.head).await?;
        let mut connection = self.database.connection().await?;
        self.check_head(&mut connection).await?;
        self.catch_up(&mut connection).await
    }

    /// Remembers the last entry where the head is older: a process ended between entry and head, or another
    /// authority wrote. Only entries that are proven are remembered, the first time from the first one on: those before
    /// say which keys were retired. The caller holds the lock and has checked the head.
    async fn catch_up(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let mut proven = self.proven.lock().await;
        self.check_entry(connection, proven.head()).await?;
        let mut chain = proven.clone();
        let entries = self.database.after(connection, chain.head().sequence).await?;
        entries.iter().try_for_each(|entry| chain.follow(entry, self.signers.keyring()).map(drop))?;
        chain.finish()?;
        let last = chain.head();
        *proven = chain;
        let remembered = self.remembered()?.unwrap_or(Head::EMPTY);
        if last != remembered || self.head.is_unsigned()? {
            self.head.write(last, &self.signers)?;
        }
        Ok(())
    }

    /// The head that is remembered, once a key that counts is shown to have signed it.
    fn remembered(&self) -> Result<Option<Head>, LedgerError> {
        self.head.read(self.signers.keyring().keys(), self.signers.adopt)
    }

    /// The remembered entry must be there; entries after it may be, where a process ended before it wrote the head.
    async fn check_head(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let Some(head) = self.remembered()? else { return Ok(()) };
        if head.sequence == 0 {
            // Anybody could have written it to hide that the end was removed.
            let suspect =
                !self.signers.adopt && self.head.is_unsigned()? && self.database.newest(connection).await? > 0;
            return if suspect { Err(self.head.empty()) } else { Ok(()) };
        }
        self.check_entry(connection, head).await
    }

    /// That an entry is there that was there before.
    async fn check_entry(&self, connection: &mut AnyConnection, before: Head) -> Result<(), LedgerError> {
        if before.sequence == 0 {
            return Ok(());
        }
        match self.database.hash_at(connection, before.sequence).await? {
            Some(hash) if hash == before.hash.to_string() => Ok(()),
            Some(hash) => Err(self.head.cut(before, format!("has {hash} there"))),
            None => Err(self.head.cut(before, "has no such entry".into())),
        }
    }

    /// Where the head is remembered.
    pub fn head_path(&self) -> &Path {
        self.head.path()
    }

    /// Ends all connections.
    pub async fn close(self) {
        self.database.close().await;
    }
}
