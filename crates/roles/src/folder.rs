//! The folder of one model, in the form that a predictor serves.
//!
//! ```text
//! digits/network.safetensors    the compiled network
//! digits/functional.key         opens it under one public key; readable by its owner only
//! digits/public.key             optional: sent to owners who ask, and used to check the functional key
//! digits/grant.json             optional: the authority's grant
//! digits/audit.json             optional: the signed audit
//! digits/page.json              optional: additional content of the web page
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::files::{self, Access, FileError};
use model::CompiledNetwork;
use qfe::{FunctionalKey, LogTable, PublicKey};

use crate::published::PUBLIC_KEY;
use crate::{KeyMismatch, Predictor};

const NETWORK: &str = "network.safetensors";
const FUNCTIONAL_KEY: &str = "functional.key";
const GRANT: &str = "grant.json";
const AUDIT: &str = "audit.json";
const PAGE: &str = "page.json";

/// Maximum size of a functional or public key file, in bytes.
const MAX_KEY_BYTES: u64 = 512 << 20;
/// Maximum size of a grant, an audit or a page, in bytes.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The parts of a model. Grant, audit and page are the signed texts of their makers; the reader must check them.
#[derive(Debug)]
pub struct ModelFolder {
    /// The compiled network.
    pub network: CompiledNetwork,
    /// Opens the network.
    pub key: FunctionalKey,
    /// The public key, if the folder has it.
    pub public_key: Option<PublicKey>,
    /// The authority's grant.
    pub grant: Option<Vec<u8>>,
    /// The signed audit.
    pub audit: Option<Vec<u8>>,
    /// Samples and a cloud of outputs.
    pub page: Option<Vec<u8>>,
}

/// A folder that is not a model, or cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file is missing, cannot be read or written, or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// The files do not belong together.
    #[error("{path}: {problem}: take both files from the same grant")]
    Mismatch {
        /// The folder.
        path: PathBuf,
        /// What differs.
        problem: &'static str,
    },
}

impl ModelFolder {
    /// The files that [`write`](Self::write) may replace.
    pub const FILES: [&str; 5] = [NETWORK, AUDIT, PUBLIC_KEY, GRANT, FUNCTIONAL_KEY];

    /// Reads a folder, and checks that key, network and public key belong together. A functional key that is wrong for
    /// its function is detected only if `public.key` is in the folder; otherwise it is read, and gives wrong outputs or
    /// none.
    ///
    /// # Errors
    /// [`FolderError`] names the file.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(NETWORK);
        let network = CompiledNetwork::load(&path).map_err(|error| FileError::content(&path, error))?;
        let path = folder.join(FUNCTIONAL_KEY);
        let key = FunctionalKey::from_bytes(&files::read(&path, MAX_KEY_BYTES)?);
        let key = key.map_err(|error| FileError::content(&path, error))?;
        let mismatch = |problem| FolderError::Mismatch { path: folder.to_owned(), problem };
        if key.map() != network.map() {
            return Err(mismatch("functional.key opens another function than network.safetensors"));
        }
        let public_key = match optional(folder, PUBLIC_KEY, MAX_KEY_BYTES)? {
            None => None,
            Some(bytes) => {
                let read = PublicKey::from_bytes(&bytes);
                let public = read.map_err(|error| FileError::content(&folder.join(PUBLIC_KEY), error))?;
                if public.id() != key.public_key_id() {
                    return Err(mismatch("functional.key belongs to another public key than public.key"));
                }
                // Whoever passes a key on may have changed it: it would give wrong outputs, not errors.
                public
                    .verify(&key)
                    .map_err(|_| mismatch("functional.key is not a key of public.key for its function"))?;
                Some(public)
            }
        };
        let text = |name| optional(folder, name, MAX_TEXT_BYTES);
        Ok(Self { network, key, public_key, grant: text(GRANT)?, audit: text(AUDIT)?, page: text(PAGE)? })
    }

    /// Writes a folder, made if missing. Files of another model are replaced, except a page, which only another page
    /// replaces. The functional key is written last, so that nobody sees it without its grant.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), FolderError> {
        files::make_folder(folder)?;
        let path = folder.join(NETWORK);
        let saved = self.network.save(&path);
        saved.map_err(|error| FileError::content(&path, error))?;
        let public_key = self.public_key.as_ref().map(PublicKey::to_bytes);
        replace(folder, AUDIT, self.audit.as_deref())?;
        if let Some(page) = &self.page {
            files::write(&folder.join(PAGE), page, Access::Ordinary)?;
        }
        replace(folder, PUBLIC_KEY, public_key.as_deref())?;
        replace(folder, GRANT, self.grant.as_deref())?;
        Ok(files::write(&folder.join(FUNCTIONAL_KEY), &self.key.to_bytes(), Access::Secret)?)
    }

    /// The predictor of this folder.
    ///
    /// # Errors
    /// [`KeyMismatch`].
    pub fn predictor(&self, table: Arc<LogTable>) -> Result<Predictor, KeyMismatch> {
        Predictor::new(self.network.clone(), &self.key, table)
    }
}

fn optional(folder: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    files::read_if_there(&folder.join(name), limit)
}

fn replace(folder: &Path, name: &str, bytes: Option<&[u8]>) -> Result<(), FileError> {
    let path = folder.join(name);
    match bytes {
        Some(bytes) => files::write(&path, bytes, Access::Ordinary),
        None if path.exists() => {
            fs::remove_file(&path).map_err(|source| FileError::System { path, action: "written", source })
        }
        None => Ok(()),
    }
}
