//! Masks in a folder, each in its own age file, for many processes.
//!
//! Taking a mask first renames its file, which succeeds for one process only, then reads it, then overwrites and
//! removes it, and only then returns the mask. A crash at any point loses at most that mask: a renamed file is never
//! read again. (Overwriting is a best effort: file systems may keep old blocks, which is why the files are encrypted.)
//! A mask that another passphrase locks is put back.
//!
//! A mask used twice reveals differences of inputs, and a folder that was copied, or restored from a backup, holds
//! masks that were used already. A *bound* store ([`MaskStore::open`]) detects this: it belongs to one machine and one
//! path, its masks belong to it by name and number, and taken masks are counted both in the folder and outside it. So a
//! mask file that was put back by itself, or into another bound folder, is not returned again. It does not detect a
//! restore that includes the counters outside.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::Rng;
use zeroize::Zeroizing;

mod binding;
mod error;

use binding::Binding;
pub use error::MaskStoreError;
use qfe::{Encryptor, Mask, PublicKeyId, QuadraticMap, WireError};

use crate::keyfile::{self, KeyFileError, Lock, Unlock};

/// Largest mask file that is read.
const MAX_BYTES: u64 = 600 * QuadraticMap::MAX_INPUTS as u64 + (1 << 20);

/// The result of taking a file.
enum Opened {
    /// Another process took it.
    Gone,
    /// It is for another passphrase or identity, and was put back.
    Closed(KeyFileError),
    /// It is destroyed; this was its content.
    Content(PathBuf, Zeroizing<Vec<u8>>),
}

/// A folder of encrypted masks.
#[derive(Debug)]
pub struct MaskStore {
    folder: PathBuf,
    /// None if copies are not detected.
    binding: Option<Binding>,
}

impl MaskStore {
    /// A store in an existing folder that is not bound: copies of it are not detected.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), binding: None }
    }

    /// A store in an existing folder that belongs to this machine and path. `counters`: an existing folder outside it,
    /// and outside what is backed up with it. An empty folder is bound now; one with masks in it is refused.
    ///
    /// # Errors
    /// A folder cannot be used; or the store is a copy, was restored to an earlier state, or holds masks that belong to
    /// no store.
    pub fn open(folder: &Path, counters: &Path) -> Result<Self, MaskStoreError> {
        let binding = Some(Binding::open(folder, counters)?);
        Ok(Self { folder: folder.to_owned(), binding })
    }

    /// Stores a mask, encrypted, under a new name. (In a bound store it is lost if a later one is taken before this
    /// returns.)
    ///
    /// # Errors
    /// A folder cannot be written, or, for a bound store, an error of [`open`](Self::open).
    pub fn put(&self, mask: Mask, lock: &Lock) -> Result<(), MaskStoreError> {
        let (suffix, bytes) = match &self.binding {
            None => (format!("{:016x}.age", host::fresh_rng().next_u64()), mask.to_bytes()),
            Some(binding) => {
                let serial = binding.next()?;
                (binding.suffix(serial), binding.wrap(serial, &mask.to_bytes()))
            }
        };
        let path = self.folder.join(prefix(mask.public_key_id()) + &suffix);
        Ok(keyfile::save(&path, &bytes, lock)?)
    }

    /// Masks left for a public key.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn len(&self, key: PublicKeyId) -> Result<usize, MaskStoreError> {
        match &self.binding {
            None => Ok(self.unbound(key)?.len()),
            Some(binding) => Ok(binding.free(&key.to_string(), &self.serials(binding, key)?)?.len()),
        }
    }

    /// Whether no mask is left for a public key.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn is_empty(&self, key: PublicKeyId) -> Result<bool, MaskStoreError> {
        Ok(self.len(key)? == 0)
    }

    /// Takes one mask out; its file is destroyed before this returns.
    ///
    /// # Errors
    /// No mask is left for this public key, none opens with this secret, a file is damaged, or, for a bound store, an
    /// error of [`open`](Self::open).
    pub fn take(&self, encryptor: &Encryptor, unlock: &Unlock) -> Result<Mask, MaskStoreError> {
        let key = encryptor.public_key_id();
        let empty = || MaskStoreError::Empty { folder: self.folder.clone(), key };
        let (path, bytes) = match &self.binding {
            None => {
                let mut names = self.unbound(key)?.into_iter();
                loop {
                    match self.open_file(&names.next().ok_or_else(empty)?, unlock)? {
                        Opened::Gone => {}
                        Opened::Closed(error) => return Err(error.into()),
                        Opened::Content(path, bytes) => break (path, bytes),
                    }
                }
            }
            Some(binding) => self.take_bound(binding, key, unlock)?,
        };
        let mask = Mask::from_bytes(&bytes).map_err(|source| MaskStoreError::Content { path: path.clone(), source })?;
        if mask.public_key_id() != key || mask.inputs() != encryptor.inputs() {
            return Err(MaskStoreError::Content { path, source: WireError::Id });
        }
        Ok(mask)
    }

    fn take_bound(
        &self,
        binding: &Binding,
        key: PublicKeyId,
        unlock: &Unlock,
    ) -> Result<(PathBuf, Zeroizing<Vec<u8>>), MaskStoreError> {
        let (folder, id) = (self.folder.clone(), key.to_string());
        loop {
            let Some(serial) = binding.reserve(&id, &self.serials(binding, key)?)? else {
                return Err(match self.names(&prefix(key))?.len() {
                    0 => MaskStoreError::Empty { folder, key },
                    files => MaskStoreError::Used { folder, files, key },
                });
            };
            match self.open_file(&(prefix(key) + &binding.suffix(serial)), unlock)? {
                Opened::Gone => {}
                Opened::Closed(error) => {
                    binding.give_back(&id, serial)?;
                    return Err(error.into());
                }
                Opened::Content(path, bytes) => {
                    let Some(mask) = binding.unwrap(serial, &bytes) else {
                        return Err(MaskStoreError::Renamed { path });
                    };
                    return Ok((path, Zeroizing::new(mask.to_vec())));
                }
            }
        }
    }

    /// Reads a file and destroys it, for one process only.
    fn open_file(&self, name: &str, unlock: &Unlock) -> Result<Opened, MaskStoreError> {
        let path = self.folder.join(name);
        let mine = self.folder.join(format!("taken-{:016x}-{name}", host::fresh_rng().next_u64()));
        match fs::rename(&path, &mine) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
            Err(source) => return Err(MaskStoreError::Io { path, source }),
            Ok(()) => {}
        }
        let loaded = keyfile::load(&mine, unlock, MAX_BYTES);
        let failed = |source| MaskStoreError::Io { path: mine.clone(), source };
        // A wrong passphrase costs no mask; a damaged file is never used again.
        if let Err(error @ KeyFileError::Decrypt { .. }) = loaded {
            if !keyfile::is_for(&mine, unlock, MAX_BYTES).map_err(failed)? {
                fs::rename(&mine, &path).map_err(failed)?;
                return Ok(Opened::Closed(error));
            }
            destroy(&mine).map_err(failed)?;
            return Err(error.into());
        }
        destroy(&mine).map_err(failed)?;
        Ok(Opened::Content(mine, loaded?))
    }

    /// Removes masks that crashed processes had taken; call it when no other process is running.
    ///
    /// # Errors
    /// A folder or file cannot be changed.
    pub fn discard_taken(&self) -> Result<usize, MaskStoreError> {
        let names = self.names("taken-")?;
        for name in &names {
            let path = self.folder.join(name);
            destroy(&path).map_err(|source| MaskStoreError::Io { path, source })?;
        }
        Ok(names.len())
    }

    /// Names of a key's masks that belong to no store.
    fn unbound(&self, key: PublicKeyId) -> Result<Vec<String>, MaskStoreError> {
        let (mut names, prefix) = (self.names(&prefix(key))?, prefix(key));
        // A random number and `.age`; masks of a store have its name as a prefix.
        names.retain(|name| name.len() == prefix.len() + 16 + 4);
        Ok(names)
    }

    fn serials(&self, binding: &Binding, key: PublicKeyId) -> Result<Vec<u64>, MaskStoreError> {
        let (names, prefix) = (self.names(&prefix(key))?, prefix(key));
        Ok(names.iter().filter_map(|name| binding.serial(name.strip_prefix(&prefix)?)).collect())
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
