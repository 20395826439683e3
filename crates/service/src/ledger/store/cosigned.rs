//! What witnesses get, and what they cosigned.

use std::path::{Path, PathBuf};

use super::super::note::{self, Note};
use super::super::witness::{Handover, Quorum};
use super::super::{Checkpoint, Head, LedgerError, Tree};
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
    /// different witnesses of the quorum cosigned it. With the head of the tree after it, in `tree`, that is kept too.
    ///
    /// # Errors
    /// It is not a checkpoint of this ledger, or nothing can be written.
    pub async fn keep_cosigned(&self, text: &str, tree: &Tree, quorum: &Quorum) -> Result<(Head, usize), LedgerError> {
        let mut notes = Note::parse_all(text).map_err(LedgerError::Checkpoint)?.into_iter();
        let (Some(mut note), of_tree) = (notes.next(), notes.next()) else {
            return Err(LedgerError::Checkpoint("it is empty".into()));
        };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let _lock = lock(&self.head).await?;
        if let Some(of_tree) = of_tree {
            self.keep_tree(of_tree, tree, quorum).await?;
        }
        if !self.holds(&note, &checkpoint).await? {
            return Err(LedgerError::Checkpoint(
                "it is not of this ledger: its key did not sign it, or its entry is not here".into(),
            ));
        }
        if quorum.count(&note) == 0 {
            return Err(LedgerError::Checkpoint("none of the policy's witnesses cosigned it".into()));
        }
        if let Some(kept) = kept(&self.cosigned_path())? {
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
        let Some(note) = kept(&self.cosigned_path())? else { return Ok(None) };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let holds = quorum.is_reached(&note) && self.holds(&note, &checkpoint).await?;
        Ok(holds.then_some(checkpoint.head))
    }

    /// Keeps the cosignatures of a head of the tree, unless a newer one is kept that a quorum cosigned.
    async fn keep_tree(&self, mut note: Note, tree: &Tree, quorum: &Quorum) -> Result<(), LedgerError> {
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        if !self.is_tree(&note, &checkpoint, tree).await || quorum.count(&note) == 0 {
            let problem = "the head of the tree is not of this ledger, or none of the policy's witnesses cosigned it";
            return Err(LedgerError::Checkpoint(problem.into()));
        }
        if let Some(kept) = kept(&self.tree_path())? {
            let before = Checkpoint::of(&kept).map_err(LedgerError::Checkpoint)?;
            if before.head.sequence > checkpoint.head.sequence && quorum.is_reached(&kept) {
                return Ok(());
            }
            note.merge(&kept);
        }
        Ok(files::write(&self.tree_path(), note.to_text().as_bytes())?)
    }

    /// The newest head of the tree that a quorum of witnesses cosigned; none where there was none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn witnessed_tree(&self, tree: &Tree, quorum: &Quorum) -> Result<Option<Note>, LedgerError> {
        let Some(note) = kept(&self.tree_path())? else { return Ok(None) };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let holds = quorum.is_reached(&note) && self.is_tree(&note, &checkpoint, tree).await;
        Ok(holds.then_some(note))
    }

    /// Whether this is the head of the tree over entries that are here, signed by a key that counts.
    async fn is_tree(&self, note: &Note, checkpoint: &Checkpoint, tree: &Tree) -> bool {
        let size = usize::try_from(checkpoint.head.sequence).ok();
        let root = size.and_then(|size| tree.first(size)).map(|tree| tree.root());
        root == Some(checkpoint.head.hash.0) && self.is_signed(note, checkpoint).await
    }

    async fn is_signed(&self, note: &Note, checkpoint: &Checkpoint) -> bool {
        let signed = |key: &VerifyingKey| note.is_signed(&checkpoint.origin, key);
        self.signers.keyring().keys().iter().any(signed)
            || self.proven.lock().await.signers_of(checkpoint.head.sequence).any(signed)
    }

    /// Whether a key that counts signed a checkpoint, and its entry is here.
    async fn holds(&self, note: &Note, checkpoint: &Checkpoint) -> Result<bool, LedgerError> {
        if !self.is_signed(note, checkpoint).await {
            return Ok(false);
        }
        let mut connection = self.database.connection().await?;
        let found = self.database.hash_at(&mut connection, checkpoint.head.sequence).await?;
        Ok(found.is_some_and(|hash| hash == checkpoint.head.hash.to_string()))
    }

    fn cosigned_path(&self) -> PathBuf {
        self.head.path().with_extension("witnessed")
    }

    fn tree_path(&self) -> PathBuf {
        self.head.path().with_extension("tree")
    }
}

/// The note in a file; none where there is no file.
fn kept(path: &Path) -> Result<Option<Note>, LedgerError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = files::read_text(path, note::MAX_BYTES as u64)?;
    let format = |problem| LedgerError::HeadFormat { path: path.to_owned(), problem };
    Note::parse(&text).map(Some).map_err(format)
}
