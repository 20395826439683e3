//! The ledger: what was set up, issued and refused, in order, never shortened.
//!
//! Entry `i` carries `hash_i = SHA-256(i, at_i, event_i, hash_{i-1})` and the signature of the ledger key over it. So a
//! changed, inserted or removed entry breaks the chain after it, and nobody without the key can write another chain.
//! That does not detect a truncated end: a small file next to it, the *head*, remembers the last entry as a signed
//! checkpoint, and is written after every commit, before the next writer begins. Nor does it detect that database and
//! head were both replaced by older copies. Only *witnesses* can, who cosign each checkpoint that extends the last one
//! they saw ([`Witness`]). Entries are appended inside a transaction that excludes every other writer, so a decision
//! based on the entries read in it still holds when it commits. A ledger key ends with an entry that it signs and that
//! names its successor ([`Retirement`]); later signatures of the old key do not count.

mod chain;
mod entry;
mod event;
mod head;
mod leftover;
pub mod note;
mod retirement;
mod signers;
mod store;
mod tree;
mod witness;

pub use crate::grant::{Grant, Part};
pub use chain::Chain;
pub use entry::{Entry, EntrySignature};
pub use event::Event;
pub use head::{Checkpoint, GENESIS, Head};
pub use retirement::Retirement;
pub use signers::{KEY, KeyFile, Keyring, Signers};
pub use store::{Ledger, LedgerReader, Writing};
pub use tree::{Tile, Tree};
pub use witness::{Handover, MAX_BYTES as MAX_HANDOVER_BYTES, Quorum, Witness, WitnessError};

use crate::files::FileError;
use crate::hash::Hash;
use crate::signature::{SignatureError, VerifyingKey};

/// A ledger that cannot be opened, read or written, or does not prove itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The database refused.
    #[error("ledger {url}: {source}; no key is issued without a ledger")]
    Database {
        /// The database, without credentials.
        url: String,
        /// Its reason.
        source: sqlx::Error,
    },
    /// The URL names no known database.
    #[error("ledger {url}: not a ledger address; write sqlite:PATH or postgres://USER@HOST/NAME")]
    Url {
        /// What was given.
        url: String,
    },
    /// The chain does not hold at an entry.
    #[error("ledger entry {sequence}: {problem}; restore the ledger from a copy that verifies")]
    Broken {
        /// The first entry at fault.
        sequence: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// The end of the chain is missing or was replaced.
    #[error(
        "ledger: its head file {path} says entry {sequence} has hash {hash}, the database {found}; entries were \
         removed or replaced: restore the ledger from a copy that verifies"
    )]
    Cut {
        /// The head file.
        path: std::path::PathBuf,
        /// Last entry known to have been written.
        sequence: i64,
        /// Its hash.
        hash: Hash,
        /// What the ledger holds there.
        found: String,
    },
    /// There are entries, but no head file.
    #[error(
        "ledger: its head file {path} is missing, so nothing shows whether its last entries are still there; \
         restore it from a copy, or have `halflight authority ledger adopt-head` accept the end that is there"
    )]
    HeadMissing {
        /// Where it should be.
        path: std::path::PathBuf,
    },
    /// There are entries, but the head file says that there are none, and nobody signed it.
    #[error(
        "ledger: its head file {path} is empty and not signed, and there are entries: entries may have been removed; \
         restore it from a copy, or have `halflight authority ledger adopt-head` accept the end that is there"
    )]
    HeadEmpty {
        /// The head file.
        path: std::path::PathBuf,
    },
    /// A head is to be adopted, and the one that is there is signed.
    #[error("ledger: its head file {path} is signed; there is no head to adopt")]
    HeadSigned {
        /// The head file.
        path: std::path::PathBuf,
    },
    /// A log of changes next to a SQLite database belongs to another database.
    #[error(
        "ledger: {path} is left over from another database than the one next to it, as when a backup is restored: \
         move it and the file ending in -shm away, and start again; nothing was changed"
    )]
    Leftover {
        /// The log.
        path: std::path::PathBuf,
    },
    /// The key that would sign was retired.
    #[error(
        "ledger: its key {key} was retired with entry {sequence}, and cannot write any more: start again, so that \
         the new ledger key is read; where the folder holds the old one still, restore the new one"
    )]
    Retired {
        /// The key.
        key: VerifyingKey,
        /// The entry that retired it.
        sequence: i64,
    },
    /// A key is to be retired, and none is there to take over.
    #[error("ledger: no new key is ready to replace its key")]
    NoSuccessor,
    /// Another process holds the ledger for too long.
    #[error("ledger: {path} is locked by another process of this authority; try again, or stop that process")]
    Held {
        /// The lock.
        path: std::path::PathBuf,
    },
    /// The ledger key cannot be used.
    #[error("ledger key: {0}")]
    Key(#[from] SignatureError),
    /// A checkpoint from outside does not fit this ledger.
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// The database's file cannot be made, or cannot be closed to others.
    #[error("ledger: {0}")]
    File(#[source] FileError),
    /// The head file cannot be used.
    #[error("ledger head: {0}")]
    Head(#[from] FileError),
    /// The head file does not hold a head.
    #[error("{path}: not a ledger head: {problem}")]
    HeadFormat {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        problem: String,
    },
}
