//! What witnesses get, and what they cosigned.

use std::path::PathBuf;

use super::super::note::{self, Note};
use super::super::witness::{Handover, Quorum};
use super::super::{Checkpoint, Head, LedgerError};
use super::Ledger;
use super::lock::lock;
use crate::files;
use crate::signature::VerifyingKey;

impl Ledger {
    /// The signed head and the entries after number `after`, for witnesses.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn handover(&self, after: i64) -> Result<Handover, LedgerError> {
        let _lock = lock(&self.head).await?;
        let mut connection = self.database.connection().await?;
        self.check_head(&mut connection).await?;
        self.catch_up(&mut connection).await?;
        drop(connection);
        let note = self.head.note(self.signers.keyring().keys())?;
        let size = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?.head.sequence;
        let mut entries = self.after(after).await?;
        entries.retain(|entry| entry.sequence <= size);
        Ok(Handover::new(&note, &entries))
    }

    /// Keeps the cosignatures of a checkpoint of this ledger beside the head; gives back the checkpoint and how many
    /// different witnesses of the quorum cosigned it.
    ///
    /// # Errors
    /// It is not a checkpoint of this ledger, or nothing can be written.
    pub async fn keep_cosigned(&self, text: &str, quorum: &Quorum) -> Result<(Head, usize), LedgerError> {
        let mut note = Note::parse(text).map_err(LedgerError::Checkpoint)?;
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let _lock = lock(&self.head).await?;
        if !self.holds(&note, &checkpoint).await? {
            return Err(LedgerError::Checkpoint(
                "it is not of this ledger: its key did not sign it, or its entry is not here".into(),
            ));
        }
        if quorum.count(&note) == 0 {
            return Err(LedgerError::Checkpoint("none of the policy's witnesses cosigned it".into()));
        }
        if let Some(kept) = self.cosigned()? {
            let before = Checkpoint::of(&kept).map_err(LedgerError::Checkpoint)?;
            if before.head.sequence > checkpoint.head.sequence && quorum.is_reached(&kept) {
                return Ok((before.head, quorum.count(&kept)));
            }
            note.merge(&kept);
        }
        files::write(&self.cosigned_path(), note.to_text().as_bytes())?;
        Ok((checkpoint.head, quorum.count(&note)))
    }

    /// The last entry that a quorum of witnesses is shown to have seen; none where there was none.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn witnessed(&self, quorum: &Quorum) -> Result<Option<Head>, LedgerError> {
        let Some(note) = self.cosigned()? else { return Ok(None) };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let holds = quorum.is_reached(&note) && self.holds(&note, &checkpoint).await?;
        Ok(holds.then_some(checkpoint.head))
    }

    /// Whether a key that counts signed a checkpoint, and its entry is here.
    async fn holds(&self, note: &Note, checkpoint: &Checkpoint) -> Result<bool, LedgerError> {
        let signed = |key: &VerifyingKey| note.is_signed(&checkpoint.origin, key);
        let known = self.signers.keyring().keys().iter().any(signed)
            || self.proven.lock().await.signers_of(checkpoint.head.sequence).any(signed);
        if !known {
            return Ok(false);
        }
        let mut connection = self.database.connection().await?;
        let found = self.database.hash_at(&mut connection, checkpoint.head.sequence).await?;
        Ok(found.is_some_and(|hash| hash == checkpoint.head.hash.to_string()))
    }

    fn cosigned(&self) -> Result<Option<Note>, LedgerError> {
        let path = self.cosigned_path();
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_text(&path, note::MAX_BYTES as u64)?;
        let format = |problem| LedgerError::HeadFormat { path: path.clone(), problem };
        Note::parse(&text).map(Some).map_err(format)
    }

    fn cosigned_path(&self) -> PathBuf {
        self.head.path().with_extension("witnessed")
    }
}
