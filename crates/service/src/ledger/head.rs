//! The last entry, remembered outside the database.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LedgerError;
use crate::files;
use crate::hash::Hash;

/// Place and hash of the last entry; copy it elsewhere from time to time to have a witness.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub sequence: i64,
    /// Hash of the last one.
    pub hash: Hash,
}

/// The file that holds a [`Head`].
#[derive(Clone, Debug)]
pub(super) struct HeadFile(pub PathBuf);

impl HeadFile {
    /// The head, or none where no file is.
    pub fn read(&self) -> Result<Option<Head>, LedgerError> {
        if !self.0.exists() {
            return Ok(None);
        }
        let text = files::read_text(&self.0, 4096)?;
        let head = serde_json::from_str(&text)
            .map_err(|error| LedgerError::HeadFormat { path: self.0.clone(), problem: error.to_string() })?;
        Ok(Some(head))
    }

    /// Replaces the head, on the disk when this returns.
    pub fn write(&self, head: Head) -> Result<(), LedgerError> {
        let text = serde_json::to_string(&head)
            .map_err(|error| LedgerError::HeadFormat { path: self.0.clone(), problem: error.to_string() })?;
        Ok(files::write(&self.0, text.as_bytes())?)
    }

    /// The error of an end that is not the one remembered; `found`: what is there instead.
    pub fn cut(&self, Head { sequence, hash }: Head, found: String) -> LedgerError {
        LedgerError::Cut { path: self.0.clone(), sequence, hash, found }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}
