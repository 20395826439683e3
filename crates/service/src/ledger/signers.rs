//! The keys that write a ledger, and the keys whose entries are accepted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LedgerError;
use crate::files::{self, FileError};
use crate::signature::{SigningKey, VerifyingKey};

/// Name of the key in an authority's folder.
pub const KEY: &str = "ledger.key";

/// Public keys whose entries are accepted.
#[derive(Clone, Debug)]
pub struct Keyring(Vec<VerifyingKey>);

/// The key that signs new entries, and the keys whose entries are accepted.
#[derive(Clone)]
pub struct Signers {
    own: Arc<SigningKey>,
    /// Takes over from `own` once an entry says so; until then both keys sign heads, which both can read.
    next: Option<Arc<SigningKey>>,
    keyring: Keyring,
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

impl Keyring {
    /// These keys.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self(keys)
    }

    /// Whether entries of a key count.
    pub fn trusts(&self, key: &VerifyingKey) -> bool {
        self.0.contains(key)
    }

    pub(super) fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }
}

impl Signers {
    /// Entries signed by `own`, and by `others` where several authorities write to one ledger. An unsigned ledger is
    /// refused.
    pub fn new(own: SigningKey, mut others: Vec<VerifyingKey>) -> Self {
        others.push(own.verifying_key());
        Self { own: Arc::new(own), next: None, keyring: Keyring(others), adopt: false, adopt_head: None }
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

    /// The same, with a key that is to take over.
    pub fn with_next(self, next: SigningKey) -> Self {
        Self { next: Some(Arc::new(next)), ..self }
    }

    /// The key that others check new entries with.
    pub fn key(&self) -> VerifyingKey {
        self.own.verifying_key()
    }

    /// The keys whose entries are accepted.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(super) fn own(&self) -> &SigningKey {
        &self.own
    }

    pub(super) fn next(&self) -> Option<&SigningKey> {
        self.next.as_deref()
    }
}

impl KeyFile {
    /// The key in `folder`, or a fresh one that is not the folder's until [`KeyFile::keep`]. That a folder has a key
    /// shows that its ledger is signed: an unsigned one next to it is never taken over.
    ///
    /// # Errors
    /// The key cannot be read or drawn.
    pub fn open(folder: &Path, others: Vec<VerifyingKey>) -> Result<Self, LedgerError> {
        let lock = folder.join("ledger.key.lock");
        let fail = |source| LedgerError::Head(FileError::System { path: lock.clone(), action: "written", source });
        let turn = std::fs::OpenOptions::new().append(true).create(true).open(&lock).map_err(fail)?;
        turn.lock().map_err(fail)?;
        let path = folder.join(KEY);
        let (fresh, next) = (fresh(&path), next(&path));
        let signers = if path.exists() {
            let signers = Signers::new(SigningKey::load(&path)?, others);
            if next.exists() { signers.with_next(SigningKey::load(&next)?) } else { signers }
        } else {
            // Kept under another name first: a crash while a ledger is taken over must not lose the key that did it.
            if !fresh.exists() {
                SigningKey::generate()?.save_new(&fresh)?;
            }
            Signers::adopting(SigningKey::load(&fresh)?, others)
        };
        Ok(Self { path, signers, _turn: turn })
    }

    /// The same with a key that is to take over, drawn where there is none yet. It stays next to the other until
    /// [`KeyFile::renew`].
    ///
    /// # Errors
    /// The key cannot be read or drawn.
    pub fn with_next(self) -> Result<Self, LedgerError> {
        let next = next(&self.path);
        if !next.exists() {
            SigningKey::generate()?.save_new(&next)?;
        }
        let signers = self.signers.with_next(SigningKey::load(&next)?);
        Ok(Self { signers, ..self })
    }

    /// Replaces the retired key, which is lost, by the key that took over.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn renew(self) -> Result<(), LedgerError> {
        self.rename(&next(&self.path))
    }

    /// The signing key, and the keys whose entries are accepted.
    pub fn signers(&self) -> Signers {
        self.signers.clone()
    }

    /// Makes a fresh key the folder's, once its ledger is signed.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn keep(self) -> Result<(), LedgerError> {
        if self.signers.adopt { self.rename(&fresh(&self.path)) } else { Ok(()) }
    }

    fn rename(&self, from: &Path) -> Result<(), LedgerError> {
        let renamed = std::fs::rename(from, &self.path)
            .and_then(|()| std::fs::File::open(files::folder_of(&self.path))?.sync_all());
        let fail = |source| FileError::System { path: self.path.clone(), action: "written", source };
        Ok(renamed.map_err(fail)?)
    }
}

fn fresh(path: &Path) -> PathBuf {
    path.with_extension("key.new")
}

fn next(path: &Path) -> PathBuf {
    path.with_extension("key.next")
}
