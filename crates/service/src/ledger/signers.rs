//! Who writes a ledger, and whose entries count.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LedgerError;
use crate::files::{self, FileError};
use crate::signature::{SigningKey, VerifyingKey};

/// Name of the key in an authority's folder.
pub const KEY: &str = "ledger.key";

/// The key that signs new entries, and those whose entries count beside its own.
#[derive(Clone)]
pub struct Signers {
    own: Arc<SigningKey>,
    others: Vec<VerifyingKey>,
    /// Whether a ledger without any signature may be taken over: it is from before entries were signed.
    pub(super) adopt: bool,
    /// Who accepts the end of a ledger whose head file was lost.
    pub(super) adopt_head: Option<String>,
}

/// The key of a folder while its ledger is opened; nobody else makes one meanwhile.
pub struct KeyFile {
    path: PathBuf,
    signers: Signers,
    _turn: std::fs::File,
}

impl Signers {
    /// Entries signed by `own`, and by `others` where several authorities write to one ledger. An unsigned ledger is
    /// refused.
    pub fn new(own: SigningKey, others: Vec<VerifyingKey>) -> Self {
        Self { own: Arc::new(own), others, adopt: false, adopt_head: None }
    }

    /// As [`Signers::new`], for a key that signed nothing yet: a ledger without any signature, from before entries were
    /// signed, gets a first signed entry that vouches for all before it.
    pub fn adopting(own: SigningKey, others: Vec<VerifyingKey>) -> Self {
        Self { adopt: true, ..Self::new(own, others) }
    }

    /// The same, where `by` accepts the end that is found in place of a lost head file. It is proven first, and that it
    /// was accepted is recorded.
    pub fn adopting_head(self, by: &str) -> Self {
        Self { adopt_head: Some(by.to_owned()), ..self }
    }

    /// The key that others check new entries with.
    pub fn key(&self) -> VerifyingKey {
        self.own.verifying_key()
    }

    /// Whether entries of a key count.
    pub fn trusts(&self, key: &VerifyingKey) -> bool {
        self.own.verifying_key() == *key || self.others.contains(key)
    }

    /// All whose entries count.
    pub(super) fn keys(&self) -> impl Iterator<Item = VerifyingKey> {
        std::iter::once(self.key()).chain(self.others.iter().cloned())
    }

    pub(super) fn own(&self) -> &SigningKey {
        &self.own
    }
}

impl KeyFile {
    /// The key in `folder`, or a fresh one that is not the folder's until [`KeyFile::keep`]. That a folder has a key
    /// shows that its ledger is signed: an unsigned one beside it is never taken over.
    ///
    /// # Errors
    /// The key cannot be read or drawn.
    pub fn open(folder: &Path, others: Vec<VerifyingKey>) -> Result<Self, LedgerError> {
        let lock = folder.join("ledger.key.lock");
        let fail = |source| LedgerError::Head(FileError::System { path: lock.clone(), action: "written", source });
        let turn = std::fs::OpenOptions::new().append(true).create(true).open(&lock).map_err(fail)?;
        turn.lock().map_err(fail)?;
        let path = folder.join(KEY);
        let fresh = fresh(&path);
        let signers = if path.exists() {
            Signers::new(SigningKey::load(&path)?, others)
        } else {
            // Kept under another name first: a crash while a ledger is taken over must not lose the key that did it.
            if !fresh.exists() {
                SigningKey::generate()?.save_new(&fresh)?;
            }
            Signers::adopting(SigningKey::load(&fresh)?, others)
        };
        Ok(Self { path, signers, _turn: turn })
    }

    /// Who signs, and whose entries count.
    pub fn signers(&self) -> Signers {
        self.signers.clone()
    }

    /// Makes a fresh key the folder's, once its ledger is signed.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn keep(self) -> Result<(), LedgerError> {
        if self.signers.adopt {
            let renamed = std::fs::rename(fresh(&self.path), &self.path)
                .and_then(|()| std::fs::File::open(files::folder_of(&self.path))?.sync_all());
            let fail = |source| FileError::System { path: self.path.clone(), action: "written", source };
            renamed.map_err(fail)?;
        }
        Ok(())
    }
}

fn fresh(path: &Path) -> PathBuf {
    path.with_extension("key.new")
}
