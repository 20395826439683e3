//! Why a mask cannot be stored or taken.

use std::{io, path::PathBuf};

use qfe::{PublicKeyId, WireError};
use thiserror::Error;

use crate::keyfile::KeyFileError;

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
        /// The system's error.
        source: io::Error,
    },
    /// The store is a copy, or was restored to an earlier state: its masks may have been used already.
    #[error("{}: {problem}; its masks may have been used: draw new ones in another folder", folder.display())]
    Copy {
        /// The folder.
        folder: PathBuf,
        /// How that was detected.
        problem: String,
    },
    /// The store's own file holds something else.
    #[error("{}: not the file of a mask store; draw new masks in another folder", path.display())]
    Binding {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds masks and is not bound: a copy, or a folder of an earlier version.
    #[error("{}: holds masks that belong to no store on this machine and may have been used: draw new ones in another folder", folder.display())]
    Unbound {
        /// The folder.
        folder: PathBuf,
    },
    /// Only files that must not be used are left.
    #[error("{}: {files} mask files were taken before or belong to another store, and no others are left for public key {key}; remove them and draw more", folder.display())]
    Used {
        /// The folder.
        folder: PathBuf,
        /// How many files.
        files: usize,
        /// The public key.
        key: PublicKeyId,
    },
    /// The decrypted content belongs to another store or serial than the name. The file is gone.
    #[error("{}: holds a mask of another store; it was discarded: draw new ones", path.display())]
    Renamed {
        /// The path.
        path: PathBuf,
    },
    /// Encrypting or decrypting failed.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The decrypted content is not a mask of this key. The file is gone.
    #[error("{}: {source}; the mask was discarded", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: WireError,
    },
}
