//! What the parameters of each model hashed to when they were first accepted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::files::{self, FileError};
use crate::hash::Hash;

/// The file of pins.
pub struct Pins(PathBuf);

/// A file of pins that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// It cannot be read or written.
    #[error("pins {0}")]
    File(#[from] FileError),
    /// It is none.
    #[error("pins {path}: {problem}; restore the file, or remove it to trust the servers anew")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

impl Pins {
    /// Pins in a file, which need not exist.
    pub fn open(path: PathBuf) -> Self {
        Self(path)
    }

    /// What a name is pinned to.
    ///
    /// # Errors
    /// [`PinError`]: a file that cannot be read never counts as no pin.
    pub fn get(&self, name: &str) -> Result<Option<Hash>, PinError> {
        Ok(self.read()?.get(name).copied())
    }

    /// Pins a name.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn keep(&self, name: &str, hash: Hash) -> Result<(), PinError> {
        let mut pins = self.read()?;
        if pins.insert(name.to_owned(), hash) == Some(hash) {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&pins).map_err(|error| self.format(&error))?;
        Ok(files::write(&self.0, &text)?)
    }

    fn read(&self) -> Result<BTreeMap<String, Hash>, PinError> {
        if !self.0.exists() {
            return Ok(BTreeMap::new());
        }
        serde_json::from_slice(&files::read(&self.0, 1 << 20)?).map_err(|error| self.format(&error))
    }

    fn format(&self, error: &serde_json::Error) -> PinError {
        PinError::Format { path: self.0.clone(), problem: error.to_string() }
    }
}
