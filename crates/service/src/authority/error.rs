//! Errors of an authority.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::files::FileError;
use crate::ledger::{LedgerError, Part};
use crate::policy::PolicyError;
use crate::signature::SignatureError;

/// A request that an authority did not carry out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// Refused under the policy; the ledger has the reasons.
    #[error("refused: {}", reasons.join("; "))]
    Refused {
        /// Every reason.
        reasons: Vec<String>,
    },
    /// No such project, network or key.
    #[error("{0}")]
    Unknown(String),
    /// An invalid name or value.
    #[error("{field} is '{value}': {remedy}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What to give.
        remedy: String,
    },
    /// Too many requests are considered.
    #[error("as many requests are considered as may be at once; try again later")]
    Busy,
    /// The ledger: without it, no key.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The policy file.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file cannot be read or written, or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// A master key is needed, and nothing was given that unlocks it.
    #[error("the master keys are locked: give the passphrase or the identity that unlocks them")]
    Locked,
    /// The master key was made by another authority on the same ledger.
    #[error(
        "the master key of public key {public_key} is not here: {path} is missing. Another authority on this ledger made \
         it: ask there, or copy its folder"
    )]
    KeyElsewhere {
        /// The public key.
        public_key: crate::hash::Hash,
        /// Where it should be.
        path: PathBuf,
    },
    /// The head of another's ledger is not cosigned.
    #[error(transparent)]
    Witness(#[from] crate::ledger::WitnessError),
    /// Only a part of the key can be made here.
    #[error(
        "this authority holds {part}, of public key {public_key}, and makes no key alone: ask for a partial key, here and \
         at others"
    )]
    Shared {
        /// The public key.
        public_key: crate::hash::Hash,
        /// The share.
        part: Part,
    },
    /// Whole keys are kept away from this authority.
    #[error(
        "this authority may hold only shares, and {what}: bring a share from a ceremony, or let it hold master \
         keys"
    )]
    SharesOnly {
        /// What it conflicts with.
        what: String,
    },
    /// A rejected share.
    #[error("share: {0}")]
    Share(#[from] roles::ShareFileError),
    /// A partial key cannot be made.
    #[error(transparent)]
    Partial(#[from] qfe::shares::ShareError),
    /// The key does not fit its public key.
    #[error(transparent)]
    Combine(#[from] qfe::shares::CombineError),
    /// The issue is recorded, and too few witnesses saw it yet.
    #[error(
        "the issue is entry {sequence} of the ledger, and {people} witnesses must have cosigned a head that includes it \
         before the key is handed out: give them `halflight authority ledger checkpoint`, take what they cosigned with \
         `halflight authority ledger cosign`, and ask again"
    )]
    Unwitnessed {
        /// Entry of the issue.
        sequence: i64,
        /// How many witnesses.
        people: usize,
    },
    /// A master key file.
    #[error(transparent)]
    KeyFile(#[from] roles::keyfile::KeyFileError),
    /// Keys cannot be made for these inputs.
    #[error(transparent)]
    Key(#[from] qfe::KeyError),
    /// An audit that does not hold.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A signing key.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A computation was aborted.
    #[error("the computation was aborted: {0}")]
    Task(#[from] tokio::task::JoinError),
}
