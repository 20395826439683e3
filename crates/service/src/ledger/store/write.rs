//! Writing to a ledger: one writer after the other, over all processes.

use std::fs::File;
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::super::{Entry, Event, Head, LedgerError, Retirement};
use super::Ledger;
use super::lock::lock;
use crate::clock;
use crate::files::FileError;
use crate::signature::VerifyingKey;

/// A transaction that excludes every other writer of the ledger, in this and in other processes.
pub struct Writing<'a> {
    ledger: &'a Ledger,
    transaction: Transaction<'static, Any>,
    last: Head,
    // Given back in this order, both after commit and head.
    _lock: File,
    _turn: OwnedMutexGuard<()>,
}

impl Ledger {
    /// Begins to write: waits for every other writer to end.
    ///
    /// # Errors
    /// The database refuses, or the end of the ledger is missing.
    pub async fn begin(&self) -> Result<Writing<'_>, LedgerError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // Held until the head is written: else a slower process could put an older head in place of a newer one.
        let lock = lock(&self.head).await?;
        let mut transaction = self.database.writing().await?;
        // On the connection of the transaction: one more per writer could exhaust the pool while all wait for one.
        self.check_head(&mut transaction).await?;
        self.catch_up(&mut transaction).await?;
        if let Some(sequence) = self.retired().await {
            return Err(LedgerError::Retired { key: self.signers.key(), sequence });
        }
        let last = self.database.last(&mut transaction).await?;
        Ok(Writing { ledger: self, transaction, last, _lock: lock, _turn: turn })
    }

    pub(super) async fn append(
        &self,
        connection: &mut AnyConnection,
        last: Head,
        event: &Event,
    ) -> Result<Entry, LedgerError> {
        let entry = Entry::next(clock::now(), event, last, self.signers.own());
        self.database.insert(connection, &entry).await?;
        Ok(entry)
    }
}

impl Writing<'_> {
    /// The entries after `sequence`; none can be added by others until this transaction ends.
    ///
    /// # Errors
    /// As [`Ledger::after`].
    pub async fn after(&mut self, sequence: i64) -> Result<Vec<Entry>, LedgerError> {
        self.ledger.database.after(&mut self.transaction, sequence).await
    }

    /// The last entry: those appended here included.
    pub fn last(&self) -> Head {
        self.last
    }

    /// Appends an event, signed.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn append(&mut self, event: &Event) -> Result<Entry, LedgerError> {
        let entry = self.ledger.append(&mut self.transaction, self.last, event).await?;
        self.last = entry.head();
        Ok(entry)
    }

    /// Retires the own key by a last entry of it, and names the next one as its successor; nothing can be appended
    /// after it here. Gives back the successor.
    ///
    /// # Errors
    /// The database refuses, or there is no next key.
    pub async fn retire_key(mut self, by: &str) -> Result<(VerifyingKey, Head), LedgerError> {
        let ledger = self.ledger;
        let signers = &ledger.signers;
        let next = signers.next().ok_or(LedgerError::NoSuccessor)?;
        let retirement = Retirement::sign(signers.own(), next, self.last, by);
        let successor = next.verifying_key();
        self.append(&Event::LedgerKeyRetired(retirement)).await?;
        Ok((successor, self.commit().await?))
    }

    /// Makes what was appended last: on the disk when this returns.
    ///
    /// # Errors
    /// The database refuses, or the head cannot be written.
    pub async fn commit(self) -> Result<Head, LedgerError> {
        let Self { ledger, transaction, last, _lock, _turn } = self;
        let (url, head, signers) = (ledger.database.url().to_owned(), ledger.head.clone(), ledger.signers.clone());
        // A task of its own: whoever waits may go away between the two, and the head would lag.
        let done = tokio::spawn(async move {
            transaction.commit().await.map_err(|source| LedgerError::Database { url, source })?;
            head.write(last, &signers)?;
            drop((_lock, _turn));
            Ok::<_, LedgerError>(last)
        });
        let path = ledger.head.path();
        let ended = |error| FileError::System {
            path: path.to_owned(),
            action: "written",
            source: std::io::Error::other(error),
        };
        done.await.map_err(ended)?
    }
}
