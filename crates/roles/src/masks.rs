//! Masks in a folder, each in its own age file, for many processes.
//!
//! Taking a mask first renames its file, which succeeds for one process only, then
//! reads it, then overwrites and removes it, and only then hands the mask out. A
//! crash at any point loses at most that mask: a renamed file is never read again.
//! (Overwriting is a best effort: file systems may keep old blocks, which is why
//! the files are encrypted.)

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::Rng;
use thiserror::Error;

use qfe::{Encryptor, Mask, PublicKeyId, QuadraticMap, WireError};

use crate::keyfile::{self, KeyFileError, Lock, Unlock};

/// Largest mask file that is read.
const MAX_BYTES: u64 = 600 * QuadraticMap::MAX_INPUTS as u64 + (1 << 20);

/// Why a mask cannot be stored or taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MaskStoreError {
    /// No mask of this public key is left.
    #[error("{}: no masks are left for public key {key}; draw more", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
        /// The public key.
        key: PublicKeyId,
    },
    /// Reading, renaming or removing failed.
    #[error("{}: {source}; check that the folder exists and that you may use it", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Encrypting or decrypting failed.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The decrypted content is no mask of this key. The file is gone.
    #[error("{}: {source}; the mask was discarded", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: WireError,
    },
}

/// A folder of encrypted masks.
pub struct MaskStore {
    folder: PathBuf,
}

impl MaskStore {
    /// A store in an existing folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Stores a mask, encrypted, under a fresh name.
    pub fn put(&self, mask: Mask, lock: &Lock) -> Result<(), MaskStoreError> {
        let name = format!("{}{:016x}.age", prefix(mask.public_key_id()), rand::rng().next_u64());
        Ok(keyfile::save(&self.folder.join(name), &mask.to_bytes(), lock)?)
    }

    /// Masks left for a public key.
    pub fn len(&self, key: PublicKeyId) -> Result<usize, MaskStoreError> {
        Ok(self.names(&prefix(key))?.len())
    }

    /// Whether no mask is left for a public key.
    pub fn is_empty(&self, key: PublicKeyId) -> Result<bool, MaskStoreError> {
        Ok(self.len(key)? == 0)
    }

    /// Takes one mask out; its file is destroyed before this returns.
    pub fn take(&self, encryptor: &Encryptor, unlock: &Unlock) -> Result<Mask, MaskStoreError> {
        let key = encryptor.public_key_id();
        for name in self.names(&prefix(key))? {
            let path = self.folder.join(&name);
            let mine = self.folder.join(format!("taken-{:016x}-{name}", rand::rng().next_u64()));
            match fs::rename(&path, &mine) {
                // Somebody else was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(MaskStoreError::Io { path, source }),
                Ok(()) => {}
            }
            let loaded = keyfile::load(&mine, unlock, MAX_BYTES);
            destroy(&mine).map_err(|source| MaskStoreError::Io { path: mine.clone(), source })?;
            let mask =
                Mask::from_bytes(&loaded?).map_err(|source| MaskStoreError::Content { path: mine.clone(), source })?;
            if mask.public_key_id() != key || mask.inputs() != encryptor.inputs() {
                return Err(MaskStoreError::Content { path: mine, source: WireError::Id });
            }
            return Ok(mask);
        }
        Err(MaskStoreError::Empty { folder: self.folder.clone(), key })
    }

    /// Removes what crashed processes had taken; call it when no other one runs.
    pub fn discard_taken(&self) -> Result<usize, MaskStoreError> {
        let names = self.names("taken-")?;
        for name in &names {
            let path = self.folder.join(name);
            destroy(&path).map_err(|source| MaskStoreError::Io { path, source })?;
        }
        Ok(names.len())
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, MaskStoreError> {
        let failed = |source| MaskStoreError::Io { path: self.folder.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name.starts_with(prefix) && name.ends_with(".age") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

fn prefix(key: PublicKeyId) -> String {
    format!("mask-{key}-")
}

/// Overwrites a file and removes it.
fn destroy(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0u8; 4096];
    while left > 0 {
        let now = left.min(zeros.len() as u64);
        file.write_all(&zeros[..now as usize])?;
        left -= now;
    }
    file.sync_all()?;
    fs::remove_file(path)
}
